#!/usr/bin/env python3
"""A connector is active when pipeline and connector are both running, and only then; the two pauses do not touch
each other; the endpoint answers as the contract says."""
from libhw import *

LOOKS = 15


def still(client, endpoint):
    before = client.records("demo", endpoint)
    for _ in range(LOOKS):
        equal(client.records("demo", endpoint), before, "rows of %s, which is paused" % endpoint)


def moves(client, endpoint):
    before = client.records("demo", endpoint)
    wait_until(lambda: client.records("demo", endpoint) > before, "%s brings rows" % endpoint)


def check(client, pipeline, connectors):
    """connectors: endpoint -> is it to be running?"""
    equal(client.stats("demo")["global_metrics"]["state"], pipeline, "state of the pipeline")
    for endpoint, running in connectors.items():
        equal(client.input_stats("demo", endpoint)["paused"], not running, "%s: paused" % endpoint)
        if running and pipeline == "Running":
            moves(client, endpoint)
        else:
            still(client, endpoint)


def table_of_states(client):
    client.start("demo", initial="paused")
    both = {"numbers.c1": True, "numbers.c2": False}
    check(client, "Paused", both)
    client.resume("demo")
    client.wait_status("demo", "Running")
    check(client, "Running", both)

    client.connector("demo", "numbers", "c1", "pause")
    check(client, "Running", {"numbers.c1": False, "numbers.c2": False})
    client.connector("demo", "numbers", "c2", "start")
    check(client, "Running", {"numbers.c1": False, "numbers.c2": True})

    client.pause("demo")
    client.wait_status("demo", "Paused")
    check(client, "Paused", {"numbers.c1": False, "numbers.c2": True})
    client.connector("demo", "numbers", "c1", "start")  # accepted, and without effect until the pipeline runs
    client.connector("demo", "numbers", "c2", "pause")
    check(client, "Paused", {"numbers.c1": True, "numbers.c2": False})
    client.resume("demo")
    client.wait_status("demo", "Running")
    check(client, "Running", {"numbers.c1": True, "numbers.c2": False})


def refused(client, status, code, method, target):
    reply = client.expect(status, method, "/v0/pipelines/" + target)
    error = reply.json
    equal(sorted(error), ["details", "error_code", "message"], "members of an error")
    equal(error["error_code"], code, "error_code of %s" % target)
    expect(error["message"] and isinstance(error["details"], dict), "an error without message or details: %r" % error)


def endpoint(client):
    base = "demo/tables/%s/connectors/%s/%s"
    refused(client, 400, "InvalidConnectorAction", "POST", base % ("numbers", "c1", "stop"))
    refused(client, 400, "InvalidConnectorAction", "POST", "nobody/tables/t/connectors/c/Pause")
    refused(client, 404, "UnknownPipelineName", "POST", "nobody/tables/numbers/connectors/c1/pause")
    refused(client, 404, "UnknownInputEndpoint", "POST", base % ("numbers2", "c1", "pause"))
    refused(client, 404, "UnknownInputEndpoint", "POST", base % ("numbers", "c3", "pause"))
    refused(client, 404, "UnknownInputEndpoint", "POST", base % ("numbers", "C1", "pause"))
    refused(client, 404, "UnknownInputEndpoint", "POST", base % ("%22Numbers%22", "c1", "pause"))
    for spelling in "numbers", "NUMBERS", "Numbers", "%22numbers%22":
        reply = client.expect(200, "POST", "/v0/pipelines/" + base % (spelling, "c1", "pause"))
        equal(reply.body, b"", "body")


with Server() as server:
    client = server.client()
    client.create("demo", open(EXAMPLES + "/orchestration.sql").read().replace("${RATE:-1000}", "20000")
                  .replace("${OUT:-.}", TMP))
    refused(client, 503, "PipelineInteractionNotDeployed", "POST", "demo/tables/numbers/connectors/c1/pause")
    table_of_states(client)
    endpoint(client)
    client.stop("demo")
    refused(client, 503, "PipelineInteractionNotDeployed", "POST", "demo/tables/numbers/connectors/c1/start")
    refused(client, 404, "UnknownPipelineName", "GET", "nobody")

rows = read_rows("even_numbers.ndjson")
expect(rows and all(row["num"] % 2 == 0 for row in rows), "the output holds odd numbers or nothing")
