#!/bin/sh
# docs/cli.md and the option reference are what the program prints of its tables.
# Usage: tests/docs.sh PROGRAM
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
for kind in transports formats; do
  page=docs/reference/$kind.md
  [ $kind = transports ] && page=docs/reference/connectors.md
  if ! "$1" connectors --markdown --$kind | diff -u "$page" -; then
    echo "$page is stale: headworks connectors --markdown --$kind > $page"
    status=1
  fi
done
for page in http-api metrics; do
  if ! "$1" help --markdown $page | diff -u "docs/reference/$page.md" -; then
    echo "docs/reference/$page.md is stale: headworks help --markdown $page > docs/reference/$page.md"
    status=1
  fi
done
if ! "$1" help --markdown | diff -u docs/cli.md -; then
  echo "docs/cli.md is stale: headworks help --markdown > docs/cli.md"
  status=1
fi
exit $status
