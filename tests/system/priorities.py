#!/usr/bin/env python3
"""The threads that run connectors and circuits have a lower priority than those that answer, whoever started them."""
from libhw import *


def priorities(server):
    """The values of nice by names of threads."""
    found, tasks = {}, "/proc/%d/task" % server.process.pid
    for thread in os.listdir(tasks):
        with open("%s/%s/stat" % (tasks, thread)) as f:
            name, numbers = f.read().split("(", 1)[1].rsplit(")", 1)
        found.setdefault(name, set()).add(int(numbers.split()[16]))
    return found


def check(server, lower, own):
    client = server.client()
    # Files are written by helpers: some are started by the API's thread, others by workers and helpers.
    client.create("p", table("t", "id BIGINT", [datagen("c%d" % i, {"limit": 10000}) for i in range(8)]) +
                  view("v", "SELECT id FROM t", [file_output("o%d" % i, path("out%d" % i)) for i in range(8)]))
    client.start("p")
    client.wait_complete("p")
    nice = priorities(server)
    equal({k: nice.get(k) for k in ("hw-worker", "hw-helper")}, {"hw-worker": {lower}, "hw-helper": {lower}}, "nice")
    equal({k: nice.get(k) for k in ("hw-api", "hw-reactor")}, {"hw-api": {own}, "hw-reactor": {own}}, "nice")
    client.stop("p")


own = os.nice(2)  # what the server is started with
with Server() as server:
    check(server, min(own + 5, 19), own)
with Server("--worker-nice", "0") as server:
    check(server, own, own)
with Server("--worker-nice", "19") as server:
    check(server, 19, own)
said = run("serve", "--worker-nice", "20", status=2).stderr
expect(b"worker-nice" in said, said)
