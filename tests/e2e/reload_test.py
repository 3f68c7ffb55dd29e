#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates, tokens and write keys change while `segue up` and `segue collector` run: SIGHUP brings them into force and cuts no connection; files
that are wrong change nothing, and log and metric say so."""
import base64
import hashlib
import http.client
import json
import shutil
import signal
import ssl
import subprocess
import time

from collector_server import Collector
from segue_program import SKIPPED, expect, figure, main
from up_program import Up

KEPT, OLD, NEW = "token-that-is-kept", "token-that-goes", "token-that-comes"
CALL = json.dumps({"userId": "u", "messageId": "m", "event": "Product Viewed", "properties": {"product_id": "i"}})


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def make_certificate(directory, name):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    shutil.copy(directory / "certificate.pem", directory / f"{name}.pem")


def wait_for(condition, what):
    end = time.monotonic() + 30
    while not condition():
        expect(time.monotonic() < end, f"did not come about: {what}")
        time.sleep(0.01)


class Door:
    """A listener under TLS; asked with tokens, or with write keys by posts."""

    def __init__(self, port, directory, post):
        self.port, self.directory, self.post = port, directory, post

    def connect(self, certificate):
        """A connection that holds only for that certificate."""
        context = ssl.create_default_context(cafile=self.directory / f"{certificate}.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=20)
        connection.connect()
        return connection

    def ask(self, connection, token):
        if self.post:
            key = base64.b64encode((token + ":").encode()).decode()
            connection.request("POST", "/v1/track", CALL, {"Authorization": "Basic " + key})
        else:
            connection.request("GET", "/v1/status", headers={"Authorization": "Bearer " + token})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def serves(door, certificate, token):
    connection = door.connect(certificate)
    status = door.ask(connection, token)
    connection.close()
    return status


def write_secrets(directory, tokens):
    (directory / "tokens").write_text("".join(f"{name} {sha256(token)} read,write\n" for name, token in tokens.items()))
    (directory / "keys").write_text("".join(f"{name} {sha256(token)}\n" for name, token in tokens.items()))


def stream(door, certificate, token):
    connection = door.connect(certificate)
    connection.request("GET", "/v1/transitions", headers={"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    expect(answer.status == 200, f"a stream: {answer.status}")
    return answer


def change(directory, doors, hang_up, said, metric):
    """The same for every process: what a SIGHUP must and must not do."""
    open_before = [door.connect("first") for door in doors]
    for door, connection in zip(doors, open_before):
        expect(door.ask(connection, KEPT) == 200 and door.ask(connection, OLD) == 200, "the first tokens")
        # On another connection: one whose body is refused unread is closed.
        expect(serves(door, "first", NEW) == 401, "a token before its time")
    streams = [(stream(door, "first", KEPT), stream(door, "first", OLD)) for door in doors if not door.post]
    write_secrets(directory, {"kept": KEPT, "new": NEW})
    make_certificate(directory, "second")
    hang_up()
    for door, connection in zip(doors, open_before):
        expect(serves(door, "second", NEW) == 200, "the new certificate and token")
        expect(door.ask(connection, KEPT) == 200, "a connection from before goes on")
        expect(serves(door, "second", OLD) == 401, "a token that is gone")
    for kept, old in streams:
        try:
            expect(b"event:" not in old.read(), "events on a stream that ends")
        except (http.client.IncompleteRead, ConnectionError, ssl.SSLError):
            pass  # it was cut off
        expect(not kept.isclosed(), "the other's stream goes on")
    before = said().count("stay as they were")
    (directory / "tokens").write_text("kept nothing\n")
    (directory / "keys").write_text("kept nothing\n")
    (directory / "certificate.pem").write_text("no certificate\n")
    hang_up()
    wait_for(lambda: metric("segue_config_last_reload_successful") == 0, "the metric of a reload that failed")
    expect(said().count("stay as they were") == before + len(doors), "the log says of each listener what was wrong: " + said())
    for door, connection in zip(doors, open_before):
        expect(serves(door, "second", NEW) == 200 and door.ask(connection, KEPT) == 200, "what was in force stays")
    expect(NEW not in said() and KEPT not in said(), "the log shows a token")
    write_secrets(directory, {"kept": KEPT})
    make_certificate(directory, "third")
    hang_up()
    wait_for(lambda: metric("segue_config_last_reload_successful") == 1, "the metric of a reload that went well")
    for door in doors:
        expect(serves(door, "third", NEW) == 401, "the third certificate")


def reloads(process, said):
    """A function that sends SIGHUP and waits until it was worked off: certificate and tokens of each listener are told of."""
    def tellings():
        return said().count("were read again") + said().count("stay as they were")

    def hang_up(listeners):
        want = tellings() + listeners
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: process.poll() is not None or tellings() >= want, "what a reload tells")
    return hang_up


def with_up(directory):
    tls = f"certificate_file: {directory}/certificate.pem, key_file: {directory}/key.pem"
    up = Up(directory / "shop", api=f"api: {{listen: '127.0.0.1:0', tokens_file: {directory}/tokens, {tls}}}\n",
            collector=f"collector: {{listen: '127.0.0.1:0', keys_file: {directory}/keys, {tls}}}\n")
    ports = [int(up.listener(words).rstrip("/").rsplit(":", 1)[1]) for words in ("console and API at ", "collector at ")]
    doors = [Door(port, directory, post) for port, post in zip(ports, (False, True))]
    hang_up = reloads(up.process, up.said)
    change(directory, doors, lambda: hang_up(2), up.said,
           lambda name: next(float(line.split()[1]) for line in up.get("/metrics")[1].splitlines() if line.startswith(name + " ")))
    up.stop()


def with_collector(directory):
    tls = {"certificate_file": directory / "certificate.pem", "key_file": directory / "key.pem"}
    collector = Collector(directory, keys_file=directory / "keys", **tls).start()

    def said():
        return (directory / "collector.log").read_text()

    hang_up = reloads(collector.process, said)
    change(directory, [Door(collector.port, directory, True)], lambda: hang_up(1), said, lambda name: collector.metrics()[name])
    expect(collector.stop() == 0, "exit code of a stop")


def test(scratch):
    if shutil.which("openssl") is None:
        print("skipped: openssl is not installed")
        return SKIPPED
    for part in (with_up, with_collector):
        directory = scratch / part.__name__
        directory.mkdir()
        write_secrets(directory, {"kept": KEPT, "old": OLD})
        make_certificate(directory, "first")
        part(directory)
    figure("reload: 3 certificates and sets of tokens in turn for up and collector, a wrong one among them: no connection cut, no token outlived")
    return 0


main(test)
