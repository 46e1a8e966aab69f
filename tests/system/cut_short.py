#!/usr/bin/env python3
"""Rows are counted as far as they were written, also when the time to write them runs out."""
from libhw import *

fifo = path("fifo")
os.mkfifo(fifo)
reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
os.set_blocking(reader, True)
program = (table("t", "id BIGINT NOT NULL", [datagen("g", max_queued_records=100000)]) +
           view("v", "SELECT id FROM t", [file_output("out", fifo)]))
with open(path("summary.json"), "wb") as summary:
    process = start("run", "--json", "--drain-timeout", "1", write("cut.sql", program), stdout=summary)
got = b""
while len(got) < 100000:  # then it is not read any more, until the time is up
    got += os.read(reader, 1000)
process.send_signal(signal.SIGTERM)
finish(process, 1)
while piece := os.read(reader, 1 << 16):
    got += piece
os.close(reader)

out = json.loads(read("summary.json").splitlines()[-1])["outputs"][0]
equal((out["bytes"], out["rows"]), (len(got), got.count(b"\n")), "bytes and rows in the summary")
print("%d rows, %d bytes" % (out["rows"], out["bytes"]))
