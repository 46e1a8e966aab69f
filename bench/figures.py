"""What the programs of bench/ have in common: figures beside their goals, and where these go."""
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time


def note(text):
    print(text, file=sys.stderr, flush=True)


def chosen(parser, only, parts):
    """The parts of a benchmark that --only names; both lists with commas."""
    for part in only.split(","):
        if part not in parts.split(","):
            parser.error("there is no part %s to measure; there are: %s" % (part, parts))
    return only.split(",")


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


PLOT = """
set terminal svg size 900,%(height)d noenhanced background "white" font "sans,12"
set output "%(file)s"
set title "%(title)s"
set xlabel "%(unit)s; bar: median, line: lowest to highest run"
set xrange [0:*]
set yrange [%(n)d-0.4:-0.6]
set grid xtics
set style fill solid 0.6
$rows << END
%(rows)s
END
plot $rows using 2:0:(0):2:($0-0.35):($0+0.35):ytic(1) with boxxyerror notitle linecolor "#3b6ea5", \\
     $rows using 2:0:3:4 with xerrorbars notitle linecolor "black" pointtype 0
"""


class Figures:
    """Rows of a table, {"row", "value", "goal", "detail", ...}, in its order."""

    def __init__(self):
        self.results = []

    def add(self, row, value, goal="", detail="", bar=None, **numbers):
        """A value that begins with "no " says why there is none. bar: (unit, values of all runs), for the plots."""
        if bar:
            unit, values = bar
            numbers["bar"] = {"unit": unit, "median": statistics.median(values), "low": min(values), "high": max(values)}
        self.results.append(dict({"row": row, "value": value, "goal": goal, "detail": detail}, **numbers))
        note("%s: %s%s" % (row, value, " (%s)" % detail if detail else ""))

    def table(self):
        return ["| what | result | goal | conditions |", "|---|---|---|---|"] + [
            "| %(row)s | %(value)s | %(goal)s | %(detail)s |" % r for r in self.results]

    def plot(self, directory, name, about):
        """NAME-1.svg and so on: a plot for each unit, medians as bars and the spread of the runs on them."""
        bars = [dict(r["bar"], row=r["row"]) for r in self.results if "bar" in r]
        if bars and not shutil.which("gnuplot"):
            return note("no plots: gnuplot is not installed (gnuplot-nox)")
        for n, unit in enumerate(dict.fromkeys(b["unit"] for b in bars), 1):
            same = [b for b in bars if b["unit"] == unit]
            rows = ['"%s" %g %g %g' % (b["row"].replace('"', ""), b["median"], b["low"], b["high"]) for b in same]
            script = PLOT % {"height": 90 + 34 * len(same), "file": os.path.join(directory, "%s-%d.svg" % (name, n)),
                             "title": "%(headworks)s, %(cores)d cores of %(cpu)s, %(when)s" % about, "unit": unit,
                             "n": len(same), "rows": "\n".join(rows)}
            subprocess.run(["gnuplot"], input=script.encode(), check=True)

    def write(self, directory, name, about, heading):
        """NAME.md, which is printed too, NAME.json and the plots. `heading`: lines above the table."""
        text = "\n".join(["# Benchmarks", "", "%(cpu)s, %(cores)d cores, Linux %(kernel)s, %(headworks)s, %(when)s." % about,
                          *heading, "", *self.table()]) + "\n"
        with open(os.path.join(directory, name + ".md"), "w") as f:
            f.write(text)
        with open(os.path.join(directory, name + ".json"), "w") as f:
            json.dump({"machine": about, "results": self.results}, f, indent=2)
        self.plot(directory, name, about)
        print(text)
