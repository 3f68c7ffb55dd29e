# SPDX-License-Identifier: Apache-2.0
"""`segue up` as a process that is measured: a directory with a log of users, and events that flow in while it is asked."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 300
SETTLE_SECONDS = 45
# The server has one core, everything that asks has the other.
SERVER_CORE, CLIENT_CORE = "0", "1"
# The user of a line that is not broken in one of the generator's ways.
WHOLE_EVENT = re.compile(rb'"type":"(?:view|click|cart|purchase)","user_id":"(u-\d+)","ts":\d+,"item_id":"[^"\n]*","category":"[^"\n]*",'
                         rb'"brand":"[^"\n]*","price":\d[^\n]*\}\n')
CONFIGURATION = """\
http: {listen: '127.0.0.1:0'}
api: {listen: '127.0.0.1:0'}
collector: {listen: '127.0.0.1:0'}
clock: {follow_wall_clock: false}
"""


def user_ids(log, most):
    """Up to so many different users that have a profile, those of the log's beginning first."""
    found = {}
    with open(log, "rb") as stream:
        while len(found) < most and (block := stream.read(1 << 24)):
            found.update(dict.fromkeys(WHOLE_EVENT.findall(block)))
    return [user.decode() for user in list(found)[:most]]


def pin(pid, core):
    """All threads of a process to one core; those that it starts later too."""
    subprocess.run(["taskset", "-a", "-c", "-p", core, str(pid)], check=True, stdout=subprocess.DEVNULL)


class UpServer:
    """On a log of its own making: EVENTS of up to USERS users. The clock stays where the log ends, so that users are in all stages. SIGKILLed at
    the end of a `with`."""

    def __init__(self, program, folder, events, users):
        self.program, self.folder = program, pathlib.Path(folder)
        self.log = self.folder / "shop/log/0.ndjson"
        self.log.parent.mkdir(parents=True)
        command = [program, "generate", "--events", str(events), "--users", str(users), "--seed", "1", "--out", str(self.log)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # What the kernel still has to write of it would stand before the first syncs.
        with open(self.log, "rb+") as stream:
            os.fsync(stream)
        self.process = None

    def __enter__(self):
        (self.folder / "segue.yaml").write_text(CONFIGURATION)
        with open(self.folder / "stderr.log", "wb") as errors:
            command = ["setpriv", "--pdeathsig", "KILL", self.program, "up", str(self.folder / "shop"), "--config", str(self.folder / "segue.yaml")]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        size = self.log.stat().st_size
        self.health = self.wait("metrics and health at http://", lambda: self.listener("metrics and health at http://"))
        self.wait("the end of the log", lambda: all(one["position"] >= size for one in self.ready()["partitions"]))
        self.api, self.collector = self.listener("console and API at http://"), self.listener("collector at http://")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def settle(self):
        """Until it has nothing to do: what a start leaves behind (a checkpoint, the compaction of those before) is no part of what is measured."""
        end = time.monotonic() + SETTLE_SECONDS
        before = self.cpu()
        while time.monotonic() < end:
            time.sleep(1)
            before, last = self.cpu(), before
            if before - last < 0.05:
                return

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(120) != 0:
            sys.exit(f"segue up ended with {self.process.returncode}:\n{self.said()[-3000:]}")

    def said(self):
        return (self.folder / "stderr.log").read_text(encoding="utf-8", errors="replace")

    def listener(self, words):
        """HOST:PORT behind the words in what it prints."""
        found = re.search(re.escape(words) + r"([0-9.:]+)", self.said())
        return found and found.group(1)

    def wait(self, what, condition):
        end = time.monotonic() + START_SECONDS
        while True:
            if found := condition():
                return found
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"segue up did not reach {what}:\n{self.said()[-3000:]}")
            time.sleep(0.05)

    def get(self, address, path):
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def ready(self):
        return json.loads(self.get(self.health, "/readyz")[1])

    def metric(self, name):
        """The sum over a metric's labels."""
        lines = self.get(self.health, "/metrics")[1].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(re.escape(name) + r"[ {]", line))

    def cpu(self):
        """CPU seconds since its start."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def last_ts(self):
        with open(self.log, "rb") as stream:
            stream.seek(-4096, os.SEEK_END)
            return max(map(int, re.findall(rb'"ts":(\d{13}),', stream.read())))


class PacedEvents:
    """Events at a fixed rate through the collector, beside what is measured in the `with`; `result` is what paced_events.py says at its end."""

    def __init__(self, server, users_file, rate):
        command = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", CLIENT_CORE, sys.executable, str(HERE / "paced_events.py"), server.collector,
                   str(users_file), "--rate", str(rate), "--ts", str(server.last_ts())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline() != "flowing\n":
            sys.exit("no events flow into the collector")
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
        output, _ = self.process.communicate()  # the end of its input ends it
        if kind is None:
            self.result = json.loads(output)
