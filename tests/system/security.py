#!/usr/bin/env python3
"""What crosses the network, who reaches the server, where files may lie, and that secrets are shown nowhere."""
import io
import socket
import ssl
import zipfile

from libhw import *

SECRET, FILE_SECRET = "s3cret-of-the-environment", "s3cret-from-a-file"


def openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True)
    expect(done.returncode == 0, "openssl %s: %s" % (args[0], done.stderr.decode()))


def make_ca():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem"))


def make_certificate(name, names, *when):
    """NAME.pem and NAME.key, signed by the authority, for names ("DNS:localhost")."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
            "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
    write(name + ".ext", "subjectAltName=" + names)
    openssl("x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-extfile", path(name + ".ext"), "-out", path(name + ".pem"), *(when or ("-days", "2")))


def curl(url, *args):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "-o", path("curl.out"), "-w", "%{http_code}", *args, url],
                          capture_output=True)
    return done.returncode, int(done.stdout or 0), read("curl.out").decode() if os.path.exists(path("curl.out")) else ""


def tls_options(name):
    return ["--tls-cert", path(name + ".pem"), "--tls-key", path(name + ".key")]


# ---- TLS --------------------------------------------------------------------

def peer_names(port):
    context = ssl.create_default_context(cafile=path("ca.pem"))
    with socket.create_connection(("127.0.0.1", port)) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as s:
            return [value for key, value in s.getpeercert()["subject"][0]][0]


def tls():
    make_ca()
    make_certificate("good", "DNS:localhost,IP:127.0.0.1")
    make_certificate("other", "DNS:elsewhere.example")
    ca = ["--cacert", path("ca.pem")]
    with Server(*tls_options("good")) as server:
        expect(server.url.startswith("https://"), server.url)
        url = "https://localhost:%d" % server.port
        equal(curl(url + "/healthz", *ca), (0, 200, '{"status":"healthy"}'), "curl with the authority")
        equal(curl(url + "/healthz")[0], 60, "curl without: the certificate is not trusted")
        status, code, body = curl("http://localhost:%d/healthz" % server.port)
        equal((status, code, json.loads(body)["error_code"]), (0, 400, "TlsRequired"), "curl without TLS")
        equal(curl(url + "/healthz", *ca, "--tls-max", "1.2")[:2], (0, 200), "curl with TLS 1.2")
        expect(curl(url + "/healthz", *ca, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")[0] != 0, "TLS 1.1")
        commands(server)
        renewed(server)
    with Server(*tls_options("other")) as server:
        equal(curl("https://localhost:%d/healthz" % server.port, *ca)[0], 60, "curl, a certificate of another name")
        said = run("pipeline", "list", "--url", "https://localhost:%d" % server.port, "--ca", path("ca.pem"), status=4)
        expect(b"is not trusted: hostname mismatch" in said.stderr, said.stderr)
    expired()


def commands(server):
    file = write("p.sql", table("t", "id BIGINT", [datagen("g", {"limit": 10})]) + view("v", "SELECT id FROM t"))
    env = {"HEADWORKS_URL": "https://localhost:%d" % server.port, "HEADWORKS_CA": path("ca.pem")}
    run("pipeline", "create", "p", file, env=env)
    run("pipeline", "start", "p", env=env)
    run("pipeline", "stats", "p", env=env)
    run("pipeline", "list", "--url", "https://127.0.0.1:%d" % server.port, "--ca", path("ca.pem"))
    said = run("query", "p", "SELECT 1 AS one", "--url", env["HEADWORKS_URL"], "--ca", path("ca.pem"), "--json")
    equal(json.loads(said.stdout), {"one": 1}, "a query with --ca")
    run("pipeline", "stop", "p", env=env)
    run("pipeline", "delete", "p", env=env)
    said = run("pipeline", "list", env={"HEADWORKS_URL": env["HEADWORKS_URL"], "HEADWORKS_CA": ""}, status=4)
    expect(b"is not trusted" in said.stderr and b"--ca" in said.stderr, said.stderr)
    with Server() as plain:
        said = run("pipeline", "list", "--url", "https://localhost:%d" % plain.port, status=4)
        expect(b"does not speak TLS" in said.stderr, said.stderr)
    said = run("pipeline", "list", "--url", "https://localhost:1", "--ca", path("nothing.pem"), status=2)
    expect(b"nothing.pem" in said.stderr, said.stderr)


def renewed(server):
    """SIGHUP: new connections get the new certificate; a bad one changes nothing."""
    equal(peer_names(server.port), "good", "the name")
    make_certificate("newer", "DNS:localhost")
    shutil.copy(path("newer.pem"), path("good.pem"))
    shutil.copy(path("newer.key"), path("good.key"))
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: peer_names(server.port) == "newer", "the new certificate is shown")
    write("good.pem", "no certificate")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: b"the old ones stay in use" in read("server.log"), "the bad certificate is complained of")
    equal(peer_names(server.port), "newer", "the name after a bad certificate")


def expired():
    make_certificate("expired", "DNS:localhost", "-days", "-1")
    with Server(*tls_options("expired")) as server:
        url = "https://localhost:%d" % server.port
        equal(curl(url + "/healthz", "--cacert", path("ca.pem"))[0], 60, "curl, an expired certificate")
        said = run("pipeline", "list", "--url", url, "--ca", path("ca.pem"), status=4)
        expect(b"certificate has expired" in said.stderr, said.stderr)


# ---- addresses -------------------------------------------------------------------

def own_address():
    """An address of this machine that is not a loopback one, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return s.getsockname()[0]


def addresses():
    for listen in ("0.0.0.0:0", "[::]:0"):
        said = run("serve", "--listen", listen, "--data-dir", "none", status=1)
        for part in (listen.encode(), b"--auth", b"--insecure-listen-anywhere"):
            expect(part in said.stderr, "%r is not in %r" % (part, said.stderr))
    address = own_address()
    with Server("--insecure-listen-anywhere", "--max-client-connections", "40", listen="0.0.0.0:0") as server:
        equal(server.client().request("GET", "/v0/config").status, 200, "by the loopback")
        expect(b"whoever reaches this server may do everything" in read("server.log"), "the warning")
        if not address:
            print("this machine has no address but the loopback's")
            return
        equal(curl("http://%s:%d/v0/config" % (address, server.port))[1], 200, "by the address")
        equal(curl("http://%s:%d/v0/config" % (address, server.port), "-H", "Host: evil.example")[1], 403, "rebinding")
        crowd(address, server)


def crowd(address, server):
    """One client from elsewhere does not get all connections."""
    crowd = [socket.create_connection((address, server.port)) for _ in range(40)]
    for s in crowd:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for s in crowd:
        expect(s.recv(4096).startswith(b"HTTP/1.1 200"), "one of 40 was not answered")
    status, code, body = curl("http://%s:%d/healthz" % (address, server.port))
    equal((code, json.loads(body)["error_code"]), (503, "TooManyConnections"), "the 41st")
    equal(server.client().request("GET", "/healthz").status, 200, "another client")
    for s in crowd:
        s.close()
    wait_until(lambda: curl("http://%s:%d/healthz" % (address, server.port))[1] == 200, "there is room again")


# ---- secrets --------------------------------------------------------------------

def secret_program():
    """One input whose path is a variable, one row made of a file's text; outputs that cannot be opened or can."""
    fields = {"note": {"strategy": "uniform", "values": ["${secret:kubernetes:db/password}"]}}
    return (table("t", "id BIGINT", [file_input("env", "${env:HW_TEST_PATH}")])
            + table("u", "note VARCHAR", [datagen("g", {"limit": 1, "fields": fields})])
            + view("v", "SELECT id FROM t", [file_output("out", "${env:HW_TEST_OUT}")])
            + view("w", "SELECT note FROM u", [file_output("notes", "notes.ndjson")]))


def unpacked(body):
    """What a reply shows, also of an archive."""
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def show_everything(client, name):
    """Every GET of the description that can be asked of this pipeline and ends."""
    shown, parts = [], {"pipeline_name": name, "table_name": "t", "view_name": "v"}
    for target, methods in client.expect(200, "GET", "/api-doc/openapi.json").json["paths"].items():
        if "get" not in methods or target.endswith(("/logs", "_stream", "/query")):
            continue
        parts["connector_name"] = "env" if "{table_name}" in target else "out"
        for part, value in parts.items():
            target = target.replace("{%s}" % part, value)
        for query in ("", "?selector=all", "?include_connector_errors=true"):
            reply = client.request("GET", target + query)
            shown.append((target + query, str(reply.headers).encode() + unpacked(reply.body)))
    expect(len(shown) > 20, "only %d replies were looked at" % len(shown))
    return shown


def log_of(server, client, name):
    """The log of a pipeline, up to the fault of its start that is in it."""
    if "/v0/pipelines/{pipeline_name}/logs" not in client.expect(200, "GET", "/api-doc/openapi.json").json["paths"]:
        return b""
    text = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as s:
        s.sendall(b"GET /v0/pipelines/%s/logs HTTP/1.1\r\nHost: localhost\r\n\r\n" % name.encode())
        while b"***" not in text:
            piece = s.recv(65536)
            expect(piece, "the log ends without the fault: %r" % text)
            text += piece
    return text


def expect_hidden(shown, *secrets):
    for what, text in shown:
        for secret in secrets:
            expect(secret.encode() not in text, "%s shows %r: %r" % (what, secret, text[:4000]))


def secrets():
    os.makedirs(path("secrets/db"), exist_ok=True)
    write("secrets/db/password", FILE_SECRET + "\n")
    folder = "hidden-folder-of-the-tenant"
    os.makedirs(path(folder), exist_ok=True)
    source, out = path(folder + "/source.ndjson"), path(folder + "/missing/out.ndjson")
    write(folder + "/source.ndjson", '{"id": 1}\n{"id": "bad"}\n{"id": 2}\n')
    env = {"HW_TEST_PATH": source, "HW_TEST_OUT": out}
    with Server("--secrets-dir", path("secrets"), "--log-level", "debug", env=env) as server:
        client = server.client()
        client.create("p", secret_program())
        refused_start(client, "p", "v.out", "***")
        shown = show_everything(client, "p")
        os.makedirs(path(folder + "/missing"))
        client.start("p")
        client.wait_complete("p")
        equal(read_rows("notes.ndjson"), [{"note": FILE_SECRET}], "what the secret stands for")
        equal(read_rows(folder + "/missing/out.ndjson"), [{"id": 1}, {"id": 2}], "rows of the hidden file")
        config = client.get("p")["program_info"]["input_connectors"]["t.env"]["transport"]["config"]
        equal(config["path"], "${env:HW_TEST_PATH}", "what is shown")
        stats = client.connector("p", "t", "env", "stats")
        expect(b"at ***@10: " in stats.body, "the bad record's place: %r" % stats.body)
        shown += show_everything(client, "p") + [("the pipeline's log", log_of(server, client, "p"))]
        paused = client.connector("p", "t", "env", "pause")
        shown.append(("a pause", str(paused.headers).encode()))
        expect("***" in paused.headers["Headworks-Position"], "the position: %s" % paused.headers["Headworks-Position"])
        client.stop("p")
        write("secrets/db/password", "another-one")  # the next start takes it
        client.start("p")
        client.wait_complete("p")
        equal(read_rows("notes.ndjson"), [{"note": "another-one"}], "the new secret")
        client.stop("p")
        os.remove(path("secrets/db/password"))
        refused_start(client, "p", "${secret:kubernetes:db/password}", "no such file below the secrets directory")
        shown += show_everything(client, "p") + [("the log", read("server.log"))]
        expect_hidden(shown, folder, FILE_SECRET, "another-one", "source.ndjson", "out.ndjson")
        missing_variable(client)


def refused_start(client, name, *parts):
    client.expect(202, "POST", "/v0/pipelines/%s/start" % name)
    error = wait_until(lambda: client.get(name)["deployment_error"], "the start of %s fails" % name)
    for part in parts:
        expect(part in error["message"], "%r is not in %r" % (part, error["message"]))
    client.wait_status(name, "Stopped")


def missing_variable(client):
    client.create("q", table("t", "id BIGINT", [file_input("env", "${env:HW_TEST_NOT_SET}")]))
    refused_start(client, "q", "t.env", "transport.config.path", "${env:HW_TEST_NOT_SET}", "no such variable")
    bad = table("t", "id BIGINT", [file_input("env", "${secret:vault:a/b}")])
    client.expect(201, "POST", "/v0/pipelines", {"name": "bad", "program_code": bad})
    wait_until(lambda: client.compiled("bad") == "SqlError", "a malformed reference is an error")
    message = client.get("bad")["program_error"]["sql_compilation"]["messages"][0]["message"]
    expect("${secret:vault:a/b}" in message and "kubernetes:NAME/KEY" in message, message)


# ---- files ------------------------------------------------------------------------

def confined():
    os.makedirs(path("root"), exist_ok=True)
    write("outside.ndjson", '{"id": 99}\n')
    write("root/in.ndjson", '{"id": 1}\n')
    os.symlink("../outside.ndjson", path("root/link"))
    os.symlink("/", path("root/slash"))
    wrong = [file_input("c", name) for name in ("/etc/passwd", "../outside.ndjson", "link", "slash/etc/passwd", "../*",
                                                "file:///etc/passwd")]
    with Server("--file-root", path("root")) as server:
        client = server.client()
        for i, connector in enumerate(wrong):
            client.create("p%d" % i, table("t", "id BIGINT", [connector]))
            name = connector["transport"]["config"]["path"].replace("file://", "")
            refused_start(client, "p%d" % i, name, "--file-root")
            connector["transport"]["config"]["follow"] = True
            client.create("f%d" % i, table("t", "id BIGINT", [connector]))
            refused_start(client, "f%d" % i, name, "--file-root")
        for i, name in enumerate(("../new", "/tmp/hw-outside", "slash/tmp/hw-outside", "link")):
            client.create("o%d" % i, table("t", "id BIGINT", [file_input("c", "in.ndjson")])
                          + view("v", "SELECT id FROM t", [file_output("o", name)]))
            refused_start(client, "o%d" % i, name, "--file-root")
        expect(not os.path.exists(path("new")) and not os.path.exists("/tmp/hw-outside"), "a file was made outside")
        equal(read_rows("outside.ndjson"), [{"id": 99}], "the file outside")
        client.create("good", table("t", "id BIGINT", [file_input("c", path("root/in.ndjson"))])
                      + view("v", "SELECT id FROM t", [file_output("o", "out.ndjson")]))
        client.start("good")
        client.wait_complete("good")
        equal(read_rows("root/out.ndjson"), [{"id": 1}], "rows within")
        client.stop("good")
    said = run("serve", "--listen", "127.0.0.1:0", "--file-root", path("nowhere"), "--data-dir", "none",
               status=2)
    expect(b"--file-root" in said.stderr and b"nowhere" in said.stderr, said.stderr)


def main():
    for test in (tls, addresses, secrets, confined):
        test()


main()
