#!/bin/sh
# The library exports hw_* and nothing else, and the program exports every one
# of these too, so that a plugin finds one runtime and not two.
# Usage: tests/exports.sh BUILD-DIRECTORY
set -eu
include=$(cd "$(dirname "$0")/../include/headworks" && pwd)
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

exported() { nm -D --defined-only "$1" | awk '$2 ~ /^[TDBRVW]$/ { print $3 }' | sort; }
exported .libs/libheadworks.so > "$work/library"
exported headworks | grep '^hw_' > "$work/program"
# What the public headers declare as HW_API functions.
cat "$include"/*.h | tr "\n" " " | tr '\n' ' ' |
  grep -oE 'HW_API [^;({]*[ *](hw_[a-z0-9_]+)\(' | grep -oE 'hw_[a-z0-9_]+\(' | tr -d '(' | sort -u > "$work/declared"

status=0
if grep -v '^hw_' "$work/library"; then
  echo 'the library exports the above beside hw_*'
  status=1
fi
for other in program declared; do
  if comm -13 "$work/$other" "$work/library" | grep .; then
    echo "in the library, but not in: $other"
    status=1
  fi
  if comm -23 "$work/$other" "$work/library" | grep .; then
    echo "in: $other, but not in the library"
    status=1
  fi
done
echo "$(wc -l < "$work/library") functions"
exit $status
