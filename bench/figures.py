"""What the programs of bench/ have in common: figures beside their goals, and where these go."""
import json
import os
import platform
import subprocess
import sys
import time


def note(text):
    print(text, file=sys.stderr, flush=True)


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def quantiles(values, unit):
    return "p50 %.2f, p99 %.2f, max %.2f %s" % (quantile(values, 0.5), quantile(values, 0.99), max(values), unit)


def machine(headworks, load):
    """load: the load average before anything was measured."""
    model = "unknown"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    version = subprocess.run([headworks, "version"], capture_output=True).stdout.decode().split("\n")[0]
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(), "headworks": version,
            "load_before": load, "when": time.strftime("%Y-%m-%d %H:%M:%S %z")}


class Figures:
    """Rows of a table, {"row", "value", "goal", "detail", ...}, in its order."""

    def __init__(self):
        self.results = []

    def add(self, row, value, goal="", detail="", **numbers):
        """A value that begins with "no " says why there is none."""
        self.results.append(dict({"row": row, "value": value, "goal": goal, "detail": detail}, **numbers))
        note("%s: %s%s" % (row, value, " (%s)" % detail if detail else ""))

    def table(self):
        return ["| what | result | goal | conditions |", "|---|---|---|---|"] + [
            "| %(row)s | %(value)s | %(goal)s | %(detail)s |" % r for r in self.results]

    def write(self, directory, name, about, heading):
        """NAME.md, which is printed too, and NAME.json. `heading`: lines above the table."""
        text = "\n".join(["# Benchmarks", "", "%(cpu)s, %(cores)d cores, Linux %(kernel)s, %(headworks)s, %(when)s." % about,
                          *heading, "", *self.table()]) + "\n"
        with open(os.path.join(directory, name + ".md"), "w") as f:
            f.write(text)
        with open(os.path.join(directory, name + ".json"), "w") as f:
            json.dump({"machine": about, "results": self.results}, f, indent=2)
        print(text)
