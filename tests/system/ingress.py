#!/usr/bin/env python3
"""Rows over HTTP: every way of sending them, what is said of bad ones, what a client may rely on when the pipeline
stands still, and that random bodies, cut anywhere, from many clients, under pauses, land exactly once."""
import gzip
import random
import shutil
import socket
import subprocess
import threading

from libhw import *

PROGRAM = (table("t", "id BIGINT NOT NULL, s VARCHAR", []) + table("lines", "line VARCHAR NOT NULL", []) +
           table('"Odd"', "id BIGINT", []) +
           view("v", "SELECT id, s FROM t", [file_output("out", "out.ndjson")]) +
           view("w", "SELECT line FROM lines", [file_output("out", "lines.ndjson")]))


def ingress(client, name, body, query="format=json&update_format=raw", headers=None, pipeline="p"):
    return client.request("POST", "/v0/pipelines/%s/ingress/%s?%s" % (pipeline, name, query), body, headers or {})


def complete(client, token, pipeline="p"):
    reply = client.expect(200, "GET", "/v0/pipelines/%s/completion_status?token=%s" % (pipeline, token)).json
    return reply["status"] == "complete"


def ids(file="out.ndjson"):
    return [row["id"] for row in read_rows(file)]


def send(client, name, body, query="format=json&update_format=raw", headers=None, rows=None):
    """Sends, waits until it is complete; returns the reply."""
    reply = ingress(client, name, body, query, headers)
    if reply.status != 200:
        fail("%s: %d: %s" % (query, reply.status, reply.body))
    equal(set(reply.json), {"token"}, "members of the reply")
    if rows is not None:
        equal(int(reply.headers["Headworks-Rows"]), rows, "rows of %r" % query)
    wait_until(lambda: complete(client, reply.json["token"]), "the token is complete")
    return reply


def endpoints(client):
    return {s["endpoint_name"]: s for s in client.stats("p")["inputs"]}


def begin_body(client, length):
    s = socket.create_connection(("127.0.0.1", client.port))
    s.sendall(b"POST /v0/pipelines/p/ingress/t?format=json&update_format=raw HTTP/1.1\r\nHost: localhost\r\n"
              b"Content-Length: %d\r\n\r\n" % length)
    return s


def no_body(client):
    return all(e["metrics"]["end_of_input"] for e in endpoints(client).values())


def formats(client):
    send(client, "t", b'{"id":1,"s":"a"}\n{"id":2}\n', rows=2)
    equal(ids(), [1, 2], "rows once the token is complete")
    send(client, "T", b'[{"insert":{"id":3}},{"insert":[4,"x"]}]', "format=json&array=true", rows=2)
    send(client, "t", b'5,five\n6,"six, really"\n', "", rows=2)  # csv is what there is without a format
    send(client, "t", b'id;s\n7;x\n', "format=csv&delimiter=%3B&headers=true&array=false", rows=1)
    send(client, "t", gzip.compress(b'{"id":8}'), headers={"Content-Encoding": "gzip"}, rows=1)
    send(client, "%22Odd%22", b'{"id":1}', rows=1)
    send(client, "lines", b'one\ntwo\n', "format=raw", rows=2)
    send(client, "t", b"\x82\xa2id\x09\xa1s\xa1q", "format=msgpack&update_format=raw", rows=1)
    send(client, "t", b"", rows=0)
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-c"], input=b'{"id":10}\n', capture_output=True, check=True).stdout
        send(client, "t", packed, headers={"Content-Encoding": "zstd"}, rows=1)
    event = b'{"payload":{"op":"%s","before":%s,"after":%s}}'
    send(client, "%22Odd%22", event % (b"c", b"null", b'{"id":2}') + event % (b"u", b'{"id":2}', b'{"id":3}'),
         "format=json&update_format=debezium", rows=3)
    equal(sorted(ids()), list(range(1, 10)) + ([10] if shutil.which("zstd") else []), "rows by all formats")
    equal([row["line"] for row in read_rows("lines.ndjson")], ["one", "two"], "lines")
    names = endpoints(client)
    expect(all(n.split(".")[1].startswith("api-ingress-") and len(n.split(".")[1]) == 28 for n in names), names)
    before = len(names)
    send(client, "t", b'{"id":11}', rows=1)
    equal(len(endpoints(client)), before, "endpoints when options come again")
    wait_until(lambda: client.complete("p"), "complete between bodies")
    connector = next(n for n in names if n.startswith("t.")).split(".")[1]
    token = client.expect(200, "GET", "/v0/pipelines/p/tables/t/connectors/%s/completion_token" % connector).json["token"]
    expect(complete(client, token), "a token of an idle endpoint is complete")
    client.expect(200, "GET", "/v0/pipelines/p/tables/t/connectors/%s/stats" % connector)


def bad_rows(client):
    base = len(ids())
    body = b'{"id":100}\n{"id":"x"}\n{"id":101}\n{broken\n{"s":"no id"}\n{"id":102}\n'
    reply = ingress(client, "t", body)
    equal((reply.status, reply.code), (400, "ParseErrors"), "bad rows")
    details = reply.json["details"]
    equal((details["num_errors"], details["num_rows_ingested"]), (3, 3), "what landed")
    equal([e["event_number"] for e in details["errors"]], [2, 4, 5], "which were bad")
    equal([e["tag"] for e in details["errors"]], ["type", "syntax", "missing"], "how")
    equal(details["errors"][0]["field"], "id", "the column")
    equal(details["errors"][0]["invalid_text"], '{"id":"x"}', "the record")
    expect("failed to deserialize JSON record" in details["errors"][0]["description"], details["errors"][0])
    expect("failed to parse string as a JSON document" in details["errors"][1]["description"], details["errors"][1])
    expect(reply.json["message"].startswith("Errors parsing input data (3 errors):\n    Parse error (event #2): "),
           reply.json["message"])
    token = reply.headers["Headworks-Token"]
    wait_until(lambda: complete(client, token), "the good rows of a bad body are complete")
    equal(ids()[base:], [100, 101, 102], "good rows of a bad body")
    reply = ingress(client, "t", b"x,1\n" * 5000, "format=csv")
    equal((reply.json["details"]["num_errors"], len(reply.json["details"]["errors"])), (5000, 1000), "last 1000 kept")
    equal(reply.json["details"]["errors"][-1]["event_number"], 5000, "the last of them")
    expect("failed to deserialize CSV record" in reply.json["details"]["errors"][0]["description"], "csv's words")
    reply = ingress(client, "t", b'{"id":103,"s":"\xff"}')
    equal(reply.json["details"]["errors"][0]["invalid_text"], None, "bytes that are no text")
    equal(bytes(reply.json["details"]["errors"][0]["invalid_bytes"]), b'{"id":103,"s":"\xff"}', "are given as bytes")


def refusals(client):
    def refused(status, code, name="t", query="format=json", body=b"{}", headers=None, pipeline="p"):
        reply = ingress(client, name, body, query, headers, pipeline)
        equal((reply.status, reply.code), (status, code), query)

    refused(404, "UnknownPipelineName", pipeline="nobody")
    refused(404, "UnknownInputStream", "nowhere")
    refused(404, "UnknownInputStream", "v")
    refused(400, "UnknownInputFormat", query="format=xml")
    refused(400, "InvalidParam", query="format=json&forse=true")
    refused(400, "InvalidParam", query="format=json&force=yes")
    refused(400, "InvalidParam", query="format=json&wait_ms=60000")
    refused(400, "ParserConfigParseError", query="format=json&update_format=sideways")
    refused(400, "ParserConfigParseError", query="format=csv&lines=single")
    refused(400, "InvalidParserConfig", query="format=csv&delimiter=ab")
    refused(400, "InvalidParserConfig", query="format=raw")  # t has two columns, one of them text: but id may not be missing
    for way in ("weighted", "redis", "snowflake"):
        refused(400, "InputFormatNotSupported", query="format=json&update_format=" + way)
    refused(415, "UnsupportedMediaType", headers={"Content-Encoding": "br"})
    refused(400, "InvalidContentEncoding", body=b"not gzip at all", headers={"Content-Encoding": "gzip"})
    refused(400, "InvalidContentEncoding", body=gzip.compress(b'{"insert":{"id":1}}' * 9)[:-9], headers={"Content-Encoding": "gzip"})
    for token, code in (("x!", 400), ("bm90IGpzb24", 400), ("", 400)):
        client.expect(code, "GET", "/v0/pipelines/p/completion_status?token=" + token)
    client.expect(400, "GET", "/v0/pipelines/p/completion_status")
    client.expect(404, "GET", "/v0/pipelines/p/tables/t/connectors/none/completion_token")


def all_written(client):
    total = client.stats("p")["global_metrics"]
    return total["total_completed_records"] == total["total_input_records"]


def atomic(client):
    wait_until(lambda: all_written(client), "the rows of bodies that were refused half-way are written")
    base = len(ids())
    query = "format=json&update_format=raw&atomic=true"
    reply = ingress(client, "t", b'{"id":200}\n' * 9000 + b'{"id":"bad"}\n', query)
    equal((reply.status, reply.json["details"]["num_rows_ingested"]), (400, 0), "an atomic body with a bad row")
    reply = ingress(client, "t", gzip.compress(b'{"id":201}\n' * 20000)[:-20], query, {"Content-Encoding": "gzip"})
    equal((reply.status, reply.code), (400, "InvalidContentEncoding"), "an atomic body that is cut off")
    equal(reply.json["details"], {"pipeline_name": "p", "num_rows_ingested": 0}, "details of one that is cut off")
    send(client, "t", b'{"id":202}\n' * 50000, query, rows=50000)
    equal(ids()[base:], [202] * 50000, "rows of an atomic body")
    s = socket.create_connection(("127.0.0.1", client.port))
    s.sendall(b"POST /v0/pipelines/p/ingress/t?%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" %
              query.encode() + b'{"id":203}\n' * 1000)
    s.close()
    endpoint = lambda: [e for e in endpoints(client).values() if not e["metrics"]["end_of_input"]]
    wait_until(lambda: not endpoint(), "the body of a client that left is over")
    send(client, "t", b'{"id":204}\n', query, rows=1)
    equal(ids()[base + 50000:], [204], "rows after an atomic body whose client left")
    reply = ingress(client, "t", gzip.compress(b'{"id":205}\n' * 10000000), query, {"Content-Encoding": "gzip"})
    equal((reply.status, reply.code), (413, "PayloadTooLarge"), "an atomic body that unpacks to too much")
    headers = {"Content-Length": str(1 << 30)}
    client.connection.close()
    equal(ingress(client, "t", b"x", query, headers).status, 413, "an atomic body that says that it is too large")
    client.connection.close()
    equal(len(ids()), base + 50001, "rows after refused atomic bodies")


def standing_still(client):
    base = len(ids())
    client.pause("p")
    for extra in ("", "&atomic=true"):
        reply = ingress(client, "t", b'{"id":300}\n', "format=json&update_format=raw&wait_ms=200" + extra)
        equal((reply.status, reply.code), (503, "PipelineInteractionUnreachable"), "a body while paused" + extra)
        equal(reply.json["details"], {"pipeline_name": "p", "num_rows_ingested": 0}, "details" + extra)
        expect(reply.headers["Retry-After"], "says when to try again")
        client.connection.close()
    send(client, "t", b'{"id":301}\n', "format=json&update_format=raw&force=true", rows=1)
    equal(ids()[base:], [301], "rows of a forced body")
    done = []
    waiter = threading.Thread(target=lambda: done.append(send(Client(client.port), "t", b'{"id":302}\n', rows=1)))
    waiter.start()
    wait_until(lambda: any(not e["metrics"]["end_of_input"] for e in endpoints(client).values()), "a body waits")
    equal(len(ids()), base + 1, "rows while it waits")
    client.resume("p")
    waiter.join()
    equal(ids()[base:], [301, 302], "rows after the resume")
    # a client that leaves half-way: what it sent whole is in
    s = begin_body(client, 1000)
    s.sendall(b'{"id":303}\n{"id":30')
    wait_until(lambda: len(ids()) == base + 3, "a record is taken before the body ends")
    s.close()
    wait_until(lambda: no_body(client), "the body is over")
    equal(ids()[base:], [301, 302, 303], "rows of a client that left")


def property_test(server, client):
    """Many clients, bodies cut anywhere, pauses at random: each row exactly once, in order within a body."""
    clients, bodies = (16, 60) if FULL else (8, 12)
    base = len(ids())
    workers = Workers()
    tokens, lock, sent = [], threading.Lock(), []

    def one(number):
        rng = random.Random(number)
        me = Client(server.port)
        at = 1000000 * (number + 1)
        for _ in range(bodies):
            n = rng.choice([1, 2, 50, 3000, 20000])
            body = b"".join(b'{"id":%d,"s":"%s"}\n' % (at + i, b"x" * rng.randrange(60)) for i in range(n))
            at += n
            query = rng.choice(["format=json&update_format=raw", "format=json&update_format=raw&atomic=true",
                                "format=json&update_format=raw&lines=single"])
            known = rng.randrange(2)  # large bodies of known length are received by the task that parses them
            headers = {"Transfer-Encoding": "chunked"}
            if rng.randrange(3) == 0:
                body, headers = gzip.compress(body, 1), dict(headers, **{"Content-Encoding": "gzip"})

            def pieces():
                left = memoryview(body)
                while left:
                    cut = rng.randrange(1, rng.choice([3, 1000, 300000])) if len(left) < 2000 else 100000
                    yield bytes(left[:cut])
                    left = left[cut:]

            if known:
                headers["Content-Length"] = str(len(body))
                del headers["Transfer-Encoding"]
            me.connection.request("POST", "/v0/pipelines/p/ingress/t?" + query, pieces(), headers, encode_chunked=not known)
            response = me.connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
            equal(reply.status, 200, "a body: %s" % reply.body[:300])
            equal(int(reply.headers["Headworks-Rows"]), n, "its rows")
            with lock:
                tokens.append(reply.json["token"])
                sent.append(range(at - n, at))

    def pauser():
        rng = random.Random(0)
        me = Client(server.port)
        while not workers.stopping.is_set():
            me.pause("p")
            before = me.stats("p")["global_metrics"]["total_input_records"]
            workers.stopping.wait(rng.random() / 50)
            equal(me.stats("p")["global_metrics"]["total_input_records"], before, "rows taken while paused")
            me.resume("p")
            workers.stopping.wait(rng.random() / 10)

    senders = Workers()
    for n in range(clients):
        senders.add(one, n)
    workers.add(pauser)
    senders.stop()
    workers.stop()
    for token in tokens:
        wait_until(lambda: complete(client, token), "a token is complete")
    got = ids()[base:]
    place = {i: k for k, i in enumerate(got)}
    equal(len(got), sum(len(body) for body in sent), "rows in all")
    equal(len(place), len(got), "different rows")
    for body in sent:
        places = [place.get(i, -1) for i in body]
        expect(places == sorted(places) and places[0] >= 0, "the rows of body %r are not all there in order" % body)


def large_bodies(client):
    """Some megabytes as fast as they go, of a known length (received by who parses them) and in chunks."""
    for first, bad in ((10000000, 0), (20000000, 3)):
        lines = [b'{"id":%d,"s":"%d%s"}\n' % (first + i, i, b"." * (i % 40)) for i in range(60000)]
        for k in range(bad):
            lines[k * 25000 + 5000] = b'{"id":oops}\n'
        good = [line for line in lines if b"oops" not in line]
        body = b"".join(lines)
        pieces = [body[at:at + 300001] for at in range(0, len(body), 300001)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces + [b""])
        for sent, headers in ((body, {}), (chunks, {"Transfer-Encoding": "chunked"})):
            base = os.path.getsize(path("out.ndjson"))
            reply = ingress(client, "t", sent, headers=headers)
            equal((reply.status, int(reply.headers["Headworks-Rows"])), (400 if bad else 200, len(good)), "a large body")
            size = base + sum(len(line) for line in good)
            wait_until(lambda: os.path.getsize(path("out.ndjson")) >= size, "the rows of a large body are there")
            with open(path("out.ndjson"), "rb") as f:
                f.seek(base)
                expect(f.read() == b"".join(good), "the rows of a large body are not all there, in order, as they were sent")


def left_behind(port):
    """Connections of the server whose clients have closed, and which it has not (CLOSE_WAIT)."""
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [row for row in rows if row[1].endswith(":%04X" % port) and row[3] == "08"]


def interrupted_bodies(client):
    """A large body whose client stands still now and then; one whose client leaves; one whose pipeline is stopped."""
    lines = [b'{"id":%d,"s":"%s"}\n' % (30000000 + i, b"x" * 40) for i in range(40000)]
    body = b"".join(lines)
    base = os.path.getsize(path("out.ndjson"))

    def written(sent, what):
        whole = body.rfind(b"\n", 0, sent) + 1
        wait_until(lambda: os.path.getsize(path("out.ndjson")) - base >= whole, what)
        with open(path("out.ndjson"), "rb") as f:
            f.seek(base)
            expect(f.read() == body[:whole], "%s: not what was sent" % what)

    s, at = begin_body(client, len(body)), 0
    for to in (len(body) // 3, len(body) // 3 + 10, 2 * len(body) // 3, len(body)):
        s.sendall(body[at:to])
        written(to, "the rows of the first %d bytes are there while the client waits" % to)
        at = to
    equal(s.recv(12), b"HTTP/1.1 200", "its reply")
    s.close()
    base = os.path.getsize(path("out.ndjson"))
    s = begin_body(client, len(body))
    s.sendall(body[:len(body) // 2])
    written(len(body) // 2, "the whole records of a client that is about to leave")
    s.close()
    wait_until(lambda: no_body(client), "its body is over")
    written(len(body) // 2, "the whole records of a client that left")
    s = begin_body(client, len(body))
    s.sendall(body[:len(body) // 3])
    wait_until(lambda: os.path.getsize(path("out.ndjson")) - base > len(body) // 2, "its rows come in")
    client.pause("p")
    s.sendall(body[len(body) // 3:2 * len(body) // 3])
    s.close()
    wait_until(lambda: not left_behind(client.port), "a client that leaves is noticed while the pipeline is paused")
    client.resume("p")
    wait_until(lambda: no_body(client), "its body is over, too")
    base = os.path.getsize(path("out.ndjson"))

    s = begin_body(client, 1000 * len(body))
    s.sendall(body)
    wait_until(lambda: os.path.getsize(path("out.ndjson")) - base > len(body) // 2, "a body is under way")
    client.pause("p")
    s.settimeout(1)
    try:
        while True:
            s.sendall(body)  # until nobody takes any more
    except TimeoutError:
        pass
    client.stop("p", force=True)
    s.settimeout(60)
    expect(s.recv(12) in (b"HTTP/1.1 500", b"HTTP/1.1 503"), "a body is told that its pipeline was stopped")
    s.close()
    client.start("p")


def tokens_of_other_runs(client):
    token = send(client, "t", b'{"id":900}\n').json["token"]
    client.stop("p")
    client.expect(503, "GET", "/v0/pipelines/p/completion_status?token=" + token)
    client.start("p")
    reply = client.expect(410, "GET", "/v0/pipelines/p/completion_status?token=" + token)
    equal(reply.code, "PipelineRestarted", "a token of another run")
    client.stop("p", force=True)
    reply = ingress(client, "t", b'{"id":1}')
    equal((reply.status, reply.code), (503, "PipelineInteractionNotDeployed"), "a body for a stopped pipeline")


with Server() as server:
    client = server.client()
    client.create("p", PROGRAM)
    client.start("p")
    formats(client)
    bad_rows(client)
    refusals(client)
    atomic(client)
    standing_still(client)
    property_test(server, client)
    large_bodies(client)
    interrupted_bodies(client)
    tokens_of_other_runs(client)
