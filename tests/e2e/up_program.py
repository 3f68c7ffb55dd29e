# SPDX-License-Identifier: Apache-2.0
"""A running `segue up`, and events for its log."""
import atexit
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

from segue_program import OK, PROGRAM, expect


class Up:
    """A running `segue up`; where it listens is read from what it prints."""

    def __init__(self, directory, wall_clock=False, more="", collector="", api="", place=None):
        place = place or directory.parent
        config = place / "up.yaml"
        config.write_text(
            "http: {listen: '127.0.0.1:0'}\n" + (api or "api: {listen: '127.0.0.1:0'}\n") + (collector or "collector: {listen: none}\n") +
            "commit: {interval: 100ms}\ncheckpoint: {interval: 300ms, events: 2000}\n"
            f"clock: {{follow_wall_clock: {str(wall_clock).lower()}, step: 200ms}}\n" + more)
        self.log = place / "up.log"
        with open(self.log, "w", encoding="utf-8") as stream:
            self.process = subprocess.Popen([PROGRAM, "up", str(directory), "--config", str(config)], stderr=stream)
        atexit.register(self.close)
        end = time.monotonic() + 60
        while "metrics and health at " not in self.said():
            expect(self.process.poll() is None and time.monotonic() < end, "did not say where it listens: " + self.said())
            time.sleep(0.005)
        self.address = self.listener("metrics and health at ").removesuffix("/metrics")

    def listener(self, words):
        return next(line.split()[-1] for line in self.said().splitlines() if words in line)

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for(self, what, seconds=60):
        """Until what(readiness) is true."""
        end = time.monotonic() + seconds
        while True:
            expect(self.process.poll() is None, f"ended with {self.process.returncode}: {self.said()}")
            status, body = self.get("/readyz")
            ready = json.loads(body)
            expect(ready["ready"] == (status == 200), f"/readyz: {status} {body}")
            if what(ready):
                return ready
            expect(time.monotonic() < end, f"did not come about: {body}")
            time.sleep(0.02)

    def wait_until_taken(self, log):
        self.wait_for(lambda ready: ready["ready"] and all(
            p["position"] == (log / f"{p['partition']}.ndjson").stat().st_size for p in ready["partitions"]))

    def wait_for_metric(self, line):
        end = time.monotonic() + 60
        while line + "\n" not in self.get("/metrics")[1]:
            expect(time.monotonic() < end, "no " + line)
            time.sleep(0.02)

    def close(self):
        """Nothing stays behind, however the script ends."""
        if self.process.poll() is None:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(60)
        expect(code == OK, f"exit code {code} after a signal: {self.said()}")
        return self.said()


def append(log, lines):
    with open(log / "0.ndjson", "ab") as stream:
        stream.write(b"".join(lines))


def purchase(user, at, number):
    event = {"event_id": f"e{number}", "user_id": user, "type": "purchase", "ts": at, "order_id": f"o{number}", "item_id": "i", "price": 10}
    return (json.dumps(event) + "\n").encode()
