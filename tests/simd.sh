#!/bin/sh
# The format tests with each instruction set that this processor has, and what the
# program says of the sets.
# Usage: tests/simd.sh BUILD
# The last line is "N passed, N failed".
set -u
cd "$1" || exit 1
passed=0 failed=0

verdict() { # 0 or 1, sentence
  if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: $2"; fi
}

says=$(HEADWORKS_SIMD=mmx ./headworks version 2>&1)
[ $? -eq 2 ] && case $says in *HEADWORKS_SIMD=mmx*portable*) ;; *) false ;; esac
verdict $? "a set that is none is refused with those there are: $says"

sets=0
tests=$(find tests -name 'test_format_*' -type f -perm -u+x | sort)
for set in portable sse42 avx2 neon; do
  says=$(HEADWORKS_SIMD=$set ./headworks version --json 2> /dev/null) || continue
  sets=$((sets + 1))
  case $says in *"\"simd\": \"$set\""*) ;; *) false ;; esac
  verdict $? "HEADWORKS_SIMD=$set, and the program says $says"
  for test in $tests; do
    HEADWORKS_SIMD=$set "$test" > "$test.$set.out" 2>&1
    status=$?
    verdict $status "$test with $set"
    [ $status -eq 0 ] || tail -n 20 "$test.$set.out"
    rm -f "$test.$set.out"
  done
done
[ $sets -gt 0 ] && [ -n "$tests" ]
verdict $? "there is a set, and a test"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
