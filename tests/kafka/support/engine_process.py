# SPDX-License-Identifier: Apache-2.0
"""`segue engine` as a process: its configuration, its state, its end."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from support.scenario import PROGRAM, Failure, expect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from broker import free_ports  # noqa: E402
from engine_start import log_of, start_engine, write_configuration  # noqa: E402

READY_SECONDS = 60
STOP_SECONDS = 60
# Short, so that a test sees within seconds what takes a shop a minute; commits and checkpoints often, so that a kill falls into one.
SETTINGS = {
    "application": "shop",
    "clock.follow_wall_clock": False,
    "commit.interval": "200ms",
    "checkpoint.events": 5000,
    "checkpoint.interval": "1s",
    "kafka.properties": {"reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "500"},
    "kafka.consumer": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"},
    "log.level": "info",
}


class EngineProcess:
    """One instance. It keeps folder, state and instance id over restarts; every start appends to the same stderr.log."""

    command = "engine"

    def __init__(self, folder, name, brokers, settings=None):
        self.name = name
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.port = free_ports(1)
        self.process = None
        self.starts = 0
        self.configure({"instance": name, "state.directory": str(self.state), "kafka.brokers": brokers, "http.listen": f"127.0.0.1:{self.port}"}
                       | SETTINGS | (settings or {}))

    def configure(self, settings):
        self.settings = settings
        write_configuration(self.folder, settings)

    # ---- start and end

    def start(self):
        self.process = start_engine(PROGRAM, self.folder, self.command)
        self.starts += 1
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def expect_running(self):
        expect(self.running, f"{self.name} ended by itself with {self.process and self.process.returncode}:\n{self.log_end()}")

    def signal(self, number):
        self.expect_running()
        os.kill(self.process.pid, number)

    def kill(self):
        """SIGKILL; returns when the process is gone."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self, code=0):
        """SIGTERM: a clean stop, which has to end with exit code `code`."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise Failure(f"{self.name} did not stop within {STOP_SECONDS} s:\n{self.log_end()}") from error
        expect(self.process.returncode == code, f"{self.name} stopped with exit code {self.process.returncode}, not {code}:\n{self.log_end()}")

    def close(self):
        """Ends the process whatever it does."""
        if self.running:
            self.process.kill()
            self.process.wait(10)

    def log(self):
        return log_of(self.folder)

    def log_end(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])

    # ---- what it says of itself

    def get(self, path, timeout=5):
        """(status, text) of an HTTP GET; (None, reason) when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return None, str(error)

    def report(self):
        """/readyz as a value; None when it does not answer."""
        status, text = self.get("/readyz")
        if status not in (200, 503):
            return None
        return json.loads(text) | {"status": status}

    def partitions(self, state=None):
        """{partition: its report} of those in `state` (all)."""
        report = self.report() or {"partitions": []}
        return {one["partition"]: one for one in report["partitions"] if state in (None, one["state"])}

    def wait_until(self, condition, what, seconds=READY_SECONDS):
        """Polls condition(report), where report is what /readyz says, until it is true."""
        deadline = time.monotonic() + seconds
        report = None
        while time.monotonic() < deadline:
            self.expect_running()
            report = self.report()
            if report is not None and condition(report):
                return report
            time.sleep(0.05)
        raise Failure(f"{self.name}: not within {seconds} s: {what}; it says {json.dumps(report)}\n{self.log_end()}")

    def wait_ready(self, owned=None, seconds=READY_SECONDS):
        """Until it is ready; with `owned`, until so many partitions run."""

        def ready(report):
            running = sum(one["state"] == "running" for one in report["partitions"])
            return report["status"] == 200 and (owned is None or running == owned)

        return self.wait_until(ready, f"ready with {'any' if owned is None else owned} partitions", seconds)

    def metric(self, name):
        """The sum of a metric's series; None when it has none."""
        _, text = self.get("/metrics")
        values = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(values) if values else None


def wait_caught_up(engines, ends, seconds=READY_SECONDS):
    """Until every partition runs in exactly one of the engines and stands at its end; `ends` is {partition: high watermark of the input}."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        places = {}
        for engine in engines:
            engine.expect_running()
            for partition, report in engine.partitions("running").items():
                places.setdefault(partition, []).append(report["position"])
        if places.keys() == ends.keys() and all(len(found) == 1 and found[0] >= ends[partition] for partition, found in places.items()):
            return
        time.sleep(0.05)
    logs = "\n".join(f"{engine.name} says {engine.report()}\n{engine.log_end()}" for engine in engines)
    raise Failure(f"not at the ends {ends} within {seconds} s, but at {places}:\n{logs}")
