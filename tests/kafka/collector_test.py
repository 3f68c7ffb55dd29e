#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The collector in front of a real broker that is killed while clients send: what was answered with 200 is in the topic, in its user's partition.

While the broker is away requests are answered with 429 or 503, and nothing else.
"""
import collections
import http.client
import json
import sys
import threading
import time

from support.kafka_cluster import KafkaCluster
from support.scenario import PROJECT, expect, figure, main

sys.path.insert(0, str(PROJECT / "tests/e2e"))
from collector_server import Collector  # noqa: E402

PARTITIONS, CLIENTS = 4, 3


class Client(threading.Thread):
    """Sends batches, each again until it is answered with 200."""

    def __init__(self, number, collector):
        super().__init__()
        self.number, self.collector = number, collector
        self.stopping = threading.Event()
        self.acknowledged, self.statuses = [], collections.Counter()

    def run(self):
        batch, connection = 0, None
        while not self.stopping.is_set():
            ids = [f"{self.number}-{batch}-{i}" for i in range(20)]
            body = {"batch": [{"type": "page", "userId": f"u-{self.number}-{i}", "messageId": one} for i, one in enumerate(ids)]}
            try:
                connection = connection or self.collector.connect(timeout=60)
                status = self.collector.request("/v1/batch", body, connection=connection)[0]
            except (OSError, http.client.HTTPException) as error:
                connection, status = None, type(error).__name__
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged += ids
                batch += 1
            time.sleep(0.002)


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.05)


def test(folder):
    with KafkaCluster() as kafka:
        kafka.create_topic("events", PARTITIONS)
        # A small queue, so that it fills while the broker is away.
        collector = Collector(folder, kafka=f"kafka:\n  brokers: {kafka.bootstrap}\n", queue_bytes="1MiB").start()
        clients = [Client(number, collector) for number in range(CLIENTS)]
        for client in clients:
            client.start()

        def acknowledged():
            return sum(len(client.acknowledged) for client in clients)

        def refused():
            return sum(client.statuses[429] + client.statuses[503] for client in clients)

        wait_for(lambda: acknowledged() >= 2000, "events before the broker is killed")
        node = kafka.cluster.ids()[0]
        kafka.cluster.kill9(node)
        before = acknowledged()
        wait_for(lambda: refused() >= CLIENTS, "refusals while the broker is away")
        kafka.cluster.restart(node)
        wait_for(lambda: acknowledged() >= before + 2000, "events after the broker is back")
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join()
        expect(collector.stop() == 0, "exit code of a stop")

        statuses = sum((client.statuses for client in clients), collections.Counter())
        expect(set(statuses) <= {200, 429, 503}, f"other answers: {statuses}")
        partitions, counts = {}, collections.Counter()
        for partition, records in kafka.read("events", "read_uncommitted").items():
            for record in records:
                event = json.loads(record.value)
                expect(record.key.decode() == event["user_id"], "the key is not the user")
                expect(partitions.setdefault(event["user_id"], partition) == partition, "a user in two partitions")
                counts[event["event_id"]] += 1
        # Another client, told to place records as Java's do, chooses the same partitions.
        kafka.create_topic("control", PARTITIONS)
        kafka.load("control", [json.dumps({"user_id": user}).encode() for user in partitions])
        control = {json.loads(record.value)["user_id"]: partition for partition, records in kafka.read("control").items() for record in records}
        expect(control == partitions, "users are in other partitions than a client of Kafka would choose")
        wanted = [one for client in clients for one in client.acknowledged]
        lost = [one for one in wanted if counts[one] == 0]
        expect(not lost, f"{len(lost)} of {len(wanted)} acknowledged events are lost, such as {lost[:3]}")
        twice = sum(counts.values()) - len(counts)
        figure(f"collector on Kafka: {len(wanted)} acknowledged events over a killed broker, none lost, {twice} twice; answers {dict(statuses)}")


if __name__ == "__main__":
    sys.exit(main(test))
