#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exit codes, messages and the behaviour on interruption that a script may rely on."""
import fcntl
import gzip
import json
import os
import signal
import subprocess
import time

from segue_program import (CONFIG, DATA, DIFFERS, INTERRUPTED, IO, OK, PROJECT, USAGE, difference, dump, expect, figure, generate, main, outputs,
                           replay, replay_command, result_of, run)


def says(result, *words):
    """The message is on stderr, in one piece, and names what it is about."""
    message = result.stderr.decode(errors="replace")
    for word in words:
        expect(str(word) in message, f"the message does not name {word}: {message}")
    expect("terminate called" not in message and "Assertion" not in message, f"not a message for a user: {message}")
    return message


def check_usage(directory, log):
    run(code=USAGE)
    run("help")
    run("--help")
    run("no-such-command", code=USAGE)
    run("replay", code=USAGE)
    run("replay", log, code=USAGE)  # no --out
    for flags in (("--no-such-flag",), ("--shards", "0"), ("--shards", "many"), ("--batch-events", "0"), ("--cache-profiles", "-1"), ("--shards",)):
        says(run("replay", log, "--out", directory / "unused", *flags, code=USAGE), flags[0])
    run("profile", directory, code=USAGE)
    run("generate", "--events", "x", code=USAGE)
    expect(not (directory / "unused").exists(), "a usage error left an output directory behind")


def check_logs(directory, log):
    says(run("replay", directory / "absent.ndjson", "--out", directory / "a", code=IO), "absent.ndjson")
    says(run("dump", directory / "absent", code=IO), "absent: there is no such directory")
    no_events = run("replay", __file__, "--out", directory / "no-events").stdout
    expect(b"Not one record is an event" in no_events, f"nobody is told that this is no log: {no_events}")
    torn = directory / "torn.ndjson.gz"
    torn.write_bytes(gzip.compress(log.read_bytes())[:-2000])
    says(replay(torn, directory / "torn", code=DATA), "torn.ndjson.gz")
    empty = directory / "empty.ndjson"
    empty.write_bytes(b"")
    replay(empty, directory / "empty")
    expect(not any(outputs(directory / "empty").values()), "an empty log has outputs")
    file = directory / "a-file"
    file.write_text("x")
    run("replay", log, "--out", file, code=IO)


def check_definitions(directory, log):
    says(replay(log, directory / "d", "--definitions", directory / "absent.yaml", code=None), "absent.yaml")
    for number, text in enumerate(("lifecycle: [", "no_such_section: 1\n", "\xff")):
        bad = directory / f"bad-{number}.yaml"
        bad.write_text(text, encoding="latin-1")
        says(run("check", bad, code=CONFIG), bad.name)
        says(replay(log, directory / "d", "--definitions", bad, code=CONFIG), bad.name)
    says(run("check", directory / "absent.yaml", code=None), "absent.yaml")


def check_configuration(directory):
    """A configuration is checked with all that it names; nothing is made, and no password is shown."""
    secret = directory / "password"
    secret.write_text("5ecret\n", encoding="utf-8")
    file = directory / "segue.yaml"
    login = f"{{protocol: sasl_ssl, mechanism: PLAIN, username: u, password_file: {secret}}}"
    right = f"state: {{directory: {directory / 'new/state'}}}\nkafka: {{brokers: 'one:9092', security: {login}}}\n"

    def check(text, *options, code):
        file.write_text(text, encoding="utf-8")
        result = run("check", *options, file, code=code)
        expect(b"5ecret" not in result.stdout + result.stderr, "a password is shown")
        return result

    expect(b"kafka.brokers" in check(right, code=OK).stdout, "the summary does not name kafka.brokers")
    expect(not (directory / "new").exists(), "check made a directory")
    shown = check(right, "--json", "--config", code=OK).stdout
    expect(json.loads(shown)["settings"]["kafka.group"] == "segue", f"--json shows {shown}")
    printed = check(right, "--print", code=OK).stdout.decode()
    expect(check(printed, "--print", code=OK).stdout.decode() == printed, "what --print says is not read as the same")
    says(check(right + "comit: {}\nlog: {level: loud}\n", code=CONFIG), f"{file}:3:1: ", f"{file}:4:14: ", "did you mean 'commit'?", "2 mistakes")
    says(check(right + "http: {listen: nowhere}\n", code=CONFIG), "http.listen")
    says(check(right + "definitions: /absent.yaml\n", code=None), "/absent.yaml")
    bad = directory / "bad-0.yaml"
    says(check(right + f"definitions: {bad}\n", code=CONFIG), f"{bad}:1:")
    says(check(right + f"snapshots: {{directory: {secret}/below}}\n", code=IO), "snapshots.directory", "is not a directory")
    os.environ["SEGUE_KAFKA_BROKER"] = "two:9092"
    says(check(right, code=CONFIG), "SEGUE_KAFKA_BROKER: ", "SEGUE_KAFKA_BROKERS")
    del os.environ["SEGUE_KAFKA_BROKER"]
    # One file for several commands: what it is for is told, and can be asked for.
    expect(b"For segue up, segue engine, segue collector, segue api." in check(right, code=OK).stdout, "what the file is for")
    check(right, "--for", "engine", code=OK)
    embedded = "kafka: {}\nembedded: {partitions: 2}\n"
    expect(b"Not for segue engine: it needs state.directory and kafka.brokers." in check(embedded, code=OK).stdout, "what the file is not for")
    check(embedded, "--for", "up", code=OK)
    says(check(embedded, "--for", "engine", code=CONFIG), "state.directory and kafka.brokers are missing")
    says(check(embedded, "--for", "collector", code=CONFIG), "kafka.brokers or collector.log is missing")
    says(check(embedded + f"api: {{tokens_file: {secret}}}\n", code=CONFIG), "api.tokens_file", "expected NAME SHA256 SCOPES")
    says(check(embedded + f"collector: {{certificate_file: {secret}, key_file: {secret}}}\n", code=CONFIG), "collector.certificate_file")
    secret.unlink()
    says(check(right, code=CONFIG), "password_file cannot be read")
    run("check", directory / "bad-0.yaml", "--config", file, code=USAGE)


def check_audience(out):
    """Counts, overlaps and lists are those of the dump, whatever the shards."""
    profiles = [json.loads(line) for line in dump(out).splitlines()]
    tag = next(tag for profile in profiles for tag in profile["tags"] if tag.startswith("cat:"))
    tagged = sorted(profile["user_id"] for profile in profiles if tag in profile["tags"])
    buyers = {profile["user_id"] for profile in profiles if profile["stage"] == "buyer"}
    expect(0 < len(tagged) < len(profiles), f"{len(tagged)} of {len(profiles)} users have {tag}: the test says nothing")
    expect(run("audience", out, "all").stdout == b"%d\n" % len(profiles), "all is not every profile")
    expect(run("audience", out, f"tag:{tag}", "--ids").stdout.decode().split() == tagged, f"--ids of {tag}")
    counted = json.loads(run("audience", out, f"tag:{tag}", "stage:buyer", "not stage:buyer", "--json").stdout)
    both = len(buyers & set(tagged))
    expect(counted["users"] == len(profiles), f"users of {counted}")
    expect(counted["overlaps"][0] == [len(tagged), both, len(tagged) - both], f"overlaps of {counted}")
    csv = run("audience", out, f"tag:{tag} and stage:buyer", "--csv").stdout.decode().splitlines()
    expect(csv[0].startswith("user_id,stage,") and len(csv) == both + 1, f"CSV of {len(csv)} lines")
    says(run("audience", out, "stage:buyer and stage:byer", code=USAGE), "column 23", 'did you mean "buyer"?')
    says(run("audience", out, "all", "stage:buyer", "--ids", code=USAGE), "one expression")


def check_other_log(directory, log, out):
    """A directory belongs to its log and its definitions; what is refused stays as it was."""
    before = result_of(out)
    other = generate(directory / "other.ndjson", 3000, 100, 77)
    (directory / "elsewhere").mkdir()
    same_name = directory / "elsewhere" / log.name
    same_name.write_bytes(other.read_bytes())
    says(replay(other, out, code=USAGE), out)
    says(replay(same_name, out, code=USAGE), out)
    different = difference(before, result_of(out))
    expect(not different, f"a refused log changed the directory: {different}")
    replay(log, out)
    different = difference(before, result_of(out))
    expect(not different, f"a second start after the end changed the directory: {different}")
    says(replay(log, out, "--shards", "2", code=USAGE), out)
    different = difference(before, result_of(out))
    expect(not different, f"another number of shards changed the directory: {different}")


def check_new_definitions(directory, log, out):
    """They come into force behind the last commit, and each user is told of his changes once; what the old ones decided stays."""
    before = result_of(out)
    definitions = directory / "other.yaml"
    reference = (PROJECT / "examples/definitions/reference.yaml").read_bytes()
    definitions.write_bytes(reference.replace(b"30d", b"20d"))
    for _ in range(2):
        replay(log, out, "--definitions", definitions)
        after = result_of(out)
        told = {name: content[len(before[name]):] for name, content in after.items() if name.startswith("transitions/")}
        for name, news in told.items():
            expect(after[name].startswith(before[name]), f"{name}: what was told under the old definitions changed")
            expect(all(b'"cause":"definitions"' in line for line in news.splitlines()), f"{name}: a move of another cause without an event")
        expect(any(told.values()), "nobody lapsed ten days earlier")
        moved = [line.split(b'"user_id"')[1] for news in told.values() for line in news.splitlines()]
        expect(len(moved) == len(set(moved)), "a user moved twice")
        run("verify", "--quiet", out)


def check_users(out):
    user = json.loads(result_of(out)["dump"].splitlines()[0])["user_id"]
    page = json.loads(run("profile", out, user, "--json").stdout)
    expect(page["user_id"] == user, f"profile --json shows {page}")
    expect(user.encode() in run("profile", out, user).stdout, "the table does not name the user")
    expect(run("explain", out, user).stdout.strip(), "explain says nothing")
    for command in ("profile", "explain"):
        says(run(command, out, "用户-无", code=DIFFERS), "用户-无")
    run("verify", out)


def check_lock(log, out):
    """Two writers never share a directory."""
    with open(out / "LOCK", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        result = run("replay", log, "--out", out, "--quiet", code=None)
        expect(result.returncode != OK, "a locked directory was written to")
        says(result, out)


def check_interruption(directory, log):
    """SIGINT and SIGTERM stop after a commit; the same command goes on."""
    options = ("--checkpoint-events", "50000", "--commit-events", "2000")
    replay(log, directory / "uninterrupted", *options)
    want = result_of(directory / "uninterrupted")
    for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
        out = directory / name
        stops = 0
        for _ in range(100):
            process = subprocess.Popen(replay_command(log, out, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            written = sum(map(len, outputs(out).values()))
            while process.poll() is None and sum(map(len, outputs(out).values())) <= written:
                time.sleep(0.01)
            if process.poll() is None:
                os.kill(process.pid, number)
            _, errors = process.communicate(timeout=60)
            if process.returncode == OK:
                break
            expect(process.returncode == INTERRUPTED, f"{name}: exit code {process.returncode}: {errors.decode(errors='replace')}")
            run("verify", out)  # a clean stop leaves nothing torn behind
            stops += 1
        replay(log, out, *options)
        expect(stops > 0, f"{name} never came before the end")
        different = difference(want, result_of(out))
        expect(not different, f"after {stops} times {name}: {different}")


def test(directory):
    log = generate(directory / "log.ndjson", 20_000, 2_000, 4)
    out = directory / "out"
    replay(log, out)
    check_usage(directory, log)
    check_logs(directory, log)
    check_definitions(directory, log)
    check_configuration(directory)
    check_other_log(directory, log, out)
    check_users(out)
    check_audience(out)
    check_lock(log, out)
    check_new_definitions(directory, log, out)
    check_interruption(directory, generate(directory / "long.ndjson", 400_000, 30_000, 5))
    figure("command line: exit codes, messages, refusals and clean interruption as documented")


main(test)
