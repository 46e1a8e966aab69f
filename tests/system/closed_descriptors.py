#!/usr/bin/env python3
"""The program started with standard descriptors closed: no file of its own takes their numbers."""
from libhw import *

TO_STDOUT = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": 3})]) +
             view("v", "SELECT id FROM t", [{"name": "out", "transport": {"name": "stdout_output"}, "format": JSON_RAW}]))
FROM_STDIN = table("t", "id BIGINT", [file_input("f", "-")]) + view("v", "SELECT id FROM t", [null_output()])
TO_FILE = (table("t", "id BIGINT NOT NULL", [datagen("g", {"limit": 3})]) +
           view("v", "SELECT id FROM t", [file_output("file", path("out.ndjson"))]))


def run_closed(closed, name, program, status):
    """By way of a shell, which closes what is said: the exit status, and standard error unless it is closed."""
    log = path(name + ".log")
    command = 'exec "$0" run -q "$1" 2>"$2" ' + closed
    process = subprocess.Popen(["sh", "-c", command, HEADWORKS, write(name + ".sql", program), log],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    finish(process, status)
    return read(name + ".log").decode()



said = run_closed(">&-", "stdout", TO_STDOUT, 1)
expect("standard output is closed" in said, "stdout closed: %r" % said)
said = run_closed("<&-", "stdin", FROM_STDIN, 1)
expect("standard input is closed" in said, "stdin closed: %r" % said)
for closed in ">&-", "<&-", "2>&-", "<&- >&- 2>&-":
    write("out.ndjson", b"")
    run_closed(closed, "file", TO_FILE, 0)
    equal(read_rows("out.ndjson"), [{"id": i} for i in range(3)], "rows with " + closed)
