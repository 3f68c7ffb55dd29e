#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What docs/engine.md promises for trouble around the engine, one after the other; at the end nothing is lost and nothing there twice."""
import signal
import sys

from support.engine_process import EngineProcess
from support.kafka_cluster import DEAD_LETTERS, EVENTS, JOURNAL, TRANSITIONS, KafkaCluster
from support.scenario import PROJECT, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 3, 1500
CONFIG, IN_USE = 78, 74


def topics_missing_at_first(folder):
    with KafkaCluster() as kafka:
        engine = EngineProcess(folder, "early", kafka.bootstrap).start()
        try:
            engine.wait_until(lambda report: report["status"] == 503, "not ready without topics")
            for name in (EVENTS, TRANSITIONS, JOURNAL):
                kafka.create_topic(name, 2)
            engine.wait_until(lambda _: f"{DEAD_LETTERS}" in engine.log(), "the log names the topic that is missing")
            kafka.create_topic(DEAD_LETTERS, 2)
            engine.wait_ready(2)
            engine.stop()
        finally:
            engine.close()


def partitions_that_do_not_agree(folder):
    with KafkaCluster() as kafka:
        for name, partitions in ((EVENTS, 3), (TRANSITIONS, 3), (DEAD_LETTERS, 3), (JOURNAL, 2)):
            kafka.create_topic(name, partitions)
        engine = EngineProcess(folder, "uneven", kafka.bootstrap).start()
        engine.process.wait(30)
        expect(engine.process.returncode == CONFIG, f"exit code {engine.process.returncode}, not {CONFIG}\n{engine.log_end()}")
        expect(JOURNAL in engine.log(), f"the message does not name {JOURNAL}:\n{engine.log_end()}")


def broker_that_sleeps(shop, engine, choice):
    """Longer than the engine is silent about it."""
    shop.stir(choice)
    shop.kafka.cluster.pause(1)
    report = engine.wait_until(lambda report: all(one["state"] == "paused" for one in report["partitions"]), "paused while the broker sleeps")
    expect(all(one["reason"] for one in report["partitions"]), f"paused without a reason: {report}")
    expect(engine.get("/metrics")[0] == 200, "no metrics while the broker sleeps")
    shop.kafka.cluster.resume(1)
    engine.wait_ready(PARTITIONS)
    shop.stir(choice)


def definitions_that_do_not_parse(shop, engine, choice):
    before = shop.definitions.read_text(encoding="utf-8")
    shop.definitions.write_text("version: 1\nsegments: [{name: rich, when: spend >=}]\n", encoding="utf-8")
    engine.signal(signal.SIGHUP)
    engine.wait_until(lambda _: engine.metric("segue_config_last_reload_successful") == 0, "the metric of a failed reload")
    shop.stir(choice)
    shop.definitions.write_text(before, encoding="utf-8")
    engine.signal(signal.SIGHUP)
    engine.wait_until(lambda _: engine.metric("segue_config_last_reload_successful") == 1, "the metric of a reload that worked")


def outputs_too_large(shop, engine, choice):
    """A topic that takes no record larger than nothing, for a while."""
    shop.stir(choice)
    shop.kafka.cluster.tool("configs", "--alter", "--entity-type", "topics", "--entity-name", TRANSITIONS, "--add-config", "max.message.bytes=80")
    report = engine.wait_until(lambda report: all(one["state"] in ("stopped", "paused") for one in report["partitions"]), "stopped or paused")
    expect(all(one["reason"] for one in report["partitions"]), f"without a reason: {report}")
    shop.kafka.cluster.tool("configs", "--alter", "--entity-type", "topics", "--entity-name", TRANSITIONS, "--delete-config", "max.message.bytes")
    if any(one["state"] == "stopped" for one in report["partitions"]):
        engine.stop()
        engine.start()
    engine.wait_ready(PARTITIONS)
    shop.stir(choice)
    return report["partitions"][0]["reason"]


def one_instance_twice(shop, engine):
    twin = EngineProcess(shop.folder, "twin", shop.kafka.bootstrap, {"instance": engine.name, "definitions": str(shop.definitions)})
    shop.engines.append(twin.start())
    engine.process.wait(60)
    expect(engine.process.returncode == IN_USE, f"the earlier one ended with {engine.process.returncode}, not {IN_USE}\n{engine.log_end()}")
    twin.wait_ready(PARTITIONS)
    return twin


def test(folder):
    seed, choice = seeded()
    topics_missing_at_first(folder)
    partitions_that_do_not_agree(folder)
    definitions = folder / "definitions.yaml"
    definitions.write_bytes((PROJECT / "examples/definitions/reference.yaml").read_bytes())
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed, definitions=definitions) as shop:
        engine = shop.engine("one").start()
        engine.wait_ready(PARTITIONS)
        shop.producer.start()
        broker_that_sleeps(shop, engine, choice)
        definitions_that_do_not_parse(shop, engine, choice)
        reason = outputs_too_large(shop, engine, choice)
        twin = one_instance_twice(shop, engine)
        shop.stir(choice)
        shop.settle()
        figure(f"trouble around the engine (seed {seed}): {shop.judge(twin)}; a record that the topic refuses: {reason}")


if __name__ == "__main__":
    sys.exit(main(test))
