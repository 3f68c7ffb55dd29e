#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wall clock at the live end: a lapse comes although nobody does anything any more; a backlog is never lapsed by it; an event from the future
moves nothing; thousands of users whose lapses fall on one millisecond are spread over commits. And an engine without state takes log and
journal to the same profiles, bit for bit."""
import json
import shutil
import sys
import time

from support.engine_process import wait_caught_up
from support.equality import audit, first_difference, run
from support.kafka_cluster import EVENTS, JOURNAL
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, USERS, KILLS = 3, 60, 6
CROWD, CROWD_KILLS = 6000, 3
LAPSE_MS = 5000
DEFINITIONS = f"""
version: 1
timezone: UTC
settings: {{lateness: 1s}}
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {{from: [new, lapsed], to: buyer, on: purchase}}
    - {{from: buyer, to: lapsed, when: since(last_purchase) >= {LAPSE_MS // 1000}s}}
"""
SETTINGS = {"clock.follow_wall_clock": True, "clock.step": "1s"}


def now_ms():
    return int(time.time() * 1000)


class Purchases:
    """Events of the present; remembers when each user bought."""

    def __init__(self, shop):
        self.shop, self.number, self.times = shop, 0, {}

    def event(self, user, ts):
        self.number += 1
        return json.dumps({"event_id": f"e-{self.number}", "type": "purchase", "user_id": user, "ts": ts, "price": 5, "item_id": "i-1"}).encode()

    def buy(self, users, ts):
        lines = []
        for user in users:
            self.times.setdefault(user, []).append(ts)
            lines.append(self.event(user, ts))
        self.shop.kafka.load(EVENTS, lines)

    def expected(self):
        """{user: [(name, at)]}: who buys is a buyer, and lapses LAPSE_MS after a purchase that no other follows within that time."""
        told = {}
        for user, times in self.times.items():
            moves, until = [], None
            for ts in times:
                if until is None or ts >= until:
                    moves += ([("buyer-to-lapsed", until)] if until else []) + [("buyer", ts)]
                until = ts + LAPSE_MS
            told[user] = moves + [("buyer-to-lapsed", until)]
        return told


def told_by(auditor):
    """What was told, in the same form: moves to buyer by their target."""
    told = {}
    for user, lines in auditor.lines.items():
        values = [json.loads(line) for line in lines]
        told[user] = [("buyer" if value["to"] == "buyer" else value["name"], value["at"]) for value in values]
    return told


def wait_for_lapses(shop, purchases):
    shop.auditor.wait_for_count(sum(map(len, purchases.expected().values())))
    expect(told_by(shop.auditor) == purchases.expected(), f"told {told_by(shop.auditor)}\nnot {purchases.expected()}")


def buy_while_nobody_reads(purchases, users, choice):
    """A backlog that an engine would lapse in the middle, did it look at the wall clock before it has read all."""
    start = now_ms()
    for at in range(0, 3 * LAPSE_MS, LAPSE_MS - 1000):
        time.sleep(max(0.0, (start + at - now_ms()) / 1000))
        purchases.buy(users, start + at)
    time.sleep(choice.uniform(0, 1))


def lapse_a_crowd(shop, engine, purchases, choice):
    """Users of one moment: kill -9 while they lapse. The number of commits that end in the middle of them."""
    purchases.buy([f"crowd-{number}" for number in range(CROWD)], now_ms())
    before = sum(map(len, purchases.expected().values())) - CROWD
    for kill in range(CROWD_KILLS):
        shop.auditor.wait_for_more(before + kill * CROWD // 10)
        engine.kill()
        engine.start()
    wait_for_lapses(shop, purchases)
    return sum(record.value[0] == 3 for records in shop.kafka.read(JOURNAL).values() for record in records)


def test(folder):
    seed, choice = seeded()
    definitions = folder / "definitions.yaml"
    definitions.write_text(DEFINITIONS, encoding="utf-8")
    users = [f"user-{number}" for number in range(USERS)]
    with Shop(folder, PARTITIONS, events=1, rate=1, seed=seed, definitions=definitions) as shop:
        engine = shop.engine("one", SETTINGS).start()
        engine.wait_ready(PARTITIONS)
        purchases = Purchases(shop)
        purchases.buy(users, now_ms())
        shop.kafka.load(EVENTS, [purchases.event(users[0], now_ms() + 3_600_000)])
        wait_for_lapses(shop, purchases)
        engine.stop()
        buy_while_nobody_reads(purchases, users, choice)
        engine.start()
        wait_for_lapses(shop, purchases)
        purchases.buy(users, now_ms())
        for _ in range(KILLS):
            time.sleep(choice.uniform(0.2, 1.5))
            engine.kill()
            engine.start()
        wait_for_lapses(shop, purchases)
        cut = lapse_a_crowd(shop, engine, purchases, choice)
        expect(cut > 0, "no commit ended between two lapses of one moment")
        shop.settle()
        shop.auditor.finish()
        letters = sum(shop.auditor.dead.values(), [])
        expect([reason for _, reason, _ in letters] == ["from_the_future"], f"dead letters: {letters}")
        first = run("dump", engine.state)
        shutil.rmtree(engine.state)
        engine.start()
        wait_caught_up([engine], shop.ends())
        mismatches = engine.metric("segue_replay_mismatches_total")
        expect(not mismatches, f"{mismatches} replay mismatches")
        engine.stop()
        second = run("dump", engine.state)
        audit(engine)
        expect(first == second, f"profiles after a replay of log and journal: {first_difference(first.splitlines(), second.splitlines())}")
        moves = sum(map(len, purchases.expected().values()))
        figure(f"wall clock: {moves} moves at their millisecond, half of them lapses without an event, over a backlog and {KILLS} kill -9, "
               f"{CROWD} of one moment in {cut} commits that end between them and {CROWD_KILLS} kill -9 (seed {seed}); "
               f"log and journal replayed from nothing give the same {len(second.splitlines())} profiles")


if __name__ == "__main__":
    sys.exit(main(test))
