# SPDX-License-Identifier: Apache-2.0
"""A reader that watches throughout a test: what a read-committed consumer of transitions and dead letters is ever shown."""
import collections
import datetime
import hashlib
import json
import threading
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

from support.kafka_cluster import DEAD_LETTERS, TRANSITIONS, record_of
from support.scenario import Failure, expect

FINISH_SECONDS = 60
DEAD_LETTER_HEADERS = ("segue_reason", "segue_topic", "segue_partition", "segue_offset")


def fingerprint(record):
    return hashlib.sha256(repr((record.key, record.value, record.headers)).encode()).digest()


class Auditor:
    """Reads both topics read_committed, from the beginning, on a thread of its own, and checks every record the moment it is visible.

    A user's n counts 1, 2, 3 … in one partition; no ce_id comes twice; key, headers and value agree; a partition's dead letters come in the order of
    the input, each once; offsets ascend. finish() reads all again: nothing that was ever seen may be missing or different, nothing new lie between.
    """

    def __init__(self, kafka, application="shop"):
        self.kafka, self.application = kafka, application
        self.seen = {topic: {partition: {} for partition in kafka.partitions(topic)} for topic in (TRANSITIONS, DEAD_LETTERS)}
        self.lines = collections.defaultdict(list)  # user id -> values
        self.dead = collections.defaultdict(list)  # partition -> (input offset, reason, bytes)
        self.home = {}  # user id -> partition
        self.ids = set()
        self.offsets = {}  # by ce_id
        self.faults = []
        self.lock = threading.Lock()
        self.progress = threading.Condition(self.lock)
        self._ends = {}  # (topic, partition) -> where the reader was told of the end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="auditor", daemon=True)

    def start(self):
        self._thread.start()
        return self

    # ---- on the auditor's thread

    def _run(self):
        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "auditor", "isolation.level": "read_committed", "log_level": 2,
                             "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "error", "fetch.wait.max.ms": 50,
                             "reconnect.backoff.max.ms": 500})
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for topic, partitions in self.seen.items() for partition in partitions])
            while not self._stopping.is_set():
                messages = consumer.consume(1000, timeout=0.05)
                with self.lock:
                    for message in messages:
                        self._take(message)
                    self.progress.notify_all()
        except Exception as error:  # pylint: disable=broad-except
            with self.lock:
                self.faults.append(f"the auditor itself failed: {error!r}")
        finally:
            consumer.close()

    def _take(self, message):
        place = (message.topic(), message.partition())
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._ends[place] = message.offset()
            elif error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET) or error.fatal():
                self.faults.append(f"{place}: {error}")
            return
        record = record_of(message)
        before = self.seen[place[0]][place[1]]
        if before and record.offset <= next(reversed(before)):
            self.faults.append(f"{place}: offset {record.offset} came after {next(reversed(before))}")
            if record.offset in before and before[record.offset] != fingerprint(record):
                self.faults.append(f"{place}: offset {record.offset} holds another record than before")
            return
        before[record.offset] = fingerprint(record)
        try:
            (self._check_transition if place[0] == TRANSITIONS else self._check_dead_letter)(record)
        except Failure as failure:
            self.faults.append(f"{place} offset {record.offset}: {failure}; {record.key} {record.value[:300]} {record.headers}")
        except (ValueError, KeyError, TypeError) as error:
            self.faults.append(f"{place} offset {record.offset}: not a record of the contract ({error!r}); {record}")

    def _check_transition(self, record):
        value = json.loads(record.value)
        user, n = value["user_id"], value["n"]
        before = self.lines[user]
        known = f", and that one came at offset {self.offsets[f'{user}#{n}']}: {before[n - 1][:300]}" if 0 < n <= len(before) else ""
        expect(n == len(before) + 1, f"n is {n} after {len(before)}{known}")
        expect(self.home.setdefault(user, record.partition) == record.partition, f"the user was in partition {self.home[user]} before")
        self.lines[user].append(record.value)
        expect(value["id"] == f"{user}#{n}", "id is not user_id#n")
        expect(value["id"] not in self.ids, "the id came before")
        self.ids.add(value["id"])
        self.offsets[value["id"]] = record.offset
        expect(record.key == user.encode(), "the key is not the user id")
        at = datetime.datetime.fromisoformat(record.header("ce_time"))
        expect(round(at.timestamp() * 1000) == value["at"], "ce_time is not at")
        wanted = {"ce_specversion": "1.0", "ce_id": value["id"], "ce_source": f"/segue/{self.application}/{record.partition}", "ce_subject": user,
                  "ce_type": f"segue.{value['type']}", "content-type": "application/json"}
        for name, text in wanted.items():
            expect(record.header(name) == text, f"header {name} is not {text}")

    def _check_dead_letter(self, record):
        missing = [name for name in DEAD_LETTER_HEADERS if record.header(name) is None]
        expect(not missing, f"no headers {missing}")
        expect(int(record.header("segue_partition")) == record.partition, "it is of another partition")
        offset = int(record.header("segue_offset"))
        known = self.dead[record.partition]
        expect(not known or offset > known[-1][0], f"of input offset {offset}, after {known and known[-1][0]}")
        known.append((offset, record.header("segue_reason"), record.value))

    # ---- from the test

    def check(self):
        """Fails when anything wrong was seen until now."""
        with self.lock:
            if self.faults:
                raise Failure(f"the auditor saw {len(self.faults)} faults, the first of them:\n" + "\n".join(self.faults[:5]))

    def count(self):
        with self.lock:
            return len(self.ids)

    def wait_for_more(self, count, seconds=30):
        """Until more than `count` transitions are visible."""
        with self.lock:
            more = self.progress.wait_for(lambda: len(self.ids) > count or self.faults, seconds)
        self.check()
        expect(more, f"no new transition within {seconds} s ({count} are visible)")

    def wait_for_count(self, count, seconds=60):
        """Until `count` transitions are visible, and no more."""
        with self.lock:
            self.progress.wait_for(lambda: len(self.ids) >= count or self.faults, seconds)
        self.check()
        expect(self.count() == count, f"{self.count()} transitions after {seconds} s, not {count}")

    def finish(self):
        """Waits until everything committed was seen, reads all again and compares. Afterwards .lines and .dead are what the engine told."""
        ends = {(topic, partition): self.kafka.high_watermark(topic, partition, "read_committed")
                for topic, partitions in self.seen.items() for partition in partitions}
        for (topic, partition), end in ends.items():
            whole = self.kafka.high_watermark(topic, partition)
            expect(whole == end, f"{topic} {partition}: an open transaction hides offsets {end} to {whole} after a clean stop")
        deadline = time.monotonic() + FINISH_SECONDS
        with self.lock:
            while not self.faults and any(self._ends.get(place, 0) < end for place, end in ends.items()):
                left = deadline - time.monotonic()
                expect(left > 0, f"the auditor did not reach {ends}, but {self._ends}")
                self.progress.wait(left)
        self.close()
        self.check()
        for topic, partitions in self.seen.items():
            for partition, records in self.kafka.read(topic).items():
                again = {record.offset: fingerprint(record) for record in records}
                expect(again == partitions[partition], f"{topic} {partition}: read again it is different: offsets "
                       f"{sorted(o for o in again.keys() | partitions[partition].keys() if again.get(o) != partitions[partition].get(o))[:5]}")
        return self

    def close(self):
        self._stopping.set()
        self._thread.join(30)
