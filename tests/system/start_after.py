#!/usr/bin/env python3
"""start_after holds a connector until the labelled ones are at their end, and does not touch what its user paused."""
from libhw import *

ROWS = 3000
program = (table("t", "id BIGINT NOT NULL, name VARCHAR", [
    datagen("first", {"rate": 1500, "limit": ROWS}, labels=["snapshot"]),
    datagen("second", {"limit": 10}, start_after=["snapshot"]),
    datagen("third", {"limit": 10}, start_after="snapshot"),
    datagen("fourth", {"limit": 10}, start_after="snapshot"),
    datagen("ending", {"limit": 1}),
]) + view("v", "SELECT id FROM t", [file_output("f", path("out.ndjson"))]))

with Server() as server:
    client = server.client()
    client.create("p", program)
    client.start("p")
    client.connector("p", "t", "third", "pause")
    # A user's pause and start say nothing about the end of others.
    client.connector("p", "t", "fourth", "pause")
    client.connector("p", "t", "fourth", "start")
    wait_until(lambda: client.input_stats("p", "t.ending")["metrics"]["end_of_input"], "one that nobody waits for ends")
    early = {s["endpoint_name"]: s for s in client.stats("p")["inputs"]}
    if not early["t.first"]["metrics"]["end_of_input"]:
        equal((early["t.fourth"]["metrics"]["total_records"], early["t.fourth"]["headworks"]["holds"]),
              (0, ["start_after"]), "the fourth, started by its user before its time")
        equal(early["t.third"]["headworks"]["holds"], ["user", "start_after"], "what holds the third")
    while True:
        stats = {s["endpoint_name"]: s["metrics"] for s in client.stats("p")["inputs"]}
        if stats["t.second"]["total_records"]:
            equal(stats["t.first"]["total_records"], ROWS, "rows of the first when the second has some")
            break
        if stats["t.first"]["end_of_input"]:
            break
    wait_until(lambda: client.records("p", "t.second") == 10, "the second follows the first")
    third = client.input_stats("p", "t.third")
    equal((third["metrics"]["total_records"], third["paused"]), (0, True), "the third, which its user paused")
    expect(not client.complete("p"), "complete, with a paused connector that has rows to give")
    wait_until(lambda: client.records("p", "t.fourth") == 10, "the fourth needs no second start")
    equal(client.input_stats("p", "t.third")["headworks"]["holds"], ["user"], "what still holds the third")
    client.connector("p", "t", "third", "start")
    client.wait_complete("p")
    equal(client.records("p", "t.third"), 10, "rows of the third")
    client.stop("p")
equal(len(read_rows("out.ndjson")), ROWS + 31, "rows written")
