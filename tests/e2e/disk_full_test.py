#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk stops a replay with a clear message; after space returns, the same command finishes, and the result is the same.

Mounts a small tmpfs, which only root may do: skipped otherwise.
"""
import os
import pathlib

from segue_program import IO, SKIPPED, difference, expect, figure, generate, main, replay, result_of
from small_disk import enlarge, small_disk

INTERVALS = ("--checkpoint-events", "10000", "--commit-events", "2000")


def size_of(directory):
    return sum(path.stat().st_blocks * 512 for path in pathlib.Path(directory).rglob("*") if path.is_file())


def fill_and_go_on(log, want, disk, size):
    """True when the disk was full before the end."""
    out = disk / "out"
    result = replay(log, out, *INTERVALS, code=None)
    if result.returncode == 0:
        return False
    message = result.stderr.decode(errors="replace")
    expect(result.returncode == IO, f"a full disk gave exit code {result.returncode}, not {IO}: {message}")
    expect("no space left" in message.lower(), f"the message does not say that the disk is full: {message}")
    again = replay(log, out, *INTERVALS, code=None)
    expect(again.returncode == IO, f"still full: exit code {again.returncode}, not {IO}: {again.stderr.decode(errors='replace')}")
    enlarge(disk)
    replay(log, out, *INTERVALS)
    different = difference(want, result_of(out))
    expect(not different, f"after a disk of {size} bytes was full: {different}")
    return True


def test(directory):
    if os.geteuid() != 0:
        print("skipped: mounting a small tmpfs needs root")
        return SKIPPED
    log = generate(directory / "log.ndjson", 60_000, 8_000, 3)
    whole = directory / "whole"
    replay(log, whole, *INTERVALS)
    want, full_size = result_of(whole), size_of(whole)
    stops = 0
    # From a disk that cannot even hold the first files to one that is nearly enough.
    for percent in (1, 5, 15, 30, 45, 60, 75, 90):
        size = max(4096, full_size * percent // 100 // 4096 * 4096)
        disk = directory / f"disk-{percent}"
        with small_disk(disk, size) as mounted:
            if not mounted:
                print("skipped: this machine does not let root mount a tmpfs")
                return SKIPPED
            stops += fill_and_go_on(log, want, disk, size)
    expect(stops >= 3, f"only {stops} of the disks were full before the end: the sizes do not fit any more")
    figure(f"disk full: {stops} stops with exit code {IO}, each time finished with the same result after space returned")
    return 0


main(test)
