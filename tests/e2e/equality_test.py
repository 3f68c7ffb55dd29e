#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The result depends neither on batch sizes nor on cache sizes (byte for byte), nor, per user, on the number of shards."""
import collections
import json
import sys

from segue_program import MODEL, difference, dump, expect, figure, generate, main, outputs, replay, result_of, run

sys.path.insert(0, str(MODEL))
import random_log  # noqa: E402

# Small intervals, so that cuts fall everywhere.
INTERVALS = ("--checkpoint-events", "7000", "--commit-events", "1100")
VARIANTS = {"batches of one event": ("--batch-events", "1"),
            "batches of seven events": ("--batch-events", "7"),
            "batches of 4096 events": ("--batch-events", "4096"),
            "a cache of 100 profiles": ("--cache-profiles", "100"),
            "a cache of 100 profiles, batches of 7": ("--cache-profiles", "100", "--batch-events", "7"),
            "a cache of all profiles": ("--cache-profiles", "1000000"),
            "small intervals": INTERVALS,
            "small intervals, a cache of 100 profiles": (*INTERVALS, "--cache-profiles", "100")}


def lines_by_user(files):
    """The lines of each user in the order of writing, from all shards' transitions."""
    users = collections.defaultdict(list)
    for name, content in files.items():
        if name.startswith("transitions"):
            for line in content.splitlines():
                users[json.loads(line)["user_id"]].append(line)
    return users


def dead_letters(files):
    return sorted(line for name, content in files.items() if name.startswith("dead-letters") for line in content.splitlines())


def expect_equal_shards(log, want, prefix):
    for shards in (2, 4):
        for options in ((), (*INTERVALS, "--cache-profiles", "100", "--batch-events", "7")):
            out = prefix.with_name(f"{prefix.name}-{shards}-shards-{len(options)}")
            replay(log, out, "--shards", shards, *options)
            have = outputs(out)
            expect(sum(name.startswith("transitions") for name in have) == shards, f"{shards} shards wrote {sorted(have)}")
            want_users, have_users = lines_by_user(want), lines_by_user(have)
            wrong = [user for user in want_users.keys() | have_users.keys() if want_users[user] != have_users[user]]
            expect(not wrong, f"{shards} shards: {len(wrong)} users differ, such as {wrong[:3]}")
            expect(dead_letters(want) == dead_letters(have), f"{shards} shards: the dead letters differ")
            expect(want["dump"] == dump(out), f"{shards} shards: the dump differs")
            run("verify", out, "--quick")


def test(directory):
    hostile = directory / "hostile.ndjson"
    random_log.write_random_log(hostile, 20_000, 400, 11)
    logs = {"hostile": hostile, "generated": generate(directory / "generated.ndjson", 60_000, 5_000, 11)}
    for name, log in logs.items():
        replay(log, directory / name)
        want = result_of(directory / name)
        expect(any(content for file, content in want.items() if file.startswith("transitions")), f"{name}: no transitions at all")
        for variant, options in VARIANTS.items():
            out = directory / f"{name}-{variant}"
            replay(log, out, *options)
            different = difference(want, result_of(out))
            expect(not different, f"{name}, {variant}: {different}")
            run("verify", out, "--quick")  # the audience index is what the pages say
        expect_equal_shards(log, want, directory / name)
    figure(f"equality: {len(VARIANTS)} sizes of batches, caches and intervals byte for byte, 1, 2 and 4 shards per user: equal")


main(test)
