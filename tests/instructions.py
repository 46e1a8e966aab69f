#!/usr/bin/env python3
"""Instructions a row of each way between text and columns, counted by callgrind, against tests/instructions.txt.

Unlike times they are the same on a busy machine. More than the table says, by more than the tolerance, is a failure;
fewer is said, so that the table can follow. Another compiler makes other code, and so does another instruction set: the
table names its own, and with others this is skipped.

Usage: instructions.py BUILD [--write]      BUILD has headworks, bench/parse_bench and bench/gen_rows, at the default -O2"""
import os
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.05  # of what the table says; libc's copies differ that much between processors
ROWS = 20000
SIMD = "avx2"
WAYS = ["%s-%s" % (what, form) for form in ("json", "csv", "msgpack") for what in ("parse", "encode")]
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")


def compiler():
    first = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return "gcc %s %s %s" % (first.split()[-1].split(".")[0], os.uname().machine, SIMD)


def count(build, rows, way, directory):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--toggle-collect=timed_*", "--callgrind-out-file=%s/out" % directory,
         os.path.join(build, "bench/parse_bench"), rows, "1", way], capture_output=True, text=True,
        env=dict(os.environ, HEADWORKS_SIMD=SIMD))
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found or '"seconds"' not in done.stdout:
        sys.exit("%s: %s%s" % (way, done.stdout, done.stderr))
    return int(found.group(1)) / ROWS


def runs_here(build):
    return subprocess.run([os.path.join(build, "headworks"), "version"], capture_output=True,
                          env=dict(os.environ, HEADWORKS_SIMD=SIMD)).returncode == 0


def measure(build):
    with tempfile.TemporaryDirectory() as directory:
        rows = os.path.join(directory, "rows")
        with open(rows, "wb") as out:
            subprocess.run([os.path.join(build, "bench/gen_rows"), str(ROWS)], stdout=out, check=True)
        return {way: count(build, rows, way, directory) for way in WAYS}


def main():
    if "--write" in sys.argv:
        with open(TABLE, "w") as out:
            out.write("# Instructions a row, by tests/instructions.py --write; %d rows of bench/gen_rows.\n" % ROWS)
            out.write("compiler %s\n" % compiler())
            out.writelines("%s %.0f\n" % way for way in measure(sys.argv[1]).items())
        return 0
    with open(TABLE) as table:
        wanted = dict(line.rstrip("\n").split(" ", 1) for line in table if not line.startswith("#"))
    table_of = wanted.pop("compiler")
    if table_of != compiler() or not runs_here(sys.argv[1]):
        print("the table is for %s: not for %s, or not for this processor" % (table_of, compiler()))
        print("0 passed, 0 failed, %d skipped" % len(wanted))
        return 0
    failed = 0
    for way, now in measure(sys.argv[1]).items():
        then = float(wanted[way])
        bad = now > then * (1 + TOLERANCE)
        failed += bad
        verdict = "FAILED: too many" if bad else "fewer: let the table follow" if now < then * (1 - TOLERANCE) else "ok"
        print("%-16s %6.0f instructions a row, in the table %6.0f  %s" % (way, now, then, verdict))
    print("%d passed, %d failed" % (len(WAYS) - failed, failed))
    return failed != 0


sys.exit(main())
