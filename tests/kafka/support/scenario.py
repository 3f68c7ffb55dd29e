# SPDX-License-Identifier: Apache-2.0
"""What every test script here needs: a failure, a figure, a seed, a folder."""
import faulthandler
import os
import pathlib
import random
import shutil
import sys
import tempfile
import traceback

PROJECT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("SEGUE_PROGRAM") or str(PROJECT / "build/release/segue")


class Failure(Exception):
    """What the test found wrong."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def figure(text):
    """A measured fact: to stdout, and to the file that collects them."""
    line = f"figure: {text}"
    print(line, flush=True)
    if os.environ.get("SEGUE_FIGURES"):
        with open(os.environ["SEGUE_FIGURES"], "a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def seeded():
    """(seed, generator of random choices): SEGUE_SEED, or one that is printed, so that a failure can be made again as far as timing allows."""
    seed = int(os.environ.get("SEGUE_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"seed {seed}", flush=True)
    return seed, random.Random(seed)


def main(test):
    """Runs test(folder); the exit code: 0, or 1 with what was wrong. SEGUE_KEEP keeps the folder of a test that failed."""
    faulthandler.enable()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-test-"))
    code = 0
    try:
        test(folder)
    except Failure as failure:
        print(f"FAILED: {failure}", flush=True)
        code = 1
    except Exception:  # the test's own tools: the broker did not start, a reader ran out of time
        traceback.print_exc()
        code = 1
    if code and os.environ.get("SEGUE_KEEP"):
        print(f"the test's folder: {folder}", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    return code
