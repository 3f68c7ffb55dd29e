#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""damage_test.py [SEED]: flipped bits and cut ends in every file of an output directory are detected, or do no harm: never a silent difference.

Every file of a finished directory and of one whose replay was killed is damaged in a copy, in several places. Then
  - `segue verify` reports an error, or what can be read equals the undamaged directory, and
  - `segue verify` or the next `segue replay` reports an error, or the result of that replay is the right one.
A damaged file never makes the program die of a signal.
"""
import random
import shutil
import subprocess
import sys

from segue_program import MODEL, difference, expect, figure, main, outputs, replay, replay_command, result_of, run

sys.path.insert(0, str(MODEL))
import random_log  # noqa: E402

EVENTS, USERS = 12_000, 1_500
INTERVALS = ("--checkpoint-events", "4000", "--commit-events", "700")
# Never read by the program, or only written: damage there is of no consequence, and copies of it would only cost time.
UNREAD = ("LOCK",)


def damages(path, choice):
    """(description, new content) for a file."""
    content = path.read_bytes()
    size = len(content)
    if size == 0:
        return
    places = {0, size - 1, size // 2, *(choice.randrange(size) for _ in range(3))}
    for place in sorted(places):
        flipped = bytearray(content)
        flipped[place] ^= 1 << choice.randrange(8)
        yield f"bit flipped at {place} of {size}", bytes(flipped)
    for length in sorted({0, size - 1, size // 2, choice.randrange(size)}):
        yield f"cut to {length} of {size}", content[:length]
    yield f"{size} bytes and 20 more", content + bytes(20)


def state_of(directory):
    """The result, or None where reading it fails with an error."""
    if run("dump", directory, code=None).returncode != 0:
        return None
    return result_of(directory)


def damage_one(base, name, content, log, before, want, copy):
    """Empty when all is well, else what is wrong."""
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(base, copy)
    (copy / name).write_bytes(content)
    verified = run("verify", copy, code=None).returncode
    if verified == 0:
        seen = state_of(copy)
        # A file may have grown by bytes that never belonged to a commit: whoever reads it stops at the durable length.
        if seen is not None and not begins_alike(before, seen):
            return f"verify finds nothing, but {difference(before, seen)}"
    replayed = replay(log, copy, *INTERVALS, code=None).returncode
    if verified != 0 or replayed != 0:
        return ""
    return difference(want, result_of(copy))


def begins_alike(before, seen):
    return before.keys() == seen.keys() and all(seen[name].startswith(before[name]) for name in before)


def damage_every_file(title, base, log, want, directory, choice):
    before = result_of(base)
    cases, wrong = 0, []
    for path in sorted(path for path in base.rglob("*") if path.is_file() and path.name not in UNREAD):
        name = path.relative_to(base)
        for what, content in damages(path, choice):
            cases += 1
            fault = damage_one(base, name, content, log, before, want, directory / "copy")
            if fault:
                wrong.append(f"{title}: {name}, {what}: {fault}")
                print(wrong[-1], flush=True)
    return cases, wrong


def killed_directory(log, directory):
    """A directory whose replay was killed after its first commits."""
    size = sum(map(len, outputs(directory / "whole").values()))
    out = directory / "killed"
    process = subprocess.Popen(replay_command(log, out, *INTERVALS), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        written = sum(map(len, outputs(out).values())) if (out / "transitions").exists() else 0
        if written > size // 3:
            process.kill()
    process.communicate()
    return out


def test(directory):
    choice = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    log = directory / "log.ndjson"
    random_log.write_random_log(log, EVENTS, USERS, 9)  # with deletes and dead letters, which a generated log lacks
    whole = directory / "whole"
    replay(log, whole, *INTERVALS)
    want = result_of(whole)
    run("verify", whole)
    # After a kill, a first verify may rightly report a torn tail: a start that goes on is what must be right.
    cases, wrong = 0, []
    for title, base in (("finished", whole), ("killed", killed_directory(log, directory))):
        more_cases, more_wrong = damage_every_file(title, base, log, want, directory, choice)
        cases += more_cases
        wrong += more_wrong
    expect(not wrong, f"{len(wrong)} of {cases} damages made a silent difference")
    figure(f"damage: {cases} flipped, cut or lengthened files: detected, or the result was the same")


main(test)
