#!/usr/bin/env python3
"""Dead letters: every bad record is kept, within bounds, whatever the load; after the program was mended they are
submitted again, over HTTP and by the command."""
import base64
import http.client
import socket

from libhw import *


def letters(client, query=""):
    return client.expect(200, "GET", "/v0/pipelines/p/dead_letters" + query).json


def program(columns):
    return (table("t", columns, [{"name": "s", "format": JSON_RAW, "transport": {
                "name": "socket_input", "config": {"address": "unix-listen://" + path("socket")}}}]) +
            view("v", "SELECT * FROM t", [file_output("f", path("out.ndjson"))]))


def send(data):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path("socket"))
        s.sendall(data)


def mended():
    """What one program could not read, the pipeline's next one is given."""
    with Server() as server:
        client = server.client()
        client.create("p", program("id TINYINT NOT NULL"))
        client.start("p")
        send(b'{"id":1}\n{"id":1000}\nno json \xff\n{"id":2}\n')
        wait_until(lambda: letters(client)["kept"] == 2, "both are kept")
        first, second = letters(client)["letters"]
        equal((first["connector"], first["field"], first["raw_text"]), ("t.s", "id", '{"id":1000}'), "first letter")
        equal(base64.b64decode(second["raw_base64"]), b"no json \xff", "bytes of the second")
        expect(first["position"].endswith("@9"), "position %r" % first["position"])
        equal([l["id"] for l in letters(client, "?after=%d" % first["id"])["letters"]], [second["id"]], "the rest")
        reply = client.expect(200, "POST", "/v0/pipelines/p/dead_letters/resubmit", {}).json
        equal((reply["resubmitted"], reply["failed"]), (0, 2), "submitted again, with nothing mended")
        listing = run("dead-letters", "p", "--url", server.url).stdout.decode()
        expect('{"id":1000}' in listing and "kept 2, total 2" in listing, "the command lists %r" % listing)
        client.connector("p", "t", "s", "pause")
        done = run("dead-letters", "p", "resubmit", str(first["id"]), "999", "--url", server.url, status=1)
        equal(done.stdout, b"0 resubmitted, 1 failed, 1 not there\n", "what the command says")
        equal(run("dead-letters", "p", "clear", "--connector", "t.zzz", "--url", server.url).stdout, b"0 cleared\n",
              "clearing another's")
        client.stop("p")
        equal(letters(client)["kept"], 2, "letters of a stopped pipeline")
        client.expect(503, "POST", "/v0/pipelines/p/dead_letters/resubmit", {})
        equal(run("dead-letters", "p", "clear", "--url", server.url).stdout, b"2 cleared\n", "clearing")
        counts = letters(client)
        equal((counts["total"], counts["cleared"], counts["letters"]), (2, 2, []), "counts")


def under_load():
    """Many bad records: exactly counted, bounded, and no good one is lost."""
    rounds, kept = (400, 500)
    chunk = b"".join(b'{"id":%d}\nbroken %d\n' % (i % 100, i) for i in range(1000))
    with Server("--dead-letters", str(kept)) as server:
        client = server.client()
        client.create("p", program("id TINYINT NOT NULL"))
        client.start("p")
        workers = Workers()

        def flood():
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path("socket"))
                for _ in range(rounds):
                    s.sendall(chunk)

        workers.add(flood)
        wait_until(lambda: letters(client)["total"] == 1000 * rounds, "all bad records are counted", 2 * DEADLINE)
        workers.stop()
        counts = letters(client, "?limit=1000")
        equal((counts["kept"], counts["dropped"]), (kept, 1000 * rounds - kept), "kept and dropped")
        equal([l["raw_text"] for l in counts["letters"]], ["broken %d" % i for i in range(1000 - kept, 1000)], "the newest")
        client.stop("p")
    equal(len(read("out.ndjson").splitlines()), 1000 * rounds, "good rows")


def query(client, sql, status=200):
    reply = client.expect(status, "GET", "/v0/pipelines/p/query?format=json&sql=" + urllib.parse.quote(sql))
    return [json.loads(line) for line in reply.body.splitlines()] if status == 200 else reply.json["message"]


def follow(server, options):
    """The rows of an egress, and the reply to go on with."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=2 * DEADLINE)
    connection.request("POST", "/v0/pipelines/p/egress/Headworks_Dead_Letters?format=json" + options)
    response = connection.getresponse()
    equal(response.status, 200, "egress")
    return connection, response


def take(response, n, snapshot):
    rows = []
    while len(rows) < n:
        chunk = json.loads(response.readline())
        if "json_data" in chunk:
            equal(chunk["snapshot"], snapshot, "snapshot")
            rows += [row["insert"] for row in chunk["json_data"]]
    return [row["raw_text"] for row in rows]


def relation():
    """The letters are a relation, too: asked for, and followed."""
    with Server() as server:
        client = server.client()
        client.create("p", program("id TINYINT NOT NULL"))
        client.start("p")
        equal(query(client, "SELECT * FROM headworks_dead_letters"), [], "none yet")
        new, new_reply = follow(server, "")
        new_reply.readline()
        send(b'{"id":1}\n{"id":1000}\nno json \xff\n{"id":2}\n')
        wait_until(lambda: letters(client)["kept"] == 2, "both are kept")
        first, second = query(client, "SELECT * FROM headworks_dead_letters WHERE connector = 't.s' ORDER BY id")
        listed = letters(client)["letters"]
        for row, letter in zip((first, second), listed):
            for key in ("id", "connector", "position", "reason", "field", "record_bytes", "cut"):
                equal(row[key], letter[key], key)
            equal(bytes(row["raw"]), base64.b64decode(letter["raw_base64"]), "bytes")
        equal((first["raw_text"], second["raw_text"]), ('{"id":1000}', None), "text, where it is such")
        equal(query(client, "SELECT COUNT(*) AS n FROM headworks_dead_letters UNION ALL SELECT COUNT(*) AS n FROM "
                            "headworks_dead_letters WHERE field = 'id'"), [{"n": 2}, {"n": 1}], "counts")
        message = query(client, "INSERT INTO headworks_dead_letters (id) VALUES (1)", 400)
        expect("can only be read" in message, "an INSERT: %s" % message)
        old, old_reply = follow(server, "&send_snapshot=true&backpressure=true")
        equal(take(old_reply, 2, True), ['{"id":1000}', None], "what there was")
        client.expect(200, "POST", "/v0/pipelines/p/start_transaction")  # holds back rows, no letters
        send(b'broken\n')
        equal(take(old_reply, 1, False), ["broken"], "what came")
        equal(take(new_reply, 3, False), ['{"id":1000}', None, "broken"], "what came since it began")
        client.expect(200, "POST", "/v0/pipelines/p/commit_transaction")
        client.expect(200, "DELETE", "/v0/pipelines/p/dead_letters")
        equal(query(client, "SELECT * FROM headworks_dead_letters"), [], "none any more")
        for connection in (old, new):
            connection.close()
        send(b'{"id":1000}\n')
        wait_until(lambda: letters(client)["kept"] == 1, "it goes on without listeners")
        client.expect(201, "POST", "/v0/pipelines", {"name": "q", "program_code": "CREATE TABLE headworks_dead_letters (a INT);"})
        equal(wait_until(lambda: client.compiled("q"), "q is compiled"), "SqlError", "the name is reserved")


mended()
relation()
under_load()
