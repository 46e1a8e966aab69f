#!/usr/bin/env python3
"""What was acknowledged is there after kill -9 at any moment: clients make, edit, start, pause, stop and delete
pipelines and connectors at random, the server is killed and started again, and each pipeline is as its client was told,
or as one request more that had no answer would have made it."""
import copy
import random
import signal
import time

from libhw import *

ROUNDS = int(os.environ.get("ROUNDS", 400 if FULL else 10))
CLIENTS = 4
NAMES = 3  # pipelines of one client
DATA = path("data")

PROGRAMS = [table("t", "id BIGINT NOT NULL", [datagen("a", {"rate": 1000}), datagen("b", {"rate": 1000}, paused=True)]) +
            view("v%d" % i, "SELECT id FROM t", [null_output("o")]) for i in range(3)]
AT_FIRST = {"a": False, "b": True, "o": False}  # paused


def stopped(p):
    """A connector's pause ends with the run."""
    return dict({k: v for k, v in p.items() if k != "paused"}, desired="Stopped")


class Model:
    """What one client knows of its pipelines."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.names = ["p%d-%d" % (seed, i) for i in range(NAMES)]
        self.pipelines = {}  # by name, what it may be: more than one state after a request of unknown outcome

    def choose(self):
        """A request, and what it does to a pipeline when it is acknowledged."""
        rng, name = self.rng, self.rng.choice(self.names)
        base = "/v0/pipelines/" + name
        if name not in self.pipelines:
            program = rng.randrange(3)
            return (rng.choice(["POST", "PUT"]), None, {"name": name, "program_code": PROGRAMS[program]},
                    name, lambda p: dict(program=program, note="", desired="Stopped", version=1))
        now = self.pipelines[name][0]
        kind = rng.choice(["note", "program", "start", "start", "start", "stop", "pause", "resume", "connector",
                           "connector", "connector", "clear", "delete"])
        if kind == "note":
            note = "note %d" % rng.randrange(1000)
            return "PATCH", base, {"description": note}, name, lambda p: dict(p, note=note)
        if kind == "program":
            program = rng.randrange(3)
            return ("PATCH", base, {"program_code": PROGRAMS[program]}, name,
                    lambda p: dict(p, program=program, version=p["version"] + (program != p["program"])))
        if kind == "start":
            initial = rng.choice(["running", "paused"])
            desired = "Running" if initial == "running" else "Paused"
            return ("POST", base + "/start?initial=" + initial, None, name,
                    lambda p: p if p["desired"] != "Stopped" else dict(p, desired=desired, paused=dict(AT_FIRST)))
        if kind == "connector":
            connector, pause = rng.choice("abo"), rng.random() < 0.5
            relation = "/views/v%d" % now["program"] if connector == "o" else "/tables/t"
            return ("POST", base + relation + "/connectors/%s/%s" % (connector, "pause" if pause else "start"), None, name,
                    lambda p: dict(p, paused=dict(p.get("paused", AT_FIRST), **{connector: pause})))
        if kind in ("pause", "resume"):
            return ("POST", base + "/" + kind, None, name,
                    lambda p: dict(p, desired="Paused" if kind == "pause" else "Running"))
        if kind == "stop":
            return "POST", base + "/stop?force=true", None, name, stopped
        if kind == "clear":
            return "POST", base + "/clear", None, name, lambda p: p
        return "DELETE", base, None, name, lambda p: None

    def torment(self, port, counts):
        client = Client(port)
        while True:
            method, target, body, name, effect = self.choose()
            if target is None:
                target = "/v0/pipelines" + ("" if method == "POST" else "/" + name)
            before = self.pipelines.get(name, [None])
            after = [effect(copy.deepcopy(p)) for p in before]
            self.pipelines[name] = before + after
            try:
                reply = client.request(method, target, body)
            except (OSError, http.client.HTTPException):
                return
            expect(reply.status < 500 or reply.status == 503, "%s %s: %d %r" % (method, target, reply.status, reply.body))
            if reply.status == 503 and b"is stopping" in reply.body:
                return  # as the server stops; what was asked for may have been kept
            if reply.status < 300:
                counts.append(float(reply.headers.get("Server-Timing", "dur=0").split("=")[1]))
            self.settle(name, after if reply.status < 300 else before)

    def settle(self, name, states):
        if states == [None]:
            self.pipelines.pop(name, None)
        else:
            self.pipelines[name] = states

    # after the restart
    def check(self, client):
        for name in self.names:
            told = self.pipelines.get(name, [None])
            is_now = look(client, name)
            if is_now not in told:
                fail("%s: it is %r, and was told to be %s" % (name, is_now, " or ".join(map(repr, told))))
            self.settle(name, [is_now])


def look(client, name):
    """The pipeline as a model has it, once it has come to where it was told to be."""
    reply = client.request("GET", "/v0/pipelines/" + name)
    if reply.status == 404:
        return None
    p = reply.json
    desired = p["deployment_desired_status"]
    found = dict(program=PROGRAMS.index(p["program_code"]), note=p["description"], desired=desired,
                 version=p["version"])
    if desired != "Stopped":
        client.wait_status(name, desired)
        stats = client.stats(name)
        found["paused"] = {s["endpoint_name"].split(".")[1]: s["paused"] for s in stats["inputs"]}
        found["paused"]["o"] = stats["outputs"][0]["headworks"]["paused"]
        equal(client.get(name)["storage_status"], "InUse", "%s: storage" % name)
    return found


def round_of(models, rng, server, counts):
    workers = Workers()
    for m in models:
        workers.add(m.torment, server.port, counts)
    end = time.monotonic() + rng.uniform(0.02, 0.6)
    wait_until(lambda: time.monotonic() > end, "the time is over")
    if rng.random() < 0.8:
        server.process.kill()
        finish(server.process, -signal.SIGKILL)
    else:  # it may stop what it runs, but nobody has asked it to forget that
        server.process.send_signal(signal.SIGTERM)
        status = finish(server.process, None)
        expect(status in (0, 1), "exit status %d" % status)  # 1: a paused output keeps rows, a forced stop came, ...
    for thread in workers.threads:
        thread.join()


def main():
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print("SEED=%d" % seed)
    rng = random.Random(seed)
    models = [Model(seed + i) for i in range(CLIENTS)]
    counts = []
    for number in range(ROUNDS):
        server = Server("--data-dir", DATA, "--drain-timeout", "0.2")
        client = server.client()
        for m in models:
            m.check(client)
        listed = {p["name"] for p in client.expect(200, "GET", "/v0/pipelines?selector=status").json}
        equal(listed, {n for m in models for n in m.pipelines}, "pipelines after %d kills" % number)
        round_of(models, rng, server, counts)
    expect(len(counts) > 10 * ROUNDS, "only %d requests were acknowledged" % len(counts))
    server = Server("--data-dir", DATA)
    for m in models:
        m.check(server.client())
    server.process.kill()
    finish(server.process, -signal.SIGKILL)
    print("%d requests acknowledged; the disk took %.2f ms of one at the median" %
          (len(counts), sorted(counts)[len(counts) // 2]))


def rest():
    """A directory for one server only; a pipeline that ran says that it reads anew; none keeps nothing."""
    data = path("data of one")
    server = Server("--data-dir", data)
    second = run("serve", "--listen", "127.0.0.1:0", "--data-dir", data, status=1)
    expect(b"in use by another server" in second.stderr, "said: %r" % second.stderr)
    client = server.client()
    client.create("again", PROGRAMS[0])
    client.start("again")
    server.process.kill()
    finish(server.process, -signal.SIGKILL)
    with Server("--data-dir", data) as server:
        server.client().wait_status("again", "Running")
        expect(b"starts again, reads its inputs from the beginning" in read("server.log"), "it is not told")
    os.chmod(os.path.join(data, "catalog.db"), 0o600)
    with open(os.path.join(data, "catalog.db"), "r+b") as f:
        f.write(b"no database at all")
    broken = run("serve", "--listen", "127.0.0.1:0", "--data-dir", data, status=1)
    expect(b"is damaged" in broken.stderr, "said: %r" % broken.stderr)
    home = {"XDG_STATE_HOME": "", "HOME": path("home")}  # where it is when nobody says
    for names in ([], ["p"]):
        server = start("serve", "--listen", "127.0.0.1:0", stdout=subprocess.PIPE, env=dict(os.environ, **home))
        client = Client(int(server.stdout.readline().decode().rsplit(":", 1)[1]))
        equal([p["name"] for p in client.expect(200, "GET", "/v0/pipelines").json], names, "pipelines")
        if not names:
            client.create("p", PROGRAMS[0])
        server.terminate()
        finish(server)
    expect(os.path.exists(path("home/.local/state/headworks/catalog.db")), "no catalog in the home directory")
    for _ in range(2):
        with Server("--data-dir", "none") as server:
            equal(server.client().expect(200, "GET", "/v0/pipelines").json, [], "pipelines")
            server.client().create("p", PROGRAMS[0])


main()
rest()
