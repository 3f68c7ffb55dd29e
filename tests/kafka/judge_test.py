#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judges of the other tests can condemn: a log's own replay, published as an engine would, passes; with one fault in it, it does not."""
import copy
import datetime
import json
import sys

from support.auditor import Auditor
from support.equality import Replay, compare_outputs, compare_profiles
from support.kafka_cluster import DEAD_LETTERS, EVENTS, TRANSITIONS, KafkaCluster
from support.scenario import Failure, expect, figure, main
from support.shop import shop_events

PARTITIONS, EVENTS_COUNT, SEED = 3, 6000, 5


class Outputs:
    """What an engine would publish for a replay, to be spoilt."""

    def __init__(self, replay):
        home = {}
        self.transitions = []  # (partition, key, value, headers)
        self.dead = []
        for partition, records in replay.records.items():
            for record in records:
                if record.key is not None:
                    home.setdefault(record.key.decode("utf-8", "replace"), partition)
        for user, lines in replay.lines.items():
            for line in lines:
                value = json.loads(line)
                at = datetime.datetime.fromtimestamp(value["at"] // 1000, datetime.timezone.utc).replace(microsecond=value["at"] % 1000 * 1000)
                headers = {"ce_specversion": "1.0", "ce_id": value["id"], "ce_source": f"/segue/shop/{home[user]}",
                           "ce_type": f"segue.{value['type']}", "ce_subject": user,
                           "ce_time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "content-type": "application/json"}
                self.transitions.append([home[user], user.encode(), line, headers])
        for partition, letters in replay.dead.items():
            for offset, reason, raw in letters:
                headers = {"segue_reason": reason, "segue_topic": EVENTS, "segue_partition": str(partition), "segue_offset": str(offset)}
                self.dead.append([partition, None, raw, headers])

    def publish(self, kafka):
        producer = kafka.producer()
        for topic, records in ((TRANSITIONS, self.transitions), (DEAD_LETTERS, self.dead)):
            for partition, key, value, headers in records:
                producer.produce(topic, value, key=key, partition=partition, headers={k: v.encode() for k, v in headers.items()})
        producer.flush(30)


def repeat(outputs):
    outputs.transitions.append(outputs.transitions[-1])


def lose(outputs):
    """The last transition of a user: no gap, only a replay knows of it."""
    outputs.transitions.pop()


def lose_in_the_middle(outputs):
    at = next(i for i, (first, second) in enumerate(zip(outputs.transitions, outputs.transitions[1:])) if first[1] == second[1])
    outputs.transitions.pop(at)


def change(outputs):
    at = next(i for i, record in enumerate(outputs.transitions) if b'"orders":' in record[2])
    outputs.transitions[at][2] = outputs.transitions[at][2].replace(b'"orders":', b'"orders":1')


def move(outputs):
    outputs.transitions[0][0] = (outputs.transitions[0][0] + 1) % PARTITIONS
    outputs.transitions[0][3]["ce_source"] = f"/segue/shop/{outputs.transitions[0][0]}"


def rename(outputs):
    outputs.transitions[3][3]["ce_id"] = "somebody#1"


def lose_a_dead_letter(outputs):
    outputs.dead.pop()


def repeat_a_dead_letter(outputs):
    outputs.dead.append(outputs.dead[-1])


def blame_otherwise(outputs):
    outputs.dead[2][3]["segue_reason"] = "unlucky"


FAULTS = (repeat, lose, lose_in_the_middle, change, move, rename, lose_a_dead_letter, repeat_a_dead_letter, blame_otherwise)


def judge(kafka, replay, outputs):
    """Publishes into new topics of the same names, watched from the beginning."""
    for name in (TRANSITIONS, DEAD_LETTERS):
        kafka.create_topic(name, PARTITIONS)
    auditor = Auditor(kafka).start()
    try:
        outputs.publish(kafka)
        auditor.finish()
        compare_outputs(replay, auditor.lines, auditor.dead)
    finally:
        auditor.close()
        for name in (TRANSITIONS, DEAD_LETTERS):
            kafka.delete_topic(name)


def test(folder):
    with KafkaCluster() as kafka:
        kafka.create_topic(EVENTS, PARTITIONS)
        kafka.load(EVENTS, shop_events(folder, EVENTS_COUNT, SEED))
        replay = Replay(kafka, folder)
        outputs = Outputs(replay)
        expect(len(outputs.transitions) > 100 and len(outputs.dead) > 20, f"too little: {len(outputs.transitions)}, {len(outputs.dead)}")
        judge(kafka, replay, outputs)
        expect(compare_profiles(replay, replay.folder) > 100, "too few profiles")
        for fault in FAULTS:
            spoilt = copy.deepcopy(outputs)
            fault(spoilt)
            try:
                judge(kafka, replay, spoilt)
            except Failure as failure:
                print(f"{fault.__name__}: {str(failure)[:150]}", flush=True)
                continue
            raise Failure(f"nobody noticed: {fault.__name__}")
    figure(f"judges of the Kafka tests: {len(FAULTS)} kinds of fault are noticed")


if __name__ == "__main__":
    sys.exit(main(test))
