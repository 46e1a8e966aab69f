#!/bin/sh
# What can be said about style without a compiler.
# Usage: tests/style.sh [source root]
set -eu
cd "${1:-$(dirname "$0")/..}"

failed=0
# complain SENTENCE < matches: fails when there are any
complain() {
  matches=$(cat)
  [ -z "$matches" ] && return
  printf '%s:\n%s\n' "$1" "$matches"
  failed=1
}

find include runtime formats connectors sql engine api cli bench tests examples \
  -name '*.[chly]' ! -path sql/grammar.c ! -path sql/grammar.h ! -path sql/lexer.c | sort > "${TMPDIR:-/tmp}/style.$$"
trap 'rm -f "${TMPDIR:-/tmp}/style.$$"' EXIT
files=$(cat "${TMPDIR:-/tmp}/style.$$")

wc -l $files | awk '$2 != "total" && $1 > 1000' | complain 'more than 1,000 lines'
grep -nE '.{121}' $files | cut -c1-140 | complain 'longer than 120 columns'
grep -nE '[[:space:]]$' $files | complain 'blanks at the end of a line'
grep -nP '\t' $files | complain 'tabs'
grep -nwE 'TODO|FIXME|XXX|HACK' $files | complain 'unfinished'
grep -nwE 'volatile|atomic_thread_fence|pthread_cancel|pthread_detach' $files | complain 'not used here'
grep -nE '\b(sleep|usleep|nanosleep)\(' $(echo "$files" | grep '^tests/') | complain 'sleeps in a test'
grep -nE '\b(strcpy|strcat|sprintf|gets|strtok)\(' $files | complain 'has a safer form'

echo "$(echo "$files" | wc -l) files"
exit $failed
