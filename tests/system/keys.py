#!/usr/bin/env python3
"""A table with a PRIMARY KEY under a mixture of inserts, deletes and updates, and what does not belong there; what comes
out, summed up, is what a dictionary says. What a table may hold is bounded."""
import json
import random

from libhw import *

N = 200000 if FULL else 20000
JSON = {"name": "json"}


def one(model, rng):
    """A record, and what it does to the model; None: a bad one."""
    key = rng.randrange(500)
    kind = rng.choice(["insert", "insert", "insert", "delete", "update", "bad"])
    name = rng.choice([None, "x", "a longer name, with \"quotes\" and \u00e4"])
    if kind == "insert":
        row = {"id": key, "name": name, "n": rng.randrange(4)}
        model[key] = row
        return {"insert": row}
    if kind == "delete":
        model.pop(key, None)
        return {"delete": rng.choice([{"id": key}, [key], {"id": key, "name": 5, "n": None}])}
    if kind == "update":
        if key in model:
            model[key]["name"] = name
        return {"update": {"id": key, "name": name}}
    return rng.choice([{"update": {"name": "no key"}}, {"delete": {"n": 1}}, {"insert": {"id": key}},
                       {"upsert": {"id": key}}])


def sum_up(file):
    held = {}
    for line in open(path(file), encoding="utf-8"):
        event = json.loads(line)
        (kind, row), = event.items()
        text = json.dumps(row, sort_keys=True)
        held[text] = held.get(text, 0) + (1 if kind == "insert" else -1)
        if not held[text]:
            del held[text]
    return held


def changes_add_up():
    rng, model, lines, bad = random.Random(7), {}, [], 0
    for _ in range(N):
        record = one(model, rng)
        first = next(iter(record.values()))
        kind = next(iter(record))
        is_bad = kind == "upsert" or (isinstance(first, dict) and ("id" not in first or (kind == "insert" and "n" not in first)))
        bad += is_bad
        lines.append(json.dumps(record))
    write("in.json", "\n".join(lines) + "\n")
    sql = table("t", "id INT PRIMARY KEY, name VARCHAR, n INT NOT NULL", [file_input("in", "in.json", JSON)])
    sql += view("v", "SELECT * FROM t", [file_output("out", "out.json", JSON)])
    sql += view("w", "SELECT id, n FROM v WHERE n > 1", [file_output("some", "some.json", JSON)])
    said = json.loads(run("run", "--json", write("keys.sql", sql)).stdout)
    equal(said["inputs"][0]["rows"], N - bad, "rows that were taken")
    rows = {json.dumps(row, sort_keys=True): 1 for row in model.values()}
    equal(sum_up("out.json"), rows, "what is in the table")
    some = {json.dumps({"id": r["id"], "n": r["n"]}, sort_keys=True): 1 for r in model.values() if r["n"] > 1}
    equal(sum_up("some.json"), some, "what is in the view of a view")


def what_is_refused():
    write("bad.json", '{"insert": {"id": 1}}\n{"delete": {"id": 1}}\n{"update": {"id": 1}}\n{"insert": {"id": 2}}\n')
    sql = table("t", "id INT", [file_input("in", "bad.json", JSON)])
    sql = sql.replace("WITH (", "WITH ('append_only' = 'true', ")
    sql += view("v", "SELECT * FROM t", [file_output("out", "two.json", JSON)])
    done = run("run", "--json", write("bad.sql", sql))
    equal(json.loads(done.stdout)["inputs"][0]["rows"], 2, "rows of an append_only table")
    equal(read("two.json").decode().split(), ['{"insert":{"id":1}}', '{"insert":{"id":2}}'], "what came out")
    faulty = "CREATE TABLE t (id INT PRIMARY KEY) WITH ('append_only' = 'true');"
    done = run("validate", write("faulty.sql", faulty), status=3)
    expect("PRIMARY KEY" in done.stderr.decode() and "append_only" in done.stderr.decode(), "why: %r" % done.stderr)


def state_is_bounded():
    sql = table("t", "id BIGINT, name VARCHAR", [datagen("g", {"limit": 3000000})])
    sql = sql.replace("WITH (", "WITH ('materialized' = 'true', ")
    done = run("run", "--state-memory", "8", write("much.sql", sql), status=1)
    said = done.stderr.decode()
    for part in ['table "t"', "8388608 bytes", "--state-memory"]:
        expect(part in said, "%r is not in %r" % (part, said))


changes_add_up()
what_is_refused()
state_is_bounded()
