#!/usr/bin/env python3
"""Feldera's own Python client drives Headworks unchanged: see _sdk.py for what it does. Skipped where the package
`feldera` is not there."""
import importlib.util
import os
import subprocess
import sys

from libhw import DEADLINE, SRCDIR, Server, fail, skip

if importlib.util.find_spec("feldera") is None:
    skip("the package feldera is not to be had")
with Server() as server:
    script = os.path.join(SRCDIR, "tests", "system", "_sdk.py")
    done = subprocess.run([sys.executable, script, server.url], capture_output=True, timeout=2 * DEADLINE + 40)
    if done.returncode != 0:
        fail("%s%s" % (done.stdout.decode()[-2000:], done.stderr.decode()[-6000:]))
