#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A transaction that hangs: its records are in the partitions, its coordinator knows nothing of them, and no time limit ever ends it. Nobody reads
what is behind; the engine that comes next ends it. Where it hangs in the outputs alone, the next commit's marker would make its records visible."""
import sys
import time

from confluent_kafka import Producer
from proxy import UNLIMITED, Proxy
from support.kafka_cluster import JOURNAL, TRANSITIONS
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 3, 1500
# Brokers before 4.0, and those that are told so, take records of a transaction that its coordinator does not know.
TRUSTING = {"transaction.partition.verification.enable": "false"}


def hidden(kafka, topic=JOURNAL):
    """The partitions that have something behind an open transaction."""
    return [partition for partition in range(PARTITIONS)
            if kafka.high_watermark(topic, partition, "read_committed") < kafka.high_watermark(topic, partition)]


def leave_hanging(shop, engine, proxy, choice):
    shop.stir(choice)
    proxy.rule("pretend", "AddPartitionsToTxn", count=UNLIMITED)
    end = proxy.rule("cut", "EndTxn", count=UNLIMITED)
    expect(end.seen.wait(30), "no EndTxn came")
    time.sleep(choice.uniform(0, 0.3))
    engine.kill()
    proxy.clear()
    hanging = hidden(shop.kafka)
    expect(hanging, "nothing hangs: the test proves nothing")
    return hanging


def leave_half(shop, engine, proxy):
    """As a broker leaves it that is killed between a commit's transitions and its journal record: here with transitions that were told before."""
    engine.kill()
    proxy.rule("pretend", "AddPartitionsToTxn", count=UNLIMITED)
    proxy.rule("cut", "EndTxn", count=UNLIMITED)
    for partition, records in shop.kafka.read(TRANSITIONS).items():
        producer = Producer({"bootstrap.servers": shop.kafka.cluster.front_bootstrap, "transactional.id": f"shop-{partition}", "log_level": 2})
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(TRANSITIONS, records[-1].value, records[-1].key, partition, headers=list(records[-1].headers))
        expect(producer.flush(30) == 0, "the half was not written")
    proxy.clear()
    expect(len(hidden(shop.kafka, TRANSITIONS)) == PARTITIONS and not hidden(shop.kafka), "the transitions alone should hang")


def test(folder):
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed, proxied=True, properties=TRUSTING) as shop:
        cluster = shop.kafka.cluster
        with Proxy(cluster.front_port(1), cluster.proxied_port(1)) as proxy:
            engine = shop.engine("one").start()
            engine.wait_ready(PARTITIONS)
            shop.producer.start()
            hanging = leave_hanging(shop, engine, proxy, choice)
            started = time.monotonic()
            engine.start()
            engine.wait_ready(PARTITIONS)
            seconds = time.monotonic() - started
            shop.stir(choice)
            leave_half(shop, engine, proxy)
            started = time.monotonic()
            engine.start()
            engine.wait_ready(PARTITIONS)
            half_seconds = time.monotonic() - started
            shop.stir(choice)
            shop.settle()
            expect(not hidden(shop.kafka) and not hidden(shop.kafka, TRANSITIONS), "a topic still hides something")
            figure(f"transactions that hang in {len(hanging)} partitions of the journal: all run {seconds:.0f} s after the start, in {PARTITIONS} of "
                   f"the transitions alone: after {half_seconds:.0f} s (seed {seed}): "
                   f"{shop.judge(engine)}")


if __name__ == "__main__":
    sys.exit(main(test))
