#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GET /v1/transitions and /v1/dead-letters with Kafka: every instance streams all partitions out of the topic, each committed transition once and in
order, over a kill -9 and at another instance; what retention took is told; dead letters have samples by reason. The shop's
producers partition as librdkafka does by default."""
import http.client
import json
import sys
import threading
import time
import urllib.parse

from api_test import Api, event
from support.kafka_cluster import EVENTS, TRANSITIONS
from support.scenario import Failure, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, USERS = 3, 3_000
PATIENCE = 40


class Stream(threading.Thread):
    """One connection to /v1/transitions: (data) of its transitions, its gaps, the last id."""

    def __init__(self, api, last_id=None, query=""):
        super().__init__(daemon=True)
        self.lines, self.gaps, self.last_id, self.first_event = [], [], last_id, None
        end = time.monotonic() + PATIENCE
        address = urllib.parse.urlparse(api.base).netloc
        while True:
            self.connection = http.client.HTTPConnection(address, timeout=60)
            self.connection.request("GET", "/v1/transitions" + query, headers={"Last-Event-ID": last_id} if last_id else {})
            self.answer = self.connection.getresponse()
            if self.answer.status == 200:
                break
            expect(self.answer.status == 503 and time.monotonic() < end, f"no stream: {self.answer.status}")
            time.sleep(0.1)
        self.start()

    def run(self):
        kind, data, last_id = None, None, self.last_id
        try:
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif not name:
                    self.last_id = last_id
                    if data is not None:
                        self.first_event = self.first_event or kind
                        (self.gaps if kind == "gap" else self.lines).append(data)
                    kind, data = None, None
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the engine is gone

    def wait(self, count):
        end = time.monotonic() + PATIENCE
        while len(self.lines) < count:
            if time.monotonic() > end:
                raise Failure(f"{len(self.lines)} of {count} transitions came")
            time.sleep(0.05)
        return self

    def close(self):
        self.connection.sock and self.connection.sock.close()


class Customers:
    """Everybody buys once in a while."""

    def __init__(self, shop):
        self.producer = shop.kafka.producer(partitioner="consistent_random")
        self.number = 0

    def buy(self, users):
        for user in users:
            self.number += 1
            bought = event(self.number, user, "purchase", order_id=f"o-{self.number}", item_id=f"i-{self.number % 7}", category="女装", price=100)
            self.producer.produce(EVENTS, bought, key=user.encode())
        expect(self.producer.flush(30) == 0, "the events are not stored")


def abort_a_transaction(shop):
    """Its record is in the log, and is never told."""
    other = shop.kafka.producer(**{"transactional.id": "stranger", "message.timeout.ms": 10_000})
    other.init_transactions(30)
    other.begin_transaction()
    other.produce(TRANSITIONS, b'{"id":"aborted#1"}', partition=0)
    other.flush(30)
    other.abort_transaction(30)


def expect_found(api, users):
    """Where librdkafka's default partitioner has put them."""
    expect(all(api.profile(user)[0] == 200 for user in users), "a profile is not found")
    expect(api.ask("DELETE", f"/v1/profiles/{users[0]}")[0] == 202, "no erasure")
    api.until("the user is gone", lambda: api.profile(users[0])[0] == 404)


def topic_lines(shop):
    return {partition: [record.value.decode() for record in records] for partition, records in shop.kafka.read(TRANSITIONS).items()}


def settled_lines(shop, at_least):
    """What the topic holds once nothing is added any more."""
    end = time.monotonic() + PATIENCE
    before = None
    while time.monotonic() < end:
        lines = topic_lines(shop)
        if lines == before and sum(map(len, lines.values())) >= at_least:
            return lines
        before = lines
        time.sleep(0.5)
    raise Failure(f"the topic has {before and sum(map(len, before.values()))} transitions, not {at_least}")


def expect_equal(taken, parts):
    expect(len(taken) == sum(map(len, parts.values())), f"{len(taken)} transitions were streamed, the topic has {sum(map(len, parts.values()))}")
    for partition, lines in parts.items():
        mine = set(lines)
        expect([line for line in taken if line in mine] == lines, f"partition {partition} was told in another order, or twice")


def expect_dead_letters(shop, api):
    producer = shop.kafka.producer()
    for partition in range(PARTITIONS):
        producer.produce(EVENTS, b"no event %d" % partition, partition=partition)
        producer.produce(EVENTS, b'\xff\xfe', partition=partition)
    strange = event(900_001, "u-0", "no type", note="x" * 9000)
    producer.produce(EVENTS, strange, partition=0)
    producer.flush(30)

    def samples(query=""):
        status, answer = api.ask("GET", "/v1/dead-letters" + query)
        return answer.get("newest", []) if status == 200 else []

    api.until("seven dead letters", lambda: len(samples()) == 2 * PARTITIONS + 1)
    found = samples("?reason=invalid_json")
    expect(sorted(one["raw"] for one in found) == [f"no event {partition}" for partition in range(PARTITIONS)], f"samples: {found}")
    expect(all(one["topic"] == EVENTS and one["raw"].endswith(one["partition"]) for one in found), f"places: {found}")
    records = shop.kafka.read(EVENTS)
    for one in samples():
        record = next(r for r in records[int(one["partition"])] if r.offset == one["offset"])
        expect("raw" not in one or record.value.startswith(one["raw"].encode()), f"{one} is not {record}")
    [cut] = samples("?reason=unknown_type")
    expect(cut["bytes"] == len(strange) and len(cut["raw"]) == 4096, f"the cut one: {cut['bytes']}, {len(cut['raw'])}")


def test(folder):
    seeded()
    with Shop(folder, PARTITIONS, events=1000, rate=1, seed=1) as shop:
        engines = [shop.engine(name, {"api.listen": "127.0.0.1:0", "kafka.partitioner": "crc32"}).start() for name in ("one", "two")]
        one, two = engines
        shop.wait_shared(engines, everybody=True)
        users = [f"u-{number}" for number in range(USERS)]
        customers = Customers(shop)

        first = Stream(Api(one))
        filtered = Stream(Api(one), query="?user_id=u-7")
        customers.buy(users)
        first.wait(USERS)
        abort_a_transaction(shop)
        parts = settled_lines(shop, USERS)
        first.wait(sum(map(len, parts.values())))
        taken = list(first.lines)
        expect_equal(taken, parts)
        owners = [sorted(engine.partitions("running")) for engine in engines]
        expect(all(owners) and all(parts.values()), f"an engine has no partition, or a partition no transition: {owners}")

        one.kill()
        first.join(10)
        customers.buy(users)
        customers.buy(users[::2])
        one.start()
        shop.wait_shared(engines)
        again = Stream(Api(one), first.last_id)
        at_other = Stream(Api(two), first.last_id)
        parts = settled_lines(shop, len(taken) + USERS)
        total = sum(map(len, parts.values()))
        expect_equal(taken + again.wait(total - len(taken)).lines, parts)
        expect_equal(taken + at_other.wait(total - len(taken)).lines, parts)
        expect(not again.gaps and not at_other.gaps, f"gaps: {again.gaps} {at_other.gaps}")
        # From the beginning, and one user's.
        api = Api(one)
        begin = first.last_id.split("~")[0] + "".join(f"~{partition}.0" for partition in range(PARTITIONS))
        expect_equal(Stream(api, begin).wait(total).lines, parts)
        own = [line for lines in parts.values() for line in lines if json.loads(line)["user_id"] == "u-7"]
        expect(own[:len(filtered.lines)] == filtered.lines, "one user's transitions")
        expect(Stream(api, begin, "?user_id=u-7").wait(len(own)).lines == own, "one user's transitions, from the beginning")

        # What retention has taken is a gap, and so is an id of an engine before.
        shop.kafka.delete_records(TRANSITIONS, {0: 500})
        left = {partition: [record.value.decode() for record in records] for partition, records in shop.kafka.read(TRANSITIONS).items()}
        expect(len(left[0]) < len(parts[0]), "nothing was deleted")
        # A new process remembers nothing of them.
        one.kill()
        api = Api(one.start())
        late = Stream(api, begin).wait(sum(map(len, left.values())))
        expect(late.first_event == "gap" and len(late.gaps) == 1, f"no gap first: {late.first_event} {late.gaps}")
        expect_equal(late.lines, left)
        old = Stream(api, "0.18004~1.4711~2.7")
        api.until("the gap of an old id", lambda: old.gaps and "another stream" in old.gaps[0])
        expect(not old.lines, "an old id was taken for an offset")
        beyond = Stream(api, begin.replace("~0.0", "~0.999999999"))
        api.until("the gap of a place that never was", lambda: len(beyond.gaps) == 1)

        two.stop()
        one.wait_ready(PARTITIONS)
        expect_dead_letters(shop, api)
        expect_found(api, users[:50])
        one.stop()
        figure(f"live transitions over Kafka: {total:,} each once and in order at two engines, over a kill -9; a gap told after retention")


if __name__ == "__main__":
    sys.exit(main(test))
