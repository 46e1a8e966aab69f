-- One input, every output format. Reads CSV from standard input:
--
--   printf 'id,name,born\n1,Ada,1815-12-10\n2,Grace,1906-12-09\n' |
--     headworks run --set OUT=. examples/formats.sql

CREATE TABLE people (
  id   INT NOT NULL,
  name VARCHAR,
  born DATE
) WITH ('connectors' = '[{
  "name": "stdin",
  "transport": {"name": "file_input", "config": {"path": "-"}},
  "format": {"name": "csv", "config": {"headers": true}}
}]');

CREATE VIEW everyone WITH ('connectors' = '[
  {"name": "json",
   "transport": {"name": "file_output", "config": {"path": "${OUT:-.}/people.json"}},
   "format": {"name": "json", "config": {"update_format": "raw", "array": true}}},
  {"name": "changes",
   "transport": {"name": "file_output", "config": {"path": "${OUT:-.}/people.ndjson"}},
   "format": {"name": "json", "config": {"update_format": "insert_delete"}}},
  {"name": "csv",
   "transport": {"name": "file_output", "config": {"path": "${OUT:-.}/people.csv"}},
   "format": {"name": "csv"}},
  {"name": "msgpack",
   "transport": {"name": "file_output", "config": {"path": "${OUT:-.}/people.msgpack"}},
   "format": {"name": "msgpack", "config": {"update_format": "raw"}}}
]') AS
SELECT * FROM people;
