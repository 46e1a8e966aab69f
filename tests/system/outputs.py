#!/usr/bin/env python3
# mostly-waits
"""Outputs over HTTP: a pause is true under load and loses nothing, other sinks go on; on_full spills in order (a full
disk holds, and says so) and drops what it counts."""
import random
import subprocess
import sys

from libhw import *

SECONDS = 60 if FULL else 4
ROWS = 300000


def output(client, endpoint):
    for stats in client.stats("p")["outputs"]:
        if stats["endpoint_name"] == endpoint:
            return stats
    fail("no output %s" % endpoint)


def act(client, connector, action, status=200):
    return client.expect(status, "POST", "/v0/pipelines/p/views/v/connectors/%s/%s" % (connector, action))


def total(reply):
    return int(reply.headers["Headworks-Total-Records"])


def size(name):
    return os.path.getsize(path(name)) if os.path.exists(path(name)) else 0


def expect_all(name, rows):
    expect(read(name) == b"".join(b'{"id":%d}\n' % i for i in range(rows)), "%s: rows were lost or repeated" % name)


def torment(client, seed, stopping, looked):
    """Pauses one output, looks whether it is still, and whether the other goes on."""
    rng = random.Random(seed)
    while not stopping.is_set():
        paused = total(act(client, "a", "pause"))
        written = size("a.ndjson")
        if rng.random() < 0.2:
            before = output(client, "v.b")["metrics"]["transmitted_records"]
            wait_until(lambda: output(client, "v.b")["metrics"]["transmitted_records"] > before, "the other goes on")
        equal(size("a.ndjson"), written, "bytes of the paused output's file")
        stats = output(client, "v.a")
        equal((stats["metrics"]["transmitted_records"], stats["headworks"]["paused"]), (paused, True), "paused output")
        equal(total(act(client, "a", "pause")), paused, "rows at a second pause")
        equal(int(act(client, "a", "start").headers["Headworks-Total-Records"]), paused, "rows at the start")
        looked.append(paused)


def pauses():
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"rate": 200000})]) +
               view("v", "SELECT id FROM t", [file_output("a", path("a.ndjson"), fsync="never"),
                                              file_output("b", path("b.ndjson"), fsync="never")]))
    workers, looked = Workers(), []
    with Server() as server:
        client = server.client()
        client.create("p", program)
        act(client, "a", "pause", 503)
        client.start("p")
        equal(act(client, "a", "halt", 400).code, "InvalidConnectorAction", "code")
        equal(act(client, "c", "pause", 404).code, "UnknownOutputEndpoint", "code")
        reply = client.expect(404, "POST", "/v0/pipelines/p/views/t/connectors/g/pause")
        equal(reply.code, "UnknownOutputEndpoint", "code of a table's connector")
        done = run("connector", "p", "v", "a", "pause", "--url", server.url)
        expect(done.stdout.startswith(b"v.a: paused after "), "the command said %r" % done.stdout)
        expect(b"headworks.paused: true" in run("connector", "p", "V", "a", "stats", "--url", server.url).stdout,
               "the command's stats tell of the pause")
        run("connector", "p", "v", "a", "start", "--url", server.url)
        done = run("connector", "p", "v", "zzz", "start", "--url", server.url, status=None)
        expect(done.returncode != 0 and b"v.a, v.b" in done.stderr, "an unknown one: %r" % done.stderr)
        workers.add(torment, server.client(), 1, workers.stopping, looked)
        end = time.monotonic() + SECONDS
        wait_until(lambda: time.monotonic() > end, "the time is over", SECONDS + 10)
        workers.stop()
        client.connector("p", "t", "g", "pause")
        rows = client.records("p", "t.g")
        client.stop("p")
    print("%d pauses looked at" % len(looked))
    expect(len(looked) > 20, "too few pauses")
    expect_all("a.ndjson", rows)
    expect_all("b.ndjson", rows)


def declared_paused():
    """The attribute; and a stop that cannot write what such an output holds ends, and says so."""
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": ROWS})]) +
               view("v", "SELECT id FROM t", [dict(file_output("a", path("held.ndjson")), paused=True),
                                              file_output("b", path("b.ndjson"))]))
    with Server("--drain-timeout", "2") as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        wait_until(lambda: output(client, "v.b")["metrics"]["transmitted_records"] == ROWS, "the other has all")
        stats = output(client, "v.a")
        equal(stats["metrics"]["queued_records"], ROWS, "rows held")
        equal(client.stats("p")["global_metrics"]["total_completed_records"], 0, "records completed")
        expect(not client.complete("p"), "complete, with rows unwritten")
        client.expect(202, "POST", "/v0/pipelines/p/stop?force=false")
        client.wait_status("p", "Stopped")
        error = client.get("p")["deployment_error"]
        equal(error["error_code"], "StopIncomplete", "code")
        expect("output v.a is paused and holds %d rows" % ROWS in error["message"], error["message"])
        equal(read("held.ndjson"), b"", "what the paused output has written")


def survives():
    """With a data directory a pause of an output outlives the process, however that ends."""
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": 1000})]) +
               view("v", "SELECT id FROM t", [file_output("a", path("kept.ndjson")), null_output("b")]))
    server = Server("--data-dir", path("data"))
    client = server.client()
    client.create("p", program)
    client.start("p", "paused")
    act(client, "a", "pause")
    client.resume("p")
    server.process.kill()
    finish(server.process, None)
    with Server("--data-dir", path("data")) as server:
        client = server.client()
        client.wait_status("p", "Running")
        wait_until(lambda: output(client, "v.b")["metrics"]["transmitted_records"] == 1000, "the other has all")
        stats = output(client, "v.a")
        equal((stats["headworks"]["paused"], stats["metrics"]["transmitted_records"]), (True, 0), "after the restart")
        act(client, "a", "start")
        client.wait_complete("p")
        client.stop("p")
    expect_all("kept.ndjson", 1000)


def spills(directory, small):
    """A paused output spills; where the disk is small, it holds until somebody makes room."""
    filler = os.path.join(directory, "filler")
    if small:
        with open(filler, "wb") as f:
            f.write(b"\0" * (6 << 20))
    on_full = {"on_full": "spill", "max_queued_records": 20000, "paused": True}
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": 10 * ROWS})]) +
               view("v", "SELECT id FROM t", [dict(file_output("a", path("spilled.ndjson"), fsync="never"), **on_full),
                                              null_output("b")]))
    with Server("--spill-dir", directory) as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        if small:
            wait_until(lambda: output(client, "v.a")["health"]["status"] == "Unhealthy", "the full disk is reported")
            reason = output(client, "v.a")["health"]["description"]
            expect("No space left" in reason and directory in reason, "the reason is %r" % reason)
            expect(client.records("p", "t.g") < 10 * ROWS, "the pipeline did not wait")
            os.unlink(filler)
            act(client, "a", "start")
            client.wait_complete("p")
        else:
            wait_until(lambda: output(client, "v.b")["metrics"]["transmitted_records"] == 10 * ROWS, "the other has all")
            stats = output(client, "v.a")
            equal(stats["metrics"]["queued_records"], 10 * ROWS, "rows held")
            expect(stats["headworks"]["spill_bytes"] > 8 * 9 * ROWS, "bytes on disk: %r" % stats["headworks"])
            expect(stats["metrics"]["memory"] < 20000 * 100, "memory of the output: %r" % stats["metrics"])
            act(client, "a", "start")
            client.wait_complete("p")
        stats = output(client, "v.a")
        equal((stats["headworks"]["spill_bytes"], stats["headworks"]["dropped_records"]), (0, 0), "left on disk, dropped")
        equal(os.listdir(directory), [], "names in the spill directory")
        client.stop("p")
    expect_all("spilled.ndjson", 10 * ROWS)


def drops():
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": ROWS})]) +
               view("v", "SELECT id FROM t", [dict(file_output("a", path("dropped.ndjson")), paused=True, on_full="drop",
                                                   max_queued_records=9000)]))
    with Server() as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        wait_until(lambda: client.stats("p")["global_metrics"]["total_processed_records"] == ROWS, "all is processed")
        act(client, "a", "start")
        client.wait_complete("p")
        stats = output(client, "v.a")
        written, dropped = stats["metrics"]["transmitted_records"], stats["headworks"]["dropped_records"]
        equal(written + dropped, ROWS, "rows written and dropped")
        expect(0 < written <= 9000, "%d rows were written" % written)
        client.stop("p")
    ids = [row["id"] for row in read_rows("dropped.ndjson")]
    equal((len(ids), ids == sorted(ids)), (written, True), "rows in the file, and their order")


if len(sys.argv) > 1:
    spills(sys.argv[1], True)
    sys.exit(0)
pauses()
declared_paused()
survives()
os.mkdir(path("spill"))
spills(path("spill"), False)
drops()
os.mkdir(path("disk"))
mount = 'mount -t tmpfs -o size=8m tmpfs "$1" 2>/dev/null || exit 77; exec python3 "$2" "$1"'
done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", path("disk"),
                       os.path.abspath(__file__)])
if done.returncode == 77 or (done.returncode == 1 and subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], stderr=subprocess.DEVNULL).returncode):
    skip("no small file system can be mounted here; the rest was tried")
sys.exit(done.returncode)
