#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""definitions_test.py [KILLS]: new definitions by SIGHUP and by a restart; the engine is killed again and again while it re-evaluates every user.

The judge is an embedded replay that changes its definitions at the same place of the log.
"""
import signal
import sys
import time

from support.engine_process import wait_caught_up
from support.equality import Replay
from support.scenario import PROJECT, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, BACKLOG = 3, 30_000
KILLS = 8
SMALL_COMMITS = {"commit.outputs": 20}  # so that the sweep takes many
REFERENCE = PROJECT / "examples/definitions/reference.yaml"
SEGMENTS = """
segments:
  - {name: big-spender, when: spend >= 300}
  - {name: loves, for: category, when: purchases >= 1 and count(purchase) >= 2}
"""


def changed(days, spend):
    text = REFERENCE.read_text(encoding="utf-8")
    return text.replace("since(last_purchase) >= 30d", f"since(last_purchase) >= {days}d").replace(
        "spend >= 5000\n    announce: false", f"spend >= {spend}") + SEGMENTS


def test(folder):
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    seed, choice = seeded()
    definitions = folder / "definitions.yaml"
    definitions.write_bytes(REFERENCE.read_bytes())
    with Shop(folder, PARTITIONS, events=4 * BACKLOG, rate=1, seed=seed, definitions=definitions) as shop:
        shop.load(BACKLOG)
        engine = shop.engine("one", SMALL_COMMITS).start()
        wait_caught_up([engine], shop.ends())
        replay = Replay(shop.kafka, folder, definitions)
        by_definitions = 0
        for number, (days, spend) in enumerate(((12, 700), (20, 400))):
            before = replay.transitions
            definitions.write_text(changed(days, spend), encoding="utf-8")
            replay.go_on(definitions)
            moved = replay.transitions - before
            expect(moved > 50, f"the new definitions move only {moved}")
            by_definitions += moved
            engine.signal(signal.SIGHUP if number == 0 else signal.SIGTERM)
            for _ in range(kills // 2):
                time.sleep(choice.uniform(0, 0.3))
                if engine.running:
                    engine.kill()
                engine.start()
            shop.auditor.wait_for_count(replay.transitions)
            shop.load(BACKLOG)
            wait_caught_up([engine], shop.ends())
            replay.go_on(definitions)
        shop.settle()
        judged = shop.judge(engine, replay)
        figure(f"definitions changed twice, {kills} kill -9 while {by_definitions} moves by them were made (seed {seed}): {judged}")


if __name__ == "__main__":
    sys.exit(main(test))
