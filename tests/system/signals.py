#!/usr/bin/env python3
"""SIGTERM and SIGINT lose nothing that was read; a second one ends at once; SIGHUP starts the output files anew."""
import json
import os
import signal
import subprocess
import time

from libhw import *

GENERATED = (table("t", "id BIGINT NOT NULL", [datagen("g")]) +
             view("v", "SELECT id FROM t", [file_output("f", path("out.ndjson"))]))


def check_sequence(data, what):
    """Whole lines with ids from 0, none missing."""
    expect(data.endswith(b"\n"), "%s: the last row is cut" % what)
    ids = [json.loads(line)["id"] for line in data.splitlines()]
    equal(ids, list(range(len(ids))), "%s: ids" % what)
    return len(ids)


def size(name):
    return os.path.getsize(path(name)) if os.path.exists(path(name)) else 0


def run_until_signal(number):
    write("out.ndjson", b"")
    summary = open(path("summary.json"), "wb")
    process = start("run", "--json", write("g.sql", GENERATED), stdout=summary)
    wait_until(lambda: size("out.ndjson") > 1 << 20, "rows are written")
    process.send_signal(number)
    finish(process)
    rows = check_sequence(read("out.ndjson"), "run")
    said = json.loads(read("summary.json").splitlines()[-1])
    equal((said["inputs"][0]["rows"], said["outputs"][0]["rows"]), (rows, rows), "rows in the summary")
    equal(said["end"], "ended by a signal", "end in the summary")


def file_prefix():
    """What came of a file that was not read to its end is its beginning."""
    rows = b"".join(b'{"id":%d}\n' % i for i in range(1000000))
    write("in.ndjson", rows)
    program = (table("t", "id BIGINT NOT NULL", [file_input("f", path("in.ndjson"), max_batch_size=100)]) +
               view("v", "SELECT id FROM t", [file_output("f", path("prefix.ndjson"))]))
    process = start("run", write("f.sql", program))
    wait_until(lambda: size("prefix.ndjson") > 1 << 16, "rows are written")
    process.send_signal(signal.SIGTERM)
    finish(process)
    got = read("prefix.ndjson")
    check_sequence(got, "file")
    expect(rows.startswith(got), "the output is not the beginning of the input")
    print("%d of %d bytes" % (len(got), len(rows)))


def server():
    with Server() as s:
        client = s.client()
        client.create("p", GENERATED.replace("out.ndjson", "served.ndjson"))
        client.start("p")
        wait_until(lambda: size("served.ndjson") > 1 << 20, "rows are written")
        client.connection.close()
        s.stop(status=0)
    check_sequence(read("served.ndjson"), "serve")


def pending(process):
    with open("/proc/%d/status" % process.pid) as f:
        return any(line.startswith("ShdPnd:") and int(line.split()[1], 16) for line in f)


def stuck(*options):
    """A program whose output is a FIFO that nobody reads."""
    fifo = path("fifo")
    if not os.path.exists(fifo):
        os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    program = (table("t", "id BIGINT NOT NULL", [datagen("g")]) +
               view("v", "SELECT id FROM t", [file_output("f", fifo, fsync="never")]))
    process = start("run", *options, write("stuck.sql", program), stderr=open(path("stuck.log"), "wb"))
    wait_until(lambda: is_full(reader), "the FIFO is full")
    return process, reader


def is_full(reader):
    import fcntl
    import struct
    import termios
    waiting = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0]
    return waiting > 32768


def second_signal():
    process, reader = stuck("--drain-timeout", "600")
    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # the same wish, as `timeout` sends it
    doubled = time.monotonic() - before < 0.05
    wait_until(lambda: not pending(process), "the first signal is taken")
    expect(process.poll() is None or not doubled, "the first signal ended it although rows were left")
    wait_until(lambda: process.poll() is not None or process.send_signal(signal.SIGTERM), "a later one ends it")
    finish(process, 130)
    os.close(reader)


def drain_timeout():
    process, reader = stuck("--drain-timeout", "0.3")
    process.send_signal(signal.SIGINT)
    finish(process, 1)
    expect(b"could be written in time" in read("stuck.log"), "it does not say that rows are missing: %r" % read("stuck.log"))
    os.close(reader)


def hangup():
    process = start("run", write("g.sql", GENERATED.replace("out.ndjson", "rotated.ndjson")))
    wait_until(lambda: size("rotated.ndjson") > 1 << 16, "rows are written")
    os.rename(path("rotated.ndjson"), path("rotated.1"))
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: size("rotated.ndjson") > 1 << 16, "the file is made anew")
    process.send_signal(signal.SIGTERM)
    finish(process)
    check_sequence(read("rotated.1") + read("rotated.ndjson"), "both files")


def closed_output():
    """A pipe whose reader has gone ends the run."""
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"rate": 1000})]) +
               view("v", "SELECT id FROM t", [{"name": "o", "transport": {"name": "stdout_output"},
                                               "format": JSON_RAW}]))
    process = start("run", write("pipe.sql", program), stdout=subprocess.PIPE, stderr=open(path("pipe.log"), "wb"))
    equal(process.stdout.readline(), b'{"id":0}\n', "the first row")
    process.stdout.close()
    finish(process, 1)
    expect(b"no output is left" in read("pipe.log"), "it does not say why it ended: %r" % read("pipe.log"))


run_until_signal(signal.SIGTERM)
run_until_signal(signal.SIGINT)
file_prefix()
server()
second_signal()
drain_timeout()
hangup()
closed_output()
