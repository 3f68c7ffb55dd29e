# SPDX-License-Identifier: Apache-2.0
"""The figures of bench/run that need a Kafka broker. Each makes a broker of its own (tests/kafka/broker.py)."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "tests/kafka"))
sys.path.insert(0, str(HERE))
from broker import Cluster, free_ports  # noqa: E402
from kafka_engine import Engine  # noqa: E402

PARTITIONS = 4
# The tests' broker compiles quickly and not well, since it lives for seconds. What stands beside a rival does not.
BROKER_JAVA = "-XX:TieredStopAtLevel=4 -Xmx512m"
# Far below the default of 45 s: the group's own detection is reported apart, and waiting for it shows nothing.
SESSION_MS = 6000
SEEN_SECONDS = 120


def spread(values, digits=0):
    return f"median {statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}-{max(values):,.{digits}f}]"


def say(text):
    print(f"figure: {text}", flush=True)


class Broker:
    """A running broker, and the benchmarks' tool on it."""

    def __init__(self, build, folder):
        self.program = str(build / "bench/pipeline/kafka_tool")
        os.environ.setdefault("SEGUE_BROKER_JAVA", BROKER_JAVA)
        self.cluster = Cluster(folder)
        self.sets = 0

    @property
    def address(self):
        return self.cluster.bootstrap

    def command(self, *arguments):
        return [self.program, "--brokers", self.address, *map(str, arguments)]

    def tool(self, *arguments):
        result = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE, check=False, text=True)
        if result.returncode != 0:
            sys.exit(f"failed: {' '.join(map(str, arguments))}")
        return json.loads(result.stdout)

    def new_topics(self, events=None):
        """Settings of an application with topics of its own; `events` names an input that is there already."""
        self.sets += 1
        mark = f"bench-{self.sets}"
        topics = {"input": events or f"{mark}.events"} | {kind: f"{mark}.{kind}" for kind in ("transitions", "dead_letters", "journal")}
        self.tool("create", *(f"{topic}:{PARTITIONS}:retention.ms=-1" for topic in topics.values()))
        return {"application": mark, "instance": "a", "kafka.brokers": self.address} | {f"kafka.{kind}": topic for kind, topic in topics.items()}


class Trace:
    """What `kafka_tool latency --trace` writes: (due, seen, partition) of each output."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        if not self.path.exists():
            return []
        whole = self.path.read_text(encoding="ascii").rpartition("\n")[0]
        return [(float(due), float(seen), int(partition)) for due, seen, partition in map(str.split, whole.splitlines())]

    def first_seen(self, after, partitions=range(PARTITIONS)):
        """{partition: when its first output after a moment was seen}; waits until each has one."""
        deadline = time.time() + SEEN_SECONDS
        while time.time() < deadline:
            found = {}
            for _, seen, partition in self.lines():
                if seen > after and partition in partitions:
                    found.setdefault(partition, seen)
            if len(found) == len(partitions):
                return found
            time.sleep(0.2)
        sys.exit(f"no output of every partition of {list(partitions)} within {SEEN_SECONDS} s")


class KafkaFigures:
    """Mixed into bench/run's Bench: uses program, runs, scratch, log()."""

    @contextlib.contextmanager
    def broker(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kafka-", dir=self.scratch))
        broker = Broker(pathlib.Path(self.program).parent, folder / "broker")
        broker.folder = folder
        try:
            broker.cluster.start()
            yield broker
        finally:
            broker.cluster.wipe()
            shutil.rmtree(folder, ignore_errors=True)

    def engine(self, broker, settings, name="a"):
        return Engine(self.program, broker.folder / settings["application"] / name, free_ports(1), settings | {"instance": name})

    @staticmethod
    def wait_drained(broker, settings, engine):
        """When the last commit was seen that leaves nothing of the input."""
        command = broker.command("drained", "--input", settings["kafka.input"], "--journal", settings["kafka.journal"])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
            while watch.poll() is None:
                if engine.process.poll() is not None:
                    watch.kill()
                time.sleep(0.05)
            if watch.returncode != 0:
                sys.exit(f"the drain did not end: {engine.partitions()}\n{engine.log_end()}")
            return json.loads(watch.stdout.read())["last_commit"]

    # ---- drain

    def drain_once(self, broker, workers):
        """(events/s, CPU seconds a million, peak bytes) of one engine from an empty state."""
        settings = broker.new_topics("events") | {"kafka.workers": workers, "clock.follow_wall_clock": False}
        with self.engine(broker, settings) as engine:
            begin = engine.wait(lambda found: any(one["position"] > 0 for one in found.values()), "the first record", pause=0.002)
            seconds = self.wait_drained(broker, settings, engine) - begin
            cpu, memory = engine.cpu(), engine.peak_memory()
            engine.stop()
        shutil.rmtree(broker.folder / settings["application"])
        return self.drained_events / seconds, cpu / self.drained_events * 1e6, memory

    def figure_drain(self):
        """A preloaded topic from the first record consumed to the last commit, exactly once."""
        events = 2_000_000
        peer = os.environ.get("SEGUE_PEER_KSTREAMS")
        plain, plain_cpu, rival, found = {"wide": [], "default": [], "engine": []}, [], [], {1: [], 2: []}
        with self.broker() as broker:
            # The names that the rival has.
            broker.tool("create", f"events:{PARTITIONS}:retention.ms=-1", f"transitions:{PARTITIONS}", f"events.dlq:{PARTITIONS}")
            self.drained_events = broker.tool("load", self.log(events, 200_000), "events")["records"]
            for _ in range(self.runs):
                for settings, rates in plain.items():
                    one = broker.tool("consume", "events", "--settings", settings)
                    rates.append(one["records_per_second"]), plain_cpu.append(one["cpu_seconds"] / one["records"] * 1e6)
                for workers, results in found.items():
                    results.append(self.drain_once(broker, workers))
                if peer:
                    rival.append(self.drain_rival(broker, peer))
        words = {"wide": "queues that are never full", "default": "librdkafka's own settings", "engine": "the engine's settings"}
        for settings, rates in plain.items():
            say(f"plain consumption, {words[settings]}: {spread(rates)} records/s, {statistics.median(plain_cpu):.2f} CPU s a million")
        limit = statistics.median(plain["wide"])
        for workers, results in found.items():
            rates, cpu, memory = zip(*results)
            say(f"drain, 2 M events, 200 k users, exactly once, {workers} worker(s): {spread(rates)} events/s, {spread(cpu, 2)} CPU s a million, "
                f"peak {statistics.median(memory) / 2**20:,.0f} MiB; / plain {statistics.median(rates) / limit:.2f}, wanted 0.3")
            if rival:
                rival_cpu = statistics.median(one["cpu_seconds_per_million"] for one in rival)
                rival_rate = statistics.median(one["events_per_second"] for one in rival)
                say(f"Kafka Streams, exactly_once_v2: {rival_rate:,.0f} events/s, {rival_cpu:.1f} CPU s a million; events per CPU second, "
                    f"{workers} worker(s) / Kafka Streams {rival_cpu / statistics.median(cpu):.1f}, wanted 12")

    def drain_rival(self, broker, folder):
        command = [str(PROJECT / "bench/peers/run"), "--peer", folder, "--scratch", str(self.scratch / "peer"), "--brokers", broker.address,
                   "--events", str(self.drained_events)]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            sys.exit("the rival did not end its drain")
        return json.loads(result.stdout)

    # ---- latency

    def figure_latency(self):
        """From when an event was due to when a read-committed reader sees its transition, beside an empty consume-transact loop."""
        flags = ("--seconds", 20, "--warm", 5)
        with self.broker() as broker:
            settings = broker.new_topics()
            topics = ("--input", settings["kafka.input"], "--output", settings["kafka.transitions"])
            broker.tool("create", f"limit.in:{PARTITIONS}", f"limit.out:{PARTITIONS}")
            with self.engine(broker, settings) as engine:
                engine.wait_state(PARTITIONS)
                for rate in (1000, 5000):
                    limits, found = [], []
                    for _ in range(self.runs):
                        limits.append(broker.tool("transact", "--rate", rate, *flags, "--input", "limit.in", "--output", "limit.out"))
                        cpu = engine.cpu()
                        found.append(broker.tool("latency", "--rate", rate, *flags, *topics))
                        found[-1]["cpu"] = engine.cpu() - cpu
                    self.say_latency(rate, limits, found)
                engine.stop()

    @staticmethod
    def say_latency(rate, limits, found):
        def median(results, key):
            return statistics.median(one[key] for one in results)

        for name, results in (("empty consume-transact loop", limits), ("produce to transition", found)):
            say(f"{name} at {rate:,}/s: p50 {spread([one['p50_ms'] for one in results], 2)} ms, p90 {median(results, 'p90_ms'):.1f}, "
                f"p99 {spread([one['p99_ms'] for one in results], 1)} ms, max {median(results, 'max_ms'):.0f}; "
                f"sender at most {median(results, 'sender_worst_lag_ms'):.1f} late")
        lost, repeated = sum(one["missing"] for one in found), sum(one["repeated"] for one in found)
        ratios = {key: median(found, f"{key}_ms") / median(limits, f"{key}_ms") for key in ("p50", "p99")}
        say(f"engine / loop at {rate:,}/s: p50 {ratios['p50']:.2f}, p99 {ratios['p99']:.2f}; wanted p50 8 ms, p99 40 ms; "
            f"{median(found, 'cpu') / median(found, 'sent') * 1e6:.0f} CPU us an event; {lost} missing, {repeated} seen twice")

    # ---- failover

    def million_users(self):
        """A log in which every one of a million users views, clicks and views: nobody moves, everybody has a page."""
        path = self.scratch / "every-user.ndjson"
        if path.exists():
            return path
        with open(path, "w", encoding="ascii") as out:
            for turn, kind in enumerate(("view", "click", "view")):
                for user in range(1_000_000):
                    number = turn * 1_000_000 + user
                    item = number * 7919 % 50_000
                    out.write(f'{{"event_id":"e-{number:012}","type":"{kind}","user_id":"u-{user:07}","ts":{1_700_000_000_000 + number},'
                              f'"item_id":"i-{item:05}","category":"c-{item % 200}","brand":"b-{item % 1000}","price":129.9,"quantity":1,'
                              f'"session_id":"s-{number % 1000}","channel":"app"}}\n')
        return path

    @contextlib.contextmanager
    def live_events(self, broker, settings, seconds):
        """Events at 1,000/s in the background; their trace. Fails where an output was lost or came twice."""
        trace = Trace(broker.folder / f"trace-{time.time():.3f}")
        command = broker.command("latency", "--rate", 1000, "--seconds", seconds, "--warm", 0, "--settle", 60, "--users", 1_000_000,
                                 "--trace", trace.path, "--input", settings["kafka.input"], "--output", settings["kafka.transitions"])
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield trace
            output, _ = sender.communicate()
        finally:
            if sender.poll() is None:
                sender.kill()
                sender.wait()
        result = json.loads(output)
        if result["missing"] or result["repeated"]:
            sys.exit(f"{result['missing']} outputs are missing, {result['repeated']} came twice")

    @contextlib.contextmanager
    def filled_engine(self, **extra):
        """(broker, settings, engine) with a million users in four running partitions."""
        with self.broker() as broker:
            settings = broker.new_topics() | {"kafka.consumer": {"session.timeout.ms": str(SESSION_MS)}} | extra
            broker.tool("load", self.million_users(), settings["kafka.input"])
            with self.engine(broker, settings) as engine:
                self.wait_drained(broker, settings, engine)
                engine.wait_state(PARTITIONS)
                yield broker, settings, engine

    def figure_restart_kafka(self):
        """kill -9 and start again on the same machine."""
        first, last = [], []
        with self.filled_engine() as (broker, settings, engine):
            for _ in range(self.runs):
                with self.live_events(broker, settings, 25) as trace:
                    time.sleep(8 + 4 * random.random())
                    killed = engine.kill()
                    engine.start()
                    seen = trace.first_seen(killed + 0.05)
                    first.append(min(seen.values()) - engine.started), last.append(max(seen.values()) - engine.started)
        say(f"restart after kill -9, 1 M users, 1,000 events/s: first new transition after {spread(first, 2)} s, of the slowest of {PARTITIONS} "
            f"partitions after {spread(last, 2)} s; wanted 3 s; nothing lost, nothing twice")

    def figure_takeover_snapshot(self):
        """Another instance with an empty directory takes over from a snapshot: under the dead one's name, and under its own."""
        found = {"a": [], "b": []}
        assigned = {"a": [], "b": []}
        for _ in range(self.runs):
            for name, results in found.items():
                snapshots = {"snapshots.directory": str(self.fresh("snapshots").resolve()), "snapshots.interval": "10s"}
                with self.filled_engine(**snapshots) as (broker, settings, engine), contextlib.ExitStack() as until_all_is_seen:
                    time.sleep(20)
                    with self.live_events(broker, settings, 40) as trace:
                        time.sleep(5)
                        killed = engine.kill()
                        shutil.rmtree(engine.folder)
                        other = until_all_is_seen.enter_context(self.engine(broker, settings, name))
                        seen = trace.first_seen(killed + 0.05)
                        results.append(max(seen.values()) - killed), assigned[name].append(other.assigned_at(PARTITIONS) - killed)
        for name, words in (("a", "the same instance id, empty directory"), ("b", "another instance id, empty directory")):
            say(f"takeover from a snapshot, 1 M users, {words}: all {PARTITIONS} partitions transit after {spread(found[name], 2)} s, of which until "
                f"assigned {spread(assigned[name], 2)} s (session timeout {SESSION_MS / 1000:.0f} s); wanted 15 s")

    def figure_takeover_standby(self):
        """An instance that follows takes over the partitions of one that is killed."""
        total, after = [], []
        for _ in range(self.runs):
            with self.filled_engine(standby="all") as (broker, settings, engine):
                with self.engine(broker, settings, "b") as other:
                    other.wait_state(PARTITIONS // 2), other.wait_state(PARTITIONS // 2, "following")
                    engine.wait_state(PARTITIONS // 2)
                    with self.live_events(broker, settings, 45) as trace:
                        time.sleep(10)
                        theirs = [number for number, one in engine.partitions().items() if one["state"] == "running"]
                        killed = engine.kill()
                        seen = trace.first_seen(killed + 0.05, theirs)
                        total.append(max(seen.values()) - killed), after.append(max(seen.values()) - other.assigned_at(PARTITIONS))
        say(f"takeover by a standby, 1 M users: first transitions of the dead partitions after {spread(total, 2)} s, {spread(after, 2)} s after "
            f"the group's detection (session timeout {SESSION_MS / 1000:.0f} s); wanted 3 s after it")
