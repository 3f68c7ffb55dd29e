#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A transactional producer writes the input: commit markers, and whole aborted transactions, lie behind the last record. The position passes them, so
that retention may take everything that was read; an engine that is started anew, and a standby, go on."""
import itertools
import sys

from support.equality import Replay, audit
from support.kafka_cluster import EVENTS, key_of
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, TRANSACTIONS, EVENTS_EACH = 3, 12, 60
SESSION = {"kafka.consumer": {"session.timeout.ms": "2500", "heartbeat.interval.ms": "300"}}


class Writer:
    def __init__(self, shop):
        self.shop = shop
        self.producer = shop.kafka.producer(**{"transactional.id": "the-shop", "message.timeout.ms": 30_000})
        self.producer.init_transactions(30)

    def write(self, commit):
        """One transaction that has at least one record in every partition."""
        self.producer.begin_transaction()
        for line in itertools.islice(self.shop.lines, EVENTS_EACH):
            self.producer.produce(EVENTS, line, key=key_of(line))
        for partition in range(PARTITIONS):
            self.producer.produce(EVENTS, b"not an event", partition=partition)
        if commit:
            self.producer.commit_transaction(30)
        else:
            self.producer.flush(30)
            self.producer.abort_transaction(30)


class Log:
    """The input as a read-committed reader sees it, kept though the topic loses its beginning."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.records = {}

    def read(self, topic, _isolation=None):
        for partition, records in self.kafka.read(topic).items():
            kept = self.records.setdefault(partition, [])
            end = kept[-1].offset + 1 if kept else 0
            kept.extend(record for record in records if record.offset >= end)
        return self.records


def wait_at_ends(shop, engine):
    ends = shop.ends()
    engine.wait_until(lambda report: all(one["position"] >= ends[one["partition"]] for one in report["partitions"]),
                      f"every partition stands behind the markers, at {ends}")
    return ends


def test(folder):
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=100_000, rate=1, seed=seed) as shop:
        writer = Writer(shop)
        writer.write(commit=False)  # the log begins with what nobody sees
        first = shop.engine("first", SESSION | {"standby": "all"}).start()
        first.wait_ready(PARTITIONS)
        for _ in range(TRANSACTIONS):
            writer.write(commit=choice.random() < 0.7)
        writer.write(commit=True)
        writer.write(commit=False)
        wait_at_ends(shop, first)
        second = shop.engine("second", SESSION | {"standby": "all"}).start()
        shop.wait_shared([first, second], everybody=True)
        for engine in (first, second):
            wait_at_ends(shop, engine)  # followed partitions are in the report too
        second.kill()
        shop.wait_shared([first])
        wait_at_ends(shop, first)
        first.stop()
        audit(first)
        log = Log(shop.kafka)
        log.read(EVENTS)
        shop.kafka.delete_records(EVENTS, shop.ends())
        first.start()
        first.wait_ready(PARTITIONS)
        before = shop.auditor.count()
        writer.write(commit=True)
        shop.auditor.wait_for_more(before)
        wait_at_ends(shop, first)
        first.stop()
        judged = shop.judge(first, Replay(log, folder), whole_log=False)
        figure(f"input written by transactions, {TRANSACTIONS + 4} of them, some aborted; all that was read deleted, and the engine goes on "
               f"(seed {seed}): {judged}")


if __name__ == "__main__":
    sys.exit(main(test))
