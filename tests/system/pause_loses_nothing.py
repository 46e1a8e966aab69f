#!/usr/bin/env python3
"""Pauses at random, of connectors and of the pipeline, lose no row, repeat none and keep their order."""
import random
import socket

from libhw import *

FILE_ROWS = 3000000 if FULL else 400000
GENERATED = 2000000 if FULL else 150000
SENT = 1000000 if FULL else 100000

workers = Workers()
pauses = [0]


def ids(n):
    return b"".join(b'{"id":%d}\n' % i for i in range(n))


def torment(seed, port):
    rng = random.Random(seed)
    client = Client(port)
    while not workers.stopping.is_set():
        table_name, name = rng.choice([("from_file", "f"), ("generated", "g"), ("sent", "s")])
        if rng.random() < 0.15:
            client.pause("exact")
            client.resume("exact")
        else:
            client.connector("exact", table_name, name, "pause")
            client.connector("exact", table_name, name, "start")
        pauses[0] += 1
        workers.stopping.wait(rng.random() * 0.01)  # lets rows through between two pauses


def send(address, data):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
        s.sendall(data)


write("in.ndjson", ids(FILE_ROWS))
address = path("socket")
program = (table("from_file", "id BIGINT NOT NULL", [file_input("f", path("in.ndjson"), max_batch_size=500)]) +
           table("generated", "id BIGINT NOT NULL", [datagen("g", {"rate": 50000, "limit": GENERATED})]) +
           table("sent", "id BIGINT NOT NULL", [{"name": "s", "format": JSON_RAW, "max_batch_size": 200, "transport": {
               "name": "socket_input", "config": {"address": "unix-listen://" + address}}}]))
for name in "from_file", "generated", "sent":
    program += view(name + "_out", "SELECT id FROM " + name, [file_output("file", path(name + ".out"))])

with Server() as server:
    client = server.client()
    client.create("exact", program)
    client.start("exact")
    for seed in range(3):
        workers.add(torment, seed, server.port)
    workers.add(send, address, ids(SENT))
    wanted = {"from_file.f": FILE_ROWS, "generated.g": GENERATED, "sent.s": SENT}
    for endpoint, rows in wanted.items():
        wait_until(lambda: client.records("exact", endpoint) >= rows, "%s has brought its rows" % endpoint, 10 * DEADLINE)
    workers.stop()
    client.stop("exact")

print("%d pauses" % pauses[0])
expect(pauses[0] > 50, "too few pauses")
for name, rows in ("from_file", FILE_ROWS), ("generated", GENERATED), ("sent", SENT):
    got, wanted = read(name + ".out"), ids(rows)
    if got != wanted:
        lines, wanted = got.splitlines(), wanted.splitlines()
        first = next((i for i, (a, b) in enumerate(zip(lines, wanted)) if a != b), min(len(lines), len(wanted)))
        fail("%s: %d rows instead of %d, and row %d is the first that differs: %r" %
             (name, len(lines), len(wanted), first, lines[first - 1:first + 2]))
