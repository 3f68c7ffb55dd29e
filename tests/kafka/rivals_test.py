#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two deployments with one application name, in different groups: each fences the other. Nothing is torn or there twice, one of them soon says
what is wrong and lets go, and when it is gone the other has everything."""
import sys

from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 2, 1500


def stopped(engine):
    return [one for one in (engine.report() or {"partitions": []})["partitions"] if one["state"] == "stopped"]


def test(folder):
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed) as shop:
        rivals = [shop.engine(name, {"kafka.group": f"group-{name}"}).start() for name in ("one", "two")]
        shop.producer.start()
        rivals[0].wait_until(lambda _: any(stopped(rival) for rival in rivals), "one of the two stopped a partition")
        loser = next(rival for rival in rivals if stopped(rival))
        reason = stopped(loser)[0]["reason"]
        expect("another process takes this partition again and again" in reason, f"the reason does not say it: {reason}")
        expect(loser.report()["status"] == 503, "ready although a rival has the partition")
        shop.stir(choice)
        winner = next(rival for rival in rivals if rival is not loser)
        loser.stop()
        # What the winner itself has stopped it takes up again after a while, or when it is started anew.
        winner.stop()
        winner.start()
        winner.wait_ready(PARTITIONS)
        shop.stir(choice)
        shop.settle()
        figure(f"two groups with one application name (seed {seed}): {shop.judge(winner)}; {reason}")


if __name__ == "__main__":
    sys.exit(main(test))
