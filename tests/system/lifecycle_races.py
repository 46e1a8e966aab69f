#!/usr/bin/env python3
"""Clients that create, start, pause, stop and delete the same pipelines at random get an answer that is true of some
order of their requests, never a 500, and leave a server that works."""
import random
import time

from libhw import *

SECONDS = 120 if FULL else 6
NAMES = ["a", "b", "c"]
ALLOWED = {200, 201, 202, 400, 404, 409, 503}

workers = Workers()
counts = {}


def program(i):
    return (table("t", "id BIGINT NOT NULL", [datagen("g", {"rate": 100000})]) +
            view("v", "SELECT id FROM t WHERE id >= 0", [file_output("f", path("race-%d.out" % i)), null_output("n")]))


def one_request(rng, client, name):
    base = "/v0/pipelines/" + name
    choice = rng.randrange(10)
    if choice == 0:
        return client.request("POST", "/v0/pipelines", {"name": name, "program_code": program(NAMES.index(name))})
    if choice == 1:
        return client.request("DELETE", base)
    if choice == 2:
        return client.request("POST", base + "/start?initial=" + rng.choice(["running", "paused"]))
    if choice == 3:
        return client.request("POST", base + "/stop?force=" + rng.choice(["true", "false"]))
    if choice == 4:
        return client.request("POST", base + rng.choice(["/pause", "/resume"]))
    if choice == 5:
        return client.request("GET", base + "/stats")
    if choice == 6:
        return client.request("GET", "/v0/pipelines")
    if choice == 7:
        return client.request("POST", base + "/clear")
    return client.request("POST", base + "/tables/t/connectors/g/" + rng.choice(["pause", "start"]))


def torment(seed, port):
    rng = random.Random(seed)
    client = Client(port)
    while not workers.stopping.is_set():
        reply = one_request(rng, client, rng.choice(NAMES))
        if reply.status not in ALLOWED:
            fail("status %d: %r" % (reply.status, reply.body[:1000]))
        if reply.status >= 400:
            equal(sorted(reply.json), ["details", "error_code", "message"], "members of an error")
        counts[reply.status] = counts.get(reply.status, 0) + 1


with Server() as server:
    for seed in range(6):
        workers.add(torment, seed, server.port)
    end = time.monotonic() + SECONDS
    wait_until(lambda: time.monotonic() > end, "the time is over", SECONDS + 10)
    workers.stop()
    print("replies by status: %r" % counts)

    client = server.client()
    for pipeline in client.expect(200, "GET", "/v0/pipelines").json:
        client.stop(pipeline["name"])
        client.delete(pipeline["name"])
    equal(client.expect(200, "GET", "/v0/pipelines").json, [], "pipelines after all were deleted")
    client.create("after", table("t", "id BIGINT", [datagen("g", {"limit": 1000})]) +
                  view("v", "SELECT id FROM t", [file_output("f", path("after.out"))]))
    client.start("after")
    client.wait_complete("after")
    client.stop("after")

equal([row["id"] for row in read_rows("after.out")], list(range(1000)), "rows of a pipeline after the races")
