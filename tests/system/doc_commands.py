#!/usr/bin/env python3
"""Every command in README.md and docs/ runs as it is written, succeeds, and prints what the page says.

The commands of a page are given to one shell, in their order, in a network of their own, where port 8080 is free. A
number of four and more digits in what a page shows stands for any number, "..." for any text."""
import fcntl
import re
import shlex
import socket
import struct

from libhw import *

# Blocks that are not run, by their first command, and who sees to what is in them.
NOT_RUN = {
    ("README.md", "./quickstart"): "installs packages and builds Headworks",
    ("README.md", "./bootstrap"): "builds Headworks, which was done before this test",
    ("docs/benchmarks.md", "make bench"): "minutes; bench.py, many_connectors.py and load.py here are short forms",
    ("docs/plugins.md", "cc"): "needs an installed Headworks: tests/installed.sh builds and loads a plugin",
}
# What a page takes for granted: commands, or blocks of another page by its name and their first commands.
SERVER = "headworks serve &"
BEFORE = {
    "docs/http-api.md": [SERVER],
    "docs/query.md": [SERVER, ("docs/http-api.md", "cat > demo.sql"), ("docs/http-api.md", "printf '1,Ada")],
    "docs/security.md": [
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=headworks.example "
        "-addext subjectAltName=DNS:headworks.example", "cp cert.pem ca.pem"],
}
# While a command follows something without end, this one is run to give it something.
MEANWHILE = {("docs/http-api.md", "egress/loud"): ("docs/http-api.md", "printf '1,Ada")}


# ---- pages -------------------------------------------------------------------

def is_whole(text):
    """Whether a shell would begin to run it, instead of asking for more lines."""
    if text.endswith("\\"):
        return False
    done = subprocess.run(["bash", "-n"], input=text.encode() + b"\n", capture_output=True)
    return done.returncode == 0 and not done.stderr


def commands_of(block):
    """[command, lines that it prints]; a command begins after "$ " and goes on until it is whole."""
    commands, lines = [], iter(block)
    for line in lines:
        if not line.startswith("$ "):
            expect(commands, "a block begins with %r, not with a command" % line)
            commands[-1][1].append(line)
            continue
        command = line[2:]
        while not is_whole(command):
            command += "\n" + next(lines)
        commands.append([command, []])
    return commands


def read_page(name):
    text = open(os.path.join(SRCDIR, name), encoding="utf-8").read()
    block = re.compile(r"^```(?:console|sh|bash|shell)\n(.*?)^```", re.M | re.S)
    others = re.search(r"(?m)(^\s*|\$ |`|\| *)curl .*", block.sub("", text))
    expect(not others, "%s: outside of the blocks that are run: %s" % (name, others and others.group(0)))
    return [commands_of(b.splitlines()) for b in block.findall(text)]


# ---- a shell -----------------------------------------------------------------

def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def is_processed(pipeline):
    total = Client(8080).stats(pipeline)["global_metrics"]
    return (total["total_processed_records"] == total["total_input_records"] or
            total["transaction_status"] == "TransactionInProgress")


def flows(pipeline):
    """Whether each input that is not paused has brought something."""
    return all(i["paused"] or i["metrics"]["total_records"] for i in Client(8080).stats(pipeline)["inputs"])


class Shell:
    def __init__(self, directory):
        self.directory, self.n, self.errors = directory, 0, os.path.join(directory, "stderr")
        self.process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=open(self.errors, "wb"), cwd=directory)
        self.run("set -o pipefail")

    def run(self, command):
        """Its output and exit status."""
        self.n += 1
        end = "@@%d " % self.n
        self.process.stdin.write(("%s\necho; echo \"%s$?\"\n" % (command, end)).encode())
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            line = line.decode().rstrip("\r\n")
            if line.startswith(end):
                return lines[:-1] if lines and not lines[-1] else lines, int(line[len(end):])
            if not line.startswith("listening on http"):  # the server's, which runs beside
                lines.append(line)
        fail("the shell ended with: %s" % command)

    def settle(self, command):
        """What a person does by being slow."""
        if re.search(r"&(\s*#.*)?$", command):
            listen = re.search(r"--listen \S*:(\d+)", command)
            wait_until(lambda: answers(int(listen.group(1)) if listen else 8080), "it listens: " + command)
        if "kill %" in command:
            self.run("wait")
        started = re.search(r"headworks pipeline start (\w+)$", command)
        if started:
            wait_until(lambda: flows(started.group(1)), "rows come in: " + command)
        asked = re.search(r"/v0/pipelines/(\w+)/(start$|stop$|ingress)", command)
        states = {"start": "Running", "stop": "Stopped"}
        if asked and asked.group(2) in states:
            Client(8080).wait_status(asked.group(1), states[asked.group(2)])
        elif asked:
            wait_until(lambda: is_processed(asked.group(1)), "what came in is processed")

    def close(self):
        self.run("kill $(jobs -p); wait")
        self.process.stdin.close()
        self.process.wait()


def pattern_of(line):
    """A regular expression for a line as a page shows it."""
    parts = re.split(r"(\.\.\.|\d{4,})", line.rstrip())
    return "".join(".*" if p == "..." else r"\d+" if re.fullmatch(r"\d{4,}", p) else re.escape(p) for p in parts)


def prints(wanted, got):
    """The lines are those that are shown, in this order, with nothing between."""
    return len(got) >= len(wanted) and all(re.fullmatch(pattern_of(w), g.rstrip()) for w, g in zip(wanted, got))


def follow(shell, page, command, wanted):
    meanwhile = next((c for (p, words), c in MEANWHILE.items() if p == page and words in command), None)
    expect(meanwhile, "%s: nothing happens while this waits: %s" % (page, command))
    process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, cwd=shell.directory)
    got = [process.stdout.readline().decode().rstrip()]
    give(shell, *meanwhile)
    while len(got) < len(wanted):
        got.append(process.stdout.readline().decode().rstrip())
    expect(prints(wanted, got), "%s: %s\nprints %r\n not %r" % (page, command, got, wanted))
    process.kill()
    process.wait()


def perform(shell, page, command, wanted):
    print("%s: %s" % (page, command), flush=True)
    if re.search(r"curl -\w*N", command):
        follow(shell, page, command, wanted)
        return
    got, status = shell.run(command)
    said = "\n".join(got) + open(shell.errors, encoding="utf-8").read()[-2000:]
    expect(status == 0, "%s: %s\nexit status %d: %s" % (page, command, status, said))
    expect(prints(wanted, got), "%s: %s\nprints %r\n not %r" % (page, command, got, wanted))
    shell.settle(command)


def give(shell, page, words):
    """Runs the block of that page whose first command begins so."""
    found = [b for b in read_page(page) if b[0][0].startswith(words)]
    equal(len(found), 1, "blocks of %s that begin with %s" % (page, words))
    for command, wanted in found[0]:
        perform(shell, page, command, wanted)


# ---- the test ----------------------------------------------------------------

def try_page(page):
    used, run = set(), []
    for block in read_page(page):
        key = next((k for k in NOT_RUN if k[0] == page and block[0][0].startswith(k[1])), None)
        if key:
            used.add(key)
        else:
            run.append(block)
    if run:
        directory = path(page.replace("/", "-"))
        os.mkdir(directory)
        os.symlink(EXAMPLES, os.path.join(directory, "examples"))
        os.environ["XDG_STATE_HOME"] = os.path.join(directory, "state")
        shell = Shell(directory)
        for step in BEFORE.get(page, []):
            give(shell, *step) if isinstance(step, tuple) else perform(shell, page, step, [])
        for block in run:
            for command, wanted in block:
                perform(shell, page, command, wanted)
        shell.close()
    return used, sum(len(b) for b in run)


def raise_loopback():
    with socket.socket() as s:
        request = struct.pack("16sh22x", b"lo", 0)
        flags, = struct.unpack("16xh22x", fcntl.ioctl(s, 0x8913, request))  # SIOCGIFFLAGS
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", flags | 1))    # SIOCSIFFLAGS, IFF_UP


def make_programs():
    """`headworks` is the one under test, and curl fails where a reply is an error."""
    os.mkdir(path("bin"))
    for name, command in (("headworks", HEADWORKS), ("curl", shutil.which("curl") + " --fail-with-body")):
        write("bin/" + name, "#!/bin/sh\nexec %s \"$@\"\n" % command)
        os.chmod(path("bin/" + name), 0o755)
    os.environ["PATH"] = path("bin") + ":" + os.environ["PATH"]
    for name in ("HEADWORKS_API_KEY", "HEADWORKS_URL", "HEADWORKS_CA"):
        os.environ.pop(name, None)


def pages():
    return ["README.md"] + sorted("docs/" + f for f in os.listdir(os.path.join(SRCDIR, "docs")) if f.endswith(".md"))


def inside():
    raise_loopback()
    make_programs()
    used, n = set(), 0
    for page in pages():
        of_page, commands = try_page(page)
        used |= of_page
        n += commands
    equal(set(NOT_RUN) - used, set(), "blocks that are not run, and that there are not")
    print("%d commands" % n)


def outside():
    for program in ("curl", "jq", "openssl", "unshare"):
        if not shutil.which(program):
            skip("no " + program)
    namespaces = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
    if subprocess.run([*namespaces, "true"], stderr=subprocess.DEVNULL).returncode:
        skip("no namespace for a network of its own")
    hosts = write("hosts", "127.0.0.1 localhost headworks.example\n")
    mounts = "mount --bind %s /etc/hosts && mount -t tmpfs none /var/lib || exit 77" % shlex.quote(hosts)
    done = subprocess.run([*namespaces, "sh", "-c", mounts + '; exec "$@"', "sh", sys.executable,
                           os.path.abspath(__file__), "inside"])
    if done.returncode == 77:
        skip("nothing can be mounted here")
    sys.exit(done.returncode)


inside() if sys.argv[1:] == ["inside"] else outside()
