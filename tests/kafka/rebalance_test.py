#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rebalance_test.py [REBALANCES]: three instances share six partitions; one at a time ends, cleanly or by kill -9, and comes back later."""
import sys
import time

from support.scenario import figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 6, 2500
REBALANCES = 20
# A static member that ends is missed after this time only; the broker's least is 2 s.
SESSION = {"kafka.consumer": {"session.timeout.ms": "2500", "heartbeat.interval.ms": "300"}}


def test(folder):
    rebalances = int(sys.argv[1]) if len(sys.argv) > 1 else REBALANCES
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=1_000_000, rate=RATE, seed=seed) as shop:
        engines = [shop.engine(name, SESSION).start() for name in ("one", "two", "three")]
        shop.wait_shared(engines, everybody=True)
        shop.producer.start()
        started = time.monotonic()
        done = killed = 0
        while done < rebalances:
            shop.stir(choice)
            leaver = choice.choice(engines)
            if choice.random() < 0.5:
                leaver.kill()
                killed += 1
            else:
                leaver.stop()
            shop.wait_shared([engine for engine in engines if engine is not leaver])
            shop.stir(choice)
            leaver.start()
            shop.wait_shared(engines, everybody=True)
            done += 2
        seconds = time.monotonic() - started
        survivor = choice.choice(engines)
        for engine in engines:
            if engine is not survivor:
                engine.stop()
        shop.wait_shared([survivor])
        shop.settle()
        figure(f"{done} rebalances of three instances in {seconds:.0f} s, {killed} of them by kill -9, while {RATE} events/s flowed (seed {seed}): "
               f"{shop.judge(survivor)}")


if __name__ == "__main__":
    sys.exit(main(test))
