#!/usr/bin/env python3
"""make bench-api: 200 pipelines of 10 connectors in one server, one of them at full speed, 1,000 keep-alive clients on
control endpoints, 100 log followers and 100 egress listeners: how long a stats call takes, what memory and descriptors
do.

    bench/api_load.py --build DIR [--pipelines 200] [--clients 1000] [--followers 200] [--rounds 3] [--seconds 10]
"""
import argparse
import json
import os
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--build", default=".", help="directory with headworks and bench/api_load")
parser.add_argument("--pipelines", type=int, default=200)
parser.add_argument("--clients", type=int, default=1000)
parser.add_argument("--followers", type=int, default=200)
parser.add_argument("--rate", type=float, default=1.0, help="requests a second of each client")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=10)
options = parser.parse_args()
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(options.build)
os.environ.update(HEADWORKS=os.path.join(BUILD, "headworks"), SRCDIR=SOURCE)
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))
sys.dont_write_bytecode = True
from libhw import *  # noqa: E402,F403  (it reads the environment)

SMALL = "".join(table("t%d" % i, "num BIGINT NOT NULL", [datagen("c", {"rate": 10})]) for i in range(5)) + "".join(
    view("v%d" % i, "SELECT num FROM t%d" % i, [null_output("o")]) for i in range(5))
BUSY = (table("t", "num BIGINT NOT NULL, text VARCHAR", [datagen("c")]) +
        view("v", "SELECT num FROM t WHERE MOD(num, 2) = 0", [null_output("o")]))


FOLLOWED = "/v0/pipelines/p0/logs,POST /v0/pipelines/p0/egress/v0?format=json"


def resources(server):
    with open("/proc/%d/statm" % server.process.pid) as f:
        resident = int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 10
    return resident, len(os.listdir("/proc/%d/fd" % server.process.pid))


def start_all(client):
    for i in range(options.pipelines):
        client.create("p%d" % i, SMALL)
        client.expect(202, "POST", "/v0/pipelines/p%d/start" % i)
    client.create("busy", BUSY)
    client.start("busy")
    for i in range(options.pipelines):
        client.wait_status("p%d" % i, "Running")


def load(server, *targets, clients=None, followers=None):
    command = [os.path.join(BUILD, "bench", "api_load"), str(server.port),
               str(options.clients if clients is None else clients), str(options.rate), str(options.seconds),
               str(options.followers if followers is None else followers), FOLLOWED, *targets]
    done = subprocess.run(command, capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def show(what, r):
    print("%-46s %6.0f/s  p50 %6.2f ms  p99 %6.2f ms  p99.9 %6.2f ms  max %6.2f ms%s" % (
        what, r["per_second"], r["p50_us"] / 1e3, r["p99_us"] / 1e3, r["p999_us"] / 1e3, r["max_us"] / 1e3,
        ", %d ERRORS" % r["errors"] if r["errors"] else ""), flush=True)


def while_listing(server, **kwargs):
    """Beside a client that asks for everything there is to all pipelines, again and again."""
    workers, lists = Workers(), []

    def ask():
        client = server.client()
        while not workers.stopping.is_set():
            lists.append(len(client.expect(200, "GET", "/v0/pipelines").body))

    workers.add(ask)
    result = load(server, *STATS, **kwargs)
    workers.stop()
    show("    while one lists all (%d times %d KiB)" % (len(lists), lists[0] >> 10), result)


STATS = ["/v0/pipelines/busy/stats"]
MIXED = ["/v0/pipelines/p%d%s" % (i, s) for i in range(min(options.pipelines, 20))
         for s in ("/stats", "?selector=status", "/time_series")] + ["/healthz", "/v0/cluster_healthz"]

with Server() as server:
    client = server.client()
    start_all(client)
    print("%d pipelines of 10 connectors, one more at full speed: %d KiB, %d descriptors" % (
        options.pipelines, *resources(server)), flush=True)
    descriptors = resources(server)[1]
    before = client.records("busy", "t.c")
    show("stats of the busy pipeline, 10 clients", load(server, *STATS, clients=10, followers=0))
    while_listing(server, clients=100, followers=0)
    for i in range(options.rounds):
        show("stats of the busy pipeline", load(server, *STATS))
        show("control endpoints, mixed", load(server, *MIXED))
        client.connection.close()
        wait_until(lambda: resources(server)[1] <= descriptors, "descriptors are as many as before")
        print("    then %d KiB, %d descriptors" % resources(server), flush=True)
    rows = client.records("busy", "t.c") - before
    print("the busy pipeline took in %.1f M rows meanwhile" % (rows / 1e6))
    server.process.kill()
    server.process.wait()
    os._exit(0)  # a stop would take its time
