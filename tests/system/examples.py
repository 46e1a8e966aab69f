#!/usr/bin/env python3
"""Every program in examples/ runs and gives what it says."""
import csv
import json
import os
import shutil
import signal
import socket
import subprocess

from libhw import *


def run_example(name, *options, **kwargs):
    return run("run", "--set", "OUT=" + TMP, *options, os.path.join(EXAMPLES, name), **kwargs)


def package(i):
    return {"package": "p%d" % i, "version": "1.%d-1" % i, "section": "contrib/net" if i % 3 else None,
            "architecture": "amd64", "priority": "optional", "installed_size": i * 7 if i % 5 else None,
            "size": i * 512, "maintainer": "Nobody <n@example.org>", "description": "a \"package\" – number %d" % i}


def packages():
    records = [package(i) for i in range(5000)]
    write("packages.ndjson", "".join(json.dumps(r) + "\n" for r in records))
    run_example("packages.sql", "--set", "PACKAGES=" + path("packages.ndjson"), "--set", "DOWNLOADS=3000")
    wanted = [r["package"] for r in records if r["size"] > 0 and r["installed_size"] is not None and
              r["installed_size"] * 1024 > 10 * r["size"]]
    equal([row["package"] for row in read_rows("well_packed.ndjson")], wanted, "well packed packages")
    with open(path("catalogue.csv"), newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    equal(len(rows), len(records), "rows of the catalogue")
    equal(rows[8][:5], ["p8", "1.8-1", "contrib", "AMD64", "small"], "a row of the catalogue")
    slow = read_rows("slow_downloads.ndjson")
    expect(slow and all(row["kbytes_s"] < 1000 for row in slow), "slow downloads: %r" % slow[:3])


def formats():
    run_example("formats.sql", stdin=b"id,name,born\n1,Ada,1815-12-10\n2,Grace,1906-12-09\n3,,\n")
    wanted = [{"id": 1, "name": "Ada", "born": "1815-12-10"}, {"id": 2, "name": "Grace", "born": "1906-12-09"},
              {"id": 3, "name": None, "born": None}]
    equal(json.loads(read("people.json")), wanted, "people.json")
    equal([row["insert"] for row in read_rows("people.ndjson")], wanted, "people.ndjson")
    expect(read("people.csv").startswith(b"1,Ada,1815-12-10"), "people.csv: %r" % read("people.csv"))
    expect(b"\xa3Ada" in read("people.msgpack"), "people.msgpack: %r" % read("people.msgpack"))


def orchestration():
    """The commands that the file's head shows."""
    with Server() as server:
        env = {"HEADWORKS_URL": server.url}
        run("pipeline", "create", "demo", "--set", "OUT=" + TMP, EXAMPLES + "/orchestration.sql", env=env)
        run("pipeline", "start", "demo", env=env)
        paused = run("connector", "demo", "numbers", "c1", "pause", "--json", env=env)
        rows = json.loads(paused.stdout)["total_records"]
        equal(server.client().records("demo", "numbers.c1"), rows, "rows of the paused connector")
        run("connector", "demo", "numbers", "c2", "start", env=env)
        wait_until(lambda: server.client().records("demo", "numbers.c2") > 0, "c2 brings rows")
        expect(b"numbers.c1" in run("pipeline", "stats", "demo", env=env).stdout, "c1 is not in the statistics")
        run("pipeline", "stop", "demo", env=env)
        run("pipeline", "delete", "demo", env=env)


def end(process):
    process.send_signal(signal.SIGTERM)
    finish(process)


def follow_log():
    log, out = write("log", ""), open(path("alarms"), "wb")
    process = start("run", "--set", "LOG=" + log, EXAMPLES + "/follow_log.sql", stdout=out)
    with open(log, "a") as f:
        f.write("all is well\nsshd: ERROR: no such user\nall is well again\nkernel: error 5\n")
    wait_until(lambda: read("alarms").count(b"\n") == 2, "both alarms are printed")
    equal([row["line"] for row in read_rows("alarms")], ["sshd: ERROR: no such user", "kernel: error 5"], "alarms")
    end(process)


def connect(address):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(address)
        return s
    except (FileNotFoundError, ConnectionRefusedError):
        s.close()
        return None


def sockets():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path("hot.sock"))
    listener.listen()
    listener.settimeout(DEADLINE)
    process = start("run", "--set", "DIR=" + TMP, EXAMPLES + "/sockets.sql")
    writer = wait_until(lambda: connect(path("readings.sock")), "the input listens")
    writer.sendall(b'{"sensor":"a","celsius":21.5}\n{"sensor":"b","celsius":80}\n')
    reader = listener.accept()[0]
    reader.settimeout(DEADLINE)
    received = reader.makefile("rb").readline()
    equal(json.loads(received), {"sensor": "b", "fahrenheit": 176.0}, "what the socket gives")
    writer.close()
    reader.close()
    end(process)


def readme():
    """The first program of the README prints what the README says."""
    text = open(os.path.join(SRCDIR, "README.md"), encoding="utf-8").read()
    program = text.split("<<'SQL'\n")[1].split("SQL\n$ ")[0]
    command, printed = text.split("SQL\n$ printf '")[1].split("```")[0].split("' | headworks run first.sql\n")
    done = run("run", write("first.sql", program), stdin=command.replace("\\n", "\n").encode())
    equal(done.stdout.decode(), printed, "what the first program prints")


readme()
packages()
formats()
orchestration()
follow_log()
sockets()
