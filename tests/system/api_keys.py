#!/usr/bin/env python3
"""API keys: who is let in, and what of them survives a kill and is found nowhere."""
from libhw import *


def bearer(key):
    return {"Authorization": "Bearer " + key}


def make_key(name, *args):
    made = run("api-key", "create", name, "--data-dir", path("data"), *args)
    key = made.stdout.decode().strip()
    expect(key.startswith("apikey:") and len(key) == 71, "the key: %r" % key)
    return key


def used(server, writer, reader):
    """What each key may do; returns one that was made and deleted."""
    file = write("p.sql", table("t", "id BIGINT", [datagen("g", {"limit": 10})]) + view("v", "SELECT id FROM t"))
    said = run("api-key", "list", "--data-dir", path("data"), status=1)
    expect(path("data").encode() in said.stderr, "a directory in use: %r" % said.stderr)
    client = server.client()
    equal(client.request("GET", "/healthz").status, 200, "healthz")
    equal(client.request("GET", "/v0/config").code, "InvalidApiKey", "without a key")
    equal(client.request("GET", "/v0/config", headers=bearer(reader)).status, 200, "with a key")
    equal(client.request("DELETE", "/v0/pipelines/p", headers=bearer(reader)).code, "InsufficientPermissions", "read")
    env = {"HEADWORKS_URL": server.url, "HEADWORKS_API_KEY": writer}
    said = run("pipeline", "list", env={"HEADWORKS_URL": server.url, "HEADWORKS_API_KEY": ""}, status=5)
    expect(b"InvalidApiKey" in said.stderr, said.stderr)
    run("pipeline", "create", "p", file, env=env)
    said = run("pipeline", "start", "p", env=dict(env, HEADWORKS_API_KEY=reader), status=5)
    expect(b"InsufficientPermissions" in said.stderr, said.stderr)
    third = run("api-key", "create", "third", env=env).stdout.decode().strip()
    run("pipeline", "start", "p", env=dict(env, HEADWORKS_API_KEY=third))
    equal(run("api-key", "list", env=env).stdout.split(), b"reader read third write writer write".split(), "keys")
    run("api-key", "delete", "third", env=env)
    for key, words in ((third, b"does not take the API key in HEADWORKS_API_KEY"), ("", b"set HEADWORKS_API_KEY")):
        said = run("pipeline", "list", env=dict(env, HEADWORKS_API_KEY=key), status=5)
        expect(words in said.stderr and b"(401 InvalidApiKey)" in said.stderr and b"Bearer" not in said.stderr, said.stderr)
    run("pipeline", "stop", "p", env=env)
    expect(b"UnknownApiKey" in run("api-key", "delete", "third", env=env, status=5).stderr, "an unknown key")
    return third


def keys():
    said = run("serve", "--listen", "127.0.0.1:0", "--auth", "--data-dir", path("data"), status=None)
    remedy = "headworks api-key create NAME --data-dir " + path("data")
    expect(said.returncode != 0 and remedy.encode() in said.stderr, said.stderr)
    writer, reader = make_key("writer"), make_key("reader", "--role", "read")
    said = run("api-key", "create", "writer", "--data-dir", path("data"), status=1)
    expect(b"exists already" in said.stderr, said.stderr)
    server = Server("--auth", "--data-dir", path("data"), "--log-level", "debug")
    third = used(server, writer, reader)
    server.process.kill()
    finish(server.process, -signal.SIGKILL)
    with Server("--auth", "--data-dir", path("data")) as server:  # what was acknowledged is there after a kill
        client = server.client()
        equal(client.request("GET", "/v0/config", headers=bearer(third)).code, "InvalidApiKey", "a deleted key")
        names = [key["name"] for key in client.request("GET", "/v0/api_keys", headers=bearer(writer)).json]
        equal(names, ["reader", "writer"], "keys after a kill")
    for key in (writer, reader, third):
        expect(key[7:].encode() not in read("server.log"), "a key is in the log")
        for name in os.listdir(path("data")):
            expect(key[7:].encode() not in read("data/" + name), "a key is in " + name)


def elsewhere():
    """On an address that others reach it warns of keys that everybody can read."""
    key = make_key("anywhere")
    with Server("--auth", "--data-dir", path("data"), listen="0.0.0.0:0") as server:
        equal(server.client().request("GET", "/v0/config").code, "InvalidApiKey", "without a key")
        equal(server.client().request("GET", "/v0/config", headers=bearer(key)).status, 200, "with one")
        expect(b"cross the network for all to read" in read("server.log"), "the warning of plain keys")


def main():
    for test in (keys, elsewhere):
        test()


main()
