-- A log file that is followed, also when it is rotated; its errors go to the terminal.
--
--   touch app.log && headworks run --set LOG=app.log examples/follow_log.sql &
--   echo "an error" >> app.log

CREATE TABLE log (line VARCHAR NOT NULL) WITH ('connectors' = '[{
  "name": "file",
  "transport": {"name": "file_input", "config": {"path": "${LOG:-app.log}", "follow": true}},
  "format": {"name": "raw", "config": {"mode": "lines"}}
}]');

CREATE VIEW errors WITH ('connectors' = '[{
  "name": "terminal",
  "transport": {"name": "stdout_output"},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]') AS
SELECT line FROM log WHERE LOWER(line) LIKE '%error%';
