# SPDX-License-Identifier: Apache-2.0
"""The judge: what the engine told and holds must be what an embedded replay of the same log tells and holds, byte for byte and user by user."""
import base64
import collections
import json
import subprocess

from support.kafka_cluster import EVENTS
from support.scenario import PROGRAM, Failure, expect

REPLAY_SECONDS = 300


def run(*arguments):
    result = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=REPLAY_SECONDS, check=False)
    shown = f"segue {' '.join(map(str, arguments))}: exit code {result.returncode}\n{result.stderr.decode(errors='replace')[-2000:]}"
    expect(result.returncode == 0, shown)
    return result.stdout


class Replay:
    """An input topic, exported one file a partition, and replayed. go_on() takes what the topic holds by then, and may change the definitions."""

    def __init__(self, kafka, folder, definitions=None, topic=EVENTS):
        self.kafka, self.topic = kafka, topic
        self.folder = folder / "replay"
        self.log = folder / "log"
        self.log.mkdir()
        self.go_on(definitions)

    def go_on(self, definitions=None):
        self.records = self.kafka.read(self.topic, "read_uncommitted")
        for partition, records in self.records.items():
            with open(self.log / self.file_name(partition), "wb") as stream:
                for record in records:
                    expect(b"\n" not in record.value, "a record with a newline cannot be replayed from a file")
                    stream.write(record.value + b"\n")
        options = ("--definitions", definitions) if definitions else ()
        run("replay", self.log, "--out", self.folder, "--quiet", "--no-sync", *options)
        self.lines = collections.defaultdict(list)
        for path in (self.folder / "transitions").glob("*.ndjson"):
            for line in path.read_bytes().splitlines():
                self.lines[json.loads(line)["user_id"]].append(line)
        self.dead = collections.defaultdict(list)
        for path in (self.folder / "dead-letters").glob("*.ndjson"):
            for line in path.read_bytes().splitlines():
                letter = json.loads(line)
                partition = self.partition_of(letter["partition"])
                raw = letter["raw"].encode() if "raw" in letter else base64.b64decode(letter["raw_base64"])
                self.dead[partition].append((self.records[partition][letter["line"] - 1].offset, letter["reason"], raw))

    @staticmethod
    def file_name(partition):
        return f"partition-{partition:03d}.ndjson"

    @staticmethod
    def partition_of(name):
        return int(name.rsplit("-", 1)[1].split(".")[0])

    @property
    def events(self):
        return sum(map(len, self.records.values()))

    @property
    def transitions(self):
        return sum(map(len, self.lines.values()))

    def dump(self):
        return run("dump", self.folder)


def first_difference(want, have):
    for number, (left, right) in enumerate(zip(want, have), 1):
        if left != right:
            return f"entry {number} is\n  {right}\nnot\n  {left}"
    return f"{len(have)} entries, not {len(want)}" if len(want) != len(have) else None


def compare_outputs(replay, lines, dead):
    """`lines` {user: [value]} and `dead` {partition: [(offset, reason, bytes)]} of the engine against the replay's."""
    wrong = sorted(user for user in replay.lines.keys() | lines.keys() if replay.lines.get(user, []) != lines.get(user, []))
    if wrong:
        user = wrong[0]
        raise Failure(f"the transitions of {len(wrong)} users of {len(replay.lines)} differ from the replay's; of {user!r}: "
                      f"{first_difference(replay.lines.get(user, []), lines.get(user, []))}")
    for partition in replay.dead.keys() | dead.keys():
        different = first_difference(replay.dead.get(partition, []), dead.get(partition, []))
        expect(not different, f"dead letters of partition {partition}: {different}")


def audit(engine):
    """The program's own judge: log and journal, taken again, against the topics and the pages of an engine that was stopped."""
    run("audit", "--config", engine.folder / "segue.yaml", "--state", engine.state)


def compare_profiles(replay, state):
    """The profiles in an engine's state directory, after its clean stop, against the replay's."""
    want, have = replay.dump().splitlines(), run("dump", state).splitlines()
    different = first_difference(want, have)
    expect(not different, f"the profiles differ from the replay's: {different}")
    return len(want)
