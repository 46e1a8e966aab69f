-- Connectors that are started and paused one by one. c1 runs from the beginning,
-- c2 waits until somebody starts it:
--
--   headworks pipeline create demo examples/orchestration.sql
--   headworks pipeline start demo
--   headworks connector demo numbers c1 pause
--   headworks connector demo numbers c2 start
--   headworks pipeline stats demo

CREATE TABLE numbers (
  num   BIGINT NOT NULL,
  label VARCHAR
) WITH ('connectors' = '[
  {"name": "c1",
   "transport": {"name": "datagen", "config": {"plan": [{
     "rate": ${RATE:-1000}, "fields": {"label": {"values": ["from c1"]}}}]}}},
  {"name": "c2", "paused": true,
   "transport": {"name": "datagen", "config": {"plan": [{
     "rate": ${RATE:-1000}, "fields": {"label": {"values": ["from c2"]}}}]}}}
]');

CREATE VIEW even_numbers WITH ('connectors' = '[{
  "name": "file",
  "transport": {"name": "file_output", "config": {"path": "${OUT:-.}/even_numbers.ndjson"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]') AS
SELECT num, label FROM numbers WHERE MOD(num, 2) = 0;
