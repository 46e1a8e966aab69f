#!/usr/bin/env python3
"""make bench: Headworks beside rsyslogd and syslog-ng over the same rows, outputs compared row by row; the same rows as the body of a
request; the ring; pauses under load; idle connectors; a pipeline's way from text to its first row. Prints a table,
writes bench.md, bench.json and, where gnuplot is installed, plots.

    make bench [N=5000000] [REPEAT=5] [ONLY=parse,file,null,ingress,tcp,datagen,rsyslogd,syslog-ng,ring,pause,idle,first]

A row whose output is not what it should be gets no rate.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from figures import Figures, chosen, machine, note, quantile, quantiles  # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PARTS = "parse,file,null,ingress,tcp,datagen,rsyslogd,syslog-ng,ring,pause,idle,first"
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--build", default=".", help="directory with headworks and bench/gen_rows")
parser.add_argument("--rows", type=int, default=os.environ.get("N") or 5000000)
parser.add_argument("--repeat", type=int, default=os.environ.get("REPEAT") or 5)
parser.add_argument("--only", default=os.environ.get("ONLY") or PARTS)
parser.add_argument("--out", default="bench-results", help="directory for bench.md and bench.json")
options = parser.parse_args()
only = chosen(parser, options.only, PARTS)
BUILD = os.path.abspath(options.build)
OUT, SHOWN = os.path.abspath(options.out), options.out
os.makedirs(OUT, exist_ok=True)
for name in os.listdir(OUT):  # what a run that was killed left behind
    if name.startswith("work."):
        shutil.rmtree(os.path.join(OUT, name), ignore_errors=True)
WORK = tempfile.mkdtemp(prefix="work.", dir=OUT)  # on a disk like any user's; its pages stay in the cache

os.environ.update(HEADWORKS=os.path.join(BUILD, "headworks"), SRCDIR=SOURCE, TMPDIR=WORK)
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))
import libhw  # noqa: E402  (it reads the environment)
from peers import PEERS, describe  # noqa: E402

COLUMNS = ("id BIGINT NOT NULL, ts TIMESTAMP, user VARCHAR, country VARCHAR, amount DECIMAL(10, 2), qty INT, "
           "ok BOOLEAN, note VARCHAR")
INPUT, EXPECTED = os.path.join(WORK, "in.ndjson"), os.path.join(WORK, "expected.ndjson")

figures = Figures()
result = figures.add


def tool(name):
    return os.path.join(BUILD, "bench", name)


# ---- rows ---------------------------------------------------------------------------

def generate(file, rows, *arguments):
    with open(file, "wb") as f:
        subprocess.run([tool("gen_rows"), *arguments, str(rows)], stdout=f, check=True)
    return os.path.getsize(file)


def same_rows(got, expected):
    """None when the files hold the same rows, else what differs first."""
    done = subprocess.run([tool("compare"), "--timestamp", "ts", expected, got], capture_output=True)
    if done.returncode == 0:
        return None
    return (done.stdout or done.stderr).decode(errors="replace").strip()


def megabytes(rate):
    return "%.0f MB/s" % (rate / 1e6) if rate >= 20e6 else "%.1f MB/s" % (rate / 1e6)


def spread(rates):
    """Of how many runs a median is, and how far these were apart."""
    return "median of %d, %s to %s" % (len(rates), megabytes(min(rates)), megabytes(max(rates)))


def effort(runs):
    """What runs of headworks took of the machine, and how far they were apart."""
    return "%.2f cores, peak %.0f MB; %s" % (
        statistics.median(r["cpu_seconds"] / r["seconds"] for r in runs), max(r["peak_rss_bytes"] for r in runs) / 1e6,
        spread([r["bytes_in_per_second"] for r in runs]))


# ---- text to typed columns and back, one core -----------------------------------------

def timed(program, *arguments):
    """What a program of bench/ says of each way, by (what, format), with its median rates; a faulty one has none."""
    done = subprocess.run([tool(program), *arguments], capture_output=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (program, done.stderr.decode()))
    ways = [json.loads(line) for line in done.stdout.splitlines()]
    for way in ways:
        seconds = statistics.median(way["seconds"]) if "fault" not in way else None
        way["bytes_per_second"] = seconds and way["bytes"] / seconds
        way["rows_per_second"] = seconds and way["rows"] / seconds
    return {(way["what"], way["format"]): way for way in ways}


def way_result(name, way, goal=""):
    if "fault" in way:
        return result(name, "no rate", goal, way["fault"])
    result(name, "%.2f GB/s" % (way["bytes_per_second"] / 1e9), goal, "%.1f M rows/s; median of %d, %s to %s a pass" % (
        way["rows_per_second"] / 1e6, len(way["seconds"]), "%.1f" % (min(way["seconds"]) * 1e3),
        "%.1f ms" % (max(way["seconds"]) * 1e3)), bar=("GB/s", [way["bytes"] / s / 1e9 for s in way["seconds"]]), **way)


def parse():
    rows = os.path.join(WORK, "parse.ndjson")
    generate(rows, min(options.rows, 500000))
    ours = timed("parse_bench", rows, str(options.repeat))
    for (what, form), way in ours.items():
        way_result("%s → columns" % form if what == "parse" else "columns → %s" % form, way,
                   "≥ 1.5 GB/s" if what == "encode" and form != "msgpack" else "")
    json_way = ours["parse", "json"]
    for form in ("csv", "msgpack"):
        if json_way["rows_per_second"] and ours["parse", form]["rows_per_second"]:
            result("%s / json, rows" % form, "%.2f ×" % (ours["parse", form]["rows_per_second"] / json_way["rows_per_second"]),
                   "≥ 1.5 ×")
    if not can_make("simdjson_rows", "libsimdjson-dev and g++"):
        return
    peer = timed("simdjson_rows", rows, str(options.repeat))["parse", "json"]
    if peer["sums"] != json_way.get("sums"):
        return result("json → columns / simdjson", "no rate", "≥ 1.6 ×", "the two have not read the same rows")
    way_result("%s, the same rows" % peer["peer"], peer)
    result("json → columns / simdjson", "%.2f ×" % (json_way["bytes_per_second"] / peer["bytes_per_second"]), "≥ 1.6 ×")


def begin_anew(output):
    """Emptying what the last run wrote is not the job."""
    if os.path.exists(output):
        os.unlink(output)


# ---- Headworks, file to file ----------------------------------------------------------

def file_program(output):
    return libhw.write("file.sql", libhw.table("t", COLUMNS, [libhw.file_input("in", INPUT)]) +
                       libhw.view("v", "SELECT * FROM t WHERE qty < 20", [libhw.file_output("out", output)]))


def headworks_bench(program, *arguments):
    done = subprocess.run([libhw.HEADWORKS, "bench", "--json", *arguments, program], capture_output=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit("headworks bench: %s" % done.stderr.decode(errors="replace"))


def file_run(output):
    """A run of it, with the fault that it has, if any."""
    begin_anew(output)
    run = headworks_bench(file_program(output), "--no-pauses", "--repeat", "1")["runs"][0]
    run["fault"] = run["fault"] or same_rows(output, EXPECTED)
    return run


def file_result(runs):
    """Its rate in bytes of input per second, or None."""
    row, fault = "file → view → file, NDJSON", next((r["fault"] for r in runs if r["fault"]), None)
    if fault:
        return result(row, "no rate", "", fault)
    rates = [r["bytes_in_per_second"] for r in runs]
    rate = statistics.median(rates)
    detail = "%.2f M rows/s, %s; latency p50 %.1f ms" % (
        statistics.median(r["rows_per_second"] for r in runs) / 1e6, effort(runs), runs[-1]["latency_us"]["p50"] / 1e3)
    result(row, megabytes(rate), "", detail, bytes_per_second=rate, runs=runs, bar=("MB/s", [r / 1e6 for r in rates]))
    return rate


# ---- Headworks, file to nothing: how fast rows come in -------------------------------------

def into_null(row, goal, rows, *arguments):
    """Its rate, or None. Counted: the rows that the view passed on."""
    program = libhw.write("null.sql", libhw.table("t", COLUMNS, [libhw.file_input("in", INPUT)]) +
                          libhw.view("v", "SELECT * FROM t WHERE qty < 20", [libhw.null_output()]))
    runs = headworks_bench(program, "--no-pauses", "--repeat", str(options.repeat), *arguments)["runs"]
    fault = next((r["fault"] for r in runs if r["fault"]), None)
    if not fault and any((r["rows_in"], r["rows_out"]) != (options.rows, rows) for r in runs):
        fault = "of %d rows not %d came through" % (options.rows, rows)
    if fault:
        return result(row, "no rate", goal, fault)
    rate = statistics.median(r["bytes_in_per_second"] for r in runs)
    result(row, megabytes(rate), goal, effort(runs), bytes_per_second=rate, runs=runs)
    return rate


def null():
    with open(EXPECTED, "rb") as f:
        rows = sum(piece.count(b"\n") for piece in iter(lambda: f.read(1 << 20), b""))
    several = into_null("file → view → null, NDJSON", "≥ 1.4 GB/s", rows)
    one = into_null("the same, one worker", "", rows, "--workers", "1")
    if several and one:
        result("all workers / one", "%.2f ×" % (several / one), "", ratio=several / one)


# ---- the same rows over HTTP -----------------------------------------------------------

def connect(port):
    """With cubic, as Debian has it: bbr, the default of some hosts, sends by timers, in whose time nobody else works."""
    s = socket.create_connection(("127.0.0.1", port))
    try:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    except OSError:
        note("no cubic here: the client's connection has the congestion control of this host")
    return s


def send_body(port, file):
    """POSTs the file with sendfile, which costs the client next to nothing; the reply's token."""
    with connect(port) as s, open(file, "rb") as f:
        s.sendall(("POST /v0/pipelines/p/ingress/t?format=json&update_format=raw HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: %d\r\n\r\n" % os.path.getsize(file)).encode())
        s.sendfile(f)
        response = http.client.HTTPResponse(s)
        response.begin()
        body = response.read()
        return json.loads(body)["token"] if response.status == 200 else sys.exit("ingress: %s" % body)


def over_http(server, client):
    """Sends all rows, and waits until they are written."""
    status = "/v0/pipelines/p/completion_status?token=" + send_body(server.port, INPUT)
    while client.expect(200, "GET", status).json["status"] != "complete":
        time.sleep(0.002)


def over_tcp(_server, client):
    """The same through one connection to a socket_input."""
    place = client.stats("p")["inputs"][0]["headworks"]["position"]
    port = re.search(r"127\.0\.0\.1:(\d+)", place).group(1)
    with connect(int(port)) as s, open(INPUT, "rb") as f:
        s.sendfile(f)
    while client.stats("p")["global_metrics"]["total_completed_records"] < options.rows:
        time.sleep(0.002)


SENDERS = {
    "ingress": ("HTTP", "one body", [], over_http),
    "tcp": ("TCP", "one connection", [{"name": "in", "format": libhw.JSON_RAW, "transport": {
        "name": "socket_input", "config": {"address": "tcp-listen://127.0.0.1:0"}}}], over_tcp),
}


def sent_run(server, output, inputs, send):
    """The rate from the first byte sent until every row is written, and the fault."""
    begin_anew(output)
    client = server.client()
    client.create("p", libhw.table("t", COLUMNS, inputs) +
                  libhw.view("v", "SELECT * FROM t WHERE qty < 20", [libhw.file_output("out", output)]))
    client.start("p")
    began = time.perf_counter()
    send(server, client)
    seconds = time.perf_counter() - began
    client.stop("p")
    client.delete("p")
    return os.path.getsize(INPUT) / seconds, same_rows(output, EXPECTED)


def sent_result(name, detail, runs, file_runs):
    fault = next((fault for _, fault in runs if fault), None)
    row, rates = "%s → view → file, NDJSON" % name, [rate for rate, _ in runs]
    if fault:
        return result(row, "no rate", "", fault)
    result(row, megabytes(statistics.median(rates)), "", "%s; %s" % (detail, spread(rates)),
           bytes_per_second=statistics.median(rates), rates=rates, bar=("MB/s", [r / 1e6 for r in rates]))
    if file_runs and not any(r["fault"] for r in file_runs):
        ratios = [rate / r["bytes_in_per_second"] for rate, r in zip(rates, file_runs)]
        result("%s / file" % name, "%.0f %%" % (100 * statistics.median(ratios)), "≥ 80 %",
               "median of %d pairs, %.0f to %.0f %%" % (len(ratios), 100 * min(ratios), 100 * max(ratios)), ratios=ratios)


def file_and_sent(ways):
    """Rows from a file, and the same rows sent, in turns: what slows the machine down for a while meets
    all of them. The file's rate, or None."""
    output, file_runs, sent_runs = os.path.join(WORK, "headworks.ndjson"), [], {key: [] for key in SENDERS if key in ways}
    with libhw.Server() as server:
        for _ in range(options.repeat):
            if "file" in ways:
                file_runs.append(file_run(output))
            for key, runs in sent_runs.items():
                runs.append(sent_run(server, output, *SENDERS[key][2:]))
    rate = file_result(file_runs) if file_runs else None
    for key, runs in sent_runs.items():
        sent_result(*SENDERS[key][:2], runs, file_runs)
    return rate


# ---- generated rows ----------------------------------------------------------------------

def datagen():
    """Rows of a generator's thread: what the others do runs beside it."""
    rows = 4 * options.rows
    program = libhw.write("datagen.sql", libhw.table("t", COLUMNS, [libhw.datagen("in", {"limit": rows})]) +
                          libhw.view("v", "SELECT * FROM t", [libhw.null_output("out")]))
    runs = headworks_bench(program, "--no-pauses", "--repeat", str(options.repeat))["runs"]
    fault = next((r["fault"] for r in runs if r["fault"]), None)
    if fault:
        return result("datagen, 8 columns → null", "no rate", "≥ 10 M rows/s a core", fault)
    per_core = [r["rows_per_second"] * r["seconds"] / r["cpu_seconds"] for r in runs]
    rates = [r["rows_per_second"] for r in runs]
    result("datagen, 8 columns → null", "%.1f M rows/s" % (statistics.median(rates) / 1e6), "≥ 10 M rows/s a core",
           "%.1f M rows for a second of processor, of all threads; median of %d, %.1f to %.1f" % (
               statistics.median(per_core) / 1e6, len(rates), min(rates) / 1e6, max(rates) / 1e6), runs=runs)


# ---- other programs that do the same job ---------------------------------------------------

def peer_file(peer, ours):
    row = "%s, the same job" % peer.name
    if not peer.program:
        return result(row, "not measured", "", "%s is not installed" % peer.package)
    output = os.path.join(WORK, peer.name + ".ndjson")
    sample, sample_expected = os.path.join(WORK, "sample.ndjson"), os.path.join(WORK, "sample-expected.ndjson")
    rows = max(options.rows // 10, min(options.rows, 200000))
    generate(sample, rows)
    generate(sample_expected, rows, "--passing")
    tried = []
    for setting in peer.settings:
        seconds = peer.run(WORK, setting, sample, output)
        fault = same_rows(output, sample_expected) if seconds else "it wrote nothing"
        note("  %s, %s: %s" % (peer.name, describe(setting), fault or "%.1f s for %d rows" % (seconds, rows)))
        if not fault:
            tried.append((seconds, setting))
    if not tried:
        return result(row, "no rate", "", "no setting gave the rows it should")
    best = min(tried, key=lambda t: t[0])[1]
    rates = []
    for _ in range(options.repeat):
        seconds = peer.run(WORK, best, INPUT, output)
        fault = same_rows(output, EXPECTED) if seconds else "it wrote nothing"
        if fault:
            return result(row, "no rate", "", fault)
        rates.append(os.path.getsize(INPUT) / seconds)
    rate = statistics.median(rates)
    result(row, megabytes(rate), "", "%.0f k rows/s; %s; %s; best of %d settings: %s" % (
        options.rows * rate / os.path.getsize(INPUT) / 1e3, spread(rates), peer.version(), len(peer.settings),
        describe(best)), bytes_per_second=rate, setting=best, rates=rates,
           bar=("MB/s", [r / 1e6 for r in rates]))
    if ours:
        result("Headworks / %s" % peer.name, "%.1f ×" % (ours / rate), peer.goal, ratio=ours / rate)


# ---- the ring ----------------------------------------------------------------------------

def can_make(peer, packages):
    if subprocess.run(["make", "--quiet", "bench/" + peer], cwd=BUILD, capture_output=True).returncode == 0:
        return True
    note("bench/%s is not measured: it cannot be built (%s)" % (peer, packages))
    return False


def ring_rates(program):
    """Items a second by what was done; reports each."""
    done, rates = subprocess.run([tool(program), "50", str(options.repeat)], stdout=subprocess.PIPE), {}
    for line in done.stdout.splitlines():
        r = json.loads(line)
        name, what = r["what"].split(", ", 1)
        if "fault" in r:
            result(r["what"], "no rate", "", r["fault"])
            continue
        rates[what] = r["items_per_second"]
        if what == "round trip":
            result(r["what"], "%.0f ns" % r["ns_per_item"], "≤ 300 ns" if name == "ring" else "",
                   "median of %d" % r["repeats"], **r)
        else:
            result(r["what"], "%.1f M items/s" % (r["items_per_second"] / 1e6),
                   "≥ 50 M/s" if r["what"] == "ring, one by one" else "",
                   "%d slots, two threads; median of %d, %.1f to %.1f" % (
                       r["slots"], r["repeats"], r["worst"] / 1e6, r["best"] / 1e6),
                   bar=("M items/s", [r[k] / 1e6 for k in ("worst", "items_per_second", "best")]), **r)
    return rates


def ring():
    ours = ring_rates("ring_bench")
    if not can_make("ck_ring_bench", "libck-dev"):
        return
    peer = ring_rates("ck_ring_bench")
    for what, goal in (("one by one", "≥ 1.6 ×"), ("batches of 64", "≥ 6 ×")):
        if what in ours and "one by one" in peer:
            result("ring / ck_ring, %s" % what, "%.2f ×" % (ours[what] / peer["one by one"]), goal,
                   "ck_ring takes items one by one")


# ---- pauses under load ---------------------------------------------------------------------

def pause_inside():
    report = headworks_bench(file_program(os.path.join(WORK, "paused.ndjson")), "--pause-every", "5")
    run = report["runs"][-1]
    fault = run["fault"] or same_rows(os.path.join(WORK, "paused.ndjson"), EXPECTED)
    pauses = run["pause_us"]
    if fault or not pauses:
        return result("pause to true, asked from C", "no number", "p99 < 5 ms", fault or "the run was too short")
    result("pause to true, asked from C", "p99 %.2f ms" % (pauses["p99"] / 1e3), "p99 < 5 ms",
           "p50 %.2f, max %.2f ms of %d pauses while %s; output compared" % (
               pauses["p50"] / 1e3, pauses["max"] / 1e3, pauses["count"],
               megabytes(run["bytes_in_per_second"]) + " flow"), **pauses)


def pause_http(pauses=1000):
    """Two generators as fast as they can, and a file: one generator is paused over HTTP again and again."""
    plan = {"fields": {"id": {"strategy": "increment"}, "x": {"strategy": "uniform", "range": [0, 1000000]}}}
    program = libhw.table("t", "id BIGINT, x BIGINT", [libhw.datagen("a", plan), libhw.datagen("b", plan)]) + libhw.view(
        "v", "SELECT id, x * 2 AS y FROM t WHERE x > 10", [libhw.file_output("out", "/dev/null")])
    times = []
    with libhw.Server() as server:
        client = server.client()
        client.create("load", program)
        client.start("load")
        for _ in range(pauses):
            began = time.perf_counter()
            reply = client.connector("load", "t", "a", "pause")
            times.append((time.perf_counter() - began) * 1e3)
            if client.records("load", "t.a") != int(reply.headers["Headworks-Total-Records"]):
                return result("pause to true, over HTTP", "no number", "p99 < 5 ms", "rows came in after a pause")
            client.connector("load", "t", "a", "start")
        flowed = client.stats("load")["global_metrics"]["total_processed_records"]
        client.stop("load", force=True)
    result("pause to true, over HTTP", "p99 %.2f ms" % quantile(times, 0.99), "p99 < 5 ms",
           "%s of %d pauses, client's time included, while %.0f M rows were processed" % (
               quantiles(times, "ms"), pauses, flowed / 1e6), p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))


# ---- idle connectors -------------------------------------------------------------------------

def idle(n=1000, seconds=10):
    kinds, sockets = [], tempfile.mkdtemp()  # a socket's path must be short
    for i in range(n // 4):
        kinds.append({"name": "empty%d" % i, "transport": {"name": "empty_input"}})
        kinds.append(libhw.datagen("paused%d" % i, {"rate": 1000}, paused=True))
        log = libhw.write("log%d" % i, "")
        kinds.append({"name": "follow%d" % i, "format": libhw.JSON_RAW,
                      "transport": {"name": "file_input", "config": {"path": log, "follow": True}}})
        kinds.append({"name": "socket%d" % i, "format": libhw.JSON_RAW,
                      "transport": {"name": "socket_input", "config": {"address": "unix-listen://%s/%d" % (sockets, i)}}})
    program = libhw.table("t", "id BIGINT", kinds) + libhw.view("v", "SELECT id FROM t", [libhw.null_output()])
    with libhw.Server() as server:
        client = server.client()
        threads_before = server.threads()
        client.create("idle", program)
        client.start("idle")
        time.sleep(5)  # time series take their last samples
        before = server.context_switches()
        time.sleep(seconds)
        switches, threads = server.context_switches() - before, server.threads()
        rss = int(server._status("VmRSS")) / 1024
        client.stop("idle", force=True)
    shutil.rmtree(sockets)
    result("%d idle connectors" % n, "%d context switches in %d s" % (switches, seconds), "0, no thread each",
           "%d threads (%d without the pipeline), %.0f MB resident; empty, paused, followed files, sockets" % (
               threads, threads_before, rss), context_switches=switches, threads=threads)


# ---- from text to the first row -----------------------------------------------------------------

def first_row(times=50):
    took = []
    with libhw.Server() as server:
        client = server.client()
        for i in range(times):
            output = libhw.path("first%d" % i)
            program = libhw.table("t", "id BIGINT", [libhw.datagen("g", {"limit": 1})]) + libhw.view(
                "v", "SELECT id FROM t", [libhw.file_output("out", output)])
            began = time.perf_counter()
            client.expect(201, "POST", "/v0/pipelines", {"name": "p", "program_code": program})
            client.expect(202, "POST", "/v0/pipelines/p/start?initial=running")
            while not (os.path.exists(output) and os.path.getsize(output)):
                if time.perf_counter() - began > 10:
                    return result("create → running → first row out", "no number", "< 20 ms", "no row after 10 s")
            took.append((time.perf_counter() - began) * 1e3)
            client.wait_status("p", "Running")
            client.stop("p", force=True)
            client.delete("p")
    result("create → running → first row out", "p50 %.1f ms" % quantile(took, 0.5), "< 20 ms",
           quantiles(took, "ms") + " of %d, over HTTP" % times, p50_ms=quantile(took, 0.5), p99_ms=quantile(took, 0.99))


# ---- the report ----------------------------------------------------------------------------------

def report():
    about = dict(machine(libhw.HEADWORKS, LOAD), rows=options.rows,
                 input_bytes=os.path.getsize(INPUT) if os.path.exists(INPUT) else None)
    figures.write(OUT, "bench", about, ["%d NDJSON rows of 8 columns; load average before: %.2f." % (options.rows, LOAD)])


LOAD = os.getloadavg()[0]
try:
    if LOAD > 0.5:
        note("the machine has other work (load %.2f): numbers will be lower than they could be" % LOAD)
    if {"file", "null", "ingress", "tcp", "pause", *(p.name for p in PEERS)} & set(only):
        note("making %d rows" % options.rows)
        generate(INPUT, options.rows)
        generate(EXPECTED, options.rows, "--passing")
    if "parse" in only:
        parse()
    rate = file_and_sent(only) if {"file", *SENDERS} & set(only) else None
    if "null" in only:
        null()
    if "datagen" in only:
        datagen()
    for peer in PEERS:
        if peer.name in only:
            peer_file(peer, rate)
    if "ring" in only:
        ring()
    if "pause" in only:
        pause_inside()
        pause_http()
    if "idle" in only:
        idle()
    if "first" in only:
        first_row()
    report()
    note("also in %s/bench.md and bench.json" % SHOWN)
finally:
    shutil.rmtree(WORK, ignore_errors=True)
sys.exit(any(r["value"].startswith("no ") for r in figures.results))
