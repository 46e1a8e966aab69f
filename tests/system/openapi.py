#!/usr/bin/env python3
"""/api-doc/openapi.json is what is served, and keeps what the contract promises: parameters, statuses, shapes."""
import re

from libhw import *
from libschema import *

PROGRAM = (table("numbers", "num BIGINT NOT NULL, label VARCHAR", [datagen("c1", {"rate": 1000})]) +
           view("even", "SELECT num FROM numbers WHERE MOD(num, 2) = 0", [null_output("out")]))

# Where the contract's own document is not what its server does (milliseconds, rows as an array), and what is said in fewer words here.
KNOWN = ("may be any text", ".json_data is array, not object", ".now is integer, not string", ".t is integer, not string")
UNLIKE = ("/config/authentication", "/v0/pipelines/{pipeline_name}/time_series")  # its document leaves out {}
VALUES = {"pipeline_name": "p", "table_name": "numbers", "view_name": "even", "action": "start", "event_id": "latest",
          "api_key_name": "none"}


def operations(document):
    return {(path, method): operation for path, methods in document["paths"].items()
            for method, operation in methods.items()}


def json_schema(operation, status):
    return operation["responses"][status].get("content", {}).get("application/json", {}).get("schema")


def parameters(operation, place):
    return {p["name"] for p in operation["parameters"] if p["in"] == place}


def compare(document, wanted):
    """Both ways: what is here of the contract has the contract's parameters, statuses and shapes."""
    ours, theirs, faults = operations(document), operations(wanted), []
    mine, others = Schemas(document), Schemas(wanted)
    for key in sorted(set(ours) & set(theirs)):
        operation, asked = ours[key], theirs[key]
        faults += ["%s %s: no parameter %s" % (*key, name) for name in asked["query"]
                   if name not in parameters(operation, "query")]
        faults += ["%s %s: parameter %s" % (*key, name) for name in parameters(operation, "path") ^ set(asked["path"])]
        for status in operation["responses"]:
            schema = json_schema(operation, status) if status[0] == "2" else None
            media = asked["responses"].get(status, {}).get("application/json")
            if status[0] == "2" and status not in asked["responses"]:
                faults.append("%s %s: status %s" % (*key, status))
            if schema and media:
                faults += ["%s %s: %s" % (*key, f) for f in mine.promises(schema, others, media)]
    return [f for f in faults if not f.endswith(KNOWN)]


def fill(path, connector):
    values = dict(VALUES, connector_name=connector)
    return re.sub(r"\{(\w+)\}", lambda m: values[m.group(1)], path)


def look(client, document, wanted):
    """Every GET of ours, of a running pipeline: the reply has our shape and, where there is one, the contract's."""
    mine, others, theirs, seen = Schemas(document), Schemas(wanted), operations(wanted), 0
    for (path, method), operation in operations(document).items():
        query = [p for p in operation["parameters"] if p["in"] == "query" and p["required"]]
        schema = json_schema(operation, "200") if "200" in operation["responses"] else None
        if method != "get" or not schema or query or not all(n in VALUES or n == "connector_name"
                                                             for n in parameters(operation, "path")):
            continue
        reply = client.request("GET", fill(path, "c1" if "/tables/" in path else "out"))
        if reply.status == 404 or not reply.headers["Content-Type"].startswith("application/json"):
            continue  # there is no such key or event
        equal(reply.status, 200, path)
        seen += 1
        fault = mine.fault(schema, reply.json, path, exact=True)
        asked = theirs.get((path, method), {}).get("responses", {}).get("200", {}).get("application/json")
        if not fault and asked is not None and path not in UNLIKE:
            fault = others.fault(asked, reply.json, path)
        expect(not fault, fault)
    expect(seen > 12, "%d replies were looked at" % seen)


def served(client, document, wanted):
    """Every operation is served, and nothing else of the contract is."""
    for (path, method) in operations(document):
        reply = client.request("OPTIONS", fill(path, "c1"))
        expect(reply.status in (204, 405) and method.upper() in reply.headers["Allow"], "%s %s: %s" %
               (method, path, reply.headers["Allow"]))
    missing = {path for path, _ in operations(wanted)} - set(document["paths"])
    for path in sorted(missing):
        filled = re.sub(r"\{\w+\}", "p", path)
        reply = client.request("GET", filled)
        expect(reply.status in (404, 405), "%s is served, and not told: %d" % (path, reply.status))


def is_valid(document):
    """By those who wrote the rules, where they can be had."""
    validator = module("openapi_spec_validator")
    if validator:
        validator.validate(document)


with Server() as server:
    client = server.client()
    document = client.expect(200, "GET", "/api-doc/openapi.json").json
    wanted = contract()
    faults = compare(document, wanted)
    expect(not faults, "the contract asks for something else:\n" + "\n".join(faults))
    client.create("p", PROGRAM)
    client.start("p")
    served(client, document, wanted)
    look(client, document, wanted)
    is_valid(document)
