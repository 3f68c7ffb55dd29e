#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the collector, again and again, while clients send: what was answered with 200 is in the log."""
import http.client
import threading
import time

from collector_server import Collector
from segue_program import expect, figure, main

KILLS = 50
CLIENTS = 4


class Client(threading.Thread):
    """Sends batches, each again until it is answered, as the vendors' libraries do."""

    def __init__(self, number, collector):
        super().__init__()
        self.number, self.collector = number, collector
        self.stopping = threading.Event()
        self.acknowledged, self.retries = [], 0

    def run(self):
        batch, connection = 0, None
        while not self.stopping.is_set():
            ids = [f"{self.number}-{batch}-{i}" for i in range(20)]
            body = {"batch": [{"type": "page", "userId": f"u-{self.number}-{i}", "messageId": one} for i, one in enumerate(ids)]}
            try:
                connection = connection or self.collector.connect(timeout=10)
                if self.collector.request("/v1/batch", body, connection=connection)[0] == 200:
                    self.acknowledged += ids
                    batch += 1
            except (OSError, http.client.HTTPException, ValueError):
                connection = None
                self.retries += 1
                time.sleep(0.005)


def test(scratch):
    collector = Collector(scratch).start()
    clients = [Client(number, collector) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for kill in range(KILLS):
        # A kill comes at another moment of the same work each time.
        time.sleep(0.02 + 0.003 * (kill % 17))
        collector.kill()
        collector.start()
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join()
    expect(collector.stop() == 0, "exit code of a stop")
    found = {}
    for event in collector.events():
        found[event["event_id"]] = found.get(event["event_id"], 0) + 1
    acknowledged = [one for client in clients for one in client.acknowledged]
    lost = [one for one in acknowledged if one not in found]
    expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged events are lost, such as {lost[:5]}")
    expect(len(acknowledged) > KILLS * 20, f"only {len(acknowledged)} events were acknowledged")
    twice = sum(count - 1 for count in found.values())
    retries = sum(client.retries for client in clients)
    figure(f"collector: {KILLS} kills, {len(acknowledged)} acknowledged events, none lost, {twice} stored twice after {retries} cut requests")


main(test)
