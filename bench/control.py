#!/usr/bin/env python3
"""How long control takes over HTTP, against the numbers it is to reach.

    bench/control.py [--program PATH] [--data-dir DIR] [--json]

Each figure is the time a client sees, from its first byte sent to the last byte of the
reply, once of a server that keeps nothing (against which the targets stand) and once of
one with a catalog, with what that server says in Server-Timing that the disk took. The
client is a bare socket, for a library's own time would be the larger part. Exit status
1: a target was missed.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time


class Http:
    """One keep-alive connection; replies have a Content-Length."""

    def __init__(self, port):
        self.host = "127.0.0.1:%d" % port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def message(self, method, target, body=None):
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, target, self.host)
        if body is None:
            return (head + "\r\n").encode()
        body = json.dumps(body).encode()
        return (head + "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)).encode() + body

    def send(self, message):
        """Seconds it took in all, seconds of the disk's, status, body."""
        begin = time.perf_counter()
        self.socket.sendall(message)
        data = self.socket.recv(65536)
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"Content-Length"])
        parts = [body]
        have = len(body)
        while have < length:
            parts.append(self.socket.recv(1 << 20))
            have += len(parts[-1])
        took = time.perf_counter() - begin
        disk = float(headers.get(b"Server-Timing", b"dur=0").split(b"=")[1]) / 1000
        return took, disk, int(head.split(b" ", 2)[1]), b"".join(parts)

    def request(self, method, target, body=None, status=200):
        took, disk, got, reply = self.send(self.message(method, target, body))
        if got != status:
            sys.exit("%s %s: %d, wanted %d: %s" % (method, target, got, status, reply[:1000].decode()))
        return took, disk, reply


def program(tables, views):
    lines = []
    for i in range(tables):
        lines.append("CREATE TABLE t%d (id BIGINT NOT NULL, name VARCHAR, price DECIMAL(10, 2), at TIMESTAMP);" % i)
    for i in range(views):
        lines.append("CREATE VIEW v%d AS SELECT id, UPPER(name) AS name, price * 2 AS price FROM %s WHERE id > %d;" %
                     (i, "v%d" % (i - 1) if i % 10 and tables < views else "t%d" % (i % tables), i))
    return "\n".join(lines)


def generator(inputs, rate='{"rate": 10}'):
    return "\n".join(
        "CREATE TABLE g%d (id BIGINT NOT NULL) WITH ('connectors' = '[{\"name\": \"c\", \"transport\": {\"name\": "
        "\"datagen\", \"config\": {\"plan\": [%s]}}}]');\n"
        "CREATE VIEW w%d WITH ('connectors' = '[{\"transport\": {\"name\": \"null_output\"}}]') AS SELECT id FROM g%d;"
        % (i, rate, i, i) for i in range(inputs))


def until(http, name, key, wanted):
    """Seconds until the pipeline's record says so, looked at all the time."""
    message = http.message("GET", "/v0/pipelines/%s?selector=status" % name)
    while True:
        record = json.loads(http.send(message)[3])
        if record[key] == wanted:
            return
        if "Error" in record[key] or record["deployment_error"]:
            sys.exit("%s: %s" % (name, json.dumps(record, indent=1)))


def create(http, tables, views, rounds):
    """Milliseconds from POST to Success."""
    code = program(tables, views)
    times = []
    for i in range(rounds):
        begin = time.perf_counter()
        _, disk, _ = http.request("POST", "/v0/pipelines", {"name": "p", "program_code": code}, 201)
        until(http, "p", "program_status", "Success")
        times.append((time.perf_counter() - begin, disk))
        http.request("DELETE", "/v0/pipelines/p")
    return times


def start(http, rounds):
    http.request("POST", "/v0/pipelines", {"name": "s", "program_code": generator(10)}, 201)
    until(http, "s", "program_status", "Success")
    times = []
    for i in range(rounds):
        begin = time.perf_counter()
        _, disk, _ = http.request("POST", "/v0/pipelines/s/start", status=202)
        until(http, "s", "deployment_status", "Running")
        times.append((time.perf_counter() - begin, disk))
        http.request("POST", "/v0/pipelines/s/stop?force=true", status=202)
        until(http, "s", "deployment_status", "Stopped")
    http.request("POST", "/v0/pipelines/s/clear", status=202)
    http.request("DELETE", "/v0/pipelines/s")
    return times


def pauses(http, rounds, rate='{"rate": 10}'):
    """Of one input of a running pipeline. rate {}: as fast as it can."""
    http.request("POST", "/v0/pipelines", {"name": "r", "program_code": generator(10, rate)}, 201)
    http.request("POST", "/v0/pipelines/r/start", status=202)
    until(http, "r", "deployment_status", "Running")
    pause, begin = (http.message("POST", "/v0/pipelines/r/tables/g3/connectors/c/" + a) for a in ("pause", "start"))
    times = []
    for i in range(rounds):
        took, disk, status, body = http.send(pause)
        if status != 200:
            sys.exit("pause: %d %s" % (status, body.decode()))
        times.append((took, disk))
        http.send(begin)
    http.request("POST", "/v0/pipelines/r/stop?force=true", status=202)
    until(http, "r", "deployment_status", "Stopped")
    http.request("POST", "/v0/pipelines/r/clear", status=202)
    http.request("DELETE", "/v0/pipelines/r")
    return times


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))]


FIGURES = [  # name, target in ms, at which quantile, measure
    ("create to Success, 10 tables", 5, 0.5, lambda http: create(http, 10, 0, 50)),
    ("create to Success, 500 tables and 500 views", 100, 0.5, lambda http: create(http, 500, 500, 10)),
    ("create to Success, 1000 tables and 1000 views", None, 0.5, lambda http: create(http, 1000, 1000, 10)),
    ("start to Running, 10 inputs and outputs", 10, 0.5, lambda http: start(http, 50)),
    ("pause of a connector, idle", 0.3, 0.5, lambda http: pauses(http, 2000)),
    ("pause of a connector, saturated (p99)", 5, 0.99, lambda http: pauses(http, 2000, "{}")),
]


def with_server(program, data_dir, use):
    server = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--data-dir",
                               data_dir], stdout=subprocess.PIPE)
    try:
        return use(Http(int(server.stdout.readline().decode().rsplit(":", 1)[1])))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def measure(http):
    return [figure(http) for _, _, _, figure in FIGURES]


def summarize(without, kept):
    rows = []
    for (name, target, q, _), bare, full in zip(FIGURES, without, kept):
        bare = [t * 1000 for t, _ in bare]
        rows.append({"what": name, "n": len(bare), "target_ms": target, "p50_ms": quantile(bare, 0.5),
                     "p99_ms": quantile(bare, 0.99), "kept_p50_ms": quantile([t * 1000 for t, _ in full], 0.5),
                     "kept_p99_ms": quantile([t * 1000 for t, _ in full], 0.99),
                     "disk_p50_ms": statistics.median(d * 1000 for _, d in full),
                     "met": target is None or quantile(bare, q) <= target})
    return rows


def show(rows):
    print("%-46s %7s | %-19s | %-19s %9s" % ("ms", "", "  nothing is kept", "  with a catalog", "disk's"))
    print("%-46s %7s | %9s %9s | %9s %9s %9s" % ("", "target", "p50", "p99", "p50", "p99", "p50"))
    for r in rows:
        print("%-46s %7s | %9.3f %9.3f | %9.3f %9.3f %9.3f%s" %
              (r["what"], "" if r["target_ms"] is None else r["target_ms"], r["p50_ms"], r["p99_ms"],
               r["kept_p50_ms"], r["kept_p99_ms"], r["disk_p50_ms"], "" if r["met"] else "  MISSED"))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--program", default="./headworks", help="the program headworks")
    options.add_argument("--data-dir", help="where the catalog is; default: a temporary directory")
    options.add_argument("--json", action="store_true", help="print JSON")
    given = options.parse_args()
    own = None if given.data_dir else tempfile.mkdtemp(prefix="headworks.")
    try:
        without = with_server(given.program, "none", measure)
        kept = with_server(given.program, given.data_dir or os.path.join(own, "data"), measure)
    finally:
        if own:
            shutil.rmtree(own)
    rows = summarize(without, kept)
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        show(rows)
    sys.exit(0 if all(r["met"] for r in rows) else 1)


if __name__ == "__main__":
    main()
