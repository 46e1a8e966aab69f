#!/bin/sh
# The program starts, explains itself, checks a program and runs it.
set -eu
fail() { echo "FAILED: $*" >&2; exit 1; }

HEADWORKS=$(realpath "$HEADWORKS")
cd "$(mktemp -d)" || fail 'no temporary directory'

"$HEADWORKS" version | grep -q '^headworks [0-9]' || fail 'version'
"$HEADWORKS" help | grep -q 'pipeline create' || fail 'help'
"$HEADWORKS" help exit-codes | grep -q '  3  the SQL program has errors' || fail 'exit codes'
"$HEADWORKS" connectors | grep -q file_input || fail 'file_input is not listed'

cat > people.sql <<'SQL'
CREATE TABLE people (id INT NOT NULL, name VARCHAR) WITH ('connectors' = '[{
  "transport": {"name": "file_input", "config": {"path": "people.csv"}}, "format": {"name": "csv"}}]');
CREATE VIEW loud WITH ('connectors' = '[{
  "transport": {"name": "file_output", "config": {"path": "loud.ndjson"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}}]') AS
SELECT id, UPPER(name) AS name FROM people WHERE id > 1;
SQL
printf '1,Ada\n2,Grace\n3,\n' > people.csv
printf '{"id":2,"name":"GRACE"}\n{"id":3,"name":null}\n' > wanted.ndjson

"$HEADWORKS" validate people.sql || fail 'validate'
"$HEADWORKS" run people.sql || fail 'run'
cmp loud.ndjson wanted.ndjson || fail "the output is $(cat loud.ndjson)"
