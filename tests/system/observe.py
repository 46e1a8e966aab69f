#!/usr/bin/env python3
"""What a running pipeline tells of itself is true: statistics, metrics, history, log, profile, bundle."""
import io
import zipfile

from libhw import *
from libschema import module

ROWS = 50000
PROGRAM = (table("numbers", "num BIGINT NOT NULL", [datagen("c1", {"limit": ROWS})]) +
           table("lines", "id BIGINT NOT NULL", [file_input("bad", path("bad.ndjson"))]).replace(
               "WITH (", "WITH ('materialized' = 'true', ") +
           view("even", "SELECT num FROM numbers WHERE MOD(num, 2) = 0", [null_output("out")]))
SECRET = "do-not-tell"


def samples(text):
    """Prometheus' text as {(name, labels): value}, read strictly: each family once, with HELP and TYPE before it."""
    found, family, kinds = {}, None, {}
    for line in text.splitlines():
        word = line.split(" ")
        if line.startswith("# HELP "):
            family = word[2]
            expect(family not in kinds, "%s comes twice" % family)
            kinds[family] = None
        elif line.startswith("# TYPE "):
            equal(word[2], family, "family of a type")
            kinds[family] = word[3]
        else:
            name, _, rest = line.partition("{")
            labels, _, value = rest.rpartition("} ") if rest else ("", "", line.split(" ")[1])
            name = name.split(" ")[0]
            suffixes = ("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)
            expect(name in [family + s for s in suffixes], "%s stands in family %s" % (name, family))
            expect((name, labels) not in found, "%s{%s} comes twice" % (name, labels))
            found[name, labels] = float(value)
    return found


def of(found, name, endpoint=None):
    values = [v for (n, labels), v in found.items()
              if n == name and (endpoint is None or 'endpoint="%s"' % endpoint in labels)]
    equal(len(values), 1, "samples of %s" % name)
    return values[0]


def check_metrics(client):
    reply = client.expect(200, "GET", "/v0/pipelines/p/metrics")
    equal(reply.headers["Content-Type"], "text/plain", "type of metrics")
    found = samples(reply.body.decode())
    for name, endpoint, value in [
            ("records_input_total", None, ROWS + 3), ("records_processed_total", None, ROWS + 3),
            ("headworks_state_rows", None, 3), ("headworks_dead_letters_kept", None, 2),
            ("headworks_dead_letters_total", None, 2), ("headworks_dead_letters_dropped_total", None, 0),
            ("headworks_catalog_commit_seconds_count", None, of(found, "headworks_catalog_commits_total")),
            ("headworks_completed_records_total", None, ROWS + 3), ("pipeline_complete", None, 1),
            ("input_connector_records_total", "numbers.c1", ROWS), ("input_connector_records_total", "lines.bad", 3),
            ("input_connector_errors_parse_total", "lines.bad", 2), ("input_connector_end_of_input", "lines.bad", 1),
            ("output_connector_records_total", "even.out", ROWS // 2), ("headworks_pipelines", None, 1)]:
        equal(of(found, name, endpoint), value, name)
    expect(of(found, "dbsp_step_latency_seconds_count") == of(found, "dbsp_steps_total") > 0, "steps are timed")
    expect(of(found, "headworks_state_bytes") >= 3 * 8, "bytes of state")
    expect(0 < of(found, "headworks_dead_letters_kept_bytes") < 10000, "bytes of dead letters")
    created = 'method="POST",path="/v0/pipelines",status="2xx"'
    equal(found["http_requests_total", created], 1, "pipelines that were made")
    expect(0 < of(found, "process_cpu_seconds_total") < 1000, "CPU time")
    expect(of(found, "process_open_fds") <= of(found, "process_max_fds"), "descriptors")
    expect(abs(of(found, "process_start_time_seconds") - time.time()) < 300, "start of the process")
    parser = module("prometheus_client.parser")
    if parser:
        for text in (reply.body.decode(), client.expect(200, "GET", "/v0/metrics").body.decode()):
            theirs = {(s.name, tuple(sorted(s.labels.items()))): s.value
                      for family in parser.text_string_to_metric_families(text) for s in family.samples}
            equal(len(theirs), len(samples(text)), "samples that their parser finds")
    described = {m["key"]: m for m in client.expect(200, "GET", "/v0/pipelines/p/metrics?format=json").json}
    names = {name for name, _ in found}
    for key, metric in described.items():
        if metric["type"] == "histogram":
            value = metric["values"][0]["value"]
            equal(sum(b["count"] for b in value["buckets"]), value["count"], key)
            expect(key + "_bucket" in names, "%s as text" % key)
        else:
            expect(key in names, "%s as text" % key)


def check_stats(client, server, began):
    stats = client.stats("p", errors=True)
    total = stats["global_metrics"]
    equal(total["state"], "Running", "state")
    expect(abs(total["start_time"] - began) < 60 and total["initial_start_time"] == total["start_time"], "start time")
    text = samples(client.expect(200, "GET", "/v0/pipelines/p/metrics").body.decode())
    equal(int(of(text, "pipeline_start_time_seconds")), total["start_time"], "start time as a metric")
    equal(total["incarnation_uuid"], client.stats("p")["global_metrics"]["incarnation_uuid"], "incarnation")
    with open("/proc/%d/statm" % server.process.pid) as f:
        resident = int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    expect(resident / 4 < total["rss_bytes"] < resident * 4, "rss_bytes %d, and it is %d" % (total["rss_bytes"], resident))
    first = client.stats("p")["global_metrics"]["uptime_msecs"]
    wait_until(lambda: client.stats("p")["global_metrics"]["uptime_msecs"] > first, "uptime goes on")
    latency = client.input_stats("p", "numbers.c1")["metrics"]["processing_latency_p99_micros"]
    expect(0 < latency < 60e6, "processing_latency_p99_micros is %r" % latency)
    bad = next(i for i in stats["inputs"] if i["endpoint_name"] == "lines.bad")
    equal([e["index"] for e in bad["parse_errors"]], [0, 1], "errors of lines.bad")


def check_profile(client):
    profile = client.expect(200, "GET", "/v0/pipelines/p/circuit_json_profile").json
    operators = {o["relation"]: o for o in profile["operators"]}
    even = operators["even"]
    equal((even["rows_in"], even["rows_out"], even["inputs"]), (ROWS, ROWS // 2, ["numbers"]), "operator even")
    expect(even["micros"] > 0 and even["batches"] == operators["numbers"]["batches"], "cost of even: %r" % even)
    equal(operators["lines"]["rows_out"], 3, "rows of lines")
    graph = client.expect(200, "GET", "/v0/pipelines/p/dataflow_graph").json["mir"]
    equal([i["node"] for i in graph["even.0.filter"]["inputs"]], ["numbers"], "input of the filter")
    equal(graph["even"]["view"], "even", "the view")


def check_series(client):
    def samples():
        return client.expect(200, "GET", "/v0/pipelines/p/time_series").json["samples"]
    wait_until(lambda: len(samples()) >= 3, "three samples", 60)
    found = samples()
    for a, b in zip(found, found[1:]):
        expect(500 < b["t"] - a["t"] < 5000, "samples are a second apart: %r" % found)
    equal(found[-1]["r"], ROWS + 3, "records processed")
    stream = http.client.HTTPConnection("127.0.0.1", client.port, timeout=DEADLINE)
    stream.request("GET", "/v0/pipelines/p/time_series_stream")
    reply = stream.getresponse()
    equal(reply.headers["Content-Type"], "application/x-ndjson", "type of the stream")
    lines = [json.loads(reply.readline()) for _ in range(len(found) + 1)]
    equal(lines[:len(found)], found, "the stream begins with what is known")
    expect(lines[-1]["t"] > found[-1]["t"], "and goes on")
    stream.close()


def check_bundle(client):
    reply = client.expect(200, "GET", "/v0/pipelines/p/support_bundle")
    bundle = zipfile.ZipFile(io.BytesIO(reply.body))
    equal(bundle.testzip(), None, "the archive")
    names = set(bundle.namelist())
    expect({"stats.json", "metrics.txt", "logs.txt", "pipeline.json", "connectors.json", "circuit_profile.json",
            "dataflow_graph.json", "system.json"} <= names, "the bundle has %s" % sorted(names))
    for name in names:
        text = bundle.read(name).decode()
        expect(SECRET not in text, "%s has a secret" % name)
        if name.endswith(".json"):
            json.loads(text)
    expect("Running" in bundle.read("logs.txt").decode(), "the log is in it")


def check_sdk(client):
    feldera = module("feldera")
    if not feldera:
        return
    sdk = feldera.FelderaClient("http://127.0.0.1:%d" % client.port)
    equal(sdk.get_pipeline("p", feldera.enums.PipelineFieldSelector.STATUS).name, "p", "the SDK's pipeline")
    stats = sdk.get_pipeline_stats("p")
    equal(stats["global_metrics"]["total_input_records"], ROWS + 3, "the SDK's statistics")
    logs = sdk.get_pipeline_logs("p")
    expect("Fresh start of pipeline log" in next(iter(logs)), "the SDK's log")


write("bad.ndjson", '{"id": 1}\n{"id": "x"}\n{"id": 2}\nnonsense\n{"id": 3}\n')
began = time.time()
with Server() as server:
    client = server.client()
    client.expect(201, "POST", "/v0/pipelines", {"name": "p", "program_code": PROGRAM + "-- " + SECRET,
                                                 "runtime_config": {"env": {"TOKEN": SECRET}}})
    wait_until(lambda: client.compiled("p"), "p is compiled")
    client.start("p")
    client.wait_complete("p")
    check_stats(client, server, began)
    check_metrics(client)
    check_profile(client)
    check_series(client)
    check_bundle(client)
    check_sdk(client)
    client.stop("p")
    equal(client.request("GET", "/v0/pipelines/p/metrics").code, "PipelineInteractionNotDeployed", "metrics when stopped")
