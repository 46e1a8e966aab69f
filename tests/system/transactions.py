#!/usr/bin/env python3
"""Transactions over HTTP: nobody sees what was taken before the commit, whoever asks and however; then all of it is
there, for queries at once; what the statistics say meanwhile; the bound of memory; pauses, stops and refusals."""
import http.client
import threading

from libhw import *

PROGRAM = ("CREATE TABLE k (id BIGINT NOT NULL PRIMARY KEY, n BIGINT);\n" + table("t", "id BIGINT NOT NULL", []) +
           "CREATE MATERIALIZED VIEW kv AS SELECT id, n FROM k;\n" +
           view("v", "SELECT id FROM t", [file_output("out", "out.ndjson")]))


def call(client, action, status=200, pipeline="p"):
    return client.expect(status, "POST", "/v0/pipelines/%s/%s_transaction" % (pipeline, action))


def begin(client, pipeline="p"):
    return call(client, "start", pipeline=pipeline).json["transaction_id"]


def metrics(client, pipeline="p"):
    m = client.stats(pipeline)["global_metrics"]
    expect(m["total_processed_records"] <= m["total_input_records"], "processed is at most input: %r" % m)
    expect(m["total_completed_records"] <= m["total_processed_records"], "completed is at most processed: %r" % m)
    open_ = m["transaction_status"] != "NoTransaction"
    equal(open_, m["transaction_id"] != 0, "an id is there while a transaction is")
    for key in ("transaction_msecs", "transaction_records"):
        equal(open_, m[key] is not None, key)
    equal(m["transaction_initiators"], {"transaction_id": m["transaction_id"] if open_ else None,
                                        "initiated_by_api": {"NoTransaction": None, "TransactionInProgress": "Started",
                                                             "CommitInProgress": "Committed"}[m["transaction_status"]],
                                        "initiated_by_connectors": {}}, "initiators")
    equal(m["transaction_status"] == "CommitInProgress", m["commit_progress"] is not None, "commit_progress")
    return m


def commit(client, pipeline="p"):
    number = metrics(client, pipeline)["transaction_id"]
    equal(call(client, "commit", pipeline=pipeline).json, "Transaction commit initiated", "reply")
    wait_until(lambda: metrics(client, pipeline)["transaction_id"] != number, "the commit has ended")


def query(client, sql):
    body = client.expect(200, "GET", "/v0/pipelines/p/query?format=json&sql=" + urllib.parse.quote(sql)).body
    return [json.loads(line) for line in body.splitlines()]


def ingress(client, name, rows, options="format=json&update_format=raw", status=200, pipeline="p"):
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    reply = client.request("POST", "/v0/pipelines/%s/ingress/%s?%s" % (pipeline, name, options), body)
    equal(reply.status, status, "ingress: %r" % reply.body)
    return reply.json.get("token")


def completion(client, token):
    return client.expect(200, "GET", "/v0/pipelines/p/completion_status?token=" + token).json["status"]


class Egress:
    """What a listener with backpressure is sent, in a thread, until it has so many rows."""

    def __init__(self, port, relation, wanted):
        self.wanted = wanted
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2 * DEADLINE)
        self.connection.request("POST", "/v0/pipelines/p/egress/%s?format=json&backpressure=true" % relation)
        self.response = self.connection.getresponse()
        self.rows = []
        self.response.readline()  # from here on it sees all
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while len(self.rows) < self.wanted:
            self.rows += json.loads(self.response.readline()).get("json_data", [])


def refusals(client):
    equal(call(client, "start", 503).code, "PipelineInteractionNotDeployed", "code")
    equal(call(client, "commit", 503).code, "PipelineInteractionNotDeployed", "code")
    equal(call(client, "start", 404, "nobody").code, "UnknownPipelineName", "code")
    client.start("p")
    equal(call(client, "commit", 400).code, "NoTransactionInProgress", "code")
    equal(begin(client), 1, "the first")
    refused = call(client, "start", 409)
    equal(refused.code, "TransactionInProgress", "code")
    expect("transaction 1" in refused.json["message"], "the message names it: %s" % refused.json["message"])
    commit(client)
    equal(call(client, "commit", 400).code, "NoTransactionInProgress", "code")


def seen_by_nobody(client, port):
    listener = Egress(port, "v", 500)
    equal(begin(client), 2, "the second")
    tokens = [ingress(client, "t", [{"id": i} for i in range(100 * part, 100 * part + 100)]) for part in range(5)]
    ingress(client, "k", [{"id": 1, "n": 1}, {"id": 2, "n": 2}])
    tokens.append(ingress(client, "k", [{"update": {"id": 1, "n": 11}}, {"delete": {"id": 2}}, {"insert": {"id": 3}}],
                          "format=json"))
    wait_until(lambda: metrics(client)["transaction_records"] == 505, "all are taken")
    m = metrics(client)
    equal((m["total_input_records"], m["total_processed_records"], m["buffered_input_records"]), (505, 0, 505), "counts")
    equal(m["transaction_status"], "TransactionInProgress", "status")
    equal([completion(client, token) for token in tokens], ["inprogress"] * 6, "tokens")
    equal(query(client, "SELECT * FROM k"), [], "the table")
    equal(query(client, "SELECT * FROM kv"), [], "the view")
    equal((read("out.ndjson"), listener.rows), (b"", []), "outputs")
    text = client.expect(200, "GET", "/v0/pipelines/p/metrics").body.decode()
    expect('headworks_transaction_records{' in text, "metrics")
    commit(client)
    equal(query(client, "SELECT * FROM k ORDER BY id"), [{"id": 1, "n": 11}, {"id": 3, "n": None}], "the table")
    equal(query(client, "SELECT COUNT(*) AS n FROM kv"), [{"n": 2}], "the view")
    wait_until(lambda: len(read("out.ndjson").splitlines()) == 500, "the file has all")
    listener.thread.join()
    equal([row["insert"]["id"] for row in listener.rows], list(range(500)), "in order")
    for token in tokens:
        wait_until(lambda: completion(client, token) == "complete", "the token is complete")
    m = metrics(client)
    equal((m["total_processed_records"], m["buffered_input_records"]), (505, 0), "counts")
    listener.connection.close()


def at_once(client, port):
    """Readers see whole transactions, while one comes after the other."""
    stopping = threading.Event()
    seen = set()

    def look():
        reader = Client(port)
        while not stopping.is_set():
            (row,) = query(reader, "SELECT COUNT(*) AS n, MIN(n) AS least, MAX(n) AS most FROM k")
            equal(row["least"], row["most"], "all rows are of one transaction: %r" % row)
            equal(row["n"], 2000, "rows")
            seen.add(row["most"])

    ingress(client, "k", [{"insert": {"id": i, "n": 0}} for i in range(2000)], "format=json")
    ingress(client, "k", [{"delete": {"id": i}} for i in range(2000, 2001)], "format=json")
    wait_until(lambda: query(client, "SELECT COUNT(*) AS n FROM k WHERE n = 0") == [{"n": 2000}], "rows of the first")
    reader = threading.Thread(target=look)
    reader.start()
    for number in range(1, 21):
        begin(client)
        for part in range(4):
            ingress(client, "k", [{"id": i, "n": number} for i in range(500 * part, 500 * part + 500)])
        commit(client)
        equal(query(client, "SELECT COUNT(*) AS n FROM k WHERE n = %d" % number), [{"n": 2000}], "after the commit")
    stopping.set()
    reader.join()
    expect(seen <= set(range(21)), "what readers saw: %r" % seen)


def paused(client):
    before = len(read("out.ndjson").splitlines())
    begin(client)
    ingress(client, "t", [{"id": 1}])
    client.pause("p")
    ingress(client, "t", [{"id": 2}], "format=json&update_format=raw&force=true")
    commit(client)
    wait_until(lambda: len(read("out.ndjson").splitlines()) == before + 2, "a commit needs no running pipeline")
    begin(client)
    client.resume("p")
    commit(client)


def stops(client):
    begin(client)
    before = len(read("out.ndjson").splitlines())
    ingress(client, "t", [{"id": 1}])
    client.expect(202, "POST", "/v0/pipelines/p/stop")
    wait_until(lambda: client.get("p")["deployment_status"] == "Stopping", "it is stopping")
    equal(call(client, "start", 503).code, "PipelineInteractionNotDeployed", "code")
    call(client, "commit")
    client.wait_status("p", "Stopped")
    equal(client.get("p")["deployment_error"], None, "a stop during which the transaction is committed")
    equal(len(read("out.ndjson").splitlines()), before + 1, "rows")
    client.start("p")
    begin(client)
    ingress(client, "t", [{"id": 1}])
    client.stop("p", force=True)
    equal(client.get("p")["deployment_error"], None, "a forced stop says nothing of what it drops")
    client.start("p")
    equal(metrics(client)["transaction_id"], 0, "a transaction ends with the run")
    client.stop("p")


def fails(client):
    """A row that no view can be computed of ends the pipeline, not the server, and nobody has seen the rest."""
    client.create("f", table("t", "id BIGINT NOT NULL", []) + view("v", "SELECT 10 / (id - 5) AS q FROM t",
                                                                   [file_output("out", "f.ndjson")]))
    client.start("f")
    begin(client, "f")
    for i in range(10):
        ingress(client, "t", [{"id": i}], pipeline="f")
    call(client, "commit", pipeline="f")
    client.wait_status("f", "Stopped")
    error = client.get("f")["deployment_error"]
    expect("division" in error["message"], "why: %r" % error)
    client.start("f")
    begin(client, "f")
    ingress(client, "t", [{"id": 1}], pipeline="f")
    commit(client, "f")
    client.stop("f")


def bounded():
    """More than there is memory for: inputs wait and say why; the commit is possible, nothing is lost or doubled."""
    rows = 3000000
    plan = {"limit": rows, "fields": {"id": {"strategy": "increment"}}}
    program = (table("a", "id BIGINT NOT NULL", [datagen("gen", plan)]) + table("b", "s VARCHAR", []) +
               view("va", "SELECT id FROM a", [file_output("out", "a.csv", {"name": "csv"})]))
    with Server("--memory", "64") as server:
        client = server.client()
        client.create("q", program)
        client.start("q", "paused")
        begin(client, "q")
        client.resume("q")

        def waits():
            (gen,) = [i for i in client.stats("q")["inputs"] if i["endpoint_name"] == "a.gen"]
            return gen["headworks"]["holds"] == ["backpressure", "transaction"]

        wait_until(waits, "the input waits for the commit")
        m = metrics(client, "q")
        expect(0 < m["transaction_records"] < rows, "it took some: %r" % m)
        equal(m["total_processed_records"], 0, "processed")
        equal(read("a.csv"), b"", "rows")

        reply = client.request("POST", "/v0/pipelines/q/ingress/b?format=raw", "a line\n")
        equal((reply.status, reply.code), (503, "PipelineInteractionUnreachable"), "a body that finds no room")
        expect("transaction" in reply.json["message"], "the message names it: %s" % reply.json["message"])
        sent = m["transaction_records"]
        commit(client, "q")
        wait_until(lambda: read("a.csv").count(b"\n") >= sent, "what it held is there")
        equal(client.request("POST", "/v0/pipelines/q/ingress/b?format=raw", "a line\n").status, 200, "afterwards")
        client.wait_complete("q")
        ids = [int(cell.split(b",")[0]) for cell in read("a.csv").splitlines()]
        equal(len(ids), rows, "rows")
        expect(ids == list(range(rows)), "every row once, in order")


with Server() as server:
    client = server.client()
    client.create("p", PROGRAM)
    refusals(client)
    seen_by_nobody(client, server.port)
    at_once(client, server.port)
    paused(client)
    stops(client)
    fails(client)
bounded()
