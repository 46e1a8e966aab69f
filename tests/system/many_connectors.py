#!/usr/bin/env python3
"""A pipeline of 1,000 connectors: no thread each, paused all at once and one by one, and idle it does not switch."""
import threading

from libhw import *

N = 1000
IDLE_SECONDS = 10 if FULL else 3


def totals(client):
    return {s["endpoint_name"]: s["metrics"]["total_records"] for s in client.stats("many")["inputs"]}


def unchanged(server):
    before = server.context_switches()
    threading.Event().wait(1)
    return server.context_switches() == before


def check_idle(server):
    """Nothing wakes up while nobody asks for anything."""
    wait_until(lambda: unchanged(server), "the last timers of before the pause are over")
    before = server.context_switches()
    threading.Event().wait(IDLE_SECONDS)  # it is the passing of time that is looked at
    switches = server.context_switches() - before
    print("%d connectors, %d threads, %d context switches in %d s" % (N, server.threads(), switches, IDLE_SECONDS))
    equal(switches, 0, "context switches while idle")


def pause_each(port, share):
    client = Client(port)
    for i in share:
        client.connector("many", "t", "c%d" % i, "pause")


connectors = [datagen("c%d" % i, {"rate": 5}) for i in range(N)]
with Server() as server:
    client = server.client()
    client.create("many", table("t", "id BIGINT", connectors) + view("v", "SELECT id FROM t", [null_output()]))
    client.start("many")
    wait_until(lambda: all(totals(client).values()), "each connector brings rows")
    expect(server.threads() <= 40, "%d threads" % server.threads())

    client.pause("many")
    before = totals(client)
    for _ in range(5):
        equal(totals(client), before, "rows of a paused pipeline")

    client.resume("many")
    client.wait_status("many", "Running")
    workers = Workers()
    for k in range(8):
        workers.add(pause_each, server.port, range(k, N, 8))
    workers.stop()
    stats = client.stats("many")["inputs"]
    equal(len([s for s in stats if s["paused"]]), N, "paused connectors")
    before = totals(client)
    equal(totals(client), before, "rows of connectors that are all paused")

    client.connection.close()
    if not SANITIZED:
        check_idle(server)
    client.stop("many")
