#!/usr/bin/env python3
"""A plugin joins by its descriptor; one that does not match is refused with a sentence and does no harm."""
import json
import os
import shutil
import subprocess

from libhw import *

SOURCE = r"""
#include <headworks/plugin.h>
static hw_status make(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)c; (void)config; (void)err;
  *instance = NULL;
  return HW_OK;
}
static hw_fetch fetch(void *i, const hw_fetch_args *a, hw_error *err) {
  (void)i; (void)a; (void)err;
  return HW_FETCH_END;
}
static void destroy(void *i) { (void)i; }
static const hw_input_ops ops = {.create = make, .fetch = fetch, .destroy = destroy};
static const hw_option options[] = {{0}};
static const hw_input_transport transport = {.struct_size = sizeof transport, .name = NAME, .summary = "Nothing",
                                             .capabilities = HW_CAP_ROWS, .options = options, .ops = &ops};
static const hw_input_transport *const inputs[] = {&transport, NULL};
HW_PLUGIN_EXPORT const hw_plugin SYMBOL = {
    .magic = MAGIC, .abi = ABI, .struct_size = SIZE, .name = "test", .version = "1", .inputs = inputs};
"""
DEFAULTS = {"NAME": '"nothing_input"', "SYMBOL": "hw_plugin_descriptor", "MAGIC": "HW_PLUGIN_MAGIC",
            "ABI": "HW_PLUGIN_ABI", "SIZE": "sizeof(hw_plugin)"}

compiler = shutil.which("cc") or shutil.which("gcc")
if not compiler:
    skip("no C compiler")


def build(name, source=SOURCE, **changes):
    os.makedirs(path(name), exist_ok=True)
    file, c = path("%s/%s.so" % (name, name)), write(name + ".c", source)
    macros = ["-D%s=%s" % item for item in dict(DEFAULTS, **changes).items()]
    subprocess.run([compiler, "-std=gnu11", "-shared", "-fPIC", "-I" + os.path.join(SRCDIR, "include"), *macros, c,
                    "-o", file], check=True)
    return file


def refused(file, *parts):
    done = run("connectors", "--plugin-path", file, status=1)
    text = done.stderr.decode()
    for part in (os.path.basename(file), *parts):
        expect(part in text, "%r is not in what was said of %s: %r" % (part, file, text))
    equal(text.count("\n"), 1, "lines said of %s: %r" % (file, text))


good = build("good")
for args, env in ((["--plugin-path", good], {}), (["--plugin-path", os.path.dirname(good)], {}),
                  ([], {"HEADWORKS_PLUGIN_PATH": good})):
    listed = json.loads(run("connectors", "--json", *args, env=env).stdout)
    expect("nothing_input" in [entry["name"] for entry in listed], "the good plugin is not listed with %r" % args)
program = write("p.sql", table("t", "id BIGINT", [{"name": "n", "transport": {"name": "nothing_input"}}]) +
                view("v", "SELECT id FROM t", [null_output()]))
run("run", "--plugin-path", good, program)
expect(b"nothing_input" in run("run", program, status=3).stderr, "without the plugin its transport is unknown")

os.mkdir(path("barren"))
for options in (["--plugin-path", path("barren") + ":" + good], ["-p", path("good") + ":" + path("barren")]):
    said = run("run", *options, program).stderr.decode()
    equal(said.count("warning: "), 1, "warnings of %r: %s" % (options, said))
    expect("warning: the plugin directory %s has no *.so" % path("barren") in said, said)

refused(build("foreign", ABI="HW_PLUGIN_ABI+1"), "ABI")
refused(build("magic", MAGIC="0x12345678"))
refused(build("symbol", SYMBOL="another_name"), "hw_plugin_descriptor")
refused(build("small", SIZE="8"), "struct_size")
refused(build("large", SIZE="sizeof(hw_plugin)+4096"), "struct_size")
refused(build("taken", NAME='"file_input"'), "file_input")
short = "const unsigned hw_plugin_descriptor[4] = {0x48574b53u, 1, 56, 0};"  # says more than the symbol holds
refused(build("short", source=short), "16 bytes")
refused(write("text.so", "this is no shared object\n"))
refused(path("nothere.so"))
