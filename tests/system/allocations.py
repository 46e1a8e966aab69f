#!/usr/bin/env python3
"""Rows on their way ask nothing of the allocator: neither for each row nor for each batch, once the pipeline is warm.

What is counted between two moments is a matter of chance only in how deep queues get: their blocks come from the
allocator when they are needed for the first time, and never go back while rows flow. It prints a line for each way:
NAME: N allocations while R rows went through; those of other threads, which talk with clients."""
import mmap
import socket
import struct

from libhw import *

COUNTER = os.path.join(os.path.dirname(HEADWORKS), "tests", "count_allocations.so")
ROWS = 10000000 if FULL else 6000000
MOST = 400  # blocks that all queues, and pieces parsed ahead, need at most; batches are more than twice as many
COLUMNS = "id BIGINT NOT NULL, x BIGINT, name VARCHAR"
FORMATS = {"json": JSON_RAW, "csv": {"name": "csv"}, "msgpack": {"name": "msgpack", "config": {"update_format": "raw"}}}

if SANITIZED:
    skip("sanitizers bring their own allocator")
if not os.path.exists(COUNTER):
    skip("%s is not built" % COUNTER)


def make_input(format):
    plan = {"limit": ROWS, "fields": {"name": {"strategy": "word"}}}
    run("run", "-q", write("make.sql", table("t", COLUMNS, [datagen("g", plan)]) +
                           view("v", "SELECT * FROM t", [file_output("o", path("input"), FORMATS[format])])))
    return os.path.getsize(path("input"))


def send(port):
    """The input as one body."""
    with socket.create_connection(("127.0.0.1", port)) as s, open(path("input"), "rb") as f:
        s.sendall(("POST /v0/pipelines/p/ingress/t?format=json&update_format=raw HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: %d\r\n\r\n" % os.path.getsize(path("input"))).encode())
        s.sendfile(f)
        expect(s.recv(16).startswith(b"HTTP/1.1 200"), "the body is taken")


class Counted(Server):
    def __init__(self):
        self.file = write("counts", b"\0" * 4096)
        super().__init__("--data-dir", "none", env={"LD_PRELOAD": COUNTER, "COUNT_ALLOCATIONS": self.file})
        with open(self.file, "rb") as f:
            self.memory = mmap.mmap(f.fileno(), 4096, access=mmap.ACCESS_READ)

    def counts(self):
        return struct.unpack("QQ", self.memory[:16])


def check(name, format, connectors, ingest=None):
    size = make_input(format)
    output = write("output", b"")

    def written(share):
        wait_until(lambda: os.path.getsize(output) >= share * size, "%s: rows are written" % name)
        return os.path.getsize(output), server.counts()

    with Counted() as server:
        client = server.client()
        client.create("p", table("t", COLUMNS, connectors) +
                      view("v", "SELECT * FROM t WHERE id >= 0", [file_output("o", output, FORMATS[format])]))
        client.start("p")
        expect(server.counts()[0] > 0 and server.counts()[1] > 0, "nothing is counted")
        workers = Workers()
        if ingest:
            workers.add(ingest, server.port)
        (size_before, before), (size_after, after) = written(0.3), written(0.9)
        workers.stop()
        wait_until(lambda: client.stats("p")["global_metrics"]["total_completed_records"] == ROWS, "all rows are written")
        client.stop("p")
    equal(os.path.getsize(output), size, "%s: bytes written" % name)
    allocations, rows = after[0] - before[0], int(ROWS * (size_after - size_before) / size)
    print("%s: %d allocations while %d rows went through; %d by other threads" % (
        name, allocations, rows, after[1] - before[1]))
    expect(rows > ROWS / 4, "%s: the moments were too close" % name)
    expect(allocations <= MOST, "%s: %d allocations" % (name, allocations))
    expect(after[1] - before[1] <= MOST + rows / 1000, "%s: %d allocations by other threads" % (name, after[1] - before[1]))


for format in FORMATS:
    check(format, format, [file_input("in", path("input"), FORMATS[format])])
check("http", "json", [], send)
