#!/bin/sh
# Runs the whole-program tests of tests/system/: every *.sh and *.py that does
# not start with "_" or "lib". Each runs in a temporary directory of its own,
# as a process group with a time limit, and finds in its environment
#   HEADWORKS  the program                    SRCDIR  the source tree
#   HW_FULL    1 for the long forms, or ""    PYTHONPATH  tests/system
# Those in Python are run by $HW_PYTHON, if that is set: one with packages that some of them need.
# It says by its exit status what came of it: 0 passed, 77 skipped. A test that
# needs more than two minutes has a line "# time-limit: SECONDS". They run one after the
# other, but for those with a line "# mostly-waits", which run beside the others.
#
# Usage: HEADWORKS=path tests/run-system.sh [name ...]
# The last line is "N passed, N failed[, N skipped]".
set -u
SRCDIR=$(cd "$(dirname "$0")/.." && pwd)
HEADWORKS=$(realpath "${HEADWORKS:-./headworks}")
HW_FULL=${HW_FULL:-}
PYTHONPATH=$SRCDIR/tests/system
PYTHONDONTWRITEBYTECODE=1
export SRCDIR HEADWORKS HW_FULL PYTHONPATH PYTHONDONTWRITEBYTECODE
LOGS=${LOGS:-$PWD/tests/system-logs}

[ -x "$HEADWORKS" ] || { echo "run-system.sh: no program at $HEADWORKS" >&2; exit 1; }
mkdir -p "$LOGS"
passed=0 failed=0 skipped=0

wanted() { # name, patterns
  name=$1; shift
  [ $# -eq 0 ] && return 0
  for pattern; do
    case $name in $pattern | $pattern.*) return 0 ;; esac
  done
  return 1
}

interpreter() {
  case $(head -n 1 "$1") in *python3*) echo "${HW_PYTHON:-python3}" ;; *bash*) echo bash ;; *) echo sh ;; esac
}

# Processes of a group, but for those that have ended and nobody has asked after.
still_run() { # group
  ps -e -o pgid= -o stat= -o args= | awk -v group="$1" '$1 == group && $2 !~ /^Z/'
}

# Runs a test; what is to be said of it goes to $RESULTS/NAME, a word for its outcome to $RESULTS/NAME.is.
run() { # test, name
  test=$1 name=$2
  limit=$(sed -n 's/^# time-limit: *\([0-9]*\).*/\1/p' "$test" | head -n 1)
  limit=${limit:-120}
  [ -n "$HW_FULL" ] && limit=$((limit * 60))
  dir=$(mktemp -d "${TMPDIR:-/tmp}/headworks.XXXXXX")
  log=$LOGS/$name.log
  begin=$(date +%s)
  (cd "$dir" && TMPDIR=$dir XDG_STATE_HOME=$dir/state exec timeout -k 10 "$limit" "$(interpreter "$test")" "$test") > "$log" 2>&1 < /dev/null &
  group=$! # timeout leads a process group of its own
  wait $group
  status=$?
  left=$(still_run $group)
  if [ -n "$left" ]; then
    kill -s KILL -- "-$group" 2> /dev/null # not -9: dash takes no -- after that
    printf 'left processes running:\n%s\n' "$left" >> "$log"
    [ $status -ne 0 ] || status=1
  fi
  seconds=$(($(date +%s) - begin))
  is=failed
  case $status in
    0) word=ok is=passed ;;
    77) word=skipped is=skipped ;;
    124 | 137) word="FAILED (no end after $limit s)" ;;
    *) word="FAILED ($status)" ;;
  esac
  {
    printf '%-40s %4d s  %s\n' "$name" "$seconds" "$word"
    case $is in
      passed) ;;
      skipped) tail -n 1 "$log" | sed 's/^/    /' ;;
      failed) tail -n 100 "$log" | sed 's/^/    /' ;;
    esac
  } > "$RESULTS/$name"
  echo $is > "$RESULTS/$name.is"
  chmod -R u+w "$dir" 2>/dev/null
  rm -rf "$dir"
}

tell() { # name
  cat "$RESULTS/$1"
  case $(cat "$RESULTS/$1.is") in
    passed) passed=$((passed + 1)) ;;
    skipped) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
}

# Tests to run, those that mostly wait or the others.
tests() { # mostly-waits | others, patterns
  kind=$1; shift
  for test in "$SRCDIR"/tests/system/*.sh "$SRCDIR"/tests/system/*.py; do
    name=$(basename "$test")
    case $name in _* | lib* | '*'*) continue ;; esac
    wanted "$name" "$@" || continue
    if grep -q '^# mostly-waits' "$test"; then is=mostly-waits; else is=others; fi
    [ $is = "$kind" ] && echo "$name"
  done
}

RESULTS=$(mktemp -d "${TMPDIR:-/tmp}/headworks-results.XXXXXX") || exit 1
trap 'rm -rf "$RESULTS"' EXIT
beside=$(tests mostly-waits "$@")
for name in $beside; do run "$SRCDIR/tests/system/$name" "$name"; done &
for name in $(tests others "$@"); do
  run "$SRCDIR/tests/system/$name" "$name"
  tell "$name"
done
wait
for name in $beside; do tell "$name"; done

line="$passed passed, $failed failed"
[ $skipped -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
