#!/usr/bin/env python3
"""What is wrong is refused with a sentence that names the thing, the place and the remedy, and with the right exit
status."""
import json
import os
import pty
import signal
import socket
import subprocess

from libhw import *

GOOD = table("t", "id BIGINT", [datagen("g", {"limit": 10})]) + view("v", "SELECT id FROM t", [null_output()])


def silent_of(done, *parts):
    text = (done.stdout + done.stderr).decode()
    for part in parts:
        expect(part not in text, "%r is in the text:\n%s" % (part, text))


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
    says(run("run", "--set", "FOO", "nothere.sql", status=2), "headworks: --set FOO: NAME=VALUE is wanted")
    said = json.loads(run("run", "--json", "--set", "N=7", file).stdout)
    equal(said["inputs"][0]["rows"], 7, "rows")
    equal(said["seconds"], round(said["seconds"], 6), "seconds, to the microsecond")
    equal(("end_of_input" in said["inputs"][0], "end_of_input" in said["outputs"][0]), (True, False), "end_of_input")
    file = write("vars.sql", GOOD.replace('"limit": 10', '"limit": ${N:-5}'))
    equal(json.loads(run("run", "--json", file).stdout)["inputs"][0]["rows"], 5, "rows by default")


def command_lines():
    says(run("frobnicate", status=2), "frobnicate")
    says(run("valdate", status=2), "did you mean 'validate'")
    says(run("run", status=2), "FILE.sql", "headworks run --help")
    says(run("run", "--frob", "x.sql", status=2), "--frob")
    says(run("run", "nothere.sql", status=2), "nothere.sql", "No such file")
    says(run("run", "--strct", "x.sql", status=2), "no option --strct; did you mean --strict?")
    says(run("run", "--quiet", "-xq", "x.sql", status=2), "run has no option -x")
    says(run("run", "--help=5", status=2), "option --help takes no argument")
    says(run("run", "--quiet=5", "x.sql", status=2), "option --quiet takes no argument")
    says(run("run", "--s=5", "x.sql", status=2), "--s is short for --s", "write more of it")
    says(run("run", "--memory", "abc", "x.sql", status=2), "from 1 to 16777216 is wanted")
    says(run("serve", "--listen", "127.0.0.1:99999", status=2), "127.0.0.1:99999: ports end at 65535")
    silent_of(run("serve", "--listen", "nowhere", "--data-dir", "none", status=2), "65535")
    says(run("run", "--workers", "many", write("good.sql", GOOD), status=2), "--workers many")
    says(run("connector", "p", "t", "c", "stop", status=2), "start, pause or stats")
    says(run("serve", "--listen", "0.0.0.0:0", status=1), "loopback")
    for command in ("run", "serve", "bench", "validate", "connectors", "connector", "help", "version",
                    "pipeline create", "pipeline"):
        says(run(*command.split(), "--help"), "Usage: headworks " + command)


def quickstart():
    for options, status in ((["--help"], 0), (["--bogus"], 2), (["--no-install", "--bogus"], 2)):
        done = subprocess.run([os.path.join(SRCDIR, "quickstart"), *options], capture_output=True)
        equal((done.returncode, b"--bogus" in done.stderr, b"./quickstart [--no-install]" in done.stdout),
              (status, status == 2, status == 0), "quickstart " + " ".join(options))


def nothing_to_do():
    """A view that nothing takes is warned of where nobody could come for it, and a program without connectors."""
    rows = table("t", "id BIGINT", [datagen("g", {"limit": 10})])
    idle = write("idle.sql", rows + view("v", "SELECT id FROM t") + view("w", "SELECT id FROM v") +
                 "CREATE MATERIALIZED VIEW m AS SELECT id FROM t;\n" + view("x", "SELECT id FROM t", [null_output()]))
    for command in ("run", "validate"):
        done = run(command, idle)
        says(done, 'warning: view "w" has no connector and feeds nothing')
        silent_of(done, '"v"', '"m"', '"x"')
    says(run("bench", "--no-pauses", idle), 'view "w"')
    bare = write("bare.sql", "CREATE TABLE t (id BIGINT);\n" + view("v", "SELECT id FROM t"))
    says(run("run", bare), "bare.sql: warning: the program has no connectors")
    silent_of(run("run", write("good.sql", GOOD)), "warning")


def on_a_terminal(text):
    """What `run` shows where standard output and standard error are one terminal."""
    ours, theirs = pty.openpty()
    process = start("run", write("terminal.sql", text), stdout=theirs, stderr=theirs,
                    env=dict(os.environ, TERM="xterm"))
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(ours)
    finish(process)
    return shown


def rows_on_a_terminal():
    """No progress line among the rows; one where rows go elsewhere."""
    rows = table("t", "id BIGINT", [datagen("g", {"limit": 100, "rate": 100})])
    terminal = {"transport": {"name": "stdout_output"}, "format": JSON_RAW}
    shown = on_a_terminal(rows + view("v", "SELECT id FROM t", [terminal]))
    equal((b'{"id":99}' in shown, b"\x1b[K" in shown, b"complete after" in shown), (True, False, True), "rows, line, end")
    expect(b"\x1b[K" in on_a_terminal(rows + view("v", "SELECT id FROM t", [null_output()])), "no progress line")


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


def replaced(client, good, bad, env):
    """A pipeline's program is replaced, and what else it has stays."""
    done = run("pipeline", "create", "bad", bad, env=env, status=5)
    says(done, "DuplicateName")
    silent_of(done, "bad.sql:1:")
    client.expect(200, "PATCH", "/v0/pipelines/bad", {"description": "mine", "tags": ["kept"]})
    says(run("pipeline", "create", "--replace", "bad", bad, env=env, status=3), "bad.sql:1:", "--replace")
    says(run("pipeline", "create", "--replace", "bad", good, env=env), "bad: compiled")
    equal((client.get("bad")["description"], client.get("bad")["tags"]), ("mine", ["kept"]), "what stays")
    says(run("pipeline", "create", "--replace", "-d", "new", "fresh", good, env=env), "fresh: compiled")
    equal(client.get("fresh")["description"], "new", "its description")
    run("pipeline", "create", "--replace", "bad", bad, env=env, status=3)


def without_inputs(server):
    """It is not told to be complete: there is nothing that could be."""
    env = {"HEADWORKS_URL": server.url}
    run("pipeline", "create", "bare", write("bare.sql", "CREATE TABLE t (id BIGINT);"), env=env)
    run("pipeline", "start", "bare", env=env)
    client = server.client()
    client.wait_complete("bare")
    silent_of(run("pipeline", "stats", "bare", env=env), "complete")
    run("pipeline", "stop", "bare", env=env)
    log = read("server.log")
    expect(b"pipeline good: complete" in log and b"pipeline bare: complete" not in log, "which of them logs complete")


def server_refusals(server):
    env = {"HEADWORKS_URL": server.url}
    good, bad = write("good.sql", GOOD), write("bad.sql", "CREATE TABLE t (id BIGNIT);")
    run("pipeline", "create", "good", good, env=env)
    says(run("pipeline", "create", "good", good, env=env, status=5), "good", "DuplicateName")
    says(run("pipeline", "create", "no/name", good, env=env, status=5), "NameDoesNotMatchPattern")
    says(run("pipeline", "create", "bad", bad, env=env, status=3), "BIGNIT")
    says(run("pipeline", "start", "bad", env=env, status=5), "CannotStartWithCompilationError",
         "`headworks pipeline show bad`")
    replaced(server.client(), good, bad, env)
    says(run("pipeline", "show", "nobody", env=env, status=5), "nobody", "UnknownPipelineName")
    says(run("connector", "good", "t", "g", "pause", env=env, status=5), "PipelineInteractionNotDeployed")
    says(run("pipeline", "list", env=env), "good", "bad", "SqlError")
    run("pipeline", "start", "good", env=env)
    says(run("pipeline", "delete", "good", env=env, status=5), "DeleteRestrictedToFullyStopped")
    for words, refusal, other in ((("t", "G"), "UnknownInputEndpoint", "output"), (("V", "o"), "UnknownOutputEndpoint",
                                  "input"), (("u", "o"), "UnknownInputEndpoint", "output")):
        done = run("connector", "good", *words, "pause", env=env, status=5)
        says(done, refusal)
        silent_of(done, "unknown %s endpoint" % other)
    says(run("connector", "good", "T", "g", "pause", env=env), "T.g: paused after")
    says(run("connector", "good", "v", "null", "stats", env=env), "v.null")
    client = server.client()
    client.wait_complete("good")
    says(run("pipeline", "stats", "good", env=env), "t.g", "10 processed, complete")
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
    os.symlink("/nowhere/file", path("link"))
    says(run("run", write("link.sql", rows + view("v", "SELECT id FROM t", [file_output("o", path("link"))])), status=1),
         "v.o", "link", "leads nowhere")
    terminal = {"transport": {"name": "stdout_output"}, "format": JSON_RAW}
    says(run("run", write("twice.sql", rows + view("v", "SELECT id FROM t", [terminal, terminal])), status=1),
         "standard output already")


def one_writer():
    """A file that an output writes to is no other output's, of the same program or of another process."""
    rows = table("t", "id BIGINT", [datagen("g", {"limit": 5})])
    first, second = file_output("o", path("shared")), file_output("q", path("shared"))
    says(run("run", write("twice.sql", rows + view("v", "SELECT id FROM t", [first, second])), status=1),
         "shared", "another output")
    alone = write("alone.sql", rows + view("v", "SELECT id FROM t", [second]))
    with Server() as server:
        client = server.client()
        client.create("p", rows + view("v", "SELECT id FROM t", [first]))
        client.start("p")
        client.wait_complete("p")
        says(run("run", alone, status=1), "v.q", "shared", "another output")
        equal(read("shared").count(b"\n"), 5, "rows of the first")
        client.stop("p")
        run("run", alone)


def no_server():
    with socket.socket() as s:  # bound and not listening: nobody else gets the port
        s.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % s.getsockname()[1]
        says(run("pipeline", "list", env={"HEADWORKS_URL": url}, status=4), url, "headworks serve")
        waits = start("pipeline", "list", "--url", url, stdout=subprocess.PIPE)  # for a server that begins to listen
        wait_until(lambda: read("/proc/%d/stat" % waits.pid).rsplit(b")", 1)[1].split()[0] == b"S", "it waits")
        s.listen()
        s.settimeout(10)  # on a machine so slow that it has given up
        connection = s.accept()[0]
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        expect(b"name" in waits.communicate()[0] and waits.returncode == 0, "the server that was late")
        says(run("pipeline", "list", "--timeout", "0.2", "--url", url, status=4), "did not answer within 0.2 s")
    says(run("pipeline", "list", "--url", "ftp://x", status=2), "ftp://x", "http://HOST:PORT")


faulty_programs()
variables()
command_lines()
quickstart()
nothing_to_do()
rows_on_a_terminal()
failing_expressions()
paused_inputs()
outputs_that_would_destroy()
one_writer()
with Server() as server:
    start_failures(server, server.client())
    server_refusals(server)
    without_inputs(server)
no_server()
