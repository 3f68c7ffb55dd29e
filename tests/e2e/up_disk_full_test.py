#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`segue up` on a disk that fills: events are refused and none that was answered is lost, /readyz says why, reads go on; with room again all goes on
by itself, and the result is that of a replay.

Mounts a small tmpfs, which only root may do: skipped otherwise.
"""
import json
import os
import time
import urllib.error
import urllib.request

from segue_program import SKIPPED, difference, expect, figure, main, replay, result_of, run
from small_disk import enlarge, small_disk
from up_program import Up, purchase

BATCH = 500
REFUSALS = 20


class Sender:
    def __init__(self, address):
        self.address, self.number, self.safe, self.answers = address, 0, set(), {}

    def send(self):
        first = self.number
        self.number += BATCH
        body = b"".join(purchase(f"u{i % 700}", 1_700_000_000_000 + 1000 * i, i) for i in range(first, self.number))
        try:
            with urllib.request.urlopen(urllib.request.Request(self.address + "/v1/events", data=body, method="POST"), timeout=30) as answer:
                status = answer.status
                self.safe.update(f"e{i}" for i in range(first, self.number))
        except urllib.error.HTTPError as error:
            status = error.code
            expect(status in (429, 503) and error.headers["Retry-After"] and "problem+json" in error.headers["Content-Type"],
                   f"a full disk is answered by {status} {error.read()!r}")
        self.answers[status] = self.answers.get(status, 0) + 1
        return status

    def send_until(self, wanted, seconds=60):
        end = time.monotonic() + seconds
        while self.send() != wanted:
            expect(time.monotonic() < end, f"no {wanted}, but {self.answers}")


def read(up, user):
    with urllib.request.urlopen(up.listener("console and API at ") + f"v1/profiles/{user}", timeout=10) as answer:
        return json.load(answer)


def test(scratch):
    if os.geteuid() != 0:
        print("skipped: mounting a small tmpfs needs root")
        return SKIPPED
    disk = scratch / "disk"
    with small_disk(disk, 3 << 20) as mounted:
        if not mounted:
            print("skipped: this machine does not let root mount a tmpfs")
            return SKIPPED
        root = disk / "shop"
        # What it prints must find room elsewhere.
        up = Up(root, collector="collector: {listen: '127.0.0.1:0'}\n", place=scratch)
        sender = Sender(up.listener("collector at "))
        sender.send_until(200)
        sender.send_until(503)
        for _ in range(REFUSALS):
            sender.send()
        readiness = up.wait_for(lambda ready: not ready["ready"])
        expect("o space left" in json.dumps(readiness), f"/readyz does not say why: {readiness}")
        expect(read(up, "u1")["user_id"] == "u1", "a read while the disk is full")
        expect(up.get("/livez")[0] == 200, "/livez")
        full = len(sender.safe)
        enlarge(disk)
        sender.send_until(200)
        up.wait_until_taken(root / "log")
        logged = [json.loads(line)["event_id"] for line in (root / "log" / "0.ndjson").read_text().splitlines()]
        lost = sender.safe - set(logged)
        expect(not lost, f"{len(lost)} events were answered and are lost")
        expect(len(logged) == len(set(logged)), "an event is in the log twice")
        up.stop()
        replay(root / "log", scratch / "replayed")
        different = difference(result_of(scratch / "replayed"), result_of(root))
        expect(not different, f"after the disk was full: {different}")
        run("verify", root)
    figure(f"segue up on a full disk: {full} events taken, {sender.answers[503]} requests refused, reads served, on by itself with room, none lost")
    return 0


main(test)
