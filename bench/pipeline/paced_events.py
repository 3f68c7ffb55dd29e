#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paced_events.py HOST:PORT USERS --rate N --ts MS: canonical events at a fixed rate to a collector until standard input ends, each request due at
its own moment whether the ones before were answered or not. Says "flowing" after the first answer, and at the end, as JSON, how it went."""
import argparse
import http.client
import json
import random
import sys
import threading
import time

BATCH = 50
# Requests under way at a time: each waits for one sync or two.
CONNECTIONS = 4
TYPES = ("view", "click", "search", "cart", "purchase")
SHARES = (62, 22, 4, 8, 4)


class Sender:
    def __init__(self, arguments):
        self.address, self.rate, self.first_ts = arguments.address, arguments.rate, arguments.ts
        with open(arguments.users, encoding="ascii") as lines:
            self.users = lines.read().split()
        self.random = random.Random(1)
        self.lock = threading.Lock()
        self.begin = time.monotonic()
        self.next = 0
        self.stopped = threading.Event()
        self.flowing = threading.Event()
        self.acked, self.waits, self.failures = 0, [], []

    def body(self, number):
        lines = []
        for i in range(number * BATCH, (number + 1) * BATCH):
            item, kind = self.random.randrange(50_000), self.random.choices(TYPES, SHARES)[0]
            lines.append(f'{{"event_id":"paced-{i}","type":"{kind}","user_id":"{self.random.choice(self.users)}",'
                         f'"ts":{self.first_ts + i * 1000 // self.rate},"item_id":"i-{item:05}","category":"c-{item % 200}",'
                         f'"brand":"b-{item % 1000}","price":129.9,"quantity":1,"session_id":"s-{item % 997}","channel":"app"}}\n')
        return "".join(lines).encode()

    def take(self):
        """The next request: its body and when it is due."""
        with self.lock:
            number = self.next
            self.next += 1
            return self.body(number), self.begin + number * BATCH / self.rate

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while not self.stopped.is_set() and not self.failures:
            body, due = self.take()
            if self.stopped.wait(max(0.0, due - time.monotonic())):
                return
            try:
                connection.request("POST", "/v1/events", body)
                answer = connection.getresponse()
                text = answer.read()
            except OSError as error:
                self.failures.append(str(error))
                break
            if answer.status != 200 or json.loads(text)["accepted"] != BATCH:
                self.failures.append(f"{answer.status}: {text[:500]!r}")
                break
            with self.lock:
                self.acked += BATCH
                self.waits.append(time.monotonic() - due)
            self.flowing.set()
        self.flowing.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("users")
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--ts", type=int, required=True)
    sender = Sender(parser.parse_args())
    threads = [threading.Thread(target=sender.run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    sender.flowing.wait()
    print("flowing", flush=True)
    sys.stdin.read()
    sender.stopped.set()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - sender.begin
    if sender.failures:
        sys.exit(f"events were refused: {sender.failures[0]}")
    waits = sorted(sender.waits)
    print(json.dumps({"acked": sender.acked, "seconds": seconds, "per_second": sender.acked / seconds, "p50_ms": waits[len(waits) // 2] * 1000,
                      "p99_ms": waits[len(waits) * 99 // 100] * 1000, "max_ms": waits[-1] * 1000}))


main()
