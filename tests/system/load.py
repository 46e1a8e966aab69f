#!/usr/bin/env python3
"""1,000 keep-alive clients, 100 egress listeners and 100 log followers of 200 pipelines with 10 connectors each, beside
clients that trickle, break off, send too much or nonsense: all of the first are served, and afterwards the server has
as many descriptors and threads as before, and no more memory than after the first times."""
# time-limit: 300
import itertools
import resource
import selectors
import socket
import struct

from libhw import *

SCALE = 10 if SANITIZED else 1
PIPELINES, CLIENTS, LISTENERS, FOLLOWERS = 200 // SCALE, 1000 // SCALE, 100 // SCALE, 100 // SCALE
REQUESTS = 20 if FULL else 5  # of each client in a round
ABUSES = 100000 if FULL else 6000 // SCALE  # of each kind in a round
ROUNDS = 4
LORISES = 50 // min(SCALE, 5)
SLACK_KIB = 16 << 10  # logs, histories and lists of errors, which are bounded, fill; an allocator keeps some more
AGAIN_SECONDS = 20
HELPER = "hw-helper"
HOST = "Host: 127.0.0.1\r\n"

PROGRAM = "".join(table("t%d" % i, "num BIGINT NOT NULL", [datagen("c", {"rate": 5})]) for i in range(5)) + "".join(
    view("v%d" % i, "SELECT num FROM t%d" % i, [null_output("o")]) for i in range(5))
HELD = table("t", "num BIGINT NOT NULL", [datagen("c", {"limit": 10000})]).replace(
    "WITH (", "WITH ('materialized' = 'true', ")


# ---- many connections in one thread ------------------------------------------

class Connection:
    """What happens on it is the subclass's: wants_to_send(), took(bytes), ended()."""

    def __init__(self, swarm, first=b""):
        self.swarm, self.out, self.open = swarm, first, True
        self.socket = socket.create_connection(("127.0.0.1", swarm.port))
        self.socket.setblocking(False)
        swarm.add(self)

    def flush(self):
        if self.out and self.open:
            try:
                self.out = self.out[self.socket.send(self.out):]
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                self.over()

    def receive(self):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            self.took(data)
        else:
            self.over()

    def over(self):
        if self.open:
            self.close()
            self.ended()

    def close(self):
        if self.open:
            self.open = False
            self.swarm.remove(self)
            self.socket.close()

    def tick(self):
        """Each time all have been looked at."""


class Swarm:
    def __init__(self, port):
        self.port, self.selector, self.members = port, selectors.DefaultSelector(), set()

    def add(self, connection):
        self.members.add(connection)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.flush()

    def remove(self, connection):
        self.members.discard(connection)
        self.selector.unregister(connection.socket)

    def step(self, seconds=0.0):
        for key, _ in self.selector.select(seconds):
            if key.data.open:
                key.data.receive()
        for connection in list(self.members):
            connection.flush()
            connection.tick()

    def until(self, condition, what):
        def look():
            self.step(0.002)
            return condition()
        wait_until(look, what, 2 * DEADLINE)

    def close(self):
        for connection in list(self.members):
            connection.close()


class Caller(Connection):
    """Asks for one target after the other, and then now and then again; each reply is 200 and whole."""

    def __init__(self, swarm, targets):
        self.left, self.targets, self.data = len(targets), itertools.cycle(targets), b""
        super().__init__(swarm, self.next())

    @property
    def done(self):
        return self.left == 0

    def next(self):
        self.asked = time.monotonic()
        return ("GET %s HTTP/1.1\r\n%s\r\n" % (next(self.targets), HOST)).encode()

    def tick(self):
        """An idle connection would be closed after a minute."""
        if self.done and time.monotonic() - self.asked > AGAIN_SECONDS:
            self.out = self.next()

    def took(self, data):
        self.data += data
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if not end:
            return
        expect(head.startswith(b"HTTP/1.1 200 "), "a client that keeps to the rules got %r" % self.data[:1000])
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        json.loads(rest)
        self.data, self.left = rest[length:], max(self.left - 1, 0)
        self.out = b"" if self.done else self.next()

    def ended(self):
        fail("a client that keeps to the rules lost its connection, after %r" % self.data[-200:])


class Follower(Connection):
    """Reads what comes, for good."""

    def __init__(self, swarm, method, target, wanted):
        self.data, self.wanted, self.seen = b"", wanted, False
        super().__init__(swarm, ("%s %s HTTP/1.1\r\n%s\r\n" % (method, target, HOST)).encode())

    def took(self, data):
        if not self.data:
            expect(data.startswith(b"HTTP/1.1 200 "), "a follower got %r" % data[:1000])
        self.data = self.data[-200:] + data
        self.seen = self.seen or self.wanted in self.data

    def ended(self):
        fail("a follower was left: %r" % self.data[-200:])


class Loris(Connection):
    """A head that never ends, a byte at a time."""

    def __init__(self, swarm):
        self.data, self.told = b"", False
        super().__init__(swarm, ("GET /healthz HTTP/1.1\r\n%sX: " % HOST).encode())

    def tick(self):
        if not self.out and not self.data:
            self.out = b"x"

    def took(self, data):
        self.data += data

    def ended(self):
        self.told = self.data.startswith(b"HTTP/1.1 408 ")


# ---- clients that do not keep to the rules -----------------------------------

def post(target, body, *headers):
    head = "POST %s HTTP/1.1\r\n%s%s\r\n" % (target, HOST, "".join(h + "\r\n" for h in headers))
    return head.encode() + body


JSON = "Content-Type: application/json"
WRONG = [  # what is sent, and the status of what is said to it
    (b"nonsense\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET /healthz HTTP/9.9\r\n\r\n", 505),
    (("GET /healthz HTTP/1.1\r\n%sHost: two\r\n\r\n" % HOST).encode(), 400),
    (("GET /%s HTTP/1.1\r\n%s\r\n" % ("a" * 20000, HOST)).encode(), 414),
    (("GET /healthz HTTP/1.1\r\n%sA: %s\r\n\r\n" % (HOST, "a" * 20000)).encode(), 431),
    (("GET /healthz HTTP/1.1\r\n%s%s\r\n" % (HOST, "A: b\r\n" * 1000)).encode(), 431),
    (post("/v0/pipelines", b"", JSON, "Content-Length: 99999999999"), 413),
    (post("/v0/pipelines", b"x" * 100, JSON, "Content-Length: -1"), 400),
    (post("/v0/pipelines", b"x" * 100, JSON, "Content-Length: 1", "Content-Length: 2"), 400),
    (post("/v0/pipelines", b"zz\r\n", JSON, "Transfer-Encoding: chunked"), 400),
    (post("/v0/pipelines", b"[" * 1000, JSON, "Content-Length: 1000", "Connection: close"), 400),
    (post("/v0/pipelines", b"{}", JSON, "Content-Length: 2", "Connection: close"), 400),
    (post("/v0/pipelines/p0/ingress/t0?format=json", b"{" * 1000, "Content-Length: 1000", "Connection: close"), 400),
    (post("/v0/pipelines/none/ingress/t0?format=json", b"{" * 1000, "Content-Length: 1000", "Connection: close"), 404),
]
CUT = [  # begun, and broken off by a reset
    b"", b"G", b"GET /healthz HTTP/1.1\r\nHost", ("GET /healthz HTTP/1.1\r\n%s\r\n" % HOST).encode(),
    ("GET /v0/pipelines HTTP/1.1\r\n%s\r\n" % HOST).encode() * 3,
    ("GET /v0/metrics HTTP/1.1\r\n%s\r\n" % HOST).encode(),
    ("GET /v0/pipelines/p0/logs HTTP/1.1\r\n%s\r\n" % HOST).encode(),
    ("GET /v0/pipelines/p0/support_bundle HTTP/1.1\r\n%s\r\n" % HOST).encode(),
    post("/v0/pipelines/p0/egress/v0?format=json", b"", "Content-Length: 0"),
    post("/v0/pipelines/p2/pause?wait=drained", b"", "Content-Length: 0"),
    post("/v0/pipelines/p2/tables/t2/connectors/c/pause?wait=drained", b"", "Content-Length: 0"),
    post("/v0/pipelines/p2/resume", b"", "Content-Length: 0"),
    post("/v0/pipelines/p2/tables/t2/connectors/c/start", b"", "Content-Length: 0"),
    ("GET /v0/pipelines/held/query?sql=SELECT+num+FROM+t+ORDER+BY+num HTTP/1.1\r\n%s\r\n" % HOST).encode(),
    ("GET /v0/pipelines/held/query HTTP/1.1\r\n%sConnection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % HOST).encode(),
    post("/v0/pipelines", b'{"name": "half', JSON, "Content-Length: 1000"),
    post("/v0/pipelines/p1/ingress/t1?format=json", b'{"insert": {"num": 1}}\n{"ins', "Content-Length: 1000"),
    post("/v0/pipelines/p1/ingress/t1?format=json&atomic=true", b'{"insert": {"num": 1}}\n', "Content-Length: 1000"),
    post("/v0/pipelines/p1/ingress/t1?format=csv", b"5\r\n1\n2\n3\r\n", "Transfer-Encoding: chunked"),
]


def dial(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=2 * DEADLINE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def say(s, data):
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before it had all


def read_to_end(s):
    data = b""
    try:
        while True:
            piece = s.recv(1 << 16)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data
    except socket.timeout:
        fail("a request was neither answered nor cut off: %r" % data[:200])


def send_wrong(port, n):
    kinds = itertools.islice(itertools.cycle(WRONG), n)
    sent = [(dial(port), data, status) for data, status in kinds]
    for s, data, _ in sent:
        say(s, data)
    for s, data, status in sent:
        reply = read_to_end(s)
        busy = reply.startswith(b"HTTP/1.1 503 ") and b'"ServerBusy"' in reply  # it may say so of bodies, and not hang
        expect(busy or reply.startswith(b"HTTP/1.1 %d " % status),
               "%r got %r, wanted %d" % (data[:100], reply[:300], status))
        s.close()


def send_cut(port, n):
    cut = [(dial(port), data) for data in itertools.islice(itertools.cycle(CUT), n)]
    for s, data in cut:
        say(s, data)
    for s, _ in cut:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()


def abuse(swarm, client, send):
    """The others are served meanwhile, and a call that comes between is answered."""
    step = 4 * len(WRONG)
    for _ in range(0, ABUSES, step):
        send(swarm.port, step)
        swarm.step()
        client.stats("p0")


# ---- rounds ------------------------------------------------------------------

def targets(k):
    names = ["p%d" % ((k + i) % PIPELINES) for i in range(REQUESTS)]
    kinds = itertools.cycle(["%s/stats", "%s?selector=status", "%s/time_series", "%s",
                             "%s/tables/t0/connectors/c/stats"])
    return ["/v0/pipelines/" + kind % name for kind, name in zip(itertools.islice(kinds, k % 5, None), names)]


def one_round(swarm, client):
    followers = [Follower(swarm, "POST", "/v0/pipelines/p%d/egress/v%d?format=json" % (k % PIPELINES, k % 5),
                          b"json_data") for k in range(LISTENERS)]
    followers += [Follower(swarm, "GET", "/v0/pipelines/p%d/logs" % (k % PIPELINES), b"Running")
                  for k in range(FOLLOWERS)]
    callers = [Caller(swarm, targets(k)) for k in range(CLIENTS)]
    abuse(swarm, client, send_wrong)
    abuse(swarm, client, send_cut)
    client.resume("p2")  # which those that were cut off may have paused
    client.connector("p2", "t2", "c", "start")
    swarm.until(lambda: all(c.done for c in callers), "every client has had its replies")
    swarm.until(lambda: all(f.seen for f in followers), "every follower got what it follows")
    expect(all(c.open for c in callers + followers), "a connection is gone")
    for connection in callers + followers:
        connection.close()
    for name in ("p0", "p1"):  # which keep the bad rows they were sent
        client.expect(200, "DELETE", "/v0/pipelines/%s/dead_letters" % name)


def resident_kib(server):
    return int(server._status("VmRSS"))


def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def thread_names(server):
    """Sorted. Helpers are started as needed, up to 16, and stay (runtime/sched.h)."""
    names = []
    for thread in os.listdir("/proc/%d/task" % server.process.pid):
        with open("/proc/%d/task/%s/comm" % (server.process.pid, thread)) as f:
            names.append(f.read().strip())
    expect(names.count(HELPER) <= 16, "threads: %r" % names)
    return sorted(n for n in names if n != HELPER)


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
with Server() as server:
    client = server.client()
    for i in range(PIPELINES):
        client.create("p%d" % i, PROGRAM)
        client.expect(202, "POST", "/v0/pipelines/p%d/start" % i)
    for i in range(PIPELINES):
        client.wait_status("p%d" % i, "Running")
    client.create("held", HELD)
    client.start("held")
    client.wait_complete("held")
    before = descriptors(server), thread_names(server)
    swarm = Swarm(server.port)
    lorises = [Loris(swarm) for _ in range(LORISES)]
    resident = []
    for i in range(ROUNDS):
        began = time.monotonic()
        one_round(swarm, client)
        wait_until(lambda: descriptors(server) <= before[0] + LORISES, "the descriptors of round %d are closed" % i)
        resident.append(resident_kib(server))
        print("round %d: %.1f s, %d KiB, %d descriptors, %d threads" % (
            i, time.monotonic() - began, resident[-1], descriptors(server), server.threads()), flush=True)
    swarm.until(lambda: not any(loris.open for loris in lorises), "those that trickle are cut off")
    untold = [loris.data for loris in lorises if not loris.told]
    expect(not untold, "those that trickle are told: %r" % untold[:1])
    wait_until(lambda: descriptors(server) == before[0], "descriptors are as many as before")
    wait_until(lambda: thread_names(server) == before[1], "there are no more threads than before")
    if not SANITIZED:  # which keep what was freed, and look for leaks themselves
        expect(resident[-1] <= max(resident[:2]) + SLACK_KIB, "memory grows with each round: %r KiB" % resident)
    client.stats("p%d" % (PIPELINES - 1))
