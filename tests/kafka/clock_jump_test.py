#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The host's clock jumps ahead: nobody lapses for it until a person says that it is right; a small jump is followed at once."""
import json
import os
import signal
import struct
import subprocess
import sys
import time

from support.kafka_cluster import EVENTS
from support.scenario import PROJECT, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, USERS = 2, 40
SOURCE = PROJECT / "tests/kafka/support/jumping_clock.c"
DEFINITIONS = """
version: 1
timezone: UTC
settings: {lateness: 1s}
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: [new, lapsed], to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 20m}
"""
JUMP_MINUTES, BOUND_MINUTES = 45, 10


def set_clock(folder, minutes):
    with open(folder / "clock", "r+b") as stream:
        stream.write(struct.pack("=q", 60 * minutes))


def start_with_clock(engine, folder):
    library = folder / "jumping_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    (folder / "clock").write_bytes(bytes(8))
    faked = {"LD_PRELOAD": str(library), "SEGUE_TEST_CLOCK": str(folder / "clock")}
    os.environ.update(faked)
    try:
        engine.start()
    finally:
        for name in faked:
            del os.environ[name]


def test(folder):
    seed, _ = seeded()
    definitions = folder / "definitions.yaml"
    definitions.write_text(DEFINITIONS, encoding="utf-8")
    settings = {"clock.follow_wall_clock": True, "clock.step": "1s", "clock.jump_bound": f"{BOUND_MINUTES}m"}
    with Shop(folder, PARTITIONS, events=1, rate=1, seed=seed, definitions=definitions) as shop:
        engine = shop.engine("one", settings)
        start_with_clock(engine, folder)
        engine.wait_ready(PARTITIONS)
        now = int(time.time() * 1000)
        shop.kafka.load(EVENTS, [json.dumps({"event_id": f"e-{number}", "type": "purchase", "user_id": f"user-{number}", "ts": now, "price": 5,
                                             "item_id": "i-1"}).encode() for number in range(USERS)])
        shop.auditor.wait_for_count(USERS)
        set_clock(folder, BOUND_MINUTES // 2)
        time.sleep(1)
        expect("clock" not in engine.report(), "a small jump is refused")
        set_clock(folder, JUMP_MINUTES)
        report = engine.wait_until(lambda report: "clock" in report, "/readyz says that the clock has jumped")
        expect(report["status"] == 200, "not ready, though events are taken")
        time.sleep(2)
        expect(shop.auditor.count() == USERS, "users lapsed by a clock that nobody confirmed")
        jump = engine.metric("segue_clock_jump_seconds")
        expect(jump > 60 * BOUND_MINUTES, f"segue_clock_jump_seconds is {jump}")
        engine.signal(signal.SIGHUP)
        shop.auditor.wait_for_count(2 * USERS)
        expect("clock" not in engine.report(), "/readyz still speaks of the clock")
        engine.stop()
        shop.auditor.finish()
        figure(f"the host's clock jumps ahead by {jump:.0f} s: {USERS} lapses wait until a person confirms it")


if __name__ == "__main__":
    sys.exit(main(test))
