#!/usr/bin/env python3
"""Feldera's command line, fda, drives the server unchanged: create, start, pause, connectors, query, stats, stop, delete.
It is $HW_FDA, or found in the path; version 0.349.0 is what it was written against."""
import json
import os
import shutil
import subprocess

from libhw import (DEADLINE, Server, datagen, equal, expect, fail, null_output, path, read, skip, sql_json, view, wait_until,
                   write)

FDA = os.environ.get("HW_FDA") or shutil.which("fda")
PROGRAM = ("CREATE TABLE numbers (id BIGINT NOT NULL PRIMARY KEY) WITH ('materialized' = 'true', 'connectors' = '%s');\n" %
           sql_json([datagen("c1", {"rate": 1000})]) +
           view("even", "SELECT id FROM numbers WHERE MOD(id, 2) = 0", [null_output("out")]))


class Fda:
    def __init__(self, server):
        self.env = dict(os.environ, FELDERA_HOST=server.url, HOME=path("."))
        for name in ("FELDERA_API_KEY", "FELDERA_OUTPUT_FORMAT", "FELDERA_TENANT", "http_proxy", "HTTP_PROXY"):
            self.env.pop(name, None)

    def run(self, *args, status=0, text=None):
        done = subprocess.run([FDA, "--retries", "0", *args], input=text, capture_output=True, env=self.env, text=True,
                              timeout=4 * DEADLINE)
        if (done.returncode == 0) != (status == 0):
            fail("fda %s: exit status %d\n%s%s" % (" ".join(args), done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
        return done.stdout + done.stderr if status else done.stdout

    def json(self, *args):
        said = self.run("--format", "json", *args)
        try:
            return json.loads(said)
        except ValueError:
            fail("fda %s: not JSON: %s" % (" ".join(args), said[:2000]))


def programs(fda, client):
    """What is there before a pipeline runs."""
    equal(fda.json("pipelines"), [], "pipelines")
    fda.run("create", "p", write("p.sql", PROGRAM))
    equal(fda.run("program", "get", "p").strip(), PROGRAM.strip(), "the program")
    expect("Success" in fda.run("program", "status", "p"), "program status")
    fda.run("create", "bad", "--stdin", text="CREATE TABLE t (x NOTATYPE);")
    expect("NOTATYPE" in fda.run("program", "errors", "bad").upper(), "the errors of a faulty program")
    fda.run("program", "set", "bad", "--stdin", text="CREATE TABLE t (x INT);")
    wait_until(lambda: "Success" in fda.run("program", "status", "bad"), "the mended program is compiled")
    expect("Success" in json.loads(fda.run("validate-program", path("p.sql"))), "a program that is valid")
    fda.run("copy", "p", "q")
    equal(fda.run("program", "get", "q").strip(), PROGRAM.strip(), "the copy's program")
    equal(sorted(p["name"] for p in fda.json("pipelines")), ["bad", "p", "q"], "pipelines")
    fda.run("set-config", "q", "workers", "4")
    equal(client.get("q")["runtime_config"]["workers"], 4, "workers, as set")
    fda.run("set-tags", "q", "a,b")
    expect("a" in fda.run("tags", "q"), "tags")
    fda.run("delete", "q")
    fda.run("delete", "bad")
    expect("q" in fda.run("delete", "q", status=1), "what a second delete says")


def connector(fda, client):
    """A pause is true when the command has ended."""
    def taken():
        return client.stats("p")["inputs"][0]["metrics"]["total_records"]

    wait_until(lambda: taken() > 0, "rows flow")
    fda.run("connector", "p", "numbers", "c1", "pause")
    paused = taken()
    equal(client.stats("p")["inputs"][0]["paused"], True, "paused, in the stats")
    equal(json.loads(fda.run("--format", "json", "connector", "p", "numbers", "c1", "stats"))["paused"], True, "and by fda")
    equal(taken(), paused, "rows after the pause")
    fda.run("connector", "p", "numbers", "c1", "start")
    wait_until(lambda: taken() > paused, "rows flow again")
    expect("nosuch" in fda.run("connector", "p", "numbers", "nosuch", "pause", status=1), "a connector that is not there")


def pipeline(fda, client):
    fda.run("start", "p")
    equal(client.get("p")["deployment_status"], "Running", "status")
    expect("Running" in fda.run("status", "p"), "status, by fda")
    connector(fda, client)
    fda.run("pause", "p")
    equal(client.get("p")["deployment_status"], "Paused", "status after a pause")
    rows = client.stats("p")["global_metrics"]["total_processed_records"]
    equal(fda.json("stats", "p")["global_metrics"]["total_processed_records"], rows, "rows, by fda")
    expect("numbers" in fda.run("stats", "p"), "stats as text")
    expect("records" in fda.run("--format", "prometheus", "metrics", "p"), "metrics")
    count = fda.run("--format", "json", "query", "p", "SELECT COUNT(*) AS n FROM numbers")
    equal(json.loads(count), {"n": rows}, "rows in the table")
    expect(str(rows) in fda.run("query", "p", "SELECT COUNT(*) AS n FROM numbers"), "a query as text")
    expect("nosuch" in fda.run("query", "p", "SELECT * FROM nosuch", status=1), "a faulty query's error")
    fda.run("resume", "p")
    equal(client.get("p")["deployment_status"], "Running", "status after a resume")
    token = fda.run("completion-token", "p", "numbers", "c1").strip().splitlines()[-1].strip('" ')
    wait_until(lambda: "complete" in fda.run("completion-status", "p", token), "the token is complete")
    number = fda.run("start-transaction", "p")
    expect(any(c.isdigit() for c in number), "a transaction's number: " + number)
    fda.run("commit-transaction", "p")
    expect("pipeline" in fda.run("logs", "p").lower(), "logs")
    fda.run("support-bundle", "p", "--output", path("bundle.zip"))
    equal(read("bundle.zip")[:2], b"PK", "how a bundle begins")
    fda.run("restart", "p")
    equal(client.get("p")["deployment_status"], "Running", "status after a restart")
    expect("Running" in fda.run("events", "p"), "events")
    fda.run("stop", "p")
    equal(client.get("p")["deployment_status"], "Stopped", "status after a stop")
    fda.run("clear", "p")
    fda.run("delete", "p")
    equal(fda.json("pipelines"), [], "pipelines at the end")


def server_wide(fda):
    fda.run("apikey", "create", "k")
    expect("k" in fda.run("apikey", "list"), "keys")
    fda.run("apikey", "delete", "k")
    fda.run("cluster", "health")
    fda.run("cluster", "events")
    fda.run("cluster", "config")


if not FDA:
    skip("there is no fda in the path (cargo install fda --version 0.349.0)")
with Server("--data-dir", path("data")) as hw:
    command = Fda(hw)
    programs(command, hw.client())
    pipeline(command, hw.client())
    server_wide(command)
