# SPDX-License-Identifier: Apache-2.0
"""Topics and records of a cluster of a test's own, through confluent_kafka."""
import dataclasses
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from broker import Cluster  # noqa: E402

READ_SECONDS = 60
LARGEST_RECORD = 500_000  # well below the broker's default limit of a batch
# What the engine reads and writes, and how an operator is told to make it (docs/operations.md).
EVENTS, TRANSITIONS, DEAD_LETTERS, JOURNAL = "events", "transitions", "events.dlq", "segue.journal"
INSTANCES = "segue.instances"


@dataclasses.dataclass(frozen=True)
class Record:
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple  # of (name, bytes)
    timestamp: int  # milliseconds

    def header(self, name):
        """The text of one header; None when it is absent."""
        return next((value.decode() for one, value in self.headers if one == name), None)


def record_of(message):
    headers = tuple((name, value if isinstance(value, bytes) else (value or "").encode()) for name, value in message.headers() or ())
    return Record(message.partition(), message.offset(), message.key(), message.value(), headers, message.timestamp()[1])


def key_of(line):
    """The user id of an event, as bytes: equal users get equal partitions. None where there is none."""
    try:
        user = json.loads(line)["user_id"]
        return user.encode("utf-8", "surrogatepass") if isinstance(user, str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def lines_of(path):
    """The lines of an NDJSON file that fit into a record."""
    with open(path, "rb") as stream:
        for line in stream:
            line = line.rstrip(b"\r\n")
            if len(line) <= LARGEST_RECORD:
                yield line


class KafkaCluster:
    """with KafkaCluster() as kafka: a running cluster in a folder of its own, gone afterwards. SEGUE_KEEP keeps the folder of a failed test."""

    def __init__(self, nodes=1, properties=None, secure=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-kafka-"))
        self.cluster = Cluster(self.folder, nodes, properties, secure=secure)

    def __enter__(self):
        try:
            self.cluster.start()
        except BaseException:
            self.cluster.wipe()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind and os.environ.get("SEGUE_KEEP"):
            self.cluster.stop()
            print(f"the broker's folder: {self.folder}", flush=True)
            return
        self.cluster.wipe()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def bootstrap(self):
        return self.cluster.bootstrap

    # ---- topics

    def create_topic(self, name, partitions=1, config=None):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 2})
        copies = min(3, len(self.cluster.ids()))
        admin.create_topics([NewTopic(name, partitions, copies, config=config or {})])[name].result(30)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:  # until every partition has a leader that this client knows
            topic = admin.list_topics(name, timeout=10).topics[name]
            if topic.error is None and len(topic.partitions) == partitions and all(p.leader > 0 for p in topic.partitions.values()):
                return
            time.sleep(0.05)
        raise TimeoutError(f"topic {name} has no leaders")

    def delete_topic(self, name):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 2})
        admin.delete_topics([name])[name].result(30)
        while name in admin.list_topics(timeout=10).topics:
            time.sleep(0.05)

    def delete_records(self, topic, ends):
        """Lets the records before `ends` {partition: offset} go, as retention would."""
        request = self.folder / "delete.json"
        partitions = [{"topic": topic, "partition": partition, "offset": offset} for partition, offset in ends.items()]
        request.write_text(json.dumps({"version": 1, "partitions": partitions}), encoding="utf-8")
        self.cluster.tool("delete-records", "--offset-json-file", request)

    def create_engine_topics(self, partitions, events_config=None):
        self.create_topic(EVENTS, partitions, {"message.timestamp.type": "LogAppendTime"} | (events_config or {}))
        for name in (TRANSITIONS, DEAD_LETTERS, JOURNAL):
            self.create_topic(name, partitions, {"cleanup.policy": "delete", "retention.ms": "-1"} if name == JOURNAL else {})
        self.create_topic(INSTANCES, 1, {"cleanup.policy": "compact"})

    # ---- write

    def producer(self, **properties):
        return Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5, "acks": "all",
                         "message.timeout.ms": 120_000, "queue.buffering.max.messages": 1_000_000, "reconnect.backoff.max.ms": 300,
                         "log_level": 2} | properties)

    def load(self, topic, lines, partition=None):
        """Writes all lines and waits until they are stored; returns how many. Equal users go to equal partitions, as Java's clients do it."""
        failed = []
        producer = self.producer()
        count = 0
        place = {} if partition is None else {"partition": partition}
        for line in lines:
            while True:
                try:
                    producer.produce(topic, value=line, key=key_of(line), on_delivery=lambda error, _: error and failed.append(error), **place)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
            count += 1
        left = producer.flush(READ_SECONDS)
        if left or failed:
            raise RuntimeError(f"{left} records not written to {topic}, {len(failed)} failed: {failed[:1]}")
        return count

    # ---- read

    def partitions(self, topic):
        return sorted(AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 2}).list_topics(topic, timeout=30).topics[topic].partitions)

    def high_watermark(self, topic, partition, isolation="read_uncommitted"):
        """The end of a partition; read_committed: its last stable offset."""
        consumer = Consumer(self._reader(isolation))
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
        finally:
            consumer.close()

    def _reader(self, isolation):
        return {"bootstrap.servers": self.bootstrap, "group.id": "test-reader", "isolation.level": isolation, "enable.auto.commit": False,
                "enable.partition.eof": True, "auto.offset.reset": "error", "fetch.wait.max.ms": 100, "log_level": 2}

    def read(self, topic, isolation="read_committed", partitions=None):
        """{partition: [Record]} of everything that a reader sees now, from the beginning; read_committed ends before an open transaction."""
        found = {partition: [] for partition in (self.partitions(topic) if partitions is None else partitions)}
        consumer = Consumer(self._reader(isolation))
        try:
            starts = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[0] for p in found]
            consumer.assign([TopicPartition(topic, p, start) for p, start in zip(found, starts)])
            open_ends = set(found)
            deadline = time.monotonic() + READ_SECONDS
            while open_ends:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic}: no end of partitions {sorted(open_ends)} within {READ_SECONDS} s")
                for message in consumer.consume(1000, timeout=0.2):
                    if message.error() is None:
                        found[message.partition()].append(record_of(message))
                        open_ends.add(message.partition())
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        open_ends.discard(message.partition())
                    elif not message.error().retriable():
                        raise KafkaException(message.error())
        finally:
            consumer.close()
        return found

    def committed(self, group, topic):
        """{partition: offset} that a group has committed; absent where it has none."""
        consumer = Consumer(self._reader("read_committed") | {"group.id": group})
        try:
            answers = consumer.committed([TopicPartition(topic, p) for p in self.partitions(topic)], timeout=30)
            return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}
        finally:
            consumer.close()


class PacedProducer:
    """Writes lines at a steady rate on a thread, whatever happens to the brokers, until they are all written or it is stopped.

    Not idempotent, on purpose: what counts is what the log holds in the end. A record that is written twice, or not at all, while a broker dies is
    as good a log as any.
    """

    def __init__(self, kafka, topic, lines, rate):
        self.kafka, self.topic, self.lines, self.rate = kafka, topic, iter(lines), rate
        self.sent = self.stored = self.lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _delivered(self, error, _):
        if error:
            self.lost += 1
        else:
            self.stored += 1

    def _run(self):
        producer = self.kafka.producer()
        started = time.monotonic()
        for line in self.lines:
            if self._stopping.is_set():
                break
            try:
                producer.produce(self.topic, value=line, key=key_of(line), on_delivery=self._delivered)
                self.sent += 1
            except BufferError:
                self.lost += 1
            producer.poll(0)
            ahead = self.sent / self.rate - (time.monotonic() - started)
            if ahead > 0.005:
                producer.poll(0)
                time.sleep(ahead)
        producer.flush(READ_SECONDS)

    @property
    def running(self):
        return self._thread.is_alive()

    def stop(self):
        """Ends after the line under way and waits until all that were sent are stored; returns how many are."""
        self._stopping.set()
        self._thread.join(READ_SECONDS + 10)
        if self._thread.is_alive():
            raise TimeoutError("the test's producer does not end")
        return self.stored
