#!/bin/sh
# Sums up what the unit tests said, from the logs that `make check` left: each
# case that Check ran counts, and a program that died counts as one failure.
# Usage: tests/run-unit.sh LOG ...
# The last line is "N passed, N failed".
set -u
passed=0 failed=0 told=
for log; do
  [ -f "$log" ] || continue
  counts=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$log" |
    awk '{ n += $1; bad += $2 + $3 } END { if (NR) print n, bad }')
  outcome=$(sed -n 's/^:test-result: *//p' "${log%.log}.trs" 2>/dev/null)
  good=0 bad=0
  [ -z "$counts" ] || { bad=${counts#* }; good=$((${counts% *} - bad)); }
  if [ "$outcome" != PASS ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ "$outcome" = PASS ] && [ "$good" -eq 0 ] && [ -z "$counts" ]; then good=1; fi
  printf '%-40s %4d passed, %d failed\n' "$(basename "$log" .log)" "$good" "$bad" | sed 's/passed,/ok,/'
  passed=$((passed + good)) failed=$((failed + bad))
  [ "$bad" -eq 0 ] || told="$told $log"
done
# Last, where it is seen: what Check, or a sanitizer, said of those that failed.
for log in $told; do
  echo "== $log"
  grep -E ':[FES]:|ERROR: |WARNING: |runtime error|SUMMARY: ' "$log" || tail -n 5 "$log"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
