#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""held_request_test.py [ROUNDS]: requests of the engine's transactions are held, repeated, lost, answered into the void; and the network as a whole
is cut and goes silent, while events flow."""
import itertools
import sys
import time

from proxy import Proxy
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 3, 1500
ROUNDS = 2  # over all of:
# Over TCP a request comes twice only when its sender has not seen the answer and sends it again; so the connection of a repeated one is cut.
ACTIONS = (("hold", {"cut": True}), ("hold", {}), ("repeat", {"cut": True}), ("drop", {}), ("cut", {}))
KINDS = ("EndTxn", "TxnOffsetCommit", "Produce", "AddPartitionsToTxn")
WAIT_SECONDS = 60


def spoil_one(shop, proxy, choice, action, kind, options):
    shop.stir(choice, 0.2)
    rule = proxy.rule(action, kind, skip=choice.randrange(4), seconds=choice.uniform(0.2, 2.5), **options)
    expect(rule.seen.wait(WAIT_SECONDS), f"no {kind} came within {WAIT_SECONDS} s")
    expect(rule.finished.wait(WAIT_SECONDS), f"{action} {kind} did not come to its end within {WAIT_SECONDS} s")
    proxy.clear()


def spoil_network(shop, proxy, choice):
    shop.stir(choice, 0.2)
    proxy.cut_all()
    shop.stir(choice, 0.2)
    proxy.black_hole(choice.uniform(0.5, 3))
    shop.stir(choice, 0.2)
    proxy.close()
    time.sleep(choice.uniform(0.2, 2))
    proxy.open()


def test(folder):
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=1_000_000, rate=RATE, seed=seed, proxied=True) as shop:
        cluster = shop.kafka.cluster
        with Proxy(cluster.front_port(1), cluster.proxied_port(1)) as proxy:
            engine = shop.engine("one").start()
            engine.wait_ready(PARTITIONS)
            shop.producer.start()
            started = time.monotonic()
            spoilt = [(action, options, kind) for (action, options), kind in itertools.product(ACTIONS, KINDS)] * rounds
            choice.shuffle(spoilt)
            for number, (action, options, kind) in enumerate(spoilt):
                spoil_one(shop, proxy, choice, action, kind, options)
                if number % 8 == 7:
                    spoil_network(shop, proxy, choice)
            shop.stir(choice)
            seconds = time.monotonic() - started
            shop.settle()
            judged = shop.judge(engine)
            figure(f"{len(spoilt)} requests of transactions held, repeated, dropped or cut, {proxy.counts['black holes']} times a silent network, "
                   f"{proxy.counts['connections']} connections, in {seconds:.0f} s (seed {seed}): {judged}")
            print(dict(sorted(proxy.counts.items())))


if __name__ == "__main__":
    sys.exit(main(test))
