#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine agrees with the independent model on hostile and mutated logs, on generated ones and on the recorded ones of examples/."""
import sys

from segue_program import MODEL, PROGRAM, PROJECT, expect, figure, generate, main

sys.path.insert(0, str(MODEL))
import compare  # noqa: E402
import random_log  # noqa: E402


def test(directory):
    logs = []
    for seed, users, suffix in ((1, 40, ""), (2, 400, ".gz"), (3, 3000, ".zst")):
        log = directory / f"hostile-{seed}.ndjson{suffix}"
        random_log.write_random_log(log, 15_000, users, seed)
        logs += [(log, ()), (log, ("--shards", "2", "--cache-profiles", "100", "--batch-events", "50"))]
    mutated = directory / "mutated.ndjson"
    random_log.write_random_log(mutated, 15_000, 40, 4, mutate=True)
    logs.append((mutated, ()))
    logs.append((generate(directory / "generated.ndjson", 60_000, 6_000, 5), ()))
    logs += [(PROJECT / "examples/cdnow.ndjson.gz", ()), (PROJECT / "examples/complete_journey.ndjson.zst", ())]
    wrong = []
    for number, (log, options) in enumerate(logs):
        count, compared = compare.replay_and_compare(PROGRAM, log, directory / f"out-{number}", *options)
        print(f"{log.name} {' '.join(options)}: {compared}: {'equal' if not count else f'{count} differences'}", flush=True)
        if count:
            wrong.append(log.name)
    expect(not wrong, f"the model disagrees on {', '.join(wrong)}")
    figure(f"independent model: equal on {len(logs)} replays of hostile, mutated, generated and recorded logs")


main(test)
