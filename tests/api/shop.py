# SPDX-License-Identifier: Apache-2.0
"""A shop: `segue up` over a small recorded log, as a test starts, asks and stops it."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import http_client  # noqa: E402
from segue_program import PROGRAM, Failure, expect, run  # noqa: E402

DEFINITIONS = pathlib.Path(__file__).resolve().parent / "definitions.yaml"
START_SECONDS = 60


class Shop:
    """Runs in a directory; its log is made of `events` of `segue generate`, split over partitions."""

    def __init__(self, directory, partitions=1, tokens=None, definitions=DEFINITIONS):
        self.directory = pathlib.Path(directory)
        self.partitions = partitions
        self.settings = {"SEGUE_API_LISTEN": "127.0.0.1:0", "SEGUE_HTTP_LISTEN": "", "SEGUE_LOG_LEVEL": "info",
                         "SEGUE_CLOCK_FOLLOW_WALL_CLOCK": "false", "SEGUE_EMBEDDED_PARTITIONS": str(partitions),
                         "SEGUE_COLLECTOR_LISTEN": "none", "SEGUE_DEFINITIONS": str(definitions)}
        if tokens:
            self.settings["SEGUE_API_TOKENS_FILE"] = str(tokens)
        self.process = None
        self.api = None
        self.lines = []

    def log(self, partition):
        return self.directory / "log" / f"{partition}.ndjson"

    def start(self, token=None):
        environment = dict(os.environ) | self.settings
        self.errors = open(self.directory.parent / f"{self.directory.name}.err", "a+", encoding="utf-8")
        begin = self.errors.tell()
        self.process = subprocess.Popen([PROGRAM, "up", str(self.directory)], stderr=self.errors, stdout=subprocess.DEVNULL, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            expect(self.process.poll() is None, f"up ended with {self.process.returncode}: {self.said()[-2000:]}")
            address = re.search(r"API at https?://([0-9.]+):(\d+)/", self.said()[begin:])
            if address:
                self.api = http_client.Api(address[1], int(address[2]), token)
                return self
            time.sleep(0.02)
        raise Failure("up did not start")

    def said(self):
        return pathlib.Path(self.errors.name).read_text(encoding="utf-8")

    def wait_until_read(self, bytes_of_log=None):
        """Until every partition has taken its log to the end and committed it."""
        deadline = time.monotonic() + START_SECONDS
        want = {p: self.log(p).stat().st_size for p in range(self.partitions)}
        while time.monotonic() < deadline:
            answer = self.api.get("/v1/status")
            if answer.status == 200:
                have = {p["partition"]: p for p in answer.json["partitions"]}
                if all(p in have and have[p]["position"] == size and have[p]["commits"] == have[p]["committed"] and not have[p]["sweep_left"]
                       for p, size in want.items()):
                    return answer.json
            time.sleep(0.05)
        raise Failure(f"the log was not read in time: {answer}")

    def append(self, partition, lines):
        with open(self.log(partition), "a", encoding="utf-8") as log:
            log.write("".join(line + "\n" for line in lines))

    def stop(self, kill=False):
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        code = self.process.wait(timeout=60)
        expect(kill or code == 0, f"up ended with {code}: {self.said()[-2000:]}")


def make_log(directory, partitions, events, users, seed):
    """Log files of a directory; a user is in one of them only."""
    whole = pathlib.Path(directory).with_suffix(".all")
    run("generate", "--events", events, "--users", users, "--seed", seed, "--chinese", 0.5, "--out", whole)
    log = pathlib.Path(directory) / "log"
    log.mkdir(parents=True)
    files = [open(log / f"{p}.ndjson", "wb") for p in range(partitions)]
    with open(whole, "rb") as lines:
        for line in lines:
            user = re.search(rb'"user_id":"([^"]*)"', line)
            files[partition_of(user[1], partitions) if user else 0].write(line)
    for file in files:
        file.close()
    whole.unlink()
    return log


def partition_of(user, partitions):
    if partitions == 1:
        return 0
    import xxhash
    return xxhash.xxh3_64_intdigest(user) % partitions
