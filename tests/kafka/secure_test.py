#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SASL_SSL, the password in a file: the engine works; with a wrong password it says so, and never what the password was.

PLAIN works with every librdkafka. SCRAM does since 2.6.1 only: earlier ones repeat a nonce, which Kafka refuses since 3.9 and 4.0 (librdkafka#4895).
There the engine has to say that it was refused.
"""
import sys

from broker import PASSWORD, USER
from support.engine_process import EngineProcess
from support.kafka_cluster import EVENTS, TRANSITIONS, KafkaCluster
from support.scenario import expect, figure, main
from support.shop import shop_events

PARTITIONS, EVENTS_COUNT, SEED = 2, 5000, 7
WRONG = "close-sesame"


def security(kafka, folder, password, mechanism):
    secret = folder / "password"
    secret.write_text(password + "\n", encoding="utf-8")
    return {"kafka.security": {"protocol": "sasl_ssl", "mechanism": mechanism, "username": USER, "password_file": str(secret),
                               "ca_file": str(kafka.cluster.ca_file)}}


def let_in(kafka, folder, name, password, mechanism):
    """Whether an engine became ready; False when it says that it was refused."""
    engine = EngineProcess(folder, name, kafka.cluster.secure_bootstrap, security(kafka, folder, password, mechanism)).start()
    try:
        ends = {partition: kafka.high_watermark(EVENTS, partition) for partition in range(PARTITIONS)}

        def settled(report):
            places = {one["partition"]: one["position"] for one in report["partitions"]}
            return report["status"] == 200 and places == ends or "uthenticat" in engine.log()

        report = engine.wait_until(settled, "at the end of the log, or refused and the log says why")
        if report["status"] == 200:
            engine.stop()
        return report["status"] == 200
    finally:
        engine.close()
        expect(password not in engine.log(), "the log holds the password")


def test(folder):
    with KafkaCluster(secure=True) as kafka:
        kafka.create_engine_topics(PARTITIONS)
        kafka.load(EVENTS, shop_events(folder, EVENTS_COUNT, SEED))
        expect(not let_in(kafka, folder, "stranger", WRONG, "PLAIN"), "a wrong password was let in")
        expect(let_in(kafka, folder, "friend", PASSWORD, "PLAIN"), "the right password was refused")
        transitions = sum(map(len, kafka.read(TRANSITIONS).values()))
        expect(transitions > 100, f"{transitions} transitions")
        scram = let_in(kafka, folder, "salted", PASSWORD, "SCRAM-SHA-512")
        figure(f"SASL_SSL with a password from a file: PLAIN {transitions} transitions committed; SCRAM-SHA-512 "
               f"{'works' if scram else 'is refused, as this librdkafka is older than 2.6.1'}")


if __name__ == "__main__":
    sys.exit(main(test))
