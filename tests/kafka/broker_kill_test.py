#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""broker_kill_test.py [KILLS]: kill -9 of the broker while events flow; half of them of the only one, half of one of three.

Afterwards one instance takes over from another: it opens partitions whose leaders have moved since it first heard of them.
"""
import sys
import time

from support.scenario import figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 6, 1500  # six, so that each of two instances has one of every leader of three
KILLS = 10
NODES = (1, 3)


def kill_brokers(folder, nodes, kills, seed, choice):
    folder.mkdir()
    with Shop(folder, PARTITIONS, events=600_000, rate=RATE, seed=seed, nodes=nodes) as shop:
        engines = [shop.engine(name).start() for name in ("one", "two")]
        shop.wait_shared(engines, everybody=True)
        shop.producer.start()
        started = time.monotonic()
        for _ in range(kills):
            shop.stir(choice)
            node = choice.choice(shop.kafka.cluster.ids())
            shop.kafka.cluster.kill9(node)
            time.sleep(choice.uniform(0, 2))
            shop.kafka.cluster.restart(node)
        shop.stir(choice)
        seconds = time.monotonic() - started
        shop.wait_shared(engines, everybody=True)
        survivor, lost = choice.sample(engines, 2)
        lost.kill()
        survivor.wait_ready(PARTITIONS)
        shop.settle()
        figure(f"{kills} kill -9 of a broker of {nodes} in {seconds:.0f} s while {RATE} events/s flowed (seed {seed}): {shop.judge(survivor)}")


def test(folder):
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    seed, choice = seeded()
    for nodes in NODES:
        kill_brokers(folder / f"of-{nodes}", nodes, kills // len(NODES), seed, choice)


if __name__ == "__main__":
    sys.exit(main(test))
