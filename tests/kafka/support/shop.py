# SPDX-License-Identifier: Apache-2.0
"""A shop under test: a broker, its topics, a stream of events, engines, and the auditor who watches all of it."""
import itertools
import random
import subprocess
import sys
import time

from support.auditor import Auditor
from support.engine_process import EngineProcess, wait_caught_up
from support.equality import Replay, audit, compare_outputs, compare_profiles
from support.kafka_cluster import EVENTS, LARGEST_RECORD, TRANSITIONS, KafkaCluster, PacedProducer, lines_of
from support.scenario import PROGRAM, PROJECT, Failure, expect

sys.path.insert(0, str(PROJECT / "tests/model"))
import random_log  # noqa: E402

USERS = 2_000
HOSTILE_USERS = 200
HOSTILE_SHARE = 0.1  # of the events: deletes, disorder, every kind of dead letter


def shop_events(folder, events, seed):
    """Lines of a plausible shop, with those of a hostile one strewn in. The same arguments give the same lines."""
    plain = folder / "plain.ndjson"
    subprocess.run([PROGRAM, "generate", "--events", str(events), "--users", str(USERS), "--seed", str(seed), "--out", str(plain)], check=True)
    choice = random.Random(seed)
    hostile = random_log.RandomLog(int(events * HOSTILE_SHARE), HOSTILE_USERS, seed).lines()
    for line in lines_of(plain):
        yield line
        if choice.random() < HOSTILE_SHARE:
            yield from (strange.rstrip(b"\r\n") for strange in itertools.islice(hostile, 1) if len(strange) <= LARGEST_RECORD)


class Shop:
    """with Shop(folder, partitions=3, events=..., rate=..., seed=...) as shop: everything runs but the engines; at the end nothing does."""

    def __init__(self, folder, partitions, events, rate, seed, nodes=1, proxied=False, definitions=None, properties=None):
        self.folder, self.partitions, self.rate, self.proxied, self.definitions = folder, partitions, rate, proxied, definitions
        self.lines = shop_events(folder, events, seed)
        self.kafka = KafkaCluster(nodes, properties)
        self.engines = []
        self.auditor = self.producer = None

    def __enter__(self):
        self.kafka.__enter__()
        try:
            self.kafka.create_engine_topics(self.partitions)
            self.auditor = Auditor(self.kafka).start()
            self.producer = PacedProducer(self.kafka, EVENTS, self.lines, self.rate)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        for engine in self.engines:
            engine.close()
            if kind:
                print(f"---- the end of {engine.name}'s log\n{engine.log_end()}", flush=True)
        if self.auditor:
            self.auditor.close()
        self.kafka.__exit__(kind, error, trace)

    def engine(self, name, settings=None):
        brokers = self.kafka.cluster.front_bootstrap if self.proxied else self.kafka.bootstrap
        settings = ({"definitions": str(self.definitions)} if self.definitions else {}) | (settings or {})
        engine = EngineProcess(self.folder, name, brokers, settings)
        self.engines.append(engine)
        return engine

    def expect_flow(self):
        """The auditor is content, and the test's own events have not run out: what is disturbed is an engine at work."""
        self.auditor.check()
        expect(self.producer.running, "the events of this test are used up before its end: give it more")

    def stir(self, choice, seconds=1.0, patience=60):
        """Waits for a new transition, and then for a random moment: what comes next hits engines at work."""
        self.expect_flow()
        self.auditor.wait_for_more(self.auditor.count(), patience)
        time.sleep(choice.uniform(0, seconds))

    def wait_shared(self, engines, everybody=False, seconds=60):
        """Until every partition runs in exactly one of the engines; with `everybody`, until each of them has one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for engine in engines:
                engine.expect_running()
            owned = [sorted(engine.partitions("running")) for engine in engines]
            if sorted(sum(owned, [])) == list(range(self.partitions)) and (all(owned) or not everybody):
                return owned
            time.sleep(0.05)
        reports = "\n".join(f"{engine.name} says {engine.report()}\n{engine.log_end()}" for engine in engines)
        raise Failure(f"the partitions are not shared out within {seconds} s, but {owned}:\n{reports}")

    def settle(self):
        """Ends the stream where there is one, lets the engines that run come to the end of the log, and stops them cleanly."""
        if self.producer.sent:
            stored = self.producer.stop()
            print(f"the stream: {stored} events stored, {self.producer.lost} lost", flush=True)
        running = [engine for engine in self.engines if engine.running]
        wait_caught_up(running, self.ends())
        for engine in running:
            engine.stop()

    def ends(self):
        return {partition: self.kafka.high_watermark(EVENTS, partition) for partition in range(self.partitions)}

    def load(self, count):
        """Stores the next `count` events at once, instead of a stream."""
        self.kafka.load(EVENTS, itertools.islice(self.lines, count))

    def judge(self, survivor, replay=None, whole_log=True):
        """The verdict. `survivor`: the engine that owned every partition at its clean end. `replay`: where the topic's records alone do not decide or
        are not all there any more (then whole_log=False). Returns a summary in words.
        """
        self.auditor.finish()
        replay = replay or Replay(self.kafka, self.folder, self.definitions)
        expect(replay.transitions > 0 and any(replay.dead.values()), "a log without transitions or dead letters proves nothing")
        compare_outputs(replay, self.auditor.lines, self.auditor.dead)
        profiles = compare_profiles(replay, survivor.state)
        if whole_log:
            audit(survivor)
        dead = sum(map(len, replay.dead.values()))
        written = sum(map(len, self.kafka.read(TRANSITIONS, "read_uncommitted").values()))
        return (f"{replay.events} events, {replay.transitions} transitions ({written - replay.transitions} more in aborted transactions), "
                f"{dead} dead letters, {profiles} profiles equal a replay")
