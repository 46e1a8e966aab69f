#!/usr/bin/env python3
"""Views that make strings grow stay within the memory asked for, and a step of them holds up no stop."""
import json
import os
import signal

from libhw import *

MEMORY = 64  # MiB
ROWS = 2000 if SANITIZED else 20000
RSS_MOST = 3 * MEMORY << 10  # KiB


def doubled(n, outputs, last="id, s || s AS s"):
    """A chain of n views, each of which makes the strings twice as long; the last is called `last`."""
    text = table("t", "id BIGINT NOT NULL, s VARCHAR NOT NULL", [file_input("f", path("in.ndjson"))])
    for i in range(n):
        text += view("v%d" % i, "SELECT id, s || s AS s FROM %s" % ("v%d" % (i - 1) if i else "t"))
    return text + view("last", "SELECT %s FROM v%d" % (last, n - 1), outputs)


def write_rows(n, long={}):
    write("in.ndjson", "".join('{"id":%d,"s":"%s"}\n' % (i, long.get(i, "%03d" % (i % 1000))) for i in range(n)))


def run_measured(name, program, status, *options, read=None):
    """Runs it to its end; what it said, and its greatest RSS in KiB. `read` is called meanwhile."""
    log = open(path(name + ".log"), "w+b")
    process = start("run", "-m", str(MEMORY), *options, write(name + ".sql", program), stderr=log)
    if read:
        read()
    _, wait_status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(wait_status)
    log.seek(0)
    said = log.read().decode()
    if process.returncode != status:
        fail("%s: exit status %d\n%s" % (name, process.returncode, said))
    return said, usage.ru_maxrss


def check_rss(what, rss):
    print("%s: RSS %d MiB with --memory %d" % (what, rss >> 10, MEMORY))
    if not SANITIZED:
        expect(rss < RSS_MOST, "%s: RSS %d KiB, with --memory %d" % (what, rss, MEMORY))


def grows():
    """Every row comes out, though a batch of them makes gigabytes."""
    write_rows(ROWS)
    _, rss = run_measured("grows", doubled(16, [file_output("o", path("lengths"))], "id, CHAR_LENGTH(s) AS n"), 0)
    rows = read_rows("lengths")
    equal([r["id"] for r in rows], list(range(ROWS)), "ids")
    equal({r["n"] for r in rows}, {3 << 16}, "lengths")
    check_rss("growing", rss)


def waits_for_outputs():
    """The next rows are not computed before an output that is slow has written those before."""
    rows = ROWS // 4
    write_rows(rows)
    fifo = path("fifo")
    os.mkfifo(fifo)
    got = []

    def read_all():
        with open(fifo, "rb") as f:
            for line in f:
                row = json.loads(line)
                equal(row["s"], ("%03d" % (row["id"] % 1000)) * (1 << 15), "a string")
                got.append(row["id"])

    _, rss = run_measured("waits", doubled(14, [file_output("o", fifo)]), 0, read=read_all)
    equal(got, list(range(rows)), "ids")
    check_rss("waiting", rss)


def too_much():
    """A row that needs too much alone is named, with what to do about it."""
    write_rows(1000, {776: "long" * 100})
    said, _ = run_measured("much", doubled(15, [null_output()]), 1)
    for part in ("bytes are needed for strings", "one row may take %d" % (MEMORY << 18), "raise --memory",
                 "in s || s (line ", "for s = 'longlong", "record 777 of the pipeline's input", 'a row of "t"'):
        expect(part in said, "%r is not in what it said:\n%s" % (part, said))
    run("run", "-m", str(16 * MEMORY), path("much.sql"))


def long_steps():
    """A program that does not come to its end within seconds."""
    write_rows(200000)
    return doubled(18, []) + view("slow", "SELECT id FROM last WHERE LOWER(s) LIKE '%9%8%7%6%5%4%3%2%1%zero%'", [null_output()])


def computes(client, name):
    return client.stats(name)["global_metrics"]["buffered_input_records"] > 0


def stops():
    """A stop by force, and a deadline, in the midst of a step."""
    server = Server("--drain-timeout", "1", "-m", str(MEMORY))
    client = server.client()
    client.create("p", long_steps())
    client.start("p")
    wait_until(lambda: computes(client, "p"), "the step is under way")
    client.stop("p", force=True)
    equal(client.get("p")["deployment_error"], None, "error of a stop by force")
    client.start("p")
    wait_until(lambda: computes(client, "p"), "the step is under way")
    server.stop(1)
    log = read("server.log").decode()
    equal((log.count("stopped by force while view"), log.count('rows of "t", which are lost')), (2, 2),
          "what the log says of the steps that were left:\n" + log)


def signals():
    process = start("run", "-m", str(MEMORY), "--drain-timeout", "1", write("long.sql", long_steps()))
    wait_until(lambda: int(open("/proc/%d/stat" % process.pid).read().split()[13]) > 50, "it computes")
    process.send_signal(signal.SIGTERM)
    finish(process, 1)


grows()
waits_for_outputs()
too_much()
stops()
signals()
