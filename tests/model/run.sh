#!/bin/bash
# Checks the models of the control protocol (gate.pml) and of outputs (output.pml) with
# Spin, and that Spin finds what is wrong with broken ones. Prints the states explored.
#
# Usage: tests/model/run.sh [--full]
# Runs as many at a time as there are processors, each of which may need 1.5 GB of memory;
# --full, 6 GB. The last line is "N passed, N failed".
set -u
models=$(cd "$(dirname "$0")" && pwd)
model=$models/gate.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
full=${1:-}
n=0

for tool in spin gcc; do
  command -v $tool > /dev/null || { echo "tests/model/run.sh: $tool is missing (apt-get install $tool)"; exit 1; }
done

# explore PROPERTY MODEL-OPTIONS: leaves what Spin said in `out`, sets `states`.
# PROPERTY is "safety" (assertions, no dead ends) or the name of a formula, which
# is checked under weak fairness: a thread that can go on does so in the end.
explore() {
  property=$1
  shift
  # shellcheck disable=SC2068
  spin "$@" -a "$model" > out 2>&1 && {
    if [ "$property" = safety ]; then
      gcc -O2 -w -DSAFETY -DNOCLAIM -DCOLLAPSE -DMEMLIM=7000 -o pan pan.c && ./pan -w25 -m"$depth"
    else
      gcc -O2 -w -DNFAIR=3 -DCOLLAPSE -DMEMLIM=7000 -o pan pan.c && ./pan -a -f -N "$property" -w25 -m"$depth"
    fi
  } > out 2>&1
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out | awk '{ printf "%.0f", $1 }')
  states=${states:-0}
}

say() { # outcome, what, options
  printf '%-7s %11s  %-38s %s\n' "$1" "$states" "$2" "$3"
}

# in_turn FUNCTION ARGUMENTS: runs it in a directory of its own, beside others.
in_turn() {
  n=$((n + 1))
  mkdir "$work/$n"
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
  (cd "$work/$n" && "$@" > result) &
}
holds() { in_turn check_holds "$@"; }
caught() { in_turn check_caught "$@"; }

check_holds() { # property, model options
  property=$1
  shift
  explore "$property" "$@"
  if grep -q 'errors: 0$' out && ! grep -qE 'error: |out of memory' out; then
    say ok "$property" "$*"
  else
    say FAILED "$property" "$*"
    grep -vE '^(unreached|	|$)' out | head -n 20 | sed 's/^/    /'
  fi
}

check_caught() { # what is broken, BREAK number, property, model options
  what=$1 number=$2 property=$3
  shift 3
  explore "$property" -DBREAK="$number" "$@"
  if grep -qE 'errors: [1-9]' out; then
    say caught "$what" "$(sed -n 's/^pan:1: \([a-z ]*\).*/\1/p' out | head -n 1)"
  else
    say MISSED "$what" "$property $*"
  fi
}

depth=10000000
printf '%-7s %11s\n' '' states
# Any three requests at once, from whatever earlier ones have left behind.
holds safety -DCLIENTS=3 -DREQUESTS=1
holds answered -DCLIENTS=3 -DREQUESTS=1
# Requests without end.
holds safety -DCLIENTS=2
holds safety -DCLIENTS=2 -DTIMEOUT
# With queues and backpressure.
holds safety -DROWS -DCONNECTORS=1 -DCLIENTS=3
holds answered -DROWS -DCONNECTORS=1 -DCLIENTS=2 -DREQUESTS=2
holds goes_on -DROWS -DCONNECTORS=1 -DCLIENTS=2 -DREQUESTS=2
holds lifted -DROWS -DCONNECTORS=1 -DCLIENTS=2 -DREQUESTS=2
if [ "$full" = --full ]; then
  depth=30000000
  holds safety -DCLIENTS=3
  holds safety -DROWS -DCLIENTS=2 -DREQUESTS=1
  holds answered -DTIMEOUT -DCLIENTS=3 -DREQUESTS=1
fi

depth=1000000
small='-DCLIENTS=2 -DREQUESTS=2'
tiny="-DROWS -DCONNECTORS=1 $small"
# shellcheck disable=SC2086
{
  caught 'a pause is answered during a fetch' 1 safety $small
  caught 'a fetch looks, then enters' 2 safety $small
  caught 'the last fetch tells nobody' 3 answered $tiny
  caught 'a pause does not look after asking' 4 answered $tiny
  caught 'reasons touch each other' 5 safety $small
  caught 'a start overtakes a pause' 6 safety $small
  caught 'no second look at a full queue' 7 lifted $tiny
  caught 'an opened gate wakes nobody' 8 goes_on $tiny
  caught 'the time limit strikes an idle request' 9 safety -DTIMEOUT $small
  caught 'one connector speaks for the pipeline' 10 safety $small
}

model=$models/output.pml
holds safety -DROWS=6
holds safety -DSPILL
holds all_written -DROWS=5
holds all_written -DSPILL -DROWS=4
holds bounds_used -DSTAYS
holds all_given -DSTAYS -DSPILL -DROWS=4 -DREQUESTS=1
caught 'a pause does not tell the pipeline' 1 bounds_used -DSTAYS
caught 'the pipeline is told only while catching up' 2 all_written
caught 'a write looks, then enters' 3 safety
caught 'no second look at a full output' 4 all_written
caught 'what waits for slots is forgotten' 5 all_written
caught 'no second look at a full spill' 4 all_written -DSPILL
caught 'the output does not wake its spill' 6 all_written -DSPILL -DROWS=4
caught 'the spill ends without the lock' 7 safety -DSPILL
caught 'rows go past what is spilled' 8 safety -DSPILL

wait
for ((i = 1; i <= n; i++)); do cat "$work/$i/result"; done > "$work/results"
cat "$work/results"
passed=$(grep -cE '^(ok|caught) ' "$work/results")
awk '{ total += $2 } END { printf "%.0f states explored\n", total }' "$work/results"
echo "$passed passed, $((n - passed)) failed"
[ "$passed" -eq "$n" ]
