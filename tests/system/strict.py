#!/usr/bin/env python3
"""`run --strict` fails where rows may be missing, and not for what was tried again until it worked."""
import socket
import struct

from libhw import *

ROWS = 200000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_towards(name, port):
    sink = {"name": "out", "format": JSON_RAW,
            "transport": {"name": "socket_output", "config": {"address": "tcp://127.0.0.1:%d" % port}}}
    program = table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": ROWS})]) + view("v", "SELECT id FROM t", [sink])
    log = open(path(name + ".log"), "wb")
    summary = open(path(name + ".json"), "wb")
    return start("run", "--strict", "--json", write(name + ".sql", program), stdout=summary, stderr=log)


def listen(port):
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(2 * DEADLINE)
    return server


def read_all(connection):
    with connection, connection.makefile("rb") as f:
        return f.read().splitlines()


def out(name):
    return json.loads(read(name + ".json").splitlines()[-1])["outputs"][0]


def late_peer():
    port = free_port()
    process = run_towards("late", port)
    wait_until(lambda: b"next try" in read("late.log"), "the peer is missed")
    with listen(port) as server:
        lines = read_all(server.accept()[0])
    finish(process, 0)
    equal([json.loads(line)["id"] for line in lines], list(range(ROWS)), "rows")
    said = read("late.log").decode()
    expect("rows may be missing" not in said, "nothing is missing: " + said[-2000:])
    equal(out("late")["faults"], 0, "faults")
    expect(out("late")["retries"] > 0, "the tries are not told")


def lost_peer():
    port = free_port()
    with listen(port) as server:
        process = run_towards("lost", port)
        first = server.accept()[0]
        first.recv(1000)
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()  # a reset: what is on its way is gone
        read_all(server.accept()[0])
    finish(process, 1)
    said = read("lost.log").decode()
    expect("rows may be missing" in said, "what may be missing is not told: " + said[-2000:])
    expect("may be lost" in said, "what was lost is not told: " + said[-2000:])
    equal(out("lost")["faults"], 1, "faults")


late_peer()
lost_peer()
