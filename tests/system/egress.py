#!/usr/bin/env python3
"""Changes over HTTP: what a chunk looks like, that a listener with backpressure gets every row once and holds the
pipeline, that one without never holds it and is told of every row it lost, and that many come and go."""
import http.client
import random
import socket
import threading

from libhw import *

PROGRAM = (table("t", "id BIGINT NOT NULL, s VARCHAR", []) + "CREATE TABLE k (id BIGINT NOT NULL PRIMARY KEY, n BIGINT);\n" +
           "CREATE MATERIALIZED VIEW kv AS SELECT id, n FROM k WHERE n >= 0;\n" +
           view("v", "SELECT id, s FROM t") + view("even", "SELECT id FROM t WHERE id % 2 = 0"))


class Listener:
    def __init__(self, port, relation="v", query="format=json&backpressure=true", body=None, timeout=2 * DEADLINE):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.connection.sock = socket.socket()
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that slow means slow
        self.connection.sock.settimeout(timeout)
        self.connection.sock.connect(("127.0.0.1", port))
        headers = {"Content-Type": "application/json"} if body else {}
        self.connection.request("POST", "/v0/pipelines/p/egress/%s%s" % (relation, "?" + query if query else ""), body, headers)
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            fail("egress %s: %s" % (query, self.response.read()))
        equal(self.response.headers["Content-Type"], "application/json", "type of a stream")
        self.next = 0
        self.pending = self.line()  # comes at once, with data or without: from here on it sees all
        if "json_data" not in self.pending:
            self.pending.pop("processed_steps", None)
            equal(self.pending, {"sequence_number": 0, "snapshot": False}, "the first line")
            self.pending = None

    def line(self):
        """The next line, None at the end; numbers are looked at."""
        text = self.response.readline()
        if not text:
            return None
        expect(text.endswith(b"\r\n"), "a line ends with CR LF: %r" % text[-20:])
        chunk = json.loads(text)
        equal(chunk["sequence_number"], self.next, "sequence number of %r" % text[:100])
        if "json_data" in chunk or "text_data" in chunk or "gap" in chunk:
            self.next += 1
        return chunk

    def data(self):
        while True:
            chunk, self.pending = self.pending or self.line(), None
            if chunk is None or len(chunk) > 2 and "processed_steps" not in chunk:
                return chunk

    def close(self):
        self.connection.close()
        self.response.close()


def push(client, rows):
    body = b"".join(b'{"insert":{"id":%d,"s":"row %d"}}\n' % (i, i) for i in rows)
    reply = client.request("POST", "/v0/pipelines/p/ingress/t?format=json", body)
    equal(reply.status, 200, "ingress")
    return reply.json["token"]


def complete(client, token):
    return client.expect(200, "GET", "/v0/pipelines/p/completion_status?token=" + token).json["status"] == "complete"


def outputs(client):
    return client.stats("p")["outputs"]


def shapes(client):
    as_json, table_csv = Listener(client.port), Listener(client.port, "T", "format=csv")
    body = json.dumps({"transport": {"name": "http_output", "config": {"backpressure": True}},
                       "format": {"name": "json", "config": {"array": True, "update_format": "insert_delete"}}})
    as_connector = Listener(client.port, "v", "", body)
    equal(len(outputs(client)), 3, "listeners in the statistics")
    expect(all(o["endpoint_name"].startswith(("v.api-", "t.api-")) and len(o["endpoint_name"]) == 42
               for o in outputs(client)), "their names")
    updates = b'{"insert":{"id":1,"s":"a\\n\\"b\\""}}{"delete":{"id":2}}{"insert":[3,"c"]}{"delete":{"id":4,"s":""}}'
    reply = client.request("POST", "/v0/pipelines/p/ingress/t?format=json", updates)
    wanted = [{"delete": {"id": 2, "s": None}}, {"delete": {"id": 4, "s": ""}},
              {"insert": {"id": 1, "s": 'a\n"b"'}}, {"insert": {"id": 3, "s": "c"}}]
    equal(as_json.data(), {"sequence_number": 0, "snapshot": False, "json_data": wanted}, "a chunk: deletions first")
    equal(as_connector.data()["json_data"], wanted, "to a listener as a connector")
    equal(table_csv.data(), {"sequence_number": 0, "snapshot": False,
                             "text_data": '2,,-1\n4,"",-1\n1,"a\n""b""",1\n3,c,1\n'}, "CSV with weights")
    wait_until(lambda: complete(client, reply.json["token"]), "listeners have it all")
    idle = as_json.line()
    equal(set(idle), {"sequence_number", "snapshot", "processed_steps"}, "news of steps")
    begun = time.monotonic()
    expect(len(as_json.line()) <= 3, "a sign of life")
    expect(time.monotonic() - begun < 5, "every 3 seconds")
    for listener in (as_json, as_connector, table_csv):
        listener.close()
    wait_until(lambda: not outputs(client), "listeners that left are gone from the statistics")


def refusals(client):
    def refused(status, code, relation="v", query=""):
        reply = client.request("POST", "/v0/pipelines/p/egress/%s?%s" % (relation, query))
        equal((reply.status, reply.code), (status, code), relation + query)

    refused(404, "UnknownOutputStream", "nowhere")
    refused(400, "UnknownOutputFormat", query="format=xml")
    refused(400, "InvalidParam", query="backpresure=true")
    refused(400, "EncoderConfigParseError", query="format=json&update_format=redis")
    refused(400, "InvalidTransportConfig", query="send_snapshot=true")


def with_backpressure(client):
    """A slow client gets every row once; what it has not taken is not complete."""
    listener = Listener(client.port)
    n, size = 400000, 2000  # a body is a batch or two: the queues hold several
    done = []
    held = lambda: client.stats("p")["global_metrics"]["output_stall_msecs"]
    before = held()

    def pusher():
        me = Client(client.port)
        for at in range(0, n, size):
            done.append(push(me, range(at, at + size)))

    thread = threading.Thread(target=pusher)
    thread.start()
    looks = []

    def stands_still():
        """Nothing has moved for many looks at the statistics, with rows waiting on both sides of the circuit."""
        s = client.stats("p")
        now = (s["global_metrics"]["total_input_records"], s["outputs"][0]["metrics"]["transmitted_records"], len(done))
        looks.append(now)
        waiting = s["global_metrics"]["buffered_input_records"] and s["outputs"][0]["metrics"]["queued_records"]
        return waiting and looks[-50:] == [now] * 50

    wait_until(stands_still, "the pipeline is held")
    expect(not complete(client, done[-1]), "what a listener has not taken is not complete")
    got = 0
    while got < n:
        rows = [row["insert"]["id"] for row in listener.data()["json_data"]]
        equal(rows, list(range(got, got + len(rows))), "rows in order, each once")
        got += len(rows)
    thread.join()
    wait_until(lambda: complete(client, done[-1]), "all is complete when it was taken")
    equal(outputs(client)[0]["metrics"]["transmitted_records"], n, "rows in the statistics")
    expect(held() > before, "the statistics tell of the wait")
    listener.close()
    wait_until(lambda: not outputs(client), "the listener is gone")


def without_backpressure(client):
    """A client that takes nothing holds nobody; afterwards it can tell what it got and what not."""
    listener = Listener(client.port, query="format=json")
    n = 600000
    for at in range(0, n, 20000):
        token = push(client, range(at, at + 20000))
    wait_until(lambda: complete(client, token), "the pipeline does not wait")
    statistics = outputs(client)[0]
    got = lost = gaps = 0
    while got + lost < n:
        chunk = listener.data()
        if "gap" in chunk:
            gaps += 1
            expect(chunk["gap"]["chunks"] > 0, "a gap is of something")
            lost += chunk["gap"]["rows"]
        else:
            rows = [row["insert"]["id"] for row in chunk["json_data"]]
            equal(rows, list(range(got + lost, got + lost + len(rows))), "rows between gaps")
            got += len(rows)
    equal(got + lost, n, "rows got and rows lost")
    expect(gaps > 0, "a client that takes nothing of so much must lose some")
    equal((statistics["metrics"]["transmitted_records"], statistics["headworks"]["dropped_records"]), (got, lost),
          "the statistics count the same")
    listener.close()


def upserts(client, rows):
    body = b"".join(b'{"insert":{"id":%d,"n":%d}}\n' % row for row in rows)
    reply = client.request("POST", "/v0/pipelines/p/ingress/k?format=json", body)
    equal(reply.status, 200, "upserts")
    wait_until(lambda: complete(client, reply.json["token"]), "upserts are complete")


def apply(state, chunk):
    for update in chunk["json_data"]:
        for kind, row in update.items():
            if kind == "insert":
                expect(row["id"] not in state, "row %r is there already" % row)
                state[row["id"]] = row["n"]
            else:
                equal(state.pop(row["id"], None), row["n"], "the row that is deleted")


def snapshots(client):
    """What a relation holds, then every change after it: whoever joins when, all see the same in the end."""
    upserts(client, [(i, i) for i in range(30000)] + [(7, -1)])
    client.pause("p")
    listener = Listener(client.port, "kv", "format=json&backpressure=true&send_snapshot=true")
    state, chunk = {}, listener.data()
    while len(state) < 29999:
        expect(chunk["snapshot"], "chunks of a snapshot say so, also in a pause")
        apply(state, chunk)
        chunk = listener.data() if len(state) < 29999 else None
    equal(state, {i: i for i in range(30000) if i != 7}, "the snapshot")
    client.resume("p")
    listeners = [(listener, state)]
    rng = random.Random(5)
    final = {i: i for i in range(30000)}
    final[7] = -1
    for turn in range(12):
        backpressure = "true" if turn % 2 else "false"
        listeners.append((Listener(client.port, "kv", "format=json&send_snapshot=true&backpressure=" + backpressure), {}))
        rows = [(rng.randrange(31000), rng.randrange(-100, 1000)) for _ in range(2000)]
        final.update(rows)
        upserts(client, rows) if turn % 3 == 0 else client.request(
            "POST", "/v0/pipelines/p/ingress/k?format=json&update_format=raw",
            b"".join(b'{"id":%d,"n":%d}\n' % row for row in rows))
    wanted = {i: n for i, n in final.items() if n >= 0}
    for listener, state in listeners:
        while state != wanted:
            apply(state, listener.data())
        listener.close()


def a_dead_client(client):
    """One that holds the pipeline and leaves lets it go on."""
    listener = Listener(client.port)
    workers = Workers()
    tokens = []
    workers.add(lambda: tokens.extend(push(Client(client.port), range(20000)) for _ in range(20)))
    wait_until(lambda: outputs(client) and outputs(client)[0]["metrics"]["queued_records"] > 0, "it holds the pipeline")
    listener.close()
    workers.stop()
    wait_until(lambda: complete(client, tokens[-1]), "the pipeline goes on")


def many(server, client):
    """Listeners that come and go while rows flow: each sees rows in order, from some row on, to the end."""
    total = 300 if FULL else 120
    workers, pushed = Workers(), [0]

    def pusher():
        me = Client(server.port)
        while not workers.stopping.is_set():
            push(me, range(pushed[0], pushed[0] + 500))
            pushed[0] += 500

    def listen(number):
        rng = random.Random(number)
        listener = Listener(server.port, rng.choice(["v", "t", "even"]), rng.choice(["format=json&backpressure=true", "format=json"]))
        last = None
        for _ in range(rng.randrange(1, 12)):
            chunk = listener.data()
            if "gap" in chunk:
                last = None
                continue
            ids = [row["insert"]["id"] for row in chunk["json_data"]]
            expect(ids == sorted(ids) and (last is None or ids[0] - last in (1, 2)), "rows of listener %d" % number)
            last = ids[-1]
        listener.close()

    workers.add(pusher)
    for at in range(0, total, 60):
        group = Workers()
        for number in range(at, at + 60):
            group.add(listen, number)
        group.stop()
    workers.stop()
    wait_until(lambda: not outputs(client), "all listeners are gone")


def the_end(client):
    """A stop hands over what is there and ends the streams."""
    listener = Listener(client.port)
    push(client, range(5))
    client.stop("p")
    equal(len(listener.data()["json_data"]), 5, "rows before a stop")
    equal(listener.data(), None, "the end of a stream")
    equal(client.request("POST", "/v0/pipelines/p/egress/v").code, "PipelineInteractionNotDeployed", "a stopped pipeline")


with Server() as server:
    client = server.client()
    client.create("p", PROGRAM)
    client.start("p")
    shapes(client)
    refusals(client)
    with_backpressure(client)
    without_backpressure(client)
    snapshots(client)
    a_dead_client(client)
    many(server, client)
    the_end(client)
