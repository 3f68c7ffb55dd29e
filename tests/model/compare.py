#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what `segue replay` makes of a log with what the independent model says.

    compare.py LOG [--program SEGUE] [--shards N] [--no-replay DIR]

Compared are the moves of every user with n, at, cause, orders and spend (and, with one shard, their order in the file), the dead letters with
their places and reasons, and the final profiles as `segue dump` prints them, field by field of reference_model.py. Prints the first differences
and exits with 1 when there are any. --no-replay DIR: look at an output directory that is there already.
"""
import argparse
import collections
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import reference_model

SHOWN = 5
VECTOR_TOLERANCE = 1e-3    # of the largest component: the engine keeps floats
AFFINITY_TOLERANCE = 1e-6  # of the weight
EXACT_FIELDS = ("n", "stage", "counts", "first_seen", "last_seen", "last_purchase", "orders", "spend_micros", "refunded_micros", "cart")
MOVE_FIELDS = ("user_id", "n", "name", "from", "to", "at", "cause", "orders", "spend")
ERASED_FIELDS = ("user_id", "n", "type", "at")


# ---- what the engine wrote ---------------------------------------------------------------------------------------------

def output_lines(folder):
    """(file name, lines) for every NDJSON file of a folder of the output directory."""
    for path in sorted(pathlib.Path(folder).glob("*.ndjson")):
        yield path.name, path.read_bytes().splitlines()


def read_move(line):
    """A line of transitions in the model's form. Decimals stay text: spend has one shortest form."""
    record = json.loads(line, parse_float=str)
    if record["id"] != f"{record['user_id']}#{record['n']}":
        raise ValueError(f"id {record['id']} is not user_id#n")
    if record["type"] == "erased":
        return {field: record[field] for field in ERASED_FIELDS}
    profile = record["profile"]
    flat = record | {"orders": profile["orders"], "spend": str(profile["spend"])}
    return {field: flat.get(field) for field in MOVE_FIELDS}


def read_dead_letter(line):
    """A line of dead letters as (byte position in the uncompressed log, line number, reason)."""
    record = json.loads(line)
    return record["offset"], record["line"], record["reason"]


def read_page(line):
    """A line of the dump in the model's form; null stands for a number that is not finite."""
    page = json.loads(line)
    for field in ("category_affinity", "brand_affinity"):
        page[field] = [[entry["name"], entry["weight"]] for entry in page[field]]
    page["vector"] = [math.nan if x is None else x for x in page["vector"]]
    page["cart"] = [[entry["item_id"], entry["added"]] for entry in page["cart"]]
    page["tags"] = ["cat:" + member["key"].removeprefix("cat:") for member in page["keyed_members"]] + page["members"]
    return page


def read_dump(program, directory):
    dump = subprocess.run([program, "dump", directory], stdout=subprocess.PIPE, check=True).stdout
    return [read_page(line) for line in dump.splitlines()]


# ---- comparing ---------------------------------------------------------------------------------------------------------

class Differences:
    def __init__(self):
        self.count = 0

    def add(self, what, want=None, have=None):
        self.count += 1
        if self.count <= SHOWN:
            print(f"difference: {what}")
            if want is not None or have is not None:
                print(f"  model  {want}\n  engine {have}")


def by_user(moves):
    users = collections.defaultdict(list)
    for move in moves:
        users[move["user_id"]].append(move)
    return users


def compare_moves(model, directory, differences):
    files = [[read_move(line) for line in lines] for _, lines in output_lines(os.path.join(directory, "transitions"))]
    moves = [move for file in files for move in file]
    want_users, have_users = by_user(model.moves), by_user(moves)
    wrong_users = [user for user in sorted(want_users.keys() | have_users.keys()) if want_users[user] != have_users[user]]
    for user in wrong_users:
        want, have = want_users[user], have_users[user]
        first = next((i for i, pair in enumerate(zip(want, have)) if pair[0] != pair[1]), min(len(want), len(have)))
        differences.add(f"user {user!r}, output {first + 1} of {len(want)} (engine: {len(have)})", want[first:first + 1], have[first:first + 1])
    if len(files) == 1 and not wrong_users:
        for number, (want, have) in enumerate(zip(model.moves, moves), 1):
            if want != have:
                differences.add(f"order of transitions, line {number}", want, have)
                break


def compare_dead_letters(model, directory, differences):
    want = {letter["position"]: (letter["line"], letter["reason"]) for letter in model.dead_letters}
    have = {}
    for _, lines in output_lines(os.path.join(directory, "dead-letters")):
        for position, number, reason in map(read_dead_letter, lines):
            if position in have:
                differences.add(f"two dead letters for byte {position}")
            have[position] = (number, reason)
    for position in sorted(want.keys() | have.keys()):
        if want.get(position) != have.get(position):
            differences.add(f"dead letter (line, reason) at byte {position}", want.get(position), have.get(position))


def close(a, b, tolerance):
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12)


def affinity_differs(want, have, near_tie):
    """Names in their places must agree, unless rounding decided who left."""
    if near_tie:
        return False
    return [name for name, _ in want] != [name for name, _ in have] or any(
        not close(a, b, AFFINITY_TOLERANCE) for (_, a), (_, b) in zip(want, have))


def tags_differ(want, have, weights, near_tie):
    """A category may stand for another only where their weights are equal but for rounding. The order is no property of a set of tags."""
    if len(want) != len(have) or len(set(have)) != len(have):
        return True
    weight = {"cat:" + name: value for name, value in weights}
    missing, extra = sorted(set(want) - set(have)), sorted(set(have) - set(want))
    if not all(tag in weight for tag in missing + extra):
        return True
    return not near_tie and not all(reference_model.near_tie(weight[a], weight[b]) for a in missing for b in extra)


def profile_differences(profile, want, have):
    """Names of the fields that differ."""
    for field in EXACT_FIELDS:
        if want.get(field) != have.get(field):
            yield field
    for field, affinity in (("category_affinity", profile.categories), ("brand_affinity", profile.brands)):
        if affinity_differs(want[field], have[field], affinity.near_tie):
            yield field
    allowed = VECTOR_TOLERANCE * max(map(abs, want["vector"])) + 1e-12
    if len(have["vector"]) != len(want["vector"]) or not all(abs(a - b) <= allowed for a, b in zip(want["vector"], have["vector"])):
        yield "vector"
    if tags_differ(want["tags"], have["tags"], want["category_affinity"], profile.categories.near_tie):
        yield "tags"


def compare_profiles(model, dump, differences):
    order = [page["user_id"].encode() for page in dump]
    if order != sorted(order):
        differences.add("the dump is not sorted by user_id bytes")
    have = {page["user_id"]: page for page in dump}
    for want in model.final_profiles():
        user = want["user_id"]
        if user not in have:
            differences.add(f"no profile of user {user!r}")
            continue
        page = have.pop(user)
        fields = list(profile_differences(model.profiles[user], want, page))
        if fields:
            differences.add(f"profile of user {user!r}: {', '.join(fields)}", {f: want.get(f) for f in fields}, {f: page.get(f) for f in fields})
    for user in have:
        differences.add(f"a profile of user {user!r}, whom the model does not know")


def compare(program, log, directory):
    """Compares an output directory with the model's reading of the log; returns (differences, one line about what was compared)."""
    model = reference_model.Model().run(reference_model.read_lines(str(log)))
    differences = Differences()
    compare_moves(model, directory, differences)
    compare_dead_letters(model, directory, differences)
    compare_profiles(model, read_dump(program, directory), differences)
    near_ties = sum(profile.categories.near_tie or profile.brands.near_tie for profile in model.profiles.values())
    return differences.count, (f"{model.events} events, {len(model.moves)} outputs, {len(model.dead_letters)} dead letters, {len(model.profiles)} "
                               f"profiles ({near_ties} with a tie that rounding decides)")


def replay_and_compare(program, log, directory, *options):
    command = [program, "replay", str(log), "--out", str(directory), "--quiet", *options]
    result = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        print(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr.decode(errors='replace')}")
        return 1, "not replayed"
    return compare(program, log, str(directory))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("--program", default=os.environ.get("SEGUE_PROGRAM", "segue"))
    parser.add_argument("--shards", default="1")
    parser.add_argument("--no-replay", metavar="DIR")
    arguments = parser.parse_args()
    if arguments.no_replay:
        count, compared = compare(arguments.program, arguments.log, arguments.no_replay)
    else:
        with tempfile.TemporaryDirectory(prefix="segue-compare-") as directory:
            count, compared = replay_and_compare(arguments.program, arguments.log, os.path.join(directory, "out"), "--shards", arguments.shards)
    print(f"{arguments.log}: {compared}: {'equal' if not count else f'{count} differences'}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
