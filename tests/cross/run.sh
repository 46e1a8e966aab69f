#!/bin/sh
# Builds the formats, and of the runtime what they stand on, for another machine,
# and runs their tests there under QEMU: those that need no library of that machine.
# What their files refer to beyond that (report.c: connectors) is in sections that nothing uses.
# Usage: tests/cross/run.sh DIRECTORY [COMPILER EMULATOR SET ...]   default: aarch64; the last set is the
# one that all tests run with, and test_format_simd compares it with the others.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$1
shift
[ $# -gt 0 ] || set -- aarch64-linux-gnu-gcc qemu-aarch64 portable neon
cc=$1 emulator=$2
shift 2
sets=$*
for tool in "$cc" "$emulator"; do
  command -v "$tool" > /dev/null || { echo "$tool is not installed"; exit 1; }
done

runtime='batch mem report segment status types value value_decimal value_float value_int value_number value_pow10 value_shortest
  value_time value_utf8'
tests='csv json raw rfc4180 rfc8259 simd split'
flags='-std=gnu11 -O1 -g -pthread -ffunction-sections -ffp-contract=off -Wall -Wextra -Werror -D_GNU_SOURCE -DHW_DEBUG'

list() { sed -n "/^$1 = /,/[^\\\\]\$/p" "$root/Makefile.am" | grep -o '[a-z]*/[a-z_0-9]*\.c'; }

mkdir -p "$dir/formats" "$dir/runtime" "$dir/tests"
{
  echo "FLAGS = $flags -I$root/tests/cross -I$root/include -I$root"
  objects=''
  rule() { # object source flags
    objects="$objects $1"
    printf '%s: %s\n\t%s $(FLAGS) %s -MMD -c -o $@ %s\n' "$1" "$root/$2" "$cc" "$3" "$root/$2"
  }
  for file in $(list formats_sources); do rule "${file%.c}.o" "$file" ''; done
  for set in $sets; do
    for file in $(list formats_set_sources); do rule "${file%.c}.$set.o" "$file" "-DHW_SIMD=$set"; done
  done
  for name in $runtime; do rule "runtime/$name.o" "runtime/$name.c" ''; done
  rule tests/format_feed.o tests/format_feed.c ''
  rule tests/format_fixture.o tests/format_fixture.c ''
  rule tests/reference_csv.o tests/reference_csv.c ''
  rule tests/reference_value.o tests/reference_value.c ''
  rule tests/host.o tests/cross/host.c ''
  shared=$objects all=''
  for test in $tests; do
    rule "tests/test_format_$test.o" "tests/test_format_$test.c" ''
    printf 'tests/test_format_%s: tests/test_format_%s.o%s\n\t%s -static -pthread -Wl,--gc-sections -o $@ $^ -lm\n' \
      "$test" "$test" "$shared" "$cc"
    printf 'run-%s: tests/test_format_%s\n\t@echo test_format_%s && HEADWORKS_SIMD=%s %s $<\n' \
      "$test" "$test" "$test" "$set" "$emulator"
    all="$all run-$test"
  done
  echo "all: $all"
  echo '-include formats/*.d runtime/*.d tests/*.d'
  echo '.DEFAULT_GOAL = all'
} > "$dir/Makefile"
make -C "$dir" --no-print-directory -s -k -j"$(nproc)" --output-sync all
