#!/bin/sh
# What a user of an installed Headworks does: builds the example plugin and the
# embedding example with pkg-config, outside the source tree, and runs them.
# Usage: tests/installed.sh PREFIX
set -eu
prefix=$1
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PKG_CONFIG_PATH=$(find "$prefix" -name headworks.pc -exec dirname {} \;)
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir headworks)
headworks=$prefix/bin/headworks
passed=0

good() {
  echo "ok: $1"
  passed=$((passed + 1))
}
bad() {
  echo "FAILED: $1"
  echo "$passed passed, 1 failed"
  exit 1
}

"$headworks" version | grep -q "$(pkg-config --modversion headworks)" || bad 'the program and headworks.pc have one version'
good 'the program and headworks.pc have one version'

# ---- the plugin ----------------------------------------------------------------
cp -r "$root/examples/plugin" "$work/plugin"
cd "$work/plugin"
lines=$(cat ./*.c | wc -l)
[ "$lines" -lt 150 ] || bad "the example plugin has $lines lines"
make > make.log 2>&1 || { cat make.log; bad 'the example plugin is built'; }
good "the example plugin is built ($lines lines)"

rows=$("$headworks" run --plugin-path . --set SAMPLES=2 cpu.sql 2> err | grep -c '^[0-9]*,[0-9.]*,1$') || true
[ "$rows" -gt 0 ] || { cat err; bad 'it runs with --plugin-path'; }
good "it runs with --plugin-path ($rows rows)"
HEADWORKS_PLUGIN_PATH=$PWD/cpu_input.so "$headworks" run --set SAMPLES=1 cpu.sql > out 2> err || { cat err; bad 'it runs with HEADWORKS_PLUGIN_PATH'; }
good 'it runs with HEADWORKS_PLUGIN_PATH'

# Linked with the library, it must still call the engine inside the program.
cc -std=gnu11 -fPIC -shared $(pkg-config --cflags headworks) -o linked.so cpu_input.c $(pkg-config --libs headworks)
LD_LIBRARY_PATH=$library LD_DEBUG=bindings LD_DEBUG_OUTPUT=$PWD/bindings "$headworks" run --plugin-path ./linked.so \
  --set SAMPLES=1 cpu.sql > out 2> err || { cat err; bad 'a plugin linked with -lheadworks runs'; }
good 'a plugin linked with -lheadworks runs'
cat bindings.* | grep 'linked.so \[0\] to .*`hw_' | grep -v hw_plugin_descriptor > calls || bad 'it binds to hw_* functions'
if grep -v ' to [^ ]*bin/headworks \[0\]' calls; then bad 'all of them are those of the program'; fi
cat bindings.* | grep -q libheadworks || bad 'the library was loaded beside the program'
good "its $(wc -l < calls) bindings are to the program, not to the library beside it"

# ---- the embedding program ---------------------------------------------------------
cd "$work"
cc -std=gnu11 -O2 -Wall -Wextra -Werror "$root/examples/embed.c" $(pkg-config --cflags --libs headworks) -o embed ||
  bad 'embed.c is built'
good 'embed.c is built'
LD_LIBRARY_PATH=$library ./embed > out 2>&1 || { cat out; bad 'it runs'; }
sed 's/^/    /' out
good 'it runs'

# ---- the headers -----------------------------------------------------------------
for header in "$prefix"/include/headworks/*.h; do
  name=headworks/$(basename "$header")
  echo "#include <$name>" > alone.c
  cc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags headworks) alone.c || bad "$name stands alone"
  if command -v clang++ > /dev/null; then
    clang++ -x c++ -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags headworks) alone.c || bad "$name is C++ too"
  fi
done
good 'every header stands alone, in C and in C++'

echo "$passed passed, 0 failed"
