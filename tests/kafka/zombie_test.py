#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""zombie_test.py [PAUSES]: an instance is stopped with SIGSTOP until its session has timed out and another owns its partitions; then it wakes."""
import sys
import time

from support.scenario import figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 4, 2500
PAUSES = 10
SESSION = {"kafka.consumer": {"session.timeout.ms": "2500", "heartbeat.interval.ms": "300"}}


def test(folder):
    pauses = int(sys.argv[1]) if len(sys.argv) > 1 else PAUSES
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=1_000_000, rate=RATE, seed=seed) as shop:
        engines = [shop.engine(name, SESSION).start() for name in ("one", "two")]
        shop.wait_shared(engines, everybody=True)
        shop.producer.start()
        started = time.monotonic()
        for _ in range(pauses):
            shop.stir(choice)
            sleeper, other = choice.sample(engines, 2)
            sleeper.pause()
            other.wait_ready(PARTITIONS)
            shop.stir(choice)
            sleeper.resume()
            shop.wait_shared(engines, everybody=True)
        seconds = time.monotonic() - started
        survivor, other = choice.sample(engines, 2)
        other.stop()
        survivor.wait_ready(PARTITIONS)
        shop.settle()
        figure(f"{pauses} SIGSTOP past the session timeout, then SIGCONT, in {seconds:.0f} s while {RATE} events/s flowed (seed {seed}): "
               f"{shop.judge(survivor)}")


if __name__ == "__main__":
    sys.exit(main(test))
