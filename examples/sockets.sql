-- Rows from a socket to a socket: any number of clients send readings; the hot ones go
-- on to a program that listens.
--
--   socat UNIX-LISTEN:/tmp/hot.sock - &        # apt install socat
--   headworks run examples/sockets.sql &
--   echo '{"sensor": "a", "celsius": 81.5}' | socat - UNIX-CONNECT:/tmp/readings.sock

CREATE TABLE readings (
  sensor  VARCHAR NOT NULL,
  celsius DOUBLE NOT NULL
) WITH ('connectors' = '[{
  "name": "clients",
  "transport": {"name": "socket_input", "config": {"address": "unix-listen://${DIR:-/tmp}/readings.sock"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]');

CREATE VIEW hot WITH ('connectors' = '[{
  "name": "alarm",
  "transport": {"name": "socket_output", "config": {"address": "unix://${DIR:-/tmp}/hot.sock"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]') AS
SELECT sensor, celsius * 1.8 + 32 AS fahrenheit FROM readings WHERE celsius > 60;
