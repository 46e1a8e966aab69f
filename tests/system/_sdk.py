"""What a user of Feldera's Python SDK does, against the server whose URL is argv[1]. Run by python_sdk.py with a
Python that has the package `feldera`."""
import sys

import pandas
from feldera import FelderaClient, Pipeline, PipelineBuilder
from feldera.enums import PipelineStatus, TransactionStatus

PROGRAM = """
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, score DOUBLE)
  WITH ('materialized' = 'true');
CREATE TABLE numbers (n BIGINT) WITH ('connectors' = '[{"name": "gen",
  "transport": {"name": "datagen", "config": {"seed": 1, "plan": [{"rate": 1000}]}}}]');
CREATE MATERIALIZED VIEW loud AS SELECT id, UPPER(name) AS name, score FROM users WHERE score > 1;
CREATE VIEW even AS SELECT n FROM numbers WHERE MOD(n, 2) = 0;
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, wanted, what):
    expect(got == wanted, "%s: got %r, wanted %r" % (what, got, wanted))


def rows(frame):
    return sorted((int(r["id"]), r["name"], int(r["insert_delete"])) for _, r in frame.iterrows())


def push_and_listen(client):
    pipeline = PipelineBuilder(client, "sdk", PROGRAM).create_or_replace()
    pipeline.start_paused()
    listener = pipeline.listen("loud")
    seen = []
    pipeline.foreach_chunk("loud", lambda chunk, number: seen.append((number, len(chunk))))
    pipeline.resume()
    pipeline.pause_connector("numbers", "gen")
    pipeline.input_json("users", [{"id": 1, "name": "ada", "score": 1.5}, {"id": 2, "name": "bob", "score": 0.5}])
    pipeline.input_json("users", {"insert": {"id": 3, "name": "eve", "score": 9}}, update_format="insert_delete")
    frame = pandas.DataFrame([{"id": 4, "name": "mia", "score": 2.5}])
    pipeline.input_pandas("users", frame)
    pipeline.wait_for_idle(idle_interval_s=0.5)
    equal(rows(listener.to_pandas()), [(1, "ADA", 1), (3, "EVE", 1), (4, "MIA", 1)], "what the listener heard")
    equal(sum(n for _, n in seen), 3, "rows in chunks")
    return pipeline


def query(pipeline):
    got = list(pipeline.query("SELECT id, name FROM loud ORDER BY id"))
    equal([(r["id"], r["name"]) for r in got], [(1, "ADA"), (3, "EVE"), (4, "MIA")], "query")
    got = list(pipeline.query("SELECT COUNT(*) AS n, MAX(score) AS best FROM users"))
    equal((got[0]["n"], float(got[0]["best"])), (4, 9.0), "aggregates")
    pipeline.execute("INSERT INTO users VALUES (5, 'zoe', 7)", wait=True)
    equal(list(pipeline.query("SELECT name FROM loud WHERE id = 5"))[0]["name"], "ZOE", "inserted")
    expect("ZOE" in "".join(pipeline.query_tabular("SELECT * FROM loud")), "a table as text")


def control(pipeline):
    def records():
        (gen,) = [i for i in pipeline.stats().inputs if i.endpoint_name == "numbers.gen"]
        return gen.metrics.total_records, gen.paused

    before, paused = records()
    expect(paused, "the connector is paused")
    equal(records()[0], before, "a paused connector's records")
    pipeline.resume_connector("numbers", "gen")
    while records()[0] == before:
        pass
    pipeline.pause()
    equal(pipeline.status(), PipelineStatus.PAUSED, "status")
    still = records()[0]
    equal(records()[0], still, "records of a paused pipeline")
    pipeline.resume()
    equal(pipeline.status(), PipelineStatus.RUNNING, "status")
    stats = pipeline.stats().global_metrics
    expect(stats.total_input_records >= 5, "total_input_records")
    expect("records_input_total" in str(pipeline.metrics()), "metrics")


def tokens(pipeline):
    token = pipeline.generate_completion_token("numbers", "gen")
    pipeline.wait_for_token(token)


def transactions(pipeline):
    def inserted():
        return [r["name"] for r in pipeline.query("SELECT name FROM users WHERE id >= 10 ORDER BY id")]

    pipeline.pause_connector("numbers", "gen")
    equal(pipeline.transaction_id(), None, "no transaction")
    equal(pipeline.transaction_status(), TransactionStatus.NoTransaction, "no transaction")
    number = pipeline.start_transaction()
    equal(pipeline.transaction_id(), number, "the transaction")
    pipeline.input_json("users", [{"id": 10, "name": "kim"}, {"id": 11, "name": "lee"}], wait=False)
    pipeline.execute("INSERT INTO users VALUES (12, 'max', 1)")
    equal(pipeline.transaction_status(), TransactionStatus.TransactionInProgress, "status")
    equal(inserted(), [], "before the commit")
    try:
        pipeline.start_transaction()
    except Exception as error:
        expect("TransactionInProgress" in str(error), "the code is told: %s" % error)
    else:
        raise AssertionError("a second transaction was started")
    pipeline.commit_transaction(number, poll_interval_s=0.01)
    equal(inserted(), ["kim", "lee", "max"], "after the commit")
    equal(pipeline.transaction_id(), None, "no transaction")
    pipeline.resume_connector("numbers", "gen")


def faults(client):
    try:
        PipelineBuilder(client, "broken", "CREATE VIEW v AS SELECT nothing FROM nowhere;").create()
    except Exception as error:  # the SDK raises a bare RuntimeError
        expect("nowhere" in str(error), "the message names the table: %s" % error)
    else:
        raise AssertionError("a broken program was accepted")
    client.delete_pipeline("broken")


def main():
    client = FelderaClient(sys.argv[1], timeout=60)
    pipeline = push_and_listen(client)
    query(pipeline)
    control(pipeline)
    tokens(pipeline)
    transactions(pipeline)
    faults(client)
    equal([p.name for p in Pipeline.all(client)], ["sdk"], "pipelines")
    pipeline.modify(description="changed")
    equal(Pipeline.get("sdk", client).description(), "changed", "description")
    pipeline.stop(force=True)
    equal(pipeline.status(), PipelineStatus.STOPPED, "status")
    pipeline.clear_storage()
    pipeline.delete()
    equal([p.name for p in Pipeline.all(client)], [], "pipelines")
    print("the SDK's tour is complete")


main()
