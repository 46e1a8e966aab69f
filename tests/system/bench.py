#!/usr/bin/env python3
"""headworks bench counts every record, measures, and gives no rate when something is missing."""
import json

from libhw import *

ROWS = 400000
BALLAST = b"\1" * (128 << 20)  # what starts the program is larger than the program

program = (table("t", "id BIGINT NOT NULL, name VARCHAR", [file_input("f", path("in.ndjson"), max_batch_size=1000)]) +
           view("small", "SELECT id, name FROM t WHERE MOD(id, 10) < 9", [file_output("a", path("a.ndjson"))]) +
           view("odd", "SELECT id FROM small WHERE MOD(id, 2) = 1", [file_output("b", path("b.ndjson"))]))


def bench(*options, status=0):
    return json.loads(run("bench", "--json", *options, write("p.sql", program), status=status).stdout)


write("in.ndjson", "".join('{"id":%d,"name":"n%d"}\n' % (i, i) for i in range(ROWS)) + "bad\n")
report = bench("--repeat", "2", "--pause-every", "1")
equal(len(report["runs"]), 2, "runs")
for one in report["runs"]:
    equal((one["fault"], one["rows_in"], one["bad_records"], one["pauses_untrue"]), (None, ROWS, 1, 0), "a run")
    rows = ROWS * 9 // 10 + len([i for i in range(10) if i < 9 and i % 2]) * ROWS // 10
    equal(one["rows_out"], rows, "rows out")
    expect(one["rows_per_second"] > 0 and one["bytes_in_per_second"] > 0, "rates: %r" % one)
    expect(one["cpu_seconds"] > 0 and one["peak_rss_bytes"] > 1 << 20, "resources: %r" % one)
    expect(SANITIZED or one["peak_rss_bytes"] < len(BALLAST), "its peak is its own: %r" % one)
    expect(one["latency_us"]["count"] > 0 and one["latency_us"]["max"] >= one["latency_us"]["p50"], "latency")
    expect(one["pause_us"] and one["pause_us"]["count"] > 0, "no pause was measured")
equal(bench("--no-pauses")["runs"][0]["pause_us"], None, "pauses that were not asked for")
said = run("bench", "--pause-every", "60000", write("p.sql", program)).stdout
expect(b"but for the bad ones all accounted for" in said and b"1 pauses" not in said, "of the records: %r" % said)
whole = read("in.ndjson")
write("in.ndjson", "bad\n")
report = bench(status=1)
equal((report["median_rows_per_second"], report["runs"][0]["fault"]), (None, "no row came in: every record was bad"),
      "a rate of nothing")
write("in.ndjson", whole)

program = program.replace(path("b.ndjson"), "/nowhere/b.ndjson")
report = bench(status=1)
equal(report["median_rows_per_second"], None, "the rate of a run that failed")
