#!/usr/bin/env python3
"""Feldera's Python SDK, unchanged, asks and inserts. Skipped where the package `feldera` is not there."""
import importlib.util
from libhw import *

if importlib.util.find_spec("feldera") is None:
    skip("the package feldera is not to be had")

from decimal import Decimal
from feldera import FelderaClient, Pipeline
from feldera.rest.errors import FelderaAPIError

PROGRAM = ("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, name VARCHAR, price DECIMAL(10, 2));\n"
           "CREATE TABLE n (x INT);\n"
           "CREATE MATERIALIZED VIEW v AS SELECT id, UPPER(name) AS name FROM t WHERE id > 1;\n")


def refused(call, words):
    try:
        call()
    except FelderaAPIError as e:
        expect(words in str(e), "the SDK was told: %s" % e)
        return
    fail("the SDK was not refused: %s" % words)


with Server() as server:
    client = server.client()
    client.create("p", PROGRAM)
    client.start("p")
    p = Pipeline.get("p", FelderaClient(server.url))
    p.execute("INSERT INTO t VALUES (1, 'Ada', 1.5), (2, 'Grace', NULL)", wait=True)
    equal(list(p.query("SELECT * FROM t ORDER BY id")),
          [{"id": 1, "name": "Ada", "price": Decimal("1.50")}, {"id": 2, "name": "Grace", "price": None}], "query()")
    equal(list(p.query("INSERT INTO t VALUES (3, 'Edsger', 2)", wait=True)), [{"count": 1}], "an INSERT's reply")
    equal(list(p.query("SELECT COUNT(*) AS c, AVG(id) AS a FROM t")), [{"c": 3, "a": Decimal("2.0")}], "aggregates")
    equal(list(p.query_tabular("SELECT id, name FROM v ORDER BY id")),
          ["+----+--------+", "| id | name   |", "+----+--------+", "| 2  | GRACE  |", "| 3  | EDSGER |",
           "+----+--------+"], "query_tabular()")
    refused(lambda: list(p.query("SELECT * FROM n")), "materialized")
    refused(lambda: p.execute("SELECT nothing FROM t"), "unknown column")
    refused(lambda: p.query_hash("SELECT id FROM t"), "text, json")
    client.stop("p")
