#!/usr/bin/env python3
"""Files as they come: compressed, in globs, cut, with bad records, followed through rotation."""
import gzip
import json
import os
import signal
import subprocess

from libhw import *

ROWS = 50000
LINES = [b'{"id":%d,"name":"row %d"}\n' % (i, i) for i in range(ROWS)]


def program(file, format=None, out="out.ndjson", columns="id BIGINT NOT NULL, name VARCHAR", **config):
    connector = file_input("f", file, format)
    connector["transport"]["config"].update(config)
    names = ", ".join(c.split()[0] for c in columns.split(", "))
    return (table("t", columns, [connector]) +
            view("v", "SELECT %s FROM t" % names, [file_output("out", path(out))]))


def run_program(text, status=0, **kwargs):
    done = run("run", "--json", write("p.sql", text), status=status, **kwargs)
    return json.loads(done.stdout.splitlines()[-1])


def compressed():
    write("in.ndjson.gz", gzip.compress(b"".join(LINES[:ROWS // 2])) + gzip.compress(b"".join(LINES[ROWS // 2:])))
    run_program(program(path("in.ndjson.gz")))
    expect(read("out.ndjson") == b"".join(LINES), "rows of the gzip file")
    plain = write("in.ndjson", b"".join(LINES))
    subprocess.run(["zstd", "-q", "-f", plain, "-o", plain + ".zst"], check=True)
    run_program(program(plain + ".zst"))
    expect(read("out.ndjson") == b"".join(LINES), "rows of the zstd file")


def cut_gzip():
    whole = gzip.compress(b"".join(LINES), 1)
    write("cut.gz", whole[:len(whole) // 2])
    done = run("run", "--json", write("p.sql", program(path("cut.gz"))), status=None)
    got = read("out.ndjson")
    expect(got and b"".join(LINES).startswith(got), "what came of a cut gzip file is not the beginning of its rows")
    expect(b"cut.gz" in done.stderr, "nothing is said of the cut file: %r" % done.stderr)


def globs():
    for i in range(3):
        write("part-%d.ndjson" % i, b"".join(LINES[i * 10:i * 10 + 10]))
    run_program(program(path("part-*.ndjson")))
    expect(read("out.ndjson") == b"".join(LINES[:30]), "rows of three files: %r" % read("out.ndjson")[:200])


def standard_input():
    run_program(program("-"), stdin=b"".join(LINES[:1000]))
    expect(read("out.ndjson") == b"".join(LINES[:1000]), "rows of standard input")


def bad_records():
    good = LINES[:6]
    bad = [b'{"id":"many"}\n', b'{"name":"no id"}\n', b'not json at all\n', b'{"id":99999999999999999999}\n',
           b'{"id":7,"name":"\xff\xfe"}\n']
    mixed = [good[0], bad[0], good[1], bad[1], bad[2], good[2], good[3], bad[3], good[4], bad[4], good[5]]
    write("mixed.ndjson", b"".join(mixed))
    said = run_program(program(path("mixed.ndjson")))
    expect(read("out.ndjson") == b"".join(good), "good rows among bad ones: %r" % read("out.ndjson"))
    inputs = said["inputs"][0]
    equal((inputs["rows"], inputs["bad_records"], len(inputs["errors"])), (6, 5, 5), "rows, bad records, errors listed")
    run("run", "--strict", write("p.sql", program(path("mixed.ndjson"))), status=1)
    packed = gzip.compress(b"".join(good))
    write("whole.gz", packed)
    run("run", "--strict", write("p.sql", program(path("whole.gz"))))
    write("cut.gz", packed[:-4])  # every record is there, the end of the archive is not
    said = run("run", "--strict", write("p.sql", program(path("cut.gz"))), status=1)
    expect(b"cut.gz" in said.stderr and b"1 fault of" in said.stderr, "what was said: %r" % said.stderr)

    with Server() as server:
        client = server.client()
        client.create("p", program(path("mixed.ndjson")))
        client.start("p")
        client.wait_complete("p")
        stats = client.connector("p", "t", "f", "stats").json
        equal(stats["metrics"]["num_parse_errors"], 5, "num_parse_errors")
        messages = [error["message"] for error in stats["parse_errors"]]
        expect(len(messages) == 5 and "not json at all" in messages[2] and "many" in messages[0],
               "the error list: %r" % messages)
        client.stop("p")


def headers():
    """Columns by the names that a file begins with, which all that parse a long one know; each of several has its own."""
    rows = ["%d,%d,row %d,%d\r\n" % (i % 7, i, i, i * 3) for i in range(200000)]
    write("h-1.csv", "\ufeffunknown,id,name,other\r\n" + "".join(rows[:150000]))
    write("h-2.csv", "other,name,id\n" + "".join("%d,row %d,%d\n" % (i * 3, i, i) for i in range(150000, 200000)))
    run_program(program(path("h-*.csv"), {"name": "csv", "config": {"headers": True}},
                        columns="id BIGINT NOT NULL, name VARCHAR, other BIGINT"))
    expect(read("out.ndjson").decode() ==
           "".join('{"id":%d,"name":"row %d","other":%d}\n' % (i, i, i * 3) for i in range(200000)), "rows by header")


def changes_in_order():
    """Events of one row and of two, so that batches end within them, and a queue that is short for several parsers."""
    events, rows = [], []
    for i in range(20000 if SANITIZED else 100000):
        n = len(rows)
        if i % 7:
            events.append('{"payload":{"op":"u","before":{"id":%d},"after":{"id":%d}}}\n' % (n, n + 1))
            rows += ['{"delete":{"id":%d}}\n' % n, '{"insert":{"id":%d}}\n' % (n + 1)]
        else:
            events.append('{"payload":{"op":"c","before":null,"after":{"id":%d}}}\n' % n)
            rows.append('{"insert":{"id":%d}}\n' % n)
    connector = file_input("f", write("events.ndjson", "".join(events)), {"name": "json", "config": {"update_format": "debezium"}})
    output = file_output("out", path("changes.ndjson"), {"name": "json", "config": {"update_format": "insert_delete"}})
    for records in [5000, 6000, 10000]:
        run_program(table("t", "id BIGINT", [dict(connector, max_queued_records=records)]) +
                    view("v", "SELECT id FROM t", [output]))
        expect(read("changes.ndjson").decode() == "".join(rows), "changes through a queue of %d records" % records)


def followed():
    """Rows appended, a rename with a new file, a truncation: every row once, in order."""
    log = write("log.ndjson", b"")
    process = start("run", write("p.sql", program(log, out="followed.ndjson", follow=True)))

    def arrived(n):
        wait_until(lambda: os.path.exists(path("followed.ndjson")) and read("followed.ndjson").count(b"\n") == n,
                   "%d rows have arrived" % n)

    def append(lines):
        with open(log, "ab") as f:
            f.write(b"".join(lines))

    append(LINES[:100])
    arrived(100)
    os.rename(log, log + ".1")
    append(LINES[100:200])
    arrived(200)
    os.truncate(log, 0)
    append(LINES[200:205])
    arrived(205)
    process.send_signal(signal.SIGTERM)
    finish(process)
    expect(read("followed.ndjson") == b"".join(LINES[:205]), "rows of a followed file")


compressed()
cut_gzip()
globs()
standard_input()
bad_records()
headers()
changes_in_order()
followed()
