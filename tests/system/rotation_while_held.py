#!/usr/bin/env python3
"""A followed file that is rotated again and again while nothing is read from it loses no row: it is
paused, its pipeline is paused, or the sink is slow."""
import threading

from libhw import *

PREDECESSOR = 1000000 if FULL else 200000  # rows of the file before the rotations: more than queues hold


def holds(server, inode):
    """Whether the server has the file open for reading."""
    for fd in os.listdir("/proc/%d/fd" % server.process.pid):
        try:
            if os.stat("/proc/%d/fd/%s" % (server.process.pid, fd)).st_ino == inode:
                return True
        except FileNotFoundError:
            pass  # closed meanwhile
    return False


def rotate(server, log, generation, rows):
    os.rename(path(log), path("%s.%d" % (log, generation)))
    write(log, rows)
    inode = os.stat(path(log)).st_ino
    wait_until(lambda: holds(server, inode), "%s is opened after rotation %d" % (log, generation))


def rows(first, n=1):
    return "".join('{"a":%d}\n' % i for i in range(first, first + n))


def program(log, out):
    follow = file_input("c", path(log), max_queued_records=1000)
    follow["transport"]["config"]["follow"] = True
    return table("t", "a BIGINT", [follow]) + view("v", "SELECT a FROM t", [dict(out, max_queued_records=1000)])


def held(server, client, name, hold, release):
    log = name + ".log"
    write(log, rows(0))
    client.create(name, program(log, file_output("out", path(name + ".out"))))
    client.start(name)
    wait_until(lambda: client.records(name, "t.c") == 1, "the first row of %s is read" % name)
    hold()
    with open(path(log), "a") as f:
        f.write(rows(1))
    for generation in range(1, 4):
        rotate(server, log, generation, rows(generation + 1))
    equal(client.records(name, "t.c"), 1, "records of %s while it is held" % name)
    release()
    wait_until(lambda: client.records(name, "t.c") == 5, "all rows of %s are read" % name)
    equal(client.input_stats(name, "t.c")["metrics"]["num_transport_errors"], 0, "errors of %s" % name)
    client.stop(name)
    equal([row["a"] for row in read_rows(name + ".out")], list(range(5)), "rows of %s" % name)


def lags(server, client):
    """The sink is a FIFO that nobody reads until the rotations are over."""
    fifo = path("fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    write("lag.log", rows(0, PREDECESSOR))
    client.create("lag", program("lag.log", file_output("out", fifo)))
    client.start("lag")
    wait_until(lambda: client.records("lag", "t.c") > 0, "the first rows are read")
    for generation in range(1, 4):
        rotate(server, "lag.log", generation, rows(PREDECESSOR + generation - 1))
    expect(client.records("lag", "t.c") < PREDECESSOR, "the sink was not slow")
    got = []

    def drain():
        with os.fdopen(reader) as f:
            for line in f:
                got.append(json.loads(line)["a"])

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    wait_until(lambda: len(got) == PREDECESSOR + 3, "all rows are written", 4 * DEADLINE)
    client.stop("lag")
    thread.join()
    equal(got, list(range(PREDECESSOR + 3)), "rows")


with Server() as server:
    client = server.client()
    held(server, client, "connector", lambda: client.connector("connector", "t", "c", "pause"),
         lambda: client.connector("connector", "t", "c", "start"))
    held(server, client, "pipeline", lambda: (client.pause("pipeline"), client.wait_status("pipeline", "Paused")),
         lambda: client.resume("pipeline"))
    lags(server, client)
