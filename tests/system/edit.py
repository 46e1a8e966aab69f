#!/usr/bin/env python3
"""Pipelines are changed by PUT and PATCH as the contract has it: which members when, what counts in which version, what
is compiled anew; a start may come before the program is there; events tell every change of a state at once."""
from libhw import *

GOOD = (table("t", "id BIGINT NOT NULL", [datagen("g", {"rate": 100})]) +
        view("v", "SELECT id FROM t", [null_output()]))
OTHER = GOOD + view("w", "SELECT id + 1 AS id FROM t")
BAD = "CREATE TABEL t (id INT);"


def versions(p):
    return p["version"], p["program_version"], p["refresh_version"]


def patch(client, body, status=200, name="p"):
    return client.expect(status, "PATCH", "/v0/pipelines/" + name, body)


def refused(reply, code):
    equal(reply.code, code, reply.json["message"])
    return reply.json["details"]


def counts(client):
    client.create("p", GOOD)
    p = client.get("p")
    equal(versions(p), (1, 1, 3), "versions when made")
    equal([c for c in p["program_info"]["input_connectors"]], ["t.g"], "inputs")
    equal(versions(patch(client, {}).json), (1, 1, 3), "versions after a PATCH of nothing")
    equal(versions(patch(client, {"program_code": GOOD}).json), (1, 1, 3), "versions after a PATCH with the same")
    patch(client, {"program_code": OTHER})
    wait_until(lambda: client.compiled("p"), "the other program is compiled")
    p = client.get("p")
    equal(versions(p), (2, 2, 6), "versions after another program")
    equal([r["name"] for r in p["program_info"]["schema"]["outputs"]], ["v", "w"], "views")
    equal(patch(client, {"description": "words", "tags": ["a/b", "c"]}).json["version"], 2, "version after words")
    p = patch(client, {"runtime_config": {"workers": 2}}).json
    equal((p["version"], p["program_version"], p["runtime_config"]["hosts"]), (3, 2, 1), "after a configuration")
    p = client.expect(200, "PUT", "/v0/pipelines/p", {"name": "p", "program_code": GOOD}).json
    equal((p["version"], p["program_version"], p["description"], p["tags"], p["runtime_config"]["workers"]),
          (4, 3, "", [], 8), "after a PUT")
    client.create("q", GOOD)
    refused(patch(client, {"name": "q"}, 409), "DuplicateName")
    equal(client.expect(200, "PUT", "/v0/pipelines/q", {"name": "r", "program_code": GOOD}).json["name"], "r", "name")
    refused(client.expect(404, "GET", "/v0/pipelines/q"), "UnknownPipelineName")
    client.expect(200, "DELETE", "/v0/pipelines/r")


def restrictions(client):
    wait_until(lambda: client.compiled("p") == "Success", "it is compiled")
    client.start("p")
    for body in ({"name": "q"}, {"program_code": OTHER}, {"runtime_config": {"workers": 5}}, {"udf_rust": "x"}):
        refused(patch(client, body, 400), "UpdateRestrictedToStopped")
    patch(client, {"description": "runs", "program_code": GOOD})
    client.stop("p")
    details = refused(patch(client, {"name": "q", "runtime_config": {"workers": 5, "resources": {"namespace": "n"}}},
                            400), "EditRestrictedToClearedStorage")
    equal(sorted(details["not_allowed"]), ["`name`", "`runtime_config.resources.namespace`",
                                           "`runtime_config.workers`"], "fields that may not be edited")
    refused(client.expect(400, "DELETE", "/v0/pipelines/p"), "DeleteRestrictedToClearedStorage")
    patch(client, {"program_code": OTHER, "runtime_config": {"min_batch_size_records": 7}})
    client.expect(202, "POST", "/v0/pipelines/p/clear")
    equal(patch(client, {"name": "s"}).json["name"], "s", "name after clearing")
    patch(client, {"name": "p"}, name="s")


def starts(client):
    patch(client, {"program_code": GOOD})
    client.expect(202, "POST", "/v0/pipelines/p/start?bootstrap_policy=allow")  # perhaps before it is compiled
    client.wait_status("p", "Running")
    client.expect(202, "POST", "/v0/pipelines/p/start?initial=running&bootstrap_policy=allow")
    for query, code in (("initial=paused&bootstrap_policy=allow", "InitialImmutableUnlessStopped"),
                        ("bootstrap_policy=reject", "BootstrapPolicyImmutableUnlessStopped"),
                        ("silent_bootstrap=true&concurrent_bootstrap=true", "InvalidBootstrapConfig"),
                        ("initial=standby", "InitialStandbyNotAllowed")):
        refused(client.expect(400, "POST", "/v0/pipelines/p/start?" + query), code)
    refused(client.expect(405, "POST", "/v0/pipelines/p/start?initial=soon"), "UnsupportedPipelineAction")
    p = client.get("p")
    equal((p["bootstrap_policy"], p["silent_bootstrap"], p["deployment_initial"]), ("allow", False, "Running"),
          "what the start was told")
    client.stop("p", force=True)
    equal(client.get("p")["bootstrap_policy"], None, "policy when stopped")
    # A start that waits for a program which does not compile, or one that is refused for that.
    patch(client, {"program_code": BAD})
    reply = client.request("POST", "/v0/pipelines/p/start")
    if reply.status == 202:
        error = wait_until(lambda: client.get("p")["deployment_error"], "the start fails")
        equal(error["error_code"], "StartFailedDueToFailedCompilation", error["message"])
        refused(client.expect(400, "POST", "/v0/pipelines/p/start?dismiss_error=false"),
                "CannotStartWithUndismissedError")
        client.expect(200, "POST", "/v0/pipelines/p/dismiss_error")
    wait_until(lambda: client.compiled("p"), "the compiler has seen it")
    refused(client.expect(400, "POST", "/v0/pipelines/p/start"), "CannotStartWithCompilationError")
    p = client.get("p")
    equal((p["program_status"], p["program_info"]), ("SqlError", None), "the program")
    message = p["program_error"]["sql_compilation"]["messages"][0]
    equal((message["start_line_number"], message["start_column"], message["warning"]), (1, 8, False), "place of the fault")
    patch(client, {"program_code": GOOD})
    client.start("p")
    client.stop("p", force=True)


def events(client):
    seen = client.expect(200, "GET", "/v0/pipelines/p/events").json
    newest = seen[0]
    equal((newest["deployment_resources_status"], newest["deployment_has_error"], newest["storage_status"]),
          ("Stopped", False, "InUse"), "the newest event")
    ups = [e["deployment_runtime_status"] for e in seen[:8]]
    expect("Initializing" in ups and "Running" in ups, "no Initializing or Running in %r" % ups)
    expect(ups.index("Running") < ups.index("Initializing"), "the newest is not first: %r" % ups)
    one = client.expect(200, "GET", "/v0/pipelines/p/events/%s?selector=all" % seen[3]["event_id"]).json
    equal({k: v for k, v in one.items() if k in seen[3]}, seen[3], "one event")
    equal(client.expect(200, "GET", "/v0/pipelines/p/events/latest").json, newest, "the latest")


with Server() as server:
    client = server.client()
    counts(client)
    restrictions(client)
    starts(client)
    events(client)
    client.delete("p")
