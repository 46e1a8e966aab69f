#!/usr/bin/env python3
"""What is wrong is refused with a sentence that names the thing, the place and the remedy, and with the right exit
status."""
import json
import signal
import socket

from libhw import *

GOOD = table("t", "id BIGINT", [datagen("g", {"limit": 10})]) + view("v", "SELECT id FROM t", [null_output()])


def says(done, *parts):
    text = (done.stdout + done.stderr).decode()
    for part in parts:
        expect(part in text, "%r is not in the text:\n%s" % (part, text))


def all_settings_at_once():
    """What the option table finds, and what only the format or the transport can, each at its own place."""
    def errors(transport, config, format=None, format_config=None):
        connector = {"transport": {"name": transport, "config": config}}
        if format:
            connector["format"] = {"name": format, "config": format_config}
        file = write("settings.sql", table("t", "id BIGINT", [connector]))
        report = json.loads(run("validate", "--json", file, status=3).stdout)
        return [m["message"].split(": at ", 1)[-1] for m in report["messages"]], report["messages"]

    file = {"path": "in.csv"}
    said, places = errors("file_input", file, "csv", {"delimiter": "ab", "quote": "\u00e9", "comment": 7})
    equal(said, ['format.config.delimiter: "ab" is more than one character',
                 "format.config.quote: must be an ASCII character other than CR and LF",
                 'format.config.comment: option "comment" must be a string, found an integer 7'], "faults of csv")
    columns = [m["column"] for m in places]
    equal(columns, sorted(set(columns)), "their places")
    said, _ = errors("socket_input", {"address": "tcp://nowhere", "length_bytes": 3, "framing": "no"}, "csv", {})
    equal([s.split(":")[0] for s in said],
          ["transport.config." + o for o in ("address", "length_bytes", "framing")], "faults of socket_input")
    said, _ = errors("datagen", {"plan": [{"rate": "x", "fields": {"no": {}}}], "sed": 3})
    equal([s.split(": ")[:2] for s in said], [["transport.config.plan", "plan[0].rate"],
                                              ["transport.config.plan", "plan[0].fields.no"],
                                              ["transport.config.sed", 'unknown option "sed"']], "faults of datagen")
    # not what comes of an option that is left out for its own fault: the quote may well differ from the delimiter
    said, _ = errors("file_input", file, "csv", {"delimiter": 5, "quote": ",", "escape": "xy"})
    equal([s.split(":")[0] for s in said], ["format.config.delimiter", "format.config.escape"], "faults, not their effects")


def faulty_programs():
    faults = [
        ("CREATE TABLE t (id BIGINT) WITH ('connectors' = '[{\"transport\": {\"name\": \"file_inptu\"}}]');",
         ["file_inptu", "file_input"]),
        (table("t", "id BIGINT", [{"transport": {"name": "file_input", "config": {"paht": "x"}}, "format": JSON_RAW}]),
         ["paht", "path"]),
        (table("t", "id BIGINT", [{"transport": {"name": "file_input", "config": {"path": "x"}},
                                   "format": {"name": "jsno"}}]), ["jsno", "json"]),
        (table("t", "id BIGINT", [datagen("g", {"fields": {"di": {}}})]), ['"g"', "di", "it has: id"]),
        (table("t", "id BIGINT", [{"transport": {"name": "socket_input", "config": {"address": "tpc://h:1"}},
                                   "format": JSON_RAW}]), ["tpc://h:1", "tcp://host:port"]),
        ("CREATE TABLE t (id BIGNIT);", ["BIGNIT"]),
        ("CREATE TABLE t (id BIGINT);\nCREATE VIEW v AS SELECT id FROM tt;", ["2:", "tt"]),
        ("CREATE TABLE t (id BIGINT);\nCREATE VIEW v AS SELECT idd FROM t;", ["2:", "idd"]),
        ("CREATE TABLE t (id BIGINT;", ["1:"]),
    ]
    for text, parts in faults:
        file = write("faulty.sql", text)
        validated, ran = run("validate", file, status=3), run("run", file, status=3)
        says(validated, "error", *parts)
        equal(ran.stderr, validated.stderr, "what run and validate say")
    all_settings_at_once()
    file = write("faulty.sql", "CREATE TABLE a (x FOO);\nCREATE TABLE b (y BAR);\nCREATE VIEW v AS SELECT z FROM b;\n")
    says(run("validate", file, status=3), "faulty.sql:1:", "faulty.sql:2:", "FOO", "BAR")
    report = json.loads(run("validate", "--json", file, status=3).stdout)
    expect(not report["valid"] and len(report["messages"]) >= 2, "the report: %r" % report)
    says(run("validate", write("good.sql", GOOD)), "good.sql: good (1 table, 1 view, 1 input connector, 1 output")
    for extra in ({}, {"format": JSON_RAW}):
        connector = dict({"transport": {"name": "empty_input"}}, **extra)
        run("validate", write("none.sql", table("t", "id INT", [connector])))


def variables():
    file = write("vars.sql", "-- $${X} stays\n" + GOOD.replace('"limit": 10', '"limit": ${N}'))
    says(run("run", file, status=2), "vars.sql:2:", "${N} has no value", "--set N=")
    says(run("run", "--set", "N", file, status=2), "NAME=VALUE")
    said = json.loads(run("run", "--json", "--set", "N=7", file).stdout)
    equal(said["inputs"][0]["rows"], 7, "rows")
    file = write("vars.sql", GOOD.replace('"limit": 10', '"limit": ${N:-5}'))
    equal(json.loads(run("run", "--json", file).stdout)["inputs"][0]["rows"], 5, "rows by default")


def command_lines():
    says(run("frobnicate", status=2), "frobnicate")
    says(run("valdate", status=2), "did you mean 'validate'")
    says(run("run", status=2), "FILE.sql", "headworks run --help")
    says(run("run", "--frob", "x.sql", status=2), "--frob")
    says(run("run", "nothere.sql", status=2), "nothere.sql", "No such file")
    says(run("run", "--workers", "many", write("good.sql", GOOD), status=2), "--workers many")
    says(run("connector", "p", "t", "c", "stop", status=2), "start, pause or stats")
    says(run("serve", "--listen", "0.0.0.0:0", status=1), "loopback")
    for command in ("run", "serve", "bench", "validate", "connectors", "connector", "help", "version",
                    "pipeline create", "pipeline"):
        says(run(*command.split(), "--help"), "Usage: headworks " + command)


def start_failures(server, client):
    """A file that is not there fails the start, which names connector and file."""
    missing = (table("t", "id BIGINT", [file_input("absent", path("nothere.ndjson"))]) +
               view("v", "SELECT id FROM t", [null_output()]))
    file = write("missing.sql", missing)
    says(run("run", file, status=1), "t.absent", "nothere.ndjson", "No such file")
    env = {"HEADWORKS_URL": server.url}
    says(run("pipeline", "create", "missing", file, env=env), "compiled")
    says(run("pipeline", "start", "missing", env=env, status=1), "t.absent", "nothere.ndjson")
    pipeline = client.get("missing")
    equal((pipeline["deployment_status"], pipeline["deployment_desired_status"]), ("Stopped", "Stopped"), "status")
    error = pipeline["deployment_error"]
    equal(sorted(error), ["details", "error_code", "message"], "members of deployment_error")
    expect("t.absent" in error["message"] and "nothere.ndjson" in error["message"], "deployment_error: %r" % error)
    write("nothere.ndjson", '{"id":1}\n')
    says(run("pipeline", "start", "missing", env=env), "missing: Running")
    client.wait_complete("missing")
    run("pipeline", "stop", "missing", env=env)


def server_refusals(server):
    env = {"HEADWORKS_URL": server.url}
    good, bad = write("good.sql", GOOD), write("bad.sql", "CREATE TABLE t (id BIGNIT);")
    run("pipeline", "create", "good", good, env=env)
    says(run("pipeline", "create", "good", good, env=env, status=5), "good", "DuplicateName")
    says(run("pipeline", "create", "no/name", good, env=env, status=5), "NameDoesNotMatchPattern")
    says(run("pipeline", "create", "bad", bad, env=env, status=3), "BIGNIT")
    says(run("pipeline", "start", "bad", env=env, status=5), "CannotStartWithCompilationError")
    says(run("pipeline", "show", "nobody", env=env, status=5), "nobody", "UnknownPipelineName")
    says(run("connector", "good", "t", "g", "pause", env=env, status=5), "PipelineInteractionNotDeployed")
    says(run("pipeline", "list", env=env), "good", "bad", "SqlError")
    run("pipeline", "start", "good", env=env)
    says(run("pipeline", "delete", "good", env=env, status=5), "DeleteRestrictedToFullyStopped")
    says(run("connector", "good", "t", "G", "pause", env=env, status=5), "UnknownInputEndpoint")
    says(run("connector", "good", "T", "g", "pause", env=env), "T.g: paused after")
    says(run("connector", "good", "v", "null", "stats", env=env), "v.null")
    says(run("pipeline", "stats", "good", env=env), "t.g")
    run("pipeline", "stop", "good", env=env)
    run("pipeline", "delete", "good", env=env)


def failing_expressions():
    """The error names expression, values and record; of a batch that lost most rows on its way, a range of records."""
    rows = table("t", "id INT, s VARCHAR", [datagen("g", {"limit": 100000, "fields": {"s": {"null_percentage": 100}}})])

    def fails(views, *parts):
        says(run("run", write("fails.sql", rows + views), status=1), *parts)

    fails(view("v", "SELECT 10 / (77776 - id) AS q FROM t", [null_output()]),
          "division by zero, in 10 / (77776 - id) (line 2, column ", 'for id = 77776: record 77777 of ', 'a row of "t"')
    fails(view("v", "SELECT id FROM t WHERE id < 5000 OR id + 2147483647 > id + id", [null_output()]),
          "in id + 2147483647 (", "for id = 5000: record 5001 of ")
    fails(view("a", "SELECT id, s FROM t WHERE id % 1000 = 77") +
          view("v", "SELECT CAST(COALESCE(s, 'abc') AS INT) AS i FROM a", [null_output()]),
          "cannot cast 'abc' to INT", "for s = NULL: one of the records ")


def paused_inputs():
    """Nobody could start them: the run says so, and waits."""
    text = (table("t", "id BIGINT", [datagen("g", {"limit": 10}, paused=True)]) +
            view("v", "SELECT id FROM t", [null_output()]))
    with open(path("paused.log"), "wb") as log:
        process = start("run", write("paused.sql", text), stderr=log)
    wait_until(lambda: b't.g is "paused"' in read("paused.log"), "the run warns of a paused input")
    process.send_signal(signal.SIGINT)
    finish(process)


def outputs_that_would_destroy():
    """An output onto a file that is to be read, or a second one onto standard output, is refused before it writes."""
    data = write("precious.ndjson", '{"id": 1}\n')
    rows = table("t", "id BIGINT", [file_input("f", data)])
    says(run("run", write("onto.sql", rows + view("v", "SELECT id FROM t", [file_output("o", data)])), status=1),
         "v.o", "precious.ndjson", "read by a file_input")
    equal(read("precious.ndjson"), b'{"id": 1}\n', "the input file")
    terminal = {"transport": {"name": "stdout_output"}, "format": JSON_RAW}
    says(run("run", write("twice.sql", rows + view("v", "SELECT id FROM t", [terminal, terminal])), status=1),
         "standard output already")


def no_server():
    with socket.socket() as s:  # bound and not listening: nobody else gets the port
        s.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % s.getsockname()[1]
        says(run("pipeline", "list", env={"HEADWORKS_URL": url}, status=4), url, "headworks serve")
        s.listen()
        says(run("pipeline", "list", "--timeout", "0.2", "--url", url, status=4), "did not answer within 0.2 s")
    says(run("pipeline", "list", "--url", "ftp://x", status=2), "ftp://x", "http://HOST:PORT")


faulty_programs()
variables()
command_lines()
failing_expressions()
paused_inputs()
outputs_that_would_destroy()
with Server() as server:
    start_failures(server, server.client())
    server_refusals(server)
no_server()
