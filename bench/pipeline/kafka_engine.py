# SPDX-License-Identifier: Apache-2.0
"""`segue engine` as a process that is measured."""
import datetime
import json
import os
import pathlib
import signal
import time
import urllib.error
import urllib.request

from engine_start import log_of, start_engine, write_configuration

TICKS = os.sysconf("SC_CLK_TCK")


class Engine:
    """One instance in a folder of its own; what is not set has the shipped defaults. SIGKILLed at the end of a `with`."""

    def __init__(self, program, folder, port, settings):
        self.program, self.folder, self.port = program, pathlib.Path(folder), port
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"state.directory": str(self.folder / "state"), "http.listen": f"127.0.0.1:{port}"} | settings
        write_configuration(self.folder, settings)
        self.process = None
        self.started = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def start(self):
        self.started = time.time()
        self.process = start_engine(self.program, self.folder)
        return self

    def kill(self):
        """SIGKILL; the time at which it was sent."""
        now = time.time()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return now

    def stop(self):
        """A clean stop; its seconds."""
        begin = time.time()
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(120) != 0:
            raise SystemExit(f"the engine ended with {self.process.returncode}:\n{self.log_end()}")
        return time.time() - begin

    def log_end(self, lines=30):
        return "\n".join(log_of(self.folder).splitlines()[-lines:])

    def assigned_at(self, partitions):
        """When the group last gave it so many partitions, by its log; None if it never did."""
        found = None
        for line in log_of(self.folder).splitlines():
            if line.endswith(f"partitions={partitions}") and " INFO assignment " in line:
                found = datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()
        return found

    # ---- what it costs

    def cpu(self):
        """CPU seconds since its start."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self):
        """Bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
        return 0

    # ---- what it says of itself

    def partitions(self):
        """{partition: its report}; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        except OSError:
            return {}
        try:
            return {one["partition"]: one for one in json.loads(text)["partitions"]}
        except (ValueError, KeyError):
            return {}

    def wait(self, condition, what, seconds=120, pause=0.01):
        """The time before the poll that found condition({partition: report}) true: what was waited for happened no earlier."""
        deadline = time.time() + seconds
        before = time.time()
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"the engine ended with {self.process.returncode} before {what}:\n{self.log_end()}")
            now = time.time()
            if condition(self.partitions()):
                return before
            before = now
            time.sleep(pause)
        raise SystemExit(f"not within {seconds} s: {what}; it says {self.partitions()}\n{self.log_end()}")

    def wait_state(self, count, state="running", seconds=120):
        return self.wait(lambda found: sum(one["state"] == state for one in found.values()) == count, f"{count} partitions {state}", seconds)
