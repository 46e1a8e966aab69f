#!/usr/bin/env python3
"""An acknowledged pause is true: many clients pause and start three kinds of sources at random, under load, and
after each acknowledgement neither count nor position moves until somebody asks for a start."""
import random
import socket
import threading
import time

from libhw import *

SECONDS = 120 if FULL else 6
CLIENTS = 6
SOURCES = {"generated.g": ("generated", "g"), "followed.f": ("followed", "f"), "received.s": ("received", "s")}
ROW = b'{"id":1234567,"text":"some text to be parsed and written again"}\n'


class Ledger:
    """Who asked for what, per connector. A start may take effect from when it is about to be sent until its reply
    was read: a check counts only when none could have."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begun = self.ended = 0
        self.replies = []  # (epoch, action, total_records, position)
        self.checks = 0

    def begin(self):
        with self.lock:
            self.begun += 1

    def end(self):
        with self.lock:
            self.ended += 1

    def quiet_since(self):
        """A mark when no start is under way, else None."""
        with self.lock:
            return self.begun if self.begun == self.ended else None

    def still_quiet(self, mark):
        with self.lock:
            return mark is not None and self.begun == mark

    def note(self, action, reply):
        entry = (int(reply.headers["Headworks-Epoch"]), action, int(reply.headers["Headworks-Total-Records"]),
                 reply.headers["Headworks-Position"] or "")
        with self.lock:
            self.replies.append(entry)
        return entry


ledgers = {endpoint: Ledger() for endpoint in SOURCES}
workers = Workers()


def act(client, endpoint, action):
    reply = client.connector("load", *SOURCES[endpoint], action)
    equal(reply.body, b"", "body of a %s" % action)
    return ledgers[endpoint].note(action, reply)


def check_pause(client, endpoint):
    ledger = ledgers[endpoint]
    mark = ledger.quiet_since()
    _, _, total, position = act(client, endpoint, "pause")
    stats = client.input_stats("load", endpoint)
    seen, paused = stats["metrics"]["total_records"], stats["paused"]
    _, _, again, position_again = act(client, endpoint, "pause")
    if not ledger.still_quiet(mark):
        return
    expect(paused, "%s was paused and stats do not say so" % endpoint)
    equal(seen, total, "rows of %s in the stats after an acknowledged pause" % endpoint)
    equal((again, position_again), (total, position), "rows and position of %s at a second pause" % endpoint)
    with ledger.lock:
        ledger.checks += 1


def start_again(client, endpoint):
    ledgers[endpoint].begin()
    act(client, endpoint, "start")
    ledgers[endpoint].end()


def torment(seed, port):
    rng = random.Random(seed)
    client = Client(port)
    while not workers.stopping.is_set():
        endpoint = rng.choice(list(SOURCES))
        if rng.random() < 0.6:
            check_pause(client, endpoint)
        else:
            start_again(client, endpoint)


def append(file):
    with open(file, "ab", buffering=0) as f:
        while not workers.stopping.is_set():
            f.write(ROW * 2000)
            workers.stopping.wait(0.01)


def send(address):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
        s.settimeout(1)
        data = ROW * 1000
        while not workers.stopping.is_set():
            try:
                data = data[s.send(data):] or ROW * 1000
            except socket.timeout:
                pass  # held: nobody reads


def check_history(endpoint, replies):
    """Replies by epoch: counts never fall, and between two pauses with no start between them they stay."""
    replies.sort()
    epochs = [r[0] for r in replies]
    equal(len(set(epochs)), len(epochs), "%s: every transition has an epoch of its own" % endpoint)
    for before, after in zip(replies, replies[1:]):
        expect(after[2] >= before[2], "%s: rows went from %r to %r" % (endpoint, before, after))
        adjacent = after[0] == before[0] + 1
        if adjacent and before[1] == "pause":
            equal(after[2], before[2], "%s: rows at the transition after the pause %r" % (endpoint, before))


file, address = write("followed.ndjson", ROW * 1000), path("socket")
columns = "id BIGINT, text VARCHAR"
program = (table("generated", columns, [datagen("g")]) +
           table("followed", columns, [{"name": "f", "format": JSON_RAW, "transport": {
               "name": "file_input", "config": {"path": file, "follow": True}}}]) +
           table("received", columns, [{"name": "s", "format": JSON_RAW, "transport": {
               "name": "socket_input", "config": {"address": "unix-listen://" + address}}}]) +
           view("everything", "SELECT id, text FROM generated UNION ALL SELECT id, text FROM followed "
                              "UNION ALL SELECT id, text FROM received", [null_output()]))

with Server() as server:
    client = server.client()
    client.create("load", program)
    client.start("load")
    workers.add(append, file)
    workers.add(send, address)
    for endpoint in SOURCES:
        wait_until(lambda: client.records("load", endpoint) > 0, "%s brings rows" % endpoint)
    for seed in range(CLIENTS):
        workers.add(torment, seed, server.port)
    end = time.monotonic() + SECONDS
    wait_until(lambda: time.monotonic() > end, "the time is over", SECONDS + 10)
    workers.stop()
    for endpoint, ledger in ledgers.items():
        check_history(endpoint, ledger.replies)
        print("%s: %d transitions, %d pauses looked at" % (endpoint, len(ledger.replies), ledger.checks))
        expect(ledger.checks > 20, "%s: too few pauses could be judged" % endpoint)
        start_again(client, endpoint)
        before = client.records("load", endpoint)
        if endpoint == "generated.g":
            wait_until(lambda: client.records("load", endpoint) > before, "%s goes on" % endpoint)
    client.stop("load", force=True)
