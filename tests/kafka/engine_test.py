#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine in good weather: a backlog, a clean stop, a restart, a stream; and what it refuses to start with."""
import sys

from support.engine_process import EngineProcess
from support.kafka_cluster import EVENTS, JOURNAL
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, BACKLOG, RATE = 3, 20_000, 3000
CONFIG = 78


def expect_refused(folder, brokers, name, settings, word):
    engine = EngineProcess(folder, name, brokers, settings).start()
    engine.process.wait(20)
    expect(engine.process.returncode == CONFIG, f"{name}: exit code {engine.process.returncode}, not {CONFIG}\n{engine.log_end()}")
    expect(word in engine.log(), f"{name}: the message does not name {word}:\n{engine.log_end()}")


def test(folder):
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=200_000, rate=RATE, seed=seed) as shop:
        expect_refused(folder, shop.kafka.bootstrap, "misspelt", {"kafka.brokerz": "x"}, "brokerz")
        expect_refused(folder, shop.kafka.bootstrap, "unsafe", {"kafka.consumer": {"enable.auto.commit": "true"}}, "enable.auto.commit")
        shop.load(BACKLOG)
        engine = shop.engine("one").start()
        report = engine.wait_ready(PARTITIONS)
        expect(report["instance"] == "one", f"/readyz names another instance: {report}")
        expect(engine.get("/livez")[0] == 200, "not alive")
        engine.stop()
        expect(engine.get("/livez")[0] is None, "answers after its end")
        shop.producer.start()
        engine.start().wait_ready(PARTITIONS)
        for _ in range(3):
            shop.stir(choice)
        shop.settle()
        ends = shop.ends()
        committed = shop.kafka.committed("shop", EVENTS)
        expect(committed == ends, f"ordinary lag tools see {committed}, the log ends at {ends}")
        journal = shop.kafka.read(JOURNAL)
        expect(all(journal.values()), "a partition has no journal")
        figure(f"engine on a real broker, a backlog, a restart and a stream: {shop.judge(engine)}; {sum(map(len, journal.values()))} commits")


if __name__ == "__main__":
    sys.exit(main(test))
