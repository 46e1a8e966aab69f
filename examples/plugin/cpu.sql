-- How busy each processor has been since boot, in percent: five times, 200 ms apart, printed as CSV.
CREATE TABLE processors (cpu INT NOT NULL, busy BIGINT NOT NULL, idle BIGINT NOT NULL)
WITH ('connectors' = '[{
  "name": "stat",
  "transport": {"name": "cpu_input", "config": {"interval_ms": 200, "samples": ${SAMPLES:-5}}}
}]');

CREATE VIEW shares WITH ('connectors' = '[{
  "name": "terminal",
  "transport": {"name": "stdout_output"},
  "format": {"name": "csv"}
}]') AS
SELECT cpu, ROUND(CAST(busy AS DOUBLE) * 100 / (busy + idle), 1) AS percent_busy FROM processors;
