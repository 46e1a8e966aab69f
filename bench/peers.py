"""Programs that do the benchmark's job, NDJSON file -> typed fields -> filter -> NDJSON file, from bench/NAME.conf.in."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def describe(setting):
    return ", ".join("%s %s" % (k.lower(), v) for k, v in setting.items())


def settled(file, process, seconds=3):
    """Waits until the file has not grown for so long; when it last did, or None."""
    size, since = -1, time.time()
    while time.time() - since < seconds or size <= 0:
        if process.poll() is not None or time.time() - since > 60:
            return None
        now = os.path.getsize(file) if os.path.exists(file) else 0
        if now != size:
            size, since = now, time.time()
        time.sleep(0.02)
    return os.path.getmtime(file)


class Peer:
    """settings: values for @WORDS@ of its configuration; the fastest over a part of the rows is taken."""

    def __init__(self, name, package, words, settings, arguments, version, goal=""):
        self.name, self.package, self.goal = name, package, goal
        self.program = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.settings = [dict(zip(words, s)) for s in settings]
        self.arguments, self.version_argument = arguments, version

    def version(self):
        said = subprocess.run([self.program, self.version_argument], capture_output=True).stdout.decode()
        return " ".join(said.splitlines()[0].split("(aka")[0].split())

    def run(self, directory, setting, source, output):
        """Seconds from its start to the last row it wrote, or None."""
        work = tempfile.mkdtemp(prefix=self.name + ".", dir=directory)
        with open(os.path.join(HERE, self.name + ".conf.in")) as f:
            text = f.read()
        for word, value in dict(setting, WORK=work, INPUT=source, OUTPUT=output).items():
            text = text.replace("@%s@" % word, value)
        with open(os.path.join(work, "conf"), "w") as f:
            f.write(text)
        if os.path.exists(output):
            os.unlink(output)
        with open(os.path.join(work, "log"), "wb") as log:
            began = time.time()
            process = subprocess.Popen([self.program, *(a.replace("@", work) for a in self.arguments)], stdout=log, stderr=log)
            ended = settled(output, process)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return ended - began if ended else None


PEERS = [
    Peer("rsyslogd", "rsyslog", ("QUEUE", "WORKERS", "BATCH", "MODE", "ASYNC"), (
        ("LinkedList", "1", "1024", "inotify", "off"),
        ("LinkedList", "2", "1024", "inotify", "off"),
        ("FixedArray", "1", "1024", "inotify", "on"),
        ("FixedArray", "2", "4096", "inotify", "on"),
        ("FixedArray", "1", "8192", "polling", "off"),
        ("Direct", "1", "1024", "inotify", "on"),
    ), ("-n", "-f", "@/conf", "-i", "@/pid"), "-v", "≥ 50 ×"),
    Peer("syslog-ng", "syslog-ng-core", ("FETCH", "WINDOW", "LINES", "THREADED"), (
        ("100", "10000", "100", "yes"),
        ("1000", "100000", "1000", "yes"),
        ("10000", "100000", "1000", "yes"),
        ("1000", "100000", "1000", "no"),
    ), ("-F", "-f", "@/conf", "-R", "@/persist", "-c", "@/ctl", "-p", "@/pid", "--no-caps"), "--version"),
]
