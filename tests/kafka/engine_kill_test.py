#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""engine_kill_test.py [KILLS]: kill -9 of the engine at random moments while events flow, a third of them while it starts and recovers."""
import sys
import time

from support.scenario import figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 3, 2500
KILLS = 50
EARLY_SHARE = 1 / 3


def test(folder):
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=1_000_000, rate=RATE, seed=seed) as shop:
        engine = shop.engine("one").start()
        engine.wait_ready(PARTITIONS)
        shop.producer.start()
        started = time.monotonic()
        for _ in range(kills):
            if choice.random() < EARLY_SHARE:
                time.sleep(choice.uniform(0, 0.8))
                shop.expect_flow()
            else:
                shop.stir(choice)
            engine.kill()
            engine.start()
        shop.stir(choice)
        seconds = time.monotonic() - started
        shop.settle()
        figure(f"{kills} kill -9 of the engine in {seconds:.0f} s while {RATE} events/s flowed (seed {seed}): {shop.judge(engine)}")


if __name__ == "__main__":
    sys.exit(main(test))
