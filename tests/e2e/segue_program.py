# SPDX-License-Identifier: Apache-2.0
"""The program under test, as a script drives it: start it, read what it left behind."""
import os
import pathlib
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SEGUE_PROGRAM") or str(PROJECT / "build/release/segue")
MODEL = PROJECT / "tests/model"

# Exit codes (docs/operations.md)
OK, DIFFERS, USAGE, DATA, IO, CONFIG, INTERRUPTED = 0, 1, 2, 65, 74, 78, 130
SKIPPED = 77  # of a test script


class Failure(Exception):
    """What the test found wrong."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def run(*arguments, code=OK, timeout=300):
    """Runs the program; `code` is the exit code that it must have, or None for any. A death by signal is never right."""
    command = [PROGRAM, *map(str, arguments)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    shown = f"{' '.join(command)}\n{result.stderr.decode(errors='replace')[-2000:]}"
    expect(result.returncode >= 0, f"died of signal {-result.returncode}: {shown}")
    expect(code is None or result.returncode == code, f"exit code {result.returncode}, not {code}: {shown}")
    return result


def replay_command(log, directory, *options):
    return [PROGRAM, "replay", str(log), "--out", str(directory), "--quiet", *map(str, options)]


def replay(log, directory, *options, code=OK, timeout=300):
    return run("replay", log, "--out", directory, "--quiet", *options, code=code, timeout=timeout)


def generate(path, events, users, seed):
    run("generate", "--events", events, "--users", users, "--seed", seed, "--out", path)
    return path


def outputs(directory):
    """{name: bytes} of every file of transitions and dead letters."""
    directory = pathlib.Path(directory)
    return {str(path.relative_to(directory)): path.read_bytes()
            for folder in ("transitions", "dead-letters") for path in sorted((directory / folder).glob("*")) if path.is_file()}


def dump(directory):
    return run("dump", directory).stdout


def result_of(directory):
    """Everything that two equal runs must have in common, byte for byte."""
    return outputs(directory) | {"dump": dump(directory)}


def difference(want, have):
    """The first difference of two results as text; empty when there is none."""
    for name in sorted(want.keys() | have.keys()):
        if name not in want or name not in have:
            return f"{name} is in one result only"
        if want[name] != have[name]:
            pairs = zip(want[name].splitlines(), have[name].splitlines())
            line = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), "behind the shorter one's end")
            return f"{name} differs ({len(want[name])} and {len(have[name])} bytes), first at line {line}"
    return ""


def figure(text):
    """A measured fact: to stdout, and to the file that collects them."""
    line = f"figure: {text}"
    print(line, flush=True)
    if os.environ.get("SEGUE_FIGURES"):
        with open(os.environ["SEGUE_FIGURES"], "a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def main(test):
    """Runs test(directory) in a directory of its own and turns a Failure into exit code 1."""
    with tempfile.TemporaryDirectory(prefix="segue-e2e-") as directory:
        try:
            code = test(pathlib.Path(directory))
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"FAILED: {failure}")
            code = 1
    sys.exit(code or 0)
