#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proxy does what it says to a real client of a real broker, among it the worst: a late EndTxn that commits half of the next transaction."""
import socket
import sys

from confluent_kafka import KafkaException

from proxy import Proxy
from support.kafka_cluster import KafkaCluster
from support.scenario import Failure, expect, figure, main

TOPIC = "records"
WAIT_SECONDS = 30


class Case:
    """A topic of its own, and a transactional producer through the proxy."""

    def __init__(self, kafka, proxy, name):
        self.kafka, self.proxy, self.name, self.topic = kafka, proxy, name, f"{TOPIC}-{name}"
        kafka.create_topic(self.topic)
        self.renew()

    def renew(self):
        self.producer = self.kafka.producer(**{"bootstrap.servers": self.kafka.cluster.front_bootstrap, "transactional.id": self.name,
                                               "message.timeout.ms": 20_000, "transaction.timeout.ms": 30_000, "retry.backoff.ms": 10,
                                               "reconnect.backoff.max.ms": 200, "log_level": 0})
        self.producer.init_transactions(WAIT_SECONDS)

    def begin(self, value):
        self.producer.begin_transaction()
        self.producer.produce(self.topic, value)
        self.producer.flush(WAIT_SECONDS)

    def commit(self):
        self.producer.commit_transaction(WAIT_SECONDS)

    def values(self, isolation="read_committed"):
        return [record.value for record in self.kafka.read(self.topic, isolation)[0]]


def finish(rule):
    expect(rule.finished.wait(WAIT_SECONDS), f"the rule {rule.action} {rule.kind} did not come to its end")


def test_client_stays_on_the_proxy(case):
    before = case.proxy.passed("Produce")
    for number in range(5):
        case.begin(b"%d" % number)
        case.commit()
    expect(case.values() == [b"0", b"1", b"2", b"3", b"4"], f"through the proxy came {case.values()}")
    expect(case.proxy.passed("Produce") - before == 5, "not every Produce request came through the proxy")
    expect(case.proxy.passed("EndTxn") >= 5, "not every EndTxn request came through the proxy")


def late_end(case, rule):
    """Commits one transaction, whose EndTxn the rule takes; then the first record of the next. What a reader sees before that one ends."""
    case.begin(b"first")
    case.commit()
    case.begin(b"half")
    finish(rule)
    seen = case.values()
    try:
        case.producer.abort_transaction(WAIT_SECONDS)
    except KafkaException:
        pass  # the broker says that there is none to abort
    return seen


def test_held_end_commits_half_of_the_next_transaction(case):
    seen = late_end(case, case.proxy.rule("hold", "EndTxn", seconds=2, cut=True))
    expect(seen == [b"first", b"half"], f"a late EndTxn was expected to tear the next transaction; a reader saw {seen}")


def test_repeated_end_commits_half_of_the_next_transaction(case):
    for cut in (False, True):
        topic, case.topic = case.topic, f"{case.topic}-{cut}"
        case.kafka.create_topic(case.topic)
        seen = late_end(case, case.proxy.rule("repeat", "EndTxn", seconds=1, cut=cut))
        expect(seen == [b"first", b"half"], f"a repeated EndTxn was expected to tear the next transaction; a reader saw {seen}")
        case.renew()
        case.topic = topic


def test_dropped_answer_is_asked_for_again(case):
    rule = case.proxy.rule("drop", "EndTxn")
    case.begin(b"once")
    case.commit()
    finish(rule)
    expect(case.values() == [b"once"], f"a reader saw {case.values()}")


def test_held_produce_arrives_once(case):
    rule = case.proxy.rule("hold", "Produce", seconds=1, cut=True)
    case.begin(b"once")
    case.commit()
    finish(rule)
    expect(case.values("read_uncommitted") == [b"once"], f"the log holds {case.values('read_uncommitted')}")


def test_skip_and_count_choose_the_request(case):
    cut = case.proxy.rule("cut", "EndTxn", skip=1, count=1)
    case.begin(b"0")
    case.commit()
    expect(cut.done == 0, "the first EndTxn was cut although one was to be skipped")
    case.begin(b"1")
    case.commit()
    case.begin(b"2")
    case.commit()
    expect(cut.done == 1, f"{cut.done} EndTxn were cut, not one")
    expect(case.values() == [b"0", b"1", b"2"], f"a reader saw {case.values()}")


def test_delay_cut_and_black_hole_lose_nothing(case):
    case.proxy.rule("delay", "Produce", seconds=0.05)
    case.begin(b"0")
    case.proxy.cut_all()
    case.commit()
    case.proxy.black_hole(1)
    case.begin(b"1")
    case.commit()
    case.proxy.close()
    case.proxy.open()
    case.begin(b"2")
    case.commit()
    expect(case.values() == [b"0", b"1", b"2"], f"a reader saw {case.values()}")
    for what in ("delay Produce", "cut connections", "black holes"):
        expect(case.proxy.counts[what] > 0, f"{what} was not counted: {dict(case.proxy.counts)}")


def test_line_protocol_adds_rules(case):
    with socket.create_connection(("127.0.0.1", case.proxy.control)) as connection:
        stream = connection.makefile("rw")

        def ask(command):
            stream.write(command + "\n")
            stream.flush()
            return stream.readline().strip()

        expect(ask("drop EndTxn skip=0 count=1 seconds=0.1 cut=1") == "ok", "a good command was refused")
        expect(ask("spoil EndTxn").startswith("error"), "a wrong action was taken")
        expect(ask("drop Nonsense").startswith("error"), "a wrong kind was taken")
        case.begin(b"once")
        case.commit()
        counts = dict(pair.split("=") for pair in ask("counts").split())
        expect(int(counts["drop_EndTxn"]) > 0, f"the rule did nothing: {counts}")
        expect(ask("clear") == "ok", "clear was refused")


def test(_):
    names = [name for name in globals() if name.startswith("test_")]
    with KafkaCluster() as kafka:
        cluster = kafka.cluster
        with Proxy(cluster.front_port(1), cluster.proxied_port(1), control=cluster.command_port(1)) as proxy:
            for name in names:
                case = Case(kafka, proxy, name)
                try:
                    globals()[name](case)
                except (Failure, KafkaException) as failure:
                    raise Failure(f"{name}: {failure}") from failure
                proxy.clear()
                print(f"{name}: ok", flush=True)
            actions = sum(count for what, count in proxy.counts.items() if what.split()[0] in ("hold", "repeat", "drop", "cut", "delay"))
    figure(f"proxy: {len(names)} cases, {actions} requests held, repeated, dropped, cut or delayed; a late and a repeated EndTxn tear a transaction "
           "of a client that does not renew its producer")


if __name__ == "__main__":
    sys.exit(main(test))
