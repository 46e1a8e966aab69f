"""What the whole-program tests share: running the program, a server and its clients, waiting on conditions."""
import atexit
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HEADWORKS = os.path.abspath(os.environ["HEADWORKS"])
SRCDIR = os.environ.get("SRCDIR", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TMP = tempfile.mkdtemp(prefix="headworks.")  # in $TMPDIR; left behind when the test fails
os.chdir(TMP)
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
FULL = bool(os.environ.get("HW_FULL"))
SANITIZED = bool(os.environ.get("HW_SANITIZED"))
EXAMPLES = os.path.join(SRCDIR, "examples")
DEADLINE = 120 if SANITIZED else 30

_tick = threading.Event()  # never set: a wait on it lets a moment pass between two looks
_failing = threading.Lock()  # never given back


def fail(message):
    """Ends the test, from any thread, and shows what the programs had said."""
    _failing.acquire()
    for name in sorted(n for n in os.listdir(TMP) if n.endswith(".log")):
        with open(os.path.join(TMP, name), errors="replace") as f:
            said = f.read()
        at = max(0, len(said) - 2000)
        for word in ("WARNING: ThreadSanitizer", "ERROR: AddressSanitizer", "runtime error:"):
            at = said.find(word) if word in said else at
        if said:
            print("---- %s says:\n%s\n----" % (name, said[at:at + 6000]), file=sys.stderr)
    print("FAILED: %s" % message, file=sys.stderr, flush=True)
    for process in _running:
        process.kill()
    os._exit(1)


def skip(reason):
    print("skipped: %s" % reason)
    sys.exit(77)


def expect(condition, message):
    if not condition:
        fail(message)


def equal(got, wanted, what):
    if got != wanted:
        fail("%s: got %r, wanted %r" % (what, got, wanted))


def wait_until(condition, what, seconds=None):
    """Looks until condition() is true, and returns what it returned."""
    deadline = time.monotonic() + (seconds or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            fail("it did not come to this within %d s: %s" % (seconds or DEADLINE, what))
        _tick.wait(0.005)


def path(name):
    return os.path.join(TMP, name)


def write(name, text):
    full = path(name)
    with open(full, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return full


def read(name):
    with open(path(name), "rb") as f:
        return f.read()


def read_rows(name):
    """The rows of an NDJSON file."""
    return [json.loads(line) for line in read(name).splitlines()]


# ---- the program -----------------------------------------------------------

_running = []


def run(*args, status=0, stdin=b"", env=None, seconds=None):
    """Runs the program to its end; status None: any."""
    environment = dict(os.environ, **(env or {}))
    done = subprocess.run([HEADWORKS, *args], input=stdin, capture_output=True, env=environment,
                          timeout=seconds or 4 * DEADLINE)
    if status is not None and done.returncode != status:
        fail("%s: exit status %d, wanted %d\n%s%s" % (" ".join(args), done.returncode, status,
                                                      done.stdout.decode(errors="replace")[-4000:],
                                                      done.stderr.decode(errors="replace")[-4000:]))
    return done


def start(*args, **kwargs):
    """Starts the program; its output goes to files unless told otherwise."""
    kwargs.setdefault("stderr", open(path("program-%d.log" % len(_running)), "wb"))
    kwargs.setdefault("stdout", subprocess.DEVNULL)
    process = subprocess.Popen([HEADWORKS, *args], **kwargs)
    _running.append(process)
    return process


def finish(process, status=0, seconds=None):
    try:
        got = process.wait(seconds or 2 * DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        fail("the program did not end")
    if status is not None:
        equal(got, status, "exit status")
    return got


# ---- a server and its clients ----------------------------------------------

class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error_code"] if self.body else ""


class Client:
    """One keep-alive connection; for one thread."""

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2 * DEADLINE)

    def request(self, method, target, body=None, headers=None):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            try:
                self.connection.request(method, target, body, headers)
                response = self.connection.getresponse()
                return Reply(response.status, response.headers, response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()  # an idle connection that the server had closed
                if attempt == 2:
                    raise

    def expect(self, status, method, target, body=None):
        reply = self.request(method, target, body)
        if reply.status != status:
            fail("%s %s: %d, wanted %d: %s" % (method, target, reply.status, status, reply.body[:2000]))
        return reply

    # pipelines
    def create(self, name, program):
        self.expect(201, "POST", "/v0/pipelines", {"name": name, "program_code": program})
        status = wait_until(lambda: self.compiled(name), "%s is compiled" % name)
        if status != "Success":
            fail("%s: %s" % (name, self.expect(200, "GET", "/v0/pipelines/%s?selector=all" % name).body.decode()))

    def compiled(self, name):
        status = self.get(name)["program_status"]
        return status if status == "Success" or "Error" in status else None

    def get(self, name, selector="all"):
        return self.expect(200, "GET", "/v0/pipelines/%s?selector=%s" % (name, selector)).json

    def wait_status(self, name, wanted):
        def reached():
            p = self.get(name)
            if p["deployment_status"] == wanted:
                return True
            if wanted != "Stopped" and p["deployment_status"] == "Stopped" and p["deployment_error"]:
                fail("%s: %s" % (name, p["deployment_error"]))
            return False

        wait_until(reached, "%s is %s" % (name, wanted))

    def start(self, name, initial="running"):
        self.expect(202, "POST", "/v0/pipelines/%s/start?initial=%s" % (name, initial))
        self.wait_status(name, "Running" if initial == "running" else "Paused")

    def stop(self, name, force=False):
        self.expect(202, "POST", "/v0/pipelines/%s/stop?force=%s" % (name, "true" if force else "false"))
        self.wait_status(name, "Stopped")

    def delete(self, name):
        self.expect(202, "POST", "/v0/pipelines/%s/clear" % name)
        wait_until(lambda: self.get(name)["storage_status"] == "Cleared", "%s is cleared" % name)
        self.expect(200, "DELETE", "/v0/pipelines/" + name)

    def pause(self, name):
        return self.expect(202, "POST", "/v0/pipelines/%s/pause" % name)

    def resume(self, name):
        return self.expect(202, "POST", "/v0/pipelines/%s/resume" % name)

    def stats(self, name, errors=False):
        suffix = "?include_connector_errors=true" if errors else ""
        return self.expect(200, "GET", "/v0/pipelines/%s/stats%s" % (name, suffix)).json

    def complete(self, name):
        return self.stats(name)["global_metrics"]["pipeline_complete"]

    def wait_complete(self, name, seconds=None):
        wait_until(lambda: self.complete(name), "%s is complete" % name, seconds)

    # connectors
    def connector(self, name, table, connector, action, status=200):
        target = "/v0/pipelines/%s/tables/%s/connectors/%s/%s" % (name, urllib.parse.quote(table), connector, action)
        return self.expect(status, "GET" if action == "stats" else "POST", target)

    def input_stats(self, name, endpoint):
        for stats in self.stats(name)["inputs"]:
            if stats["endpoint_name"] == endpoint:
                return stats
        fail("no input %s in %s" % (endpoint, name))

    def records(self, name, endpoint):
        return self.input_stats(name, endpoint)["metrics"]["total_records"]


class Server:
    """`headworks serve` on a free port; stopped, and its exit status looked at, at the end of a `with`.

    Its data directory is its own, unless the options name one."""
    made = 0

    def __init__(self, *options, env=None, cwd=None, listen="127.0.0.1:0"):
        self.log = path("server.log")
        if "--data-dir" not in options:
            Server.made += 1
            options += ("--data-dir", path("data-%d" % Server.made))
        environment = dict(os.environ, **(env or {}))
        self.process = start("serve", "--listen", listen, *options, stdout=subprocess.PIPE,
                             stderr=open(self.log, "ab"), env=environment, cwd=cwd or TMP)
        line = self.process.stdout.readline().decode()
        if not line.startswith(("listening on http://", "listening on https://")):
            fail("the server said %r\n%s" % (line, open(self.log).read()[-4000:]))
        self.url = line.split()[2]
        self.port = int(self.url.rsplit(":", 1)[1])

    def client(self):
        return Client(self.port)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.process.kill()
            return
        self.stop()

    def stop(self, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        finish(self.process, status)

    # of the process
    def threads(self):
        return int(self._status("Threads"))

    def _status(self, key):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(key + ":"):
                    return line.split()[1]
        fail("no %s in /proc" % key)

    def context_switches(self):
        """Of all its threads together."""
        total = 0
        for thread in os.listdir("/proc/%d/task" % self.process.pid):
            with open("/proc/%d/task/%s/status" % (self.process.pid, thread)) as f:
                for line in f:
                    if line.startswith(("voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:")):
                        total += int(line.split()[1])
        return total


# ---- programs --------------------------------------------------------------

def sql_json(value):
    return json.dumps(value).replace("'", "''")


def table(name, columns, connectors):
    return "CREATE TABLE %s (%s) WITH ('connectors' = '%s');\n" % (name, columns, sql_json(connectors))


def view(name, select, connectors=()):
    extra = " WITH ('connectors' = '%s')" % sql_json(list(connectors)) if connectors else ""
    return "CREATE VIEW %s%s AS %s;\n" % (name, extra, select)


JSON_RAW = {"name": "json", "config": {"update_format": "raw"}}


def file_input(name, file, format=None, **extra):
    return dict({"name": name, "transport": {"name": "file_input", "config": {"path": file}},
                 "format": format or JSON_RAW}, **extra)


def file_output(name, file, format=None, **config):
    return {"name": name, "transport": {"name": "file_output", "config": dict({"path": file}, **config)},
            "format": format or JSON_RAW}


def null_output(name="null"):
    return {"name": name, "transport": {"name": "null_output"}}


def datagen(name, plan=None, seed=1, **extra):
    config = {"seed": seed, "plan": [plan or {}]}
    return dict({"name": name, "transport": {"name": "datagen", "config": config}}, **extra)


class Workers:
    """Threads that run until told to stop; a failure in one ends the test."""

    def __init__(self):
        self.stopping = threading.Event()
        self.threads = []

    def add(self, function, *args):
        def body():
            try:
                function(*args)
            except Exception as error:  # whatever it is, the test must not go on as if nothing were
                import traceback
                traceback.print_exc()
                fail("%s: %r" % (function.__name__, error))

        thread = threading.Thread(target=body, daemon=True)
        self.threads.append(thread)
        thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
