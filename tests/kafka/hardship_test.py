#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long troubles, one after the other, on one engine: a quota, a full disk, a broker that is away for longer than every time limit, an input that gets
more partitions. What /readyz says meanwhile is shown, everything goes on by itself, and the end equals a replay."""
import os
import subprocess
import sys
import time

from confluent_kafka.admin import AdminClient, NewPartitions

from support.kafka_cluster import EVENTS
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, RATE = 3, 1000
AWAY_SECONDS = 12
# All below AWAY_SECONDS.
SHORT = {"kafka.consumer": {"session.timeout.ms": "2500", "heartbeat.interval.ms": "300"},
         "kafka.producer": {"transaction.timeout.ms": "4000", "message.timeout.ms": "3000", "socket.timeout.ms": "2000"}}


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], stderr=subprocess.DEVNULL, check=False).returncode == 0


def states(report):
    return sorted({one["state"] for one in report["partitions"]})


def reasons(report):
    return [one["reason"] for one in report["partitions"] if one["reason"]]


def quota(shop, engine, choice):
    """Of a tenth of what flows."""
    entity = ("--alter", "--entity-type", "clients", "--entity-name", engine.name)
    shop.kafka.cluster.tool("configs", *entity, "--add-config", "producer_byte_rate=4000,consumer_byte_rate=20000")
    time.sleep(8)
    shop.stir(choice)
    said = engine.report()
    expect(engine.get("/metrics")[0] == 200, "no metrics under a quota")
    shop.kafka.cluster.tool("configs", *entity, "--delete-config", "producer_byte_rate,consumer_byte_rate")
    engine.wait_ready(PARTITIONS)
    shop.stir(choice)
    return f"under a quota {states(said)}"


def full_disk(shop, engine, choice):
    filler = engine.state / "filler"
    with open(filler, "wb") as stream:
        try:
            while True:
                stream.write(bytes(1 << 16))
                stream.flush()
        except OSError:
            pass
    said = engine.wait_until(lambda report: any("space" in reason.lower() for reason in reasons(report)), "paused, with the full disk as the reason")
    expect("paused" in states(said), f"not paused on a full disk: {states(said)}")
    expect(said["status"] == 503, "ready on a full disk")
    filler.unlink()
    engine.wait_ready(PARTITIONS)
    shop.stir(choice)
    return f"on a full disk {states(said)}"


def long_outage(shop, engine, choice):
    shop.kafka.cluster.kill9(1)
    time.sleep(AWAY_SECONDS)
    said = engine.report()
    expect(said is not None and said["status"] == 503, f"ready without a broker: {said}")
    expect(states(said) == ["paused"] and len(reasons(said)) == PARTITIONS, f"not paused with a reason: {said}")
    expect(engine.get("/livez")[0] == 200 and engine.get("/metrics")[0] == 200, "not alive without a broker")
    shop.kafka.cluster.restart(1)
    engine.wait_ready(PARTITIONS)
    shop.stir(choice)
    return f"without a broker {states(said)}: {reasons(said)[0]}"


def more_partitions(shop, engine):
    """While nobody writes: what users would do whose keys fall elsewhere then is not the engine's to say."""
    shop.producer.stop()
    admin = AdminClient({"bootstrap.servers": shop.kafka.bootstrap, "log_level": 2})
    admin.create_partitions([NewPartitions(EVENTS, PARTITIONS + 1)])[EVENTS].result(30)
    engine.wait_until(lambda _: engine.metric("segue_input_unread_partitions") == 1, "the metric of unread partitions")
    expect(engine.report()["status"] == 200, "not ready although every partition that is known runs")
    engine.kill()
    engine.start()
    engine.wait_ready(PARTITIONS)
    expect(engine.metric("segue_input_unread_partitions") == 1, "after a restart the metric has forgotten the unread partition")


def test(folder):
    seed, choice = seeded()
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed) as shop:
        engine = shop.engine("one", SHORT)
        engine.state.mkdir()
        small = os.geteuid() == 0 and mount("-t", "tmpfs", "-o", "size=64M", "tmpfs", engine.state)
        try:
            engine.start()
            engine.wait_ready(PARTITIONS)
            shop.producer.start()
            shop.stir(choice)
            said = [quota(shop, engine, choice)]
            said += [full_disk(shop, engine, choice)] if small else []
            said.append(long_outage(shop, engine, choice))
            more_partitions(shop, engine)
            shop.settle()
            figure(f"quota, {'full disk, ' if small else ''}{AWAY_SECONDS} s without a broker, more partitions (seed {seed}): {shop.judge(engine)}; "
                   f"{'; '.join(said)}")
        finally:
            engine.close()
            if small:
                subprocess.run(["umount", "-l", str(engine.state)], check=False)


if __name__ == "__main__":
    sys.exit(main(test))
