#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine is lost with its disk. Another instance goes on from a snapshot although the log's beginning is gone; one that has followed as a standby
goes on at once; and where neither is, the partition stops with the reason while the others run."""
import shutil
import sys
import time

from support.equality import Replay
from support.kafka_cluster import EVENTS
from support.scenario import expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, BACKLOG, RATE = 3, 60_000, 2000
SESSION = {"kafka.consumer": {"session.timeout.ms": "2500", "heartbeat.interval.ms": "300"}}


def take_over_from_snapshot(folder, seed, choice):
    (folder / "snapshots").mkdir(parents=True)
    snapshots = {"snapshots.directory": str(folder / "snapshots"), "snapshots.interval": "1s", "snapshots.keep": 2}
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed) as shop:
        shop.load(BACKLOG)
        first = shop.engine("first", SESSION | snapshots).start()
        first.wait_ready(PARTITIONS)
        first.wait_until(lambda _: (first.metric("segue_snapshots_total") or 0) >= 3 * PARTITIONS, "three snapshots each")
        shop.producer.start()
        shop.stir(choice)
        shop.stir(choice)
        first.kill()
        shop.producer.stop()
        whole = Replay(shop.kafka, folder)  # while the log is whole
        shutil.rmtree(first.state)
        low = {partition: BACKLOG // PARTITIONS // 4 for partition in range(PARTITIONS)}  # before every snapshot
        shop.kafka.delete_records(EVENTS, low)
        second = shop.engine("second", SESSION | snapshots).start()
        started = time.monotonic()
        second.wait_ready(PARTITIONS)
        seconds = time.monotonic() - started
        shop.settle()
        figure(f"takeover from a snapshot, the log's beginning gone: all partitions run {seconds:.1f} s after the start of another "
               f"instance (seed {seed}): {shop.judge(second, whole, whole_log=False)}")


def put_damaged_state_aside(shop, engine):
    """A standby whose state is damaged while it is away puts it aside, and follows from the beginning."""
    followed = sorted(engine.partitions("following"))
    engine.stop()
    # One that has not written a checkpoint yet begins anew all the same.
    files = {partition: list((engine.state / f"state/shard-{partition}").glob("*.sst")) for partition in followed}
    followed = [partition for partition in followed if files[partition]]
    expect(followed, "no followed partition has a state that could be damaged")
    for partition in followed:
        for path in files[partition]:
            content = bytearray(path.read_bytes())
            middle = len(content) // 2
            content[middle:middle + 64] = bytes(byte ^ 0x55 for byte in content[middle:middle + 64])
            path.write_bytes(content)
    engine.start()
    ends = shop.ends()
    engine.wait_until(lambda report: {one["partition"] for one in report["partitions"]} == set(ends) and
                      all(one["position"] >= ends[one["partition"]] for one in report["partitions"]), f"every partition at {ends}")
    expect(engine.metric("segue_damaged_states_total") >= len(followed), f"no damage counted, of {followed}")
    for partition in followed:
        kept = list((engine.state / "state").glob(f"shard-{partition}.damaged*"))
        expect(kept, f"the damaged state of partition {partition} is not kept aside")


def take_over_by_standby(folder, seed, choice):
    folder.mkdir()
    settings = SESSION | {"standby": "all"}
    with Shop(folder, PARTITIONS, events=400_000, rate=RATE, seed=seed) as shop:
        shop.load(BACKLOG)
        engines = [shop.engine(name, settings).start() for name in ("first", "second")]
        shop.wait_shared(engines, everybody=True)
        shop.producer.start()
        for engine in engines:
            engine.wait_until(lambda report: sum(one["state"] in ("running", "following") for one in report["partitions"]) == PARTITIONS,
                              "every partition run or followed")
        shop.stir(choice)
        lost, heir = choice.sample(engines, 2)
        put_damaged_state_aside(shop, heir)
        shop.wait_shared(engines, everybody=True)
        shop.stir(choice)
        started = time.monotonic()
        lost.kill()
        shutil.rmtree(lost.state)
        heir.wait_ready(PARTITIONS)
        seconds = time.monotonic() - started
        shop.stir(choice)
        shop.settle()
        figure(f"takeover by a standby: all partitions run {seconds:.1f} s after kill -9 of the other instance, of which up to 2.5 s are the group's "
               f"detection (seed {seed}): {shop.judge(heir)}")


def stop_where_nothing_covers_the_log(folder, seed, choice):
    folder.mkdir()
    with Shop(folder, PARTITIONS, events=100_000, rate=RATE, seed=seed) as shop:
        shop.load(5000)
        first = shop.engine("first", SESSION).start()
        first.wait_ready(PARTITIONS)
        first.wait_until(lambda report: all(one["position"] > 0 for one in report["partitions"]), "events read")
        first.stop()
        shutil.rmtree(first.state)
        shop.kafka.delete_records(EVENTS, {1: 100})
        second = shop.engine("second", SESSION).start()
        report = second.wait_until(lambda report: {one["partition"]: one["state"] for one in report["partitions"]} ==
                                   {0: "running", 1: "stopped", 2: "running"}, "partition 1 stopped, the others running")
        reason = next(one["reason"] for one in report["partitions"] if one["partition"] == 1)
        expect("100" in reason, f"the reason does not say where the log begins: {reason}")
        expect(report["status"] == 503 and not report["ready"], "ready although a partition is stopped")
        shop.producer.start()
        shop.stir(choice)
        shop.producer.stop()
        second.stop()
        figure(f"a partition whose log no longer begins where its state ends stops with the reason, the others run: {reason}")


def test(folder):
    seed, choice = seeded()
    stop_where_nothing_covers_the_log(folder / "nothing", seed, choice)
    take_over_from_snapshot(folder / "snapshot", seed, choice)
    take_over_by_standby(folder / "standby", seed, choice)


if __name__ == "__main__":
    sys.exit(main(test))
