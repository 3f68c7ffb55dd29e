# SPDX-License-Identifier: Apache-2.0
"""A collector that a script drives, and what lies in its log."""
import atexit
import base64
import gzip
import http.client
import json
import pathlib
import socket
import subprocess
import time

from segue_program import PROGRAM, expect

KEY = "TEST_WRITE_KEY"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Collector:
    def __init__(self, directory, kafka="", **keys):
        self.directory = pathlib.Path(directory)
        self.port, self.health_port = free_port(), free_port()
        lines = [f"collector:\n  listen: 127.0.0.1:{self.port}\n"]
        if not kafka:
            lines.append(f"  log: {self.directory}\n")
        lines += [f"  {name}: {value}\n" for name, value in keys.items()]
        lines.append(f"http:\n  listen: 127.0.0.1:{self.health_port}\n" + kafka)
        self.configuration = self.directory / "collector.yaml"
        self.configuration.write_text("".join(lines))
        self.process = None
        atexit.register(self.close)

    def start(self):
        log = open(self.directory / "collector.log", "a", encoding="utf-8")
        self.process = subprocess.Popen([PROGRAM, "collector", "--config", str(self.configuration)], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                said = (self.directory / "collector.log").read_text()
                expect(self.process.poll() is None and time.monotonic() < deadline, f"the collector does not start:\n{said}")
                time.sleep(0.005)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Nothing stays behind, however the script ends."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, path, body, method="POST", key=KEY, compress=False, headers=None, connection=None):
        """(status, headers, body as it reads)."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        head = dict(headers or {})
        if compress:
            body, head["Content-Encoding"] = gzip.compress(body), "gzip"
        if key is not None:
            head["Authorization"] = "Basic " + base64.b64encode((key + ":").encode()).decode()
        own = connection or self.connect()
        own.request(method, path, body, head)
        answer = own.getresponse()
        text = answer.read()
        if connection is None:
            own.close()
        is_json = "json" in (answer.headers.get("Content-Type") or "")
        return answer.status, answer.headers, json.loads(text) if is_json and text else text

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")}

    def events(self):
        """Every event of the log, of all its files. Each line has to be JSON."""
        events = []
        for path in sorted((self.directory / "log").glob("*.ndjson")):
            for line in path.read_bytes().splitlines(keepends=True):
                expect(line.endswith(b"\n"), f"{path} ends within a line")
                events.append(json.loads(line))
        return events
