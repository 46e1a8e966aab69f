#!/usr/bin/env python3
"""make bench-scale: what many connectors and pipelines cost, what a row costs when there are more of them, of columns
and of connectors, latency at half load, control while all cores are busy, memory, sizes, allocations. Prints a table,
writes scale.md and scale.json.

    make bench-scale [SMALL=1] [ONLY=connectors,pipelines,cost,latency,control,stats,memory,allocations]

SMALL is a tenth of everything, in a minute. A figure whose check fails is none: rows that were not all there, an output
that is not what it should be, a pause that was not true. Exit status 1: one has failed, or a goal was missed.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from figures import Figures, chosen, machine, note, quantile, quantiles  # noqa: E402

PARTS = "connectors,pipelines,cost,latency,control,stats,memory,allocations"
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--build", default=".", help="directory with headworks, bench/ and tests/count_allocations.so")
parser.add_argument("--small", action="store_true", help="a tenth of everything")
parser.add_argument("--only", default=PARTS)
parser.add_argument("--out", default="bench-results", help="directory for scale.md and scale.json")
options = parser.parse_args()
only = chosen(parser, options.only, PARTS)
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD, OUT = os.path.abspath(options.build), os.path.abspath(options.out)
LOAD = os.getloadavg()[0]
os.makedirs(OUT, exist_ok=True)
WORK = tempfile.mkdtemp(prefix="work.", dir=OUT)
os.environ.update(HEADWORKS=os.path.join(BUILD, "headworks"), SRCDIR=SOURCE, TMPDIR=WORK)
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))
from control import Http  # noqa: E402
from libhw import *  # noqa: E402,F403  (it reads the environment)

SOCKETS = tempfile.mkdtemp(dir="/tmp")  # a socket's path must be short
CORES = len(os.sched_getaffinity(0))
PART = 10 if options.small else 1
IDLE_SECONDS = 3 if options.small else 10
figures = Figures()
missed = []


class Fault(Exception):
    """Why there is no figure."""


def check(condition, why):
    if not condition:
        raise Fault(why)


def result(row, value, goal="", detail="", met=True, **numbers):
    figures.add(row, value if met else value + " (missed)", goal, detail, met=met, **numbers)
    if not met:
        missed.append(row)


def resident(server):
    return int(server._status("VmRSS")) / 1024  # MiB


def cpu_seconds(server):
    with open("/proc/%d/stat" % server.process.pid) as f:
        return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")


def idle_switches(server, client):
    """Context switches in IDLE_SECONDS, once the last timers of before are over."""
    client.connection.close()
    for _ in range(100):
        before = server.context_switches()
        time.sleep(1)
        if server.context_switches() == before:
            break
    before = server.context_switches()
    time.sleep(IDLE_SECONDS)
    return server.context_switches() - before


def bare_server(*arguments):
    return Server("--data-dir", "none", "--log-level", "error", *arguments)


# ---- many connectors ----------------------------------------------------------------

def idle_kind(i):
    """Empty inputs, followed files, sockets."""
    if i % 3 == 0:
        return {"name": "c%d" % i, "transport": {"name": "empty_input"}}
    if i % 3 == 1:
        write("f%d" % i, "")
        return {"name": "c%d" % i, "format": JSON_RAW,
                "transport": {"name": "file_input", "config": {"path": "f%d" % i, "follow": True}}}
    return {"name": "c%d" % i, "format": JSON_RAW,
            "transport": {"name": "socket_input", "config": {"address": "unix-listen://%s/%d" % (SOCKETS, i)}}}


KINDS = [("paused", lambda i: datagen("c%d" % i, {"rate": 1}, paused=True)), ("idle", idle_kind),
         ("at 1 row/s", lambda i: datagen("c%d" % i, {"rate": 1}))]


def connector_totals(client):
    return [s["metrics"]["total_records"] for s in client.stats("many")["inputs"]]


def pause_all(client):
    """Milliseconds from the request until every connector's pause is true, and as a check it is."""
    began = time.perf_counter()
    client.pause("many")
    while client.get("many", "status")["deployment_status"] != "Paused":
        pass
    took = (time.perf_counter() - began) * 1e3
    before = connector_totals(client)
    check(connector_totals(client) == before, "rows came in while all connectors were paused")
    client.resume("many")
    client.wait_status("many", "Running")
    return took


def row_cost(server, client, n):
    """Microseconds of CPU for one of the rows that come one by one."""
    def processed():
        return client.stats("many")["global_metrics"]["total_processed_records"]

    rows, cpu = processed(), cpu_seconds(server)
    time.sleep(5)
    cpu = cpu_seconds(server) - cpu
    rows = processed() - rows
    check(rows > 4 * n, "%d rows of %d connectors in 5 s, at 1 row/s each" % (rows, n))
    return cpu / rows * 1e6


def many(kind, make, n):
    with bare_server() as server:
        client = server.client()
        threads, before = server.threads(), resident(server)
        client.create("many", "".join(
            table("t%d" % k, "id BIGINT", [make(i) for i in range(k * n // 10, (k + 1) * n // 10)]) for k in range(10)) +
            view("v", "SELECT id FROM t0", [null_output()]))
        client.start("many")
        if kind == "at 1 row/s":
            wait_until(lambda: all(connector_totals(client)), "each connector has brought rows")
        else:
            check(not any(connector_totals(client)), "an idle connector brought rows")
        each = (resident(server) - before) * 1024 / n
        times = [pause_all(client) for _ in range(5 if options.small else 20)]
        detail = "%d threads, %d of them before" % (server.threads(), threads)
        began = time.perf_counter()
        check(len(client.stats("many")["inputs"]) == n, "the statistics are not those of all connectors")
        asked = (time.perf_counter() - began) * 1e3
        result("%d connectors, %s: memory of each" % (n, kind), "%.1f KiB" % each, "≤ 16 KiB", detail, each <= 16)
        result("%d connectors, %s: pause all" % (n, kind), quantiles(times, "ms"), "≤ 50 ms",
               "from the request until it is true, of %d" % len(times), max(times) <= 50)
        result("%d connectors, %s: threads" % (n, kind), "%d" % server.threads(), "a small constant", "",
               server.threads() <= 22 + CORES)
        result("%d connectors, %s: statistics of all" % (n, kind), "%.0f ms" % asked, "",
               "one request, the client's time to read them included")
        if kind == "at 1 row/s":
            result("%d connectors, %s: CPU of a row" % (n, kind), "%.1f µs" % row_cost(server, client, n), "",
                   "the statistics that are asked for included")
        else:
            switches = idle_switches(server, client)
            result("%d connectors, %s: context switches" % (n, kind), "%d" % switches, "0", "in %d s" % IDLE_SECONDS,
                   switches == 0)
        client.stop("many", force=True)


def connectors():
    n = 10000 // PART
    for kind, make in KINDS:
        guarded("%d connectors, %s" % (n, kind), lambda: many(kind, make, n))


# ---- many pipelines -------------------------------------------------------------------

def pipelines():
    n, rows = 1000 // PART, 100
    program = table("t", "id BIGINT", [datagen("c", {"limit": rows})]) + view("v", "SELECT id FROM t", [null_output()])
    server = bare_server()
    try:
        client, before, began = server.client(), resident(server), time.perf_counter()
        for i in range(n):
            client.expect(201, "POST", "/v0/pipelines", {"name": "p%d" % i, "program_code": program})
        for i in range(n):
            client.expect(202, "POST", "/v0/pipelines/p%d/start?initial=running" % i)
        for i in range(n):
            client.wait_complete("p%d" % i)
        took = time.perf_counter() - began
        for i in range(n):
            completed = client.stats("p%d" % i)["global_metrics"]["total_completed_records"]
            check(completed == rows, "pipeline %d has completed %d rows of %d" % (i, completed, rows))
        each, threads = (resident(server) - before) * 1024 / n, server.threads()
        switches = idle_switches(server, client)
    finally:
        server.process.kill()  # a stop of all would take its time
        server.process.wait()
    result("%d pipelines" % n, "%.0f KiB each" % each, "", "%d threads; created, run to their end and looked at in "
           "%.1f s" % (threads, took), threads <= 22 + CORES)
    result("%d pipelines: context switches" % n, "%d" % switches, "0", "in %d s" % IDLE_SECONDS, switches == 0)


# ---- what a row costs --------------------------------------------------------------------

def bench(program, *arguments):
    """The report of headworks bench, which accounts for every row."""
    done = subprocess.run([HEADWORKS, "bench", "--json", *arguments, write("bench.sql", program)], capture_output=True)
    try:
        runs = json.loads(done.stdout)["runs"]
    except ValueError:
        raise Fault(done.stderr.decode(errors="replace"))
    for r in runs:
        check(not r["fault"], r["fault"])
    return runs


def generated(rows, columns=2, inputs=1):
    names = ", ".join("c%d BIGINT" % i for i in range(columns))
    return table("t", names, [datagen("g%d" % i, {"limit": rows // inputs}) for i in range(inputs)]) + view(
        "v", "SELECT * FROM t", [file_output("o", "/dev/null", {"name": "csv"})])


def costs(name, unit, goal, ratio_most, cases):
    """cases: (label, divisor of the CPU time, program). Each in turn, several times round, so that other work on the
    machine meets all of them alike; the least time of each is what it costs."""
    least = {}
    for _ in range(3):
        for label, divisor, program in cases:
            cost = bench(program, "--no-pauses")[0]["cpu_seconds"] / divisor * 1e9
            least[label] = min(cost, least.get(label, cost))
    compared = [least[label] for label, _, _ in cases if not label.endswith("*")]
    ratio = max(compared) / min(compared)
    result(name, " · ".join("%s: %.0f" % (label, least[label]) for label, _, _ in cases), goal,
           "%s, least of 3; dearest / cheapest %.2f" % (unit, ratio), ratio <= ratio_most, ratio=ratio, ns=least)


def cost():
    rows = 5000000 // PART
    sizes = [10000, 100000, 1000000, 10000000 // PART] + ([] if options.small else [50000000])
    costs("cost of a row, from 10 k rows on", "ns of CPU a row", "flat but for the start", 1.6,
          [("%d k%s" % (n // 1000, "*" if n < 1000000 else ""), n, generated(n)) for n in sizes])
    costs("cost of a value, 1 to 100 columns", "ns of CPU a value", "linear in columns", 1.6,
          [("%d%s" % (n, "*" if n < 5 else ""), rows // n * n, generated(rows // n, n)) for n in (1, 2, 5, 10, 20, 50, 100)])
    costs("cost of a row, 1 to 16 connectors", "ns of CPU a row", "flat", 1.6,
          [("%d" % n, rows // n * n, generated(rows, 2, n)) for n in (1, 2, 4, 8, 16)])


# ---- latency ----------------------------------------------------------------------------------

def rated(limit, rate=None):
    plan = {"limit": limit, "fields": {"x": {"strategy": "uniform", "range": [0, 1000000]}, "s": {"strategy": "word"}}}
    return table("t", "id BIGINT, x BIGINT, s VARCHAR", [datagen("g", dict(plan, rate=rate) if rate else plan)]) + view(
        "v", "SELECT * FROM t WHERE x > 100000", [file_output("o", "/dev/null")])


def latency():
    full = statistics.median(r["rows_per_second"] for r in bench(rated(5000000 // PART), "--no-pauses", "--repeat", "5"))
    for share in (2, 10):
        rate = int(full / share)
        runs = bench(rated(rate * 2, rate), "--no-pauses", "--repeat", "5")
        p50, p99 = (statistics.median(r["latency_us"][q] for r in runs) for q in ("p50", "p99"))
        achieved = statistics.median(r["rows_per_second"] for r in runs)
        result("ingest to output at %d %% of full speed" % (100 // share), "p50 %.0f, p99 %.0f µs" % (p50, p99),
               "p50 ≤ 200 µs, p99 ≤ 1 ms", "%.1f M rows/s, of %.1f M at full speed; NDJSON to a file; medians of %d runs" % (
                   achieved / 1e6, full / 1e6, len(runs)), p50 <= 200 and p99 <= 1000, p50_us=p50, p99_us=p99)


# ---- control while all cores are busy ------------------------------------------------------------

def busy_pipelines(client):
    """More generators than cores, as fast as they can."""
    program = table("t", "id BIGINT, x BIGINT", [datagen("a"), datagen("b")]) + view(
        "v", "SELECT id, x * 2 AS y FROM t WHERE x > 10", [null_output()])
    for i in range(CORES):
        client.create("busy%d" % i, program)
        client.start("busy%d" % i)


def control():
    with bare_server() as server:
        client, http = server.client(), Http(server.port)
        busy_pipelines(client)
        pause, start = (http.message("POST", "/v0/pipelines/busy0/tables/t/connectors/a/" + a) for a in ("pause", "start"))
        times, cpu, began = [], cpu_seconds(server), time.perf_counter()
        for i in range(2000 // PART):
            took, _, status, _ = http.send(pause)
            check(status == 200, "a pause was refused: %d" % status)
            times.append(took * 1e3)
            if i % 20 == 0:
                before = client.records("busy0", "t.a")
                check(client.records("busy0", "t.a") == before, "rows came in after a pause")
            http.send(start)
        cores = (cpu_seconds(server) - cpu) / (time.perf_counter() - began)
        for i in range(CORES):
            client.stop("busy%d" % i, force=True)
    result("pause to true, all cores busy", quantiles(times, "ms"), "p99 ≤ 1 ms",
           "over HTTP, the client's time included, of %d; the server used %.1f cores" % (len(times), cores),
           quantile(times, 0.99) <= 1, p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))


# ---- stats -----------------------------------------------------------------------------------------

def ask_much(server, target):
    """Requests a second that wrk got answered."""
    done = subprocess.run(["wrk", "-t1", "-c64", "-d%d" % (2 if options.small else 10),
                           "http://127.0.0.1:%d%s" % (server.port, target)], capture_output=True, text=True)
    check(done.returncode == 0 and "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout,
          "wrk: %s%s" % (done.stdout, done.stderr))
    return float(done.stdout.split("Requests/sec:")[1].split()[0])


def keep_alive(server):
    s = socket.create_connection(("127.0.0.1", server.port))
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(s.recv(4096).startswith(b"HTTP/1.1 200"), "an idle client was refused")
    return s


def stats():
    if not shutil.which("wrk"):
        return result("stats of 10 connectors", "not measured", "≥ 20,000/s", "wrk is not installed")
    program = table("t", "id BIGINT", [datagen("c%d" % i, {"rate": 10}) for i in range(5)]) + view(
        "v", "SELECT id FROM t", [null_output("o%d" % i) for i in range(5)])
    with bare_server() as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        reply = client.stats("p")
        check(len(reply["inputs"]) == 5 and len(reply["outputs"]) == 5, "the stats are not those of 10 connectors")
        alone, clients = [], []
        for _ in range(3):
            alone.append(ask_much(server, "/v0/pipelines/p/stats"))
        clients = [keep_alive(server) for _ in range(1000)]
        beside = [ask_much(server, "/v0/pipelines/p/stats") for _ in range(3)]
        for s in clients:
            s.close()
        client.stop("p", force=True)
    a, b = statistics.median(alone), statistics.median(beside)
    result("stats of 10 connectors", "%.0f/s" % a, "≥ 20,000/s", "one API thread; wrk, 64 connections, on the same cores; "
           "median of 3", a >= 20000, per_second=a)
    result("the same beside 1,000 idle clients", "%.0f/s" % b, "unaffected", "%.2f of it" % (b / a), b >= 0.9 * a, per_second=b)


# ---- memory and sizes -----------------------------------------------------------------------------------

def stripped(file):
    copy = path("stripped")
    subprocess.run(["strip", "-o", copy, os.path.join(BUILD, file)], check=True)
    return os.path.getsize(copy) / 1048576


def file_to_file(rows):
    """MiB at its peak; the output is compared row by row."""
    columns = ("id BIGINT NOT NULL, ts TIMESTAMP, user VARCHAR, country VARCHAR, amount DECIMAL(10, 2), qty INT, "
               "ok BOOLEAN, note VARCHAR")
    for name, arguments in (("in", ()), ("expected", ("--passing",))):
        with open(path(name), "wb") as f:
            subprocess.run([os.path.join(BUILD, "bench", "gen_rows"), *arguments, str(rows)], stdout=f, check=True)
    run = bench(table("t", columns, [file_input("in", path("in"))]) +
                view("v", "SELECT * FROM t WHERE qty < 20", [file_output("out", path("out"))]), "--no-pauses")[0]
    done = subprocess.run([os.path.join(BUILD, "bench", "compare"), "--timestamp", "ts", path("expected"), path("out")],
                          capture_output=True, text=True)
    check(done.returncode == 0, "the output is not what it should be: %s%s" % (done.stdout, done.stderr))
    return run["peak_rss_bytes"] / 1048576, run["bytes_in_per_second"] / 1e6


def memory():
    with bare_server() as server:
        server.client().expect(200, "GET", "/healthz")
        idle = resident(server)
    result("idle server", "%.1f MiB" % idle, "≤ 8 MiB", "resident, libraries included", idle <= 8)
    peak, rate = file_to_file(2000000 // PART)
    result("file → view → file, NDJSON", "%.1f MiB" % peak, "≤ 64 MiB", "peak resident, while %.0f MB/s flow; output "
           "compared" % rate, peak <= 64)
    for name, file in (("program", "headworks"), ("library", ".libs/libheadworks.so")):
        size = stripped(file)
        result("%s, stripped" % name, "%.2f MiB" % size, "≤ 2 MiB", "", size <= 2)


def allocations():
    """Counted, and checked, by the test."""
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "system", "allocations.py")],
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stdout + done.stderr)
    for line in done.stdout.splitlines():
        name, rest = line.split(": ", 1)
        result("allocations, %s" % name, rest.split("; ")[0], "none a row or batch", rest.split("; ")[1])


# ---- all of it --------------------------------------------------------------------------------------------

def guarded(row, measure):
    try:
        measure()
    except Fault as fault:
        result(row, "no figure", "", str(fault), False)


try:
    if LOAD > 0.5:
        note("the machine has other work (load %.2f): times will be longer than they could be" % LOAD)
    for part in only:
        guarded(part, {f.__name__: f for f in (connectors, pipelines, cost, latency, control, stats, memory,
                                               allocations)}[part])
    figures.write(OUT, "scale", machine(HEADWORKS, LOAD), ["Load average before: %.2f." % LOAD])
    note("also in %s/scale.md and scale.json" % options.out)
finally:
    os.chdir("/")
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(SOCKETS, ignore_errors=True)
if missed:
    note("missed: %s" % "; ".join(missed))
sys.exit(1 if missed else 0)
