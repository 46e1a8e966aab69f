#!/usr/bin/env python3
"""A full disk holds the output, which says so; when there is room again nothing is lost."""
import os
import signal
import subprocess
import sys

from libhw import *

ROWS = 300000


def full_device():
    """/dev/full: the run says why it cannot go on, other outputs get their rows."""
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": 1000})]) +
               view("v", "SELECT id FROM t", [file_output("full", "/dev/full", fsync="never"),
                                              file_output("good", path("good.ndjson"))]))
    with Server() as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        reason = wait_until(lambda: transport_errors(client, "v.full"), "the full device is reported")
        expect("No space left" in reason, "the reason is %r" % reason)
        wait_until(lambda: os.path.exists(path("good.ndjson")) and len(read("good.ndjson").splitlines()) == 1000,
                   "the other output gets all rows")
        expect(not client.complete("p"), "a pipeline with rows unwritten is no complete one")
        client.stop("p", force=True)


def transport_errors(client, endpoint):
    for output in client.stats("p", errors=True)["outputs"]:
        if output["endpoint_name"] == endpoint and output["transport_errors"]:
            return output["transport_errors"][-1]["message"]
    return None


def small_disk(disk):
    """Inside a mount namespace of our own, where the disk is a small tmpfs."""
    filler = os.path.join(disk, "filler")
    with open(filler, "wb") as f:
        f.write(b"\0" * (6 << 20))
    program = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": ROWS})]) +
               view("v", "SELECT id FROM t", [file_output("f", os.path.join(disk, "out.ndjson"))]))
    with Server() as server:
        client = server.client()
        client.create("p", program)
        client.start("p")
        reason = wait_until(lambda: transport_errors(client, "v.f"), "the full disk is reported")
        expect("No space left" in reason, "the reason is %r" % reason)
        expect(not client.complete("p"), "a pipeline with rows unwritten is no complete one")
        os.unlink(filler)
        client.wait_complete("p")
        client.stop("p")
    with open(os.path.join(disk, "out.ndjson"), "rb") as f:
        expect(f.read() == b"".join(b'{"id":%d}\n' % i for i in range(ROWS)), "rows were lost or repeated")


if len(sys.argv) > 1:
    small_disk(sys.argv[1])
    sys.exit(0)
full_device()
os.mkdir(path("disk"))
mount = 'mount -t tmpfs -o size=8m tmpfs "$1" 2>/dev/null || exit 77; exec python3 "$2" "$1"'
done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", path("disk"),
                       os.path.abspath(__file__)])
if done.returncode == 77 or (done.returncode == 1 and subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], stderr=subprocess.DEVNULL).returncode):
    skip("no small file system can be mounted here; /dev/full was tried")
sys.exit(done.returncode)
