-- Two inputs of different kinds, views that filter and compute, files that come out:
-- the packages that this Debian machine knows of, and a generator beside them.
--
--   headworks run examples/packages.sql
--   headworks run --set PACKAGES=packages.ndjson --set OUT=/tmp examples/packages.sql
--
-- PACKAGES holds one JSON object per package; ./quickstart makes it of `apt-cache dumpavail`.

CREATE TABLE packages (
  package        VARCHAR NOT NULL,
  version        VARCHAR NOT NULL,
  section        VARCHAR,
  architecture   VARCHAR,
  priority       VARCHAR,
  installed_size BIGINT, -- KiB on disk
  size           BIGINT, -- bytes of the archive
  maintainer     VARCHAR,
  description    VARCHAR
) WITH ('connectors' = '[{
  "name": "index",
  "transport": {"name": "file_input", "config": {"path": "${PACKAGES:-build/quickstart/packages.ndjson}"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]');

-- Downloads that nobody made: which package, how fast, and when.
CREATE TABLE downloads (
  id       BIGINT NOT NULL,
  rank     INT NOT NULL,
  kbytes_s DOUBLE NOT NULL
) WITH ('connectors' = '[{
  "name": "generator",
  "transport": {"name": "datagen", "config": {"seed": 1, "plan": [{
    "rate": ${RATE:-20000}, "limit": ${DOWNLOADS:-40000},
    "fields": {
      "id": {"strategy": "increment"},
      "rank": {"strategy": "zipf", "range": [1, 60000]},
      "kbytes_s": {"strategy": "uniform", "range": [50, 20000]}
    }
  }]}}
}]');

-- Packages whose installed files are more than ten times as large as their archive.
CREATE VIEW well_packed WITH ('connectors' = '[{
  "name": "file",
  "transport": {"name": "file_output", "config": {"path": "${OUT:-build/quickstart/out}/well_packed.ndjson"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]') AS
SELECT package, version, COALESCE(section, 'none') AS section, installed_size * 1024 AS bytes_installed,
       size AS bytes_packed, CAST(installed_size * 1024 AS DOUBLE) / size AS ratio
FROM packages
WHERE size > 0 AND installed_size * 1024 > 10 * size;

-- Everything, in the form that other tools want.
CREATE VIEW catalogue WITH ('connectors' = '[{
  "name": "csv",
  "transport": {"name": "file_output", "config": {"path": "${OUT:-build/quickstart/out}/catalogue.csv"}},
  "format": {"name": "csv"}
}]') AS
SELECT package, version, SPLIT_PART(COALESCE(section, 'none'), '/', 1) AS section, UPPER(architecture) AS architecture,
       CASE WHEN installed_size IS NULL THEN 'unknown'
            WHEN installed_size < 1024 THEN 'small'
            WHEN installed_size < 102400 THEN 'medium'
            ELSE 'large' END AS size_class
FROM packages;

CREATE VIEW slow_downloads WITH ('connectors' = '[{
  "name": "file",
  "transport": {"name": "file_output", "config": {"path": "${OUT:-build/quickstart/out}/slow_downloads.ndjson"}},
  "format": {"name": "json", "config": {"update_format": "raw"}}
}]') AS
SELECT id, rank, kbytes_s FROM downloads WHERE kbytes_s < 1000;
