#!/bin/bash
# Builds the fuzz targets under build/fuzz and runs them: a fixed number of inputs
# each, or for a time. Two at once where there are processors.
#
#   tests/fuzz/run.sh [--seconds N] [--build-only] [TARGET ...]
#
# The last line is "N passed, N failed".
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/fuzz
seconds='' build_only=''
# Runs of the bounded form: some three seconds each.
declare -A runs=([json]=4000 [csv]=5000 [msgpack]=4000 [raw]=15000 [sql]=5000 [connector]=8000 [http]=8000 [unpack]=12000)
targets=()

while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:?}; shift ;;
    --build-only) build_only=1 ;;
    *) [ -n "${runs[$1]-}" ] || { echo "no target $1 (there are: ${!runs[*]})" >&2; exit 2; }; targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=(json csv msgpack raw sql connector http unpack)

mkdir -p "$build" && cd "$build" || exit 1
if [ ! -f config.status ] || [ "$root/configure" -nt config.status ]; then
  "$root/configure" CC=clang CFLAGS='-O1 -gline-tables-only' --enable-debug \
    --enable-sanitizers=address,undefined,fuzzer-no-link > configure.log 2>&1 || { tail -n 20 configure.log; exit 1; }
fi
make -j"$(nproc)" --output-sync tests/fuzz/fuzz > make.log 2>&1 || { tail -n 40 make.log; exit 1; }
[ -z "$build_only" ] || exit 0

run() { # TARGET: its log is work/TARGET.log, what it fails on work/TARGET-...
  # New inputs go into the directory that is named first: that of the corpus stays as it is.
  local work=work/$1 bound="-max_total_time=$seconds"
  if [ -z "$seconds" ]; then
    work=work/$1-bounded bound=-runs=${runs[$1]}
    rm -rf "$work"
  fi
  mkdir -p "$work"
  FUZZ_TARGET=$1 tests/fuzz/fuzz -seed=1 -max_len=700 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="work/$1-" "$bound" "$work" "$root/tests/fuzz/corpus/$1" > "work/$1.log" 2>&1
}
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1

mkdir -p work
passed=0 failed=0
jobs=$(nproc) waiting=("${targets[@]}")
declare -A target_of=()
report() { # TARGET STATUS
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    printf 'ok     %-10s %s\n' "$1" "$(grep -a '^Done' "work/$1.log")"
  else
    failed=$((failed + 1))
    printf 'FAILED %-10s (build/fuzz/work/%s.log)\n' "$1" "$1"
    grep -av '^#[0-9]\|^INFO' "work/$1.log" | tail -n 60
  fi
}
while [ ${#waiting[@]} -gt 0 ] || [ ${#target_of[@]} -gt 0 ]; do
  while [ ${#waiting[@]} -gt 0 ] && [ ${#target_of[@]} -lt "$jobs" ]; do
    run "${waiting[0]}" &
    target_of[$!]=${waiting[0]}
    waiting=("${waiting[@]:1}")
  done
  wait -n -p ended "${!target_of[@]}"
  report "${target_of[$ended]}" $?
  unset "target_of[$ended]"
done
echo "$passed passed, $failed failed"
[ $passed -eq ${#targets[@]} ]
