#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vendors' own libraries, unmodified, against the collector: every event arrives once, with the right type. Skipped without npm."""
import hashlib
import json
import pathlib
import shutil
import subprocess

from collector_server import KEY, Collector
from segue_program import SKIPPED, expect, figure, main

SOURCES = pathlib.Path(__file__).resolve().parent / "tracking_libraries"
COUNT = 450
TYPES = {"identify": "identify", "page": "view", "screen": "view", "Product Viewed": "view", "Product Added": "cart", "Order Completed": "purchase"}


def install(scratch):
    if shutil.which("npm") is None:
        print("skipped: npm is not here")
        return False
    for name in ("package.json", "package-lock.json", "send.js"):
        shutil.copy(SOURCES / name, scratch)
    command = ["npm", "ci", "--no-progress", "--no-fund", "--no-audit", "--ignore-scripts", "--loglevel=error"]
    result = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    expect(result.returncode == 0, f"npm ci: {result.stderr[-2000:]}")
    return True


def send(scratch, library, collector):
    command = ["node", "send.js", library, f"http://127.0.0.1:{collector.port}", KEY, str(COUNT)]
    result = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=120, check=False)
    expect(result.returncode == 0, f"{library}: {result.stderr[-2000:]}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test(scratch):
    if not install(scratch):
        return SKIPPED
    total = 0
    for library in ("segment", "rudder"):
        directory = scratch / f"log-{library}"
        directory.mkdir()
        keys = directory / "keys"
        keys.write_text(f"shop {hashlib.sha256(KEY.encode()).hexdigest()}\n")
        collector = Collector(directory, keys_file=str(keys)).start()
        sent = send(scratch, library, collector)
        expect(len(sent) == COUNT, f"{library} sent {len(sent)} calls")
        expect(collector.stop() == 0, "exit code of a stop")
        found = {}
        for event in collector.events():
            expect(event["event_id"] not in found, f"{library}: {event['event_id']} is there twice")
            found[event["event_id"]] = (event["type"], event["user_id"])
        wanted = {}
        for call in sent:
            event_type = TYPES.get(call.get("event") or call["call"])
            if event_type:
                wanted[call["messageId"]] = (event_type, call["userId"])
        missing, more = wanted.items() - found.items(), found.items() - wanted.items()
        expect(not missing and not more, f"{library}: missing {sorted(missing)[:3]}, not sent {sorted(more)[:3]}")
        total += len(found)
    figure(f"collector: {total} events of @segment/analytics-node and @rudderstack/rudder-sdk-node, each once, with its type")
    return 0


main(test)
