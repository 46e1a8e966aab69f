#!/usr/bin/env python3
# mostly-waits
"""Ad-hoc queries against SQLite on random rows, and what SQLite cannot judge: results that are large, clients that are
slow or leave, INSERT while paused, one snapshot per request, the command."""
import random
import sqlite3
import socket
from libhw import *

N = 2000 if SANITIZED else 5000
QUERIES = 100 if SANITIZED else 300
random.seed(20261127)

PROGRAM = ("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, a INT, b BIGINT, s VARCHAR, f DOUBLE, ok BOOLEAN, d DATE);\n"
           "CREATE TABLE u (a INT, s VARCHAR) WITH ('materialized' = 'true');\n"
           "CREATE TABLE numbers (n BIGINT NOT NULL) WITH ('append_only' = 'true', 'materialized' = 'true');\n"
           "CREATE TABLE gone (n INT);\n"
           "CREATE MATERIALIZED VIEW v AS SELECT id, a + 1 AS a1, UPPER(s) AS s FROM t WHERE b > 0;\n")


class Queries:
    def __init__(self, client, name="p"):
        self.client, self.path = client, "/v0/pipelines/%s/query?" % name

    def ask(self, sql, format="json", status=200):
        reply = self.client.request("GET", self.path + urllib.parse.urlencode({"sql": sql, "format": format}))
        if reply.status != status:
            fail("%s: %d, wanted %d: %s" % (sql, reply.status, status, reply.body[:1000]))
        return reply

    def rows(self, sql):
        return [json.loads(line) for line in self.ask(sql).body.splitlines()]

    def lists(self, sql):
        """Rows as lists; columns may have one name."""
        hook = lambda pairs: [value for _, value in pairs]
        return [json.loads(line, object_pairs_hook=hook) for line in self.ask(sql).body.splitlines()]

    def error(self, sql, words):
        error = self.ask(sql, status=400).json
        equal(error["error_code"], "AdHocQueryError", sql)
        expect(words in error["message"], "%s: %s" % (sql, error["message"]))


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return "'%s'" % value.replace("'", "''") if isinstance(value, str) else repr(value)


def insert(queries, db, table, rows):
    """The same rows into both, a few thousand bytes at a time."""
    db.executemany("INSERT INTO %s VALUES (%s)" % (table, ",".join("?" * len(rows[0]))), rows)
    at, count = 0, 0
    while at < len(rows):
        values = []
        while at < len(rows) and sum(map(len, values)) < 3000:
            values.append("(%s)" % ",".join(map(literal, rows[at])))
            at += 1
        count += queries.rows("INSERT INTO %s VALUES %s" % (table, ",".join(values)))[0]["count"]
    equal(count, len(rows), "rows inserted into " + table)
    wait_until(lambda: queries.rows("SELECT COUNT(*) AS c FROM " + table)[0]["c"] == count, "they are there")


def some(values, nulls=0.15):
    return None if random.random() < nulls else random.choice(values)


WORDS = ["", "a", "b", "B", "ab", "abc", "it's", "\u00e4\u00f6", "\u20ac 5", "%x_", "zz", "Z"]


def random_t(i):
    return (i, some(range(-5, 6)), some([0, 1, -1, 7, 2 ** 40, -2 ** 40, 123456789]), some(WORDS),
            some([0.0, 0.5, -2.25, 1e10, 3.75]), some([True, False]), some(["2020-01-01", "1999-12-31", "2024-02-29"]))


# ---- random queries ------------------------------------------------------------

def number():
    return random.choice(["a", "b", "id", "a + b", "a * 2", "-a", "b - a", "ABS(a)", "COALESCE(a, 3)", "7",
                          "CASE WHEN a > 0 THEN a ELSE b END", "CASE WHEN a <> 0 THEN b / a END", "NULLIF(a, 2)", "f"])


def text():
    return random.choice(["s", "UPPER(s)", "s || 'x'", "COALESCE(s, '-')", "'k'", "CASE WHEN ok THEN s ELSE 'no' END"])


def condition(depth=0):
    kind = random.randrange(10)
    if depth < 2 and kind < 3:
        return "(%s %s %s)" % (condition(depth + 1), random.choice(["AND", "OR"]), condition(depth + 1))
    if kind == 3:
        return "NOT (%s)" % condition(depth + 1)
    if kind == 4:
        return "%s IS %sNULL" % (random.choice([number(), text()]), random.choice(["", "NOT "]))
    if kind == 5:
        return "a IN (1, -2, %s)" % random.choice(["3", "NULL", "b"])
    if kind == 6:
        return "%s %s %s" % (text(), random.choice(["=", "<>", "<", ">="]), text())
    if kind == 7:
        return random.choice(["ok", "NOT ok", "ok IS TRUE", "ok IS NOT FALSE", "d > '2000-01-01'", "a BETWEEN -2 AND 2"])
    return "%s %s %s" % (number(), random.choice(["=", "<>", "<", "<=", ">", ">="]), number())


AGGREGATES = ["COUNT(*)", "COUNT(a)", "COUNT(DISTINCT a)", "COUNT(DISTINCT s)", "SUM(a)", "SUM(b)", "SUM(DISTINCT a)",
              "MIN(a)", "MAX(b)", "MIN(s)", "MAX(s)", "MIN(d)", "AVG(a)", "AVG(f)", "SUM(f)", "MAX(a + b)", "COUNT(ok)",
              "SUM(a) + COUNT(*)", "MAX(f) - MIN(f)", "AVG(DISTINCT b)"]


def random_query():
    """What both must give, and whether in this order."""
    where = " WHERE " + condition() if random.random() < 0.7 else ""
    source = random.choice(["t", "t", "t", "(SELECT * FROM t%s) x" % where])
    kind = random.randrange(6)
    if kind < 2:
        keys = random.sample(["a", "ok", "s", "d", "a % 3", "UPPER(s)"], random.randrange(1, 3))
        items = keys + random.sample(AGGREGATES, 3)
        having = random.choice(["", " HAVING COUNT(*) > 20", " HAVING MIN(a) IS NOT NULL"])
        sql = "SELECT %s FROM %s%s GROUP BY %s%s" % (", ".join(items), source, where, ", ".join(keys), having)
        order = ", ".join("%d%s NULLS %s" % (i + 1, random.choice(["", " DESC"]), random.choice(["FIRST", "LAST"]))
                          for i in range(len(keys)))
        return (sql + " ORDER BY " + order, True) if random.random() < 0.6 else (sql, False)
    if kind == 2:
        return "SELECT %s FROM %s%s" % (", ".join(random.sample(AGGREGATES, 4)), source, where), False
    if kind == 3:
        items = random.sample(["a", "ok", "s", "d", number(), text()], 2)
        return "SELECT DISTINCT %s FROM %s%s" % (", ".join(items), source, where), False
    if kind == 4:
        sql = "SELECT id, %s FROM t%s UNION ALL SELECT a, %s FROM t%s" % (number(), where, number(), where)
        return sql, False
    order = ", ".join("%s%s NULLS %s" % (key, random.choice(["", " DESC"]), random.choice(["FIRST", "LAST"]))
                      for key in random.sample(["a", "s", "b", "d", "f", "ok", "ABS(a)", "a + " + number()], 2))
    limit = random.choice(["", " LIMIT %d" % random.choice([0, 1, 10, 1000]), " LIMIT 50 OFFSET %d" % random.randrange(100),
                           " OFFSET %d" % (N - 30)])
    limit = limit.replace(" OFFSET %d" % (N - 30), " LIMIT 1000000 OFFSET %d" % (N - 30))
    return "SELECT id, %s, %s FROM t%s ORDER BY %s, id%s" % (number(), text(), where, order, limit), True


def same(x, y):
    if isinstance(x, float) or isinstance(y, float):
        return x is not None and y is not None and abs(x - y) <= 1e-9 * max(1, abs(x), abs(y))
    return x == y


def norm(row):
    return [int(v) if isinstance(v, bool) else v for v in row]


def key(row):
    return [(v is not None, isinstance(v, str), round(v, 6) if isinstance(v, float) else v) if v is not None else (False,)
            for v in row]


def compare(sql, ours, theirs, ordered):
    ours, theirs = [norm(r) for r in ours], [norm(list(r)) for r in theirs]
    equal(len(ours), len(theirs), "rows of " + sql)
    if not ordered:
        ours, theirs = sorted(ours, key=key), sorted(theirs, key=key)
    for i, (x, y) in enumerate(zip(ours, theirs)):
        if not all(map(same, x, y)):
            fail("%s\nrow %d: got %r, SQLite has %r" % (sql, i, x, y))


def against_sqlite(q):
    db = sqlite3.connect(":memory:")
    db.create_function("UPPER", 1, lambda s: s if s is None else s.upper(), deterministic=True)
    db.execute("CREATE TABLE t (id INTEGER, a INTEGER, b INTEGER, s TEXT, f REAL, ok INTEGER, d TEXT)")
    insert(q, db, "t", [random_t(i) for i in range(N // 10)])
    q.rows("INSERT INTO t SELECT id + %d, a, b, s, f, ok, d FROM t" % (N // 10))
    wait_until(lambda: q.rows("SELECT COUNT(*) c FROM t")[0]["c"] == N // 10 * 2, "rows are twice as many")
    for k in range(2, 10, 2):
        q.rows("INSERT INTO t SELECT id + %d, a, b, s, f, ok, d FROM t WHERE id < %d" % (k * (N // 10), 2 * (N // 10)))
    wait_until(lambda: q.rows("SELECT COUNT(*) c FROM t")[0]["c"] == N, "all rows are there")
    for k in range(1, 10):
        db.execute("INSERT INTO t SELECT id + %d, a, b, s, f, ok, d FROM t WHERE id < %d" % (k * (N // 10), N // 10))
    for _ in range(QUERIES):
        sql, ordered = random_query()
        compare(sql, q.lists(sql), db.execute(sql).fetchall(), ordered)
    view = "SELECT id, a + 1, UPPER(s) FROM t WHERE b > 0"
    compare("the view", q.lists("SELECT * FROM v ORDER BY id"), db.execute(view + " ORDER BY id").fetchall(), True)


# ---- what SQLite cannot judge -----------------------------------------------------

def values(q):
    """Three values, order of NULLs, decimals, overflow, types."""
    one = lambda sql: q.lists("SELECT " + sql)[0]
    equal(one("NULL AND FALSE, NULL OR TRUE, NULL = NULL, NOT CAST(NULL AS BOOLEAN)"), [False, True, None, None], "logic")
    derived = "(SELECT 1 AS x UNION ALL SELECT NULL UNION ALL SELECT 3) y"
    order = lambda clause: [r[0] for r in q.lists("SELECT x FROM %s ORDER BY x%s" % (derived, clause))]
    equal(order(""), [1, 3, None], "NULLs are last")
    equal(order(" DESC"), [None, 3, 1], "... and first when descending")
    equal(order(" NULLS FIRST"), [None, 1, 3], "NULLS FIRST")
    equal(order(" DESC NULLS LAST"), [3, 1, None], "NULLS LAST")
    equal(one("SUM(x), AVG(x), COUNT(x), COUNT(*) FROM " + derived), [4, 2.0, 2, 3], "aggregates leave NULLs out")
    equal(one("SUM(x), AVG(x), MIN(x), COUNT(x) FROM %s WHERE x > 5" % derived), [None, None, None, 0], "of no row")
    text = q.ask("SELECT SUM(x) s, AVG(x) a, MAX(x) m FROM (SELECT 1.10 x UNION ALL SELECT 2.25) y").body
    equal(text, b'{"s":3.35,"a":1.675000,"m":2.25}\n', "decimals are exact")
    big = "(SELECT 9223372036854775807 x UNION ALL SELECT 9223372036854775807) y"
    q.error("SELECT SUM(x) FROM " + big, "too large for BIGINT")
    equal(q.ask("SELECT SUM(CAST(x AS DECIMAL(19, 0))) s FROM " + big).body, b'{"s":18446744073709551614}\n', "as decimals")
    equal(one("SUM(x) FROM (SELECT 9223372036854775807 x UNION ALL SELECT 5 UNION ALL SELECT -10) y"),
          [9223372036854775802], "only the sum has to fit")
    equal(one("AVG(x) FROM " + big), [9223372036854775807.0], "an average fits")
    nan = "(SELECT CAST('NaN' AS DOUBLE) x UNION ALL SELECT 5 UNION ALL SELECT CAST('NaN' AS DOUBLE)) y"
    equal(q.lists("SELECT x, COUNT(*) FROM %s GROUP BY x ORDER BY x" % nan), [[5.0, 1], ["NaN", 2]], "NaN is one group")
    equal(q.ask("SELECT 1 AS id, 'x' AS name, NULL AS z", "text").body.decode(),
          "+----+------+---+\n| id | name | z |\n+----+------+---+\n| 1  | x    |   |\n+----+------+---+\n", "a table")
    cut = q.ask("SELECT '%s' AS s" % ("\u00e4" * 70), "text").body.decode().splitlines()[3]
    equal(cut, "| %s... |" % ("\u00e4" * 64), "cells are cut")


def refusals(q):
    q.error("SELECT * FROM gone", "materialized")
    q.error("SELECT * FROM nowhere", "there is: t, u, numbers, gone, v")
    q.error("SELECT ida FROM t", "did you mean \"id\"")
    q.error("SELECT\n  id,\n  foo FROM t", "line 3, column 3")
    q.error("SELECT id / 0 FROM t", "division by zero")
    q.error("SELECT a, COUNT(*) FROM t", "GROUP BY")
    q.error("SELECT COUNT(*) FROM t WHERE COUNT(*) > 1", "WHERE")
    q.error("SELECT SUM(s) FROM t", "number")
    q.error("SELECT 1; SELECT 2", "last statement")
    q.error("SELECT a FROM t ORDER BY 2", "ORDER BY")
    q.error("SELECT DISTINCT a FROM t ORDER BY b", "DISTINCT")
    q.error("INSERT INTO v VALUES (1, 2, 'x')", "view")
    q.error("INSERT INTO u VALUES (1)", "1 values for 2 columns")
    q.error("INSERT INTO t (a) VALUES (1)", "\"id\"")
    q.error("INSERT INTO u VALUES ('x', 'y')", "x")
    q.error("INSERT INTO numbers SELECT a FROM t", "NOT NULL")
    q.error("SELECT " + "NOT " * 600 + "TRUE", "deep")
    q.error("SELECT * FROM " + "(SELECT * FROM " * 60 + "u" + ") x" * 60, "deep")
    for format in ("parquet", "hash", "arrow_ipc"):
        error = q.ask("SELECT 1", format, 400).json
        expect("text, json" in error["message"], "%s: %s" % (format, error))


def one_snapshot(q):
    """Reads see what was there before the request; a faulty INSERT leaves nothing."""
    before = q.rows("SELECT COUNT(*) AS c FROM u")[0]["c"]
    equal(q.rows("INSERT INTO u VALUES (1, 'x'), (1, 'x'); SELECT COUNT(*) AS c FROM u")[0]["c"], before, "the state before")
    wait_until(lambda: q.rows("SELECT COUNT(*) AS c FROM u")[0]["c"] == before + 2, "the rows are there")
    equal(q.rows("SELECT a, s, COUNT(*) AS c FROM u GROUP BY a, s"), [{"a": 1, "s": "x", "c": 2}], "a row of weight 2")
    equal(q.lists("SELECT a FROM u"), [[1], [1]], "is two rows")
    equal(q.lists("SELECT a FROM u ORDER BY a LIMIT 1"), [[1]], "of which one may be had")
    equal(q.lists("SELECT DISTINCT a FROM u"), [[1]], "and that are alike")
    q.error("INSERT INTO u SELECT 1000 / (id - 5), 'x' FROM t", "division by zero")
    equal(q.rows("INSERT INTO u VALUES (2, 'a'); INSERT INTO u SELECT a + 1, s FROM u")[0]["count"], 2, "copies of 2 rows")
    wait_until(lambda: len(q.lists("SELECT * FROM u")) == 5, "five rows")
    equal(sorted(q.lists("SELECT * FROM u")), [[1, "x"], [1, "x"], [2, "a"], [2, "x"], [2, "x"]], "u")


def paused(server, q, client):
    """An INSERT waits while the pipeline is paused; a SELECT does not."""
    client.pause("p")
    done = []
    waiter = threading.Thread(target=lambda: done.append(Queries(server.client()).rows("INSERT INTO numbers VALUES (-1)")))
    waiter.start()
    for _ in range(20):
        equal(q.rows("SELECT COUNT(*) AS c FROM numbers WHERE n < 0")[0]["c"], 0, "rows while paused")
    equal(done, [], "the INSERT waits")
    client.resume("p")
    waiter.join()
    equal(done[0], [{"count": 1}], "the INSERT's reply")
    wait_until(lambda: q.rows("SELECT COUNT(*) AS c FROM numbers WHERE n < 0")[0]["c"] == 1, "the row is there")


def begin_too_long(server, client):
    """An INSERT into a pipeline that stays paused, asked for by the command, which waits as long as it always does."""
    client.create("still", "CREATE TABLE n (x INT NOT NULL PRIMARY KEY);")
    client.start("still", "paused")
    environment = dict(os.environ, HEADWORKS_URL=server.url)
    return start("query", "still", "INSERT INTO n VALUES (1)", env=environment, stderr=open(path("too-long"), "wb"))


def end_too_long(process, client):
    """The server gives up before the command does: its reason is told."""
    finish(process, 5, 60)
    said = open(path("too-long"), encoding="utf-8").read()
    expect("paused; 0 of the rows of this INSERT are in table" in said, "an INSERT that waited too long: " + said)
    client.stop("still")


def stopped(server, client):
    """A pipeline that is stopped ends an INSERT that waits; what is being read is read to its end."""
    client.create("s", "CREATE TABLE n (x BIGINT NOT NULL PRIMARY KEY);")
    client.start("s")
    q = Queries(client, "s")
    q.rows("INSERT INTO n VALUES " + ",".join("(%d)" % i for i in range(100)))
    took = client.stats("s")["global_metrics"]
    equal((took["total_input_records"], took["total_input_bytes"]), (100, 800), "rows, and bytes of their values")
    for size in (100, 200, 400, 800, 1600, 3200):
        wait_until(lambda: q.lists("SELECT COUNT(*) FROM n") == [[size]], "%d rows" % size)
        q.rows("INSERT INTO n SELECT x + %d FROM n WHERE x < %d" % (size, size if size < 3200 else 0))
    text = " || ".join(["'%s'" % ("x" * 100)] * 40)
    target = q.path + urllib.parse.urlencode({"sql": "SELECT x, %s AS t FROM n ORDER BY x" % text, "format": "json"})
    reader = socket.create_connection(("127.0.0.1", server.port))
    reader.sendall(("GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % (target, server.port)).encode())
    stream = reader.makefile("rb")
    while stream.readline() != b"\r\n":
        pass
    client.pause("s")
    errors, other = [], Queries(server.client(), "s")
    waiter = threading.Thread(target=lambda: errors.append(other.client.request("GET", other.path + urllib.parse.urlencode(
        {"sql": "INSERT INTO n VALUES (-1)"}))))
    waiter.start()
    client.stop("s", force=True)
    client.delete("s")
    waiter.join()
    expect(errors[0].status in (400, 404, 503), "the INSERT: %d %s" % (errors[0].status, errors[0].body))
    equal([json.loads(line)["x"] for line in stream], list(range(3200)), "rows of a pipeline that is gone")


def large(server, q):
    """More than any queue holds: whole to a slow reader, no burden when one leaves, bounded for who sorts."""
    size, more = N, "SELECT id FROM t"
    while True:
        q.rows("INSERT INTO numbers " + more)
        wait_until(lambda: q.rows("SELECT COUNT(*) AS c FROM numbers WHERE n >= 0")[0]["c"] == size, "%d numbers" % size)
        if size >= 200000:
            break
        size, more = size * 2, "SELECT n + %d FROM numbers WHERE n >= 0" % size
    equal(q.rows("SELECT SUM(n) AS s, COUNT(DISTINCT n) AS d FROM numbers WHERE n >= 0"),
          [{"s": size * (size - 1) // 2, "d": size}], "numbers")
    equal([r["n"] for r in q.rows("SELECT n FROM numbers WHERE n >= 0 ORDER BY n DESC LIMIT 5")],
          list(range(size - 1, size - 6, -1)), "the largest")
    text = " || ".join(["'%s'" % ("x" * 50)] * 2)
    target = q.path + urllib.parse.urlencode({"sql": "SELECT n, %s AS t FROM numbers WHERE n >= 0 ORDER BY n" % text,
                                              "format": "json"})
    request = "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % (target, server.port)
    for _ in range(20):  # they leave in the middle, or before anything came
        s = socket.create_connection(("127.0.0.1", server.port))
        s.sendall(request.encode())
        s.recv(random.choice([1, 1000, 100000]))
        s.close()
    s = socket.create_connection(("127.0.0.1", server.port))
    s.sendall(request.encode())
    reader, n = s.makefile("rb"), 0
    while reader.readline() != b"\r\n":
        pass
    for line in reader:
        if n % 10000 == 0:
            equal(q.rows("SELECT 1 AS x"), [{"x": 1}], "another's query meanwhile")
            equal(json.loads(line)["n"], n, "row")
        n += 1
    equal(n, size, "rows of the large result")


def command(server, q):
    url = {"HEADWORKS_URL": server.url}
    done = run("query", "p", "SELECT COUNT(*) AS c FROM t", env=url)
    equal(done.stdout.decode(), "+-%s-+\n| c%s |\n+-%s-+\n| %d |\n+-%s-+\n" % (
        "-" * len(str(N)), " " * (len(str(N)) - 1), "-" * len(str(N)), N, "-" * len(str(N))), "the table")
    equal(run("query", "p", "SELECT 1 AS x", "--format", "json", env=url).stdout, b'{"x":1}\n', "JSON")
    run("query", "p", "SELECT nothing FROM t", env=url, status=5)
    run("query", "nobody", "SELECT 1", env=url, status=5)
    run("query", "p", "SELECT 1", "--format", "xml", env=url, status=5)
    last = q.lists("SELECT MAX(n) FROM numbers")[0][0]
    late = "SELECT 1000000 / (%d - n) AS error FROM numbers" % last  # a row behind the first pieces fails
    for format in ("text", "json"):
        done = run("query", "p", late.replace("AS error", "AS x"), "--format", format, env=url, status=1)
        expect(b"division by zero" in done.stderr and len(done.stdout) > 5000, "a late failure: %s" % done.stderr)
    run("query", "p", "SELECT 'fine' AS error FROM t", "--format", "json", env=url)
    script = b"SELECT 1 AS a;\nSELECT\n  2\n  AS b;\n\nSELECT 3 AS c"
    equal(run("query", "p", "-f", "json", env=url, stdin=script).stdout, b'{"a":1}\n{"b":2}\n{"c":3}\n', "a script")
    done = run("query", "p", "-f", "json", env=url, stdin=b"SELECT 1 AS a;\nSELECT x;\nSELECT 2 AS b;\n", status=5)
    equal(done.stdout, b'{"a":1}\n', "a script that fails")


def weights():
    """A row that was deleted before it is inserted is not there; one that is there twice is two rows."""
    update = {"name": "json", "config": {"update_format": "insert_delete"}}
    rows = [{"delete": {"x": 1}}, {"insert": {"x": 2}}, {"insert": {"x": 2}}, {"insert": {"x": 3}}]
    write("updates.json", "".join(json.dumps(r) + "\n" for r in rows))
    program = table("m", "x INT", [file_input("f", "updates.json", update)])
    with Server() as server:
        client = server.client()
        client.create("p", program.replace("WITH (", "WITH ('materialized' = 'true', "))
        client.start("p")
        client.wait_complete("p")
        q = Queries(client)
        equal(q.lists("SELECT x FROM m ORDER BY x DESC"), [[3], [2], [2]], "rows")
        equal(q.lists("SELECT COUNT(*), SUM(x), AVG(x), COUNT(DISTINCT x), SUM(DISTINCT x) FROM m"),
              [[3, 7, 7 / 3, 2, 5]], "aggregates")
        equal(q.lists("SELECT x FROM m ORDER BY x LIMIT 1 OFFSET 1"), [[2]], "one of two alike")
        equal(q.ask('SELECT 1 AS "a\nb"', "text").body, b"+------+\n| a\\nb |\n+------+\n| 1    |\n+------+\n", "a name")


def little_memory():
    """Of 2 MiB for queries: what is gathered beyond that fails, says so, and leaves all of it to the next."""
    with Server("--query-memory", "2") as server:
        client = server.client()
        client.create("p", "CREATE TABLE n (x BIGINT NOT NULL PRIMARY KEY);")
        client.start("p")
        q, size = Queries(client), 1
        q.rows("INSERT INTO n VALUES (0)")
        for size in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
            wait_until(lambda: q.rows("SELECT COUNT(*) AS c FROM n")[0]["c"] == size, "%d rows" % size)
            if size < 65536:
                for part in range(0, size, 8192):
                    q.rows("INSERT INTO n SELECT x + %d FROM n WHERE x >= %d AND x < %d" % (size, part, part + 8192))
        for _ in range(3):
            for sql in ("SELECT x FROM n ORDER BY x", "SELECT x FROM n GROUP BY x",
                        "SELECT COUNT(DISTINCT x) FROM n"):
                q.error(sql, "2 MiB for all queries together")
            rows = q.rows("SELECT DISTINCT x FROM n")  # these come before the fault
            expect(len(rows) > 1000 and "2 MiB for all queries together" in rows[-1]["error"], "the last line: %s" % rows[-1])
            q.error("INSERT INTO n SELECT x + 1000000 FROM n", "insert them in parts")
            equal(q.lists("SELECT x FROM n ORDER BY x DESC LIMIT 2"), [[65535], [65534]], "the largest")
            equal(q.lists("SELECT x % 3, COUNT(*) FROM n GROUP BY x % 3 ORDER BY 1"), [[0, 21846], [1, 21845], [2, 21845]],
                  "few groups")
            equal(len(q.lists("SELECT x FROM n")), 65536, "rows that nothing gathers")
        equal(q.lists("SELECT COUNT(*) FROM n"), [[65536]], "rows: none was inserted")


weights()
little_memory()
with Server("--memory", "256") as server:
    client = server.client()
    client.create("p", PROGRAM)
    equal(client.request("GET", "/v0/pipelines/p/query?sql=SELECT+1").code, "PipelineInteractionNotDeployed", "not deployed")
    client.start("p")
    q = Queries(client)
    waits = begin_too_long(server, client)
    values(q)
    against_sqlite(q)
    refusals(q)
    one_snapshot(q)
    paused(server, q, client)
    stopped(server, client)
    large(server, q)
    command(server, q)
    end_too_long(waits, client)
    client.stop("p")
