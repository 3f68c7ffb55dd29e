#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill_test.py [KILLS] [SEED]: kill -9 at random moments, the same command again, until the log is read: the result equals an uninterrupted run.

A quarter of the kills each for one and two shards, plain and compressed logs. A third of the kills comes right after a start, that is, during
recovery. After every kill the output files must be the beginning of what an uninterrupted run writes.
"""
import gzip
import os
import random
import shutil
import subprocess
import sys
import time

from segue_program import MODEL, difference, expect, figure, generate, main, outputs, replay, replay_command, result_of

sys.path.insert(0, str(MODEL))
import random_log  # noqa: E402

EVENTS, USERS = 280_000, 20_000
HOSTILE_EVENTS = 20_000  # before them: deletes, disorder, every kind of dead letter
# Small, so that a run has about a hundred commits and a dozen checkpoints to be killed in.
INTERVALS = ("--checkpoint-events", "20000", "--commit-events", "3000")


def kill_once(command, delay):
    """True when the program was killed, False when it had finished before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    expect(process.returncode == 0, f"exit code {process.returncode} after a kill: {errors.decode(errors='replace')}")
    return False


def expect_beginning(want, directory, when):
    for name, content in outputs(directory).items():
        expect(want.get(name, b"").startswith(content), f"{when}: {name} is not the beginning of the uninterrupted run's")


def kill_often(log, shards, kills, directory, choice):
    """Returns how many whole replays it took."""
    options = ("--shards", shards, *INTERVALS)
    whole = directory / "whole"
    started = time.monotonic()
    replay(log, whole, *options)
    duration = time.monotonic() - started
    want = result_of(whole)
    killed, finished = 0, 0
    broken = directory / "broken"
    while True:
        delay = choice.uniform(0, 0.1 * duration) if choice.random() < 1 / 3 else choice.uniform(0, 0.5 * duration)
        if killed < kills and kill_once(replay_command(log, broken, *options), delay):
            killed += 1
            expect_beginning(want, broken, f"kill {killed} after {delay:.3f} s")
            continue
        if killed >= kills:
            replay(log, broken, *options)
        different = difference(want, result_of(broken))
        expect(not different, f"after {killed} kills ({shards} shards): {different}")
        shutil.rmtree(broken)
        finished += 1
        if killed >= kills:
            break
    shutil.rmtree(whole)
    print(f"{os.path.basename(log)}, {shards} shards: {killed} kills over {finished} replays of {duration:.2f} s: equal", flush=True)
    return finished


def test(directory):
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    choice = random.Random(seed)
    plain = directory / "log.ndjson"
    random_log.write_random_log(plain, HOSTILE_EVENTS, 1000, seed)
    with open(plain, "ab") as stream:
        stream.write(generate(directory / "generated.ndjson", EVENTS, USERS, seed).read_bytes())
    compressed = directory / "log.ndjson.gz"
    compressed.write_bytes(gzip.compress(plain.read_bytes(), 1))
    started = time.monotonic()
    cases = [(plain, 1), (plain, 2), (compressed, 1), (compressed, 2)]
    finished = 0
    for number, (log, shards) in enumerate(cases):
        share = kills // len(cases) + (number < kills % len(cases))
        finished += kill_often(log, shards, share, directory, choice)
    figure(f"kill -9 at {kills} random moments of a replay of {EVENTS + HOSTILE_EVENTS} events, over {finished} replays: all equal, "
           f"{time.monotonic() - started:.0f} s (seed {seed})")


main(test)
