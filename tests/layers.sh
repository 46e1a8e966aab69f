#!/bin/sh
# Holds the layers: a folder includes only from folders before it in
#   include < runtime < formats < connectors < sql < engine < api < cli
# and formats and connectors see the installed headers (and their own folder)
# only, since they are the first users of what plugins get.
# Usage: tests/layers.sh [source root]
set -eu
cd "${1:-$(dirname "$0")/..}"

# folder: folders it may include from, besides <headworks/...>
rules='include:
runtime: runtime
formats: formats
connectors: connectors
sql: runtime sql
engine: runtime formats connectors sql engine
api: runtime sql engine api
cli: runtime sql engine api cli'

failed=0
complain() {
  echo "$1"
  failed=$((failed + 1))
}

files=0
for folder in include runtime formats connectors sql engine api cli; do
  allowed=$(echo "$rules" | sed -n "s/^$folder://p")
  for file in $(find "$folder" -name '*.[chly]' | sort); do
    files=$((files + 1))
    for included in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
      ok=no
      for other in $allowed; do
        case $included in "$other"/*) ok=yes ;; esac
      done
      [ $ok = yes ] || complain "$file: includes \"$included\": $folder/ may include <headworks/...>${allowed:+ and$allowed} only"
      case $included in *..*) complain "$file: includes \"$included\": name it from the root" ;; esac
    done
    if [ "$folder" = include ] && grep -nE '^ *# *include *<(event|jansson|msgpack|zlib|zstd|http_parser)' "$file"; then
      complain "$file: an installed header needs no library"
    fi
  done
done

echo "$files files"
[ $failed -eq 0 ]
