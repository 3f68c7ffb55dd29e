# SPDX-License-Identifier: Apache-2.0
"""A shop under test: a broker, its topics, a stream of events, engines, and the auditor who watches all of it."""
import itertools
import random
import subprocess
import sys

from support.auditor import Auditor
from support.engine_process import EngineProcess, wait_caught_up
from support.equality import Replay, compare_outputs, compare_profiles
from support.kafka_cluster import EVENTS, KafkaCluster, PacedProducer, lines_of
from support.scenario import PROGRAM, PROJECT, expect

sys.path.insert(0, str(PROJECT / "tests/model"))
import random_log  # noqa: E402

USERS = 2_000
HOSTILE_USERS = 200
HOSTILE_SHARE = 0.1  # of the events: deletes, disorder, every kind of dead letter


def shop_events(folder, events, seed):
    """Lines of a plausible shop, with those of a hostile one strewn in. The same arguments give the same lines."""
    plain, hostile = folder / "plain.ndjson", folder / "hostile.ndjson"
    subprocess.run([PROGRAM, "generate", "--events", str(events), "--users", str(USERS), "--seed", str(seed), "--out", str(plain)], check=True)
    random_log.write_random_log(hostile, int(events * HOSTILE_SHARE), HOSTILE_USERS, seed)
    choice = random.Random(seed)
    strange = lines_of(hostile)
    for line in lines_of(plain):
        yield line
        if choice.random() < HOSTILE_SHARE:
            yield from itertools.islice(strange, 1)
    yield from strange


class Shop:
    """with Shop(folder, partitions=3, events=..., rate=..., seed=...) as shop: everything runs but the engines; at the end nothing does."""

    def __init__(self, folder, partitions, events, rate, seed, nodes=1, proxied=False):
        self.folder, self.partitions, self.rate, self.proxied = folder, partitions, rate, proxied
        self.lines = shop_events(folder, events, seed)
        self.kafka = KafkaCluster(nodes)
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
        engine = EngineProcess(self.folder, name, brokers, settings)
        self.engines.append(engine)
        return engine

    def expect_flow(self):
        """The auditor is content, and the test's own events have not run out: what is disturbed is an engine at work."""
        self.auditor.check()
        expect(self.producer.running, "the events of this test are used up before its end: give it more")

    def settle(self):
        """Ends the stream, lets the engines that run come to the end of the log, and stops them cleanly."""
        self.producer.stop()
        running = [engine for engine in self.engines if engine.running]
        wait_caught_up(running, {p: self.kafka.high_watermark(EVENTS, p) for p in range(self.partitions)})
        for engine in running:
            engine.stop()

    def judge(self, survivor):
        """The verdict. `survivor`: the engine that owned every partition at its clean end. Returns a summary in words."""
        self.auditor.finish()
        replay = Replay(self.kafka, self.folder)
        expect(replay.transitions > 0 and any(replay.dead.values()), "a log without transitions or dead letters proves nothing")
        compare_outputs(replay, self.auditor.lines, self.auditor.dead)
        profiles = compare_profiles(replay, survivor.state)
        dead = sum(map(len, replay.dead.values()))
        return f"{replay.events} events, {replay.transitions} transitions, {dead} dead letters, {profiles} profiles equal a replay"
