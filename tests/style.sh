#!/bin/sh
# What can be said about style without a compiler.
# Usage: tests/style.sh [source root]
set -eu
cd "${1:-$(dirname "$0")/..}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# complain SENTENCE < matches: the check fails when there are any. A file says so, as this
# runs in a shell of its own.
complain() {
  matches=$(cat)
  [ -z "$matches" ] && return
  printf '%s:\n%s\n' "$1" "$matches"
  echo "$1" >> "$work/failed"
}

find include runtime formats connectors sql engine api cli bench tests examples \
  -name '*.[chly]' ! -path sql/grammar.c ! -path sql/grammar.h ! -path sql/lexer.c | sort > "$work/files"
files=$(cat "$work/files")

wc -l $files | awk '$2 != "total" && $1 > 1000' | complain 'more than 1,000 lines'
grep -nE '.{121}' $files | cut -c1-140 | complain 'longer than 120 columns'
grep -nE '[[:space:]]$' $files | complain 'blanks at the end of a line'
grep -nP '\t' $files | complain 'tabs'
grep -nwE 'TODO|FIXME|XXX|HACK' $files | complain 'unfinished'
grep -nwE 'volatile|atomic_thread_fence|pthread_cancel|pthread_detach' $files | complain 'not used here'
grep -nE '\b(sleep|usleep|nanosleep)\(' $(echo "$files" | grep '^tests/') | complain 'sleeps in a test'
grep -nE '\b(strcpy|strcat|sprintf|gets|strtok)\(' $files | complain 'has a safer form'

echo "$(echo "$files" | wc -l) files"
[ ! -e "$work/failed" ]
