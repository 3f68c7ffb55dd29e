#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""up_test.py [KILLS] [SEED]: segue up on a log that is appended to, killed at random moments, and the ways in which it starts and stops.

Whatever the kills, outputs and profiles equal a replay of the same log; with the wall clock on, verify takes log and journal again and finds the
same.
"""
import json
import random
import signal
import sys
import time
import urllib.error
import urllib.request

from segue_program import CONFIG, IO, MODEL, USAGE, Failure, difference, expect, figure, main, result_of, replay, run
from up_program import Up, append, purchase

sys.path.insert(0, str(MODEL))
import random_log  # noqa: E402

EVENTS = 12_000


def kill_often(directory, kills, seed):
    choice = random.Random(seed)
    source = directory / "source.ndjson"
    random_log.write_random_log(source, EVENTS, 500, seed)
    lines = source.read_bytes().splitlines(keepends=True)
    root = directory / "killed"
    log = root / "log"
    up = Up(root)
    step = len(lines) // (kills * 5) + 1
    killed = 0
    for i in range(0, len(lines), step):
        append(log, lines[i:i + step])
        time.sleep(choice.uniform(0, 0.02))
        if killed < kills and choice.random() < 0.25:
            time.sleep(choice.choice([0, 0, choice.uniform(0, 0.4)]))
            up.kill()
            killed += 1
            up = Up(root)
    while killed < kills:
        time.sleep(choice.uniform(0, 0.1))
        up.kill()
        killed += 1
        up = Up(root)
    up.wait_until_taken(log)
    up.stop()
    replay(log, directory / "replayed")
    different = difference(result_of(directory / "replayed"), result_of(root))
    expect(not different, f"after {killed} kills: {different}")
    run("verify", root)
    return killed


def kill_with_wall_clock(directory, kills, seed):
    """Buyers lapse by the wall clock alone, and verify finds the same in log and journal."""
    choice = random.Random(seed)
    root = directory / "clock"
    log = root / "log"
    up = Up(root, wall_clock=True)
    now = int(time.time() * 1000)
    thirty_days = 30 * 86_400_000
    # Each lapses some tenths of a second after the one before, the lateness of 30 s behind his time.
    append(log, [purchase(f"u{i}", now - thirty_days - 30_000 + 150 * i, i) for i in range(30)])
    for _ in range(kills):
        time.sleep(choice.uniform(0, 0.4))
        up.kill()
        up = Up(root, wall_clock=True)
    transitions = root / "transitions" / "shard-0.ndjson"
    end = time.monotonic() + 60
    while transitions.read_text().count('"to":"lapsed"') < 30:
        expect(time.monotonic() < end, "buyers have not lapsed: " + transitions.read_text()[-500:])
        time.sleep(0.05)
    status, metrics = up.get("/metrics")
    expect(status == 200 and 'segue_profiles{segment="lapsed"} 30' in metrics, "the metrics do not count the lapsed: " + metrics)
    up.stop()
    run("verify", root)
    explained = run("explain", root, "u7").stdout.decode()
    expect("lapsed" in explained, explained)


def starts_and_stops(directory):
    root = directory / "starts"
    up = Up(root)
    append(root / "log", [purchase("u1", 1_700_000_000_000, 1)])
    up.wait_until_taken(root / "log")
    expect(up.get("/livez")[0] == 200, "/livez")

    locked = run("up", root, code=IO)
    expect(b"another process" in locked.stderr or b"in use" in locked.stderr or b"lock" in locked.stderr.lower(), locked.stderr)
    other = directory / "other.yaml"
    other.write_text(f"http: {{listen: '{up.address.removeprefix('http://')}'}}\napi: {{listen: none}}\ncollector: {{listen: none}}\n")
    run("up", directory / "second", "--config", other, code=IO)
    # Where it has to be tried again is another code than where a person has to mend something: systemd restarts for one only.
    taken = up.address.removeprefix("http://")
    for service, others in ("collector", "api: {listen: none}"), ("api", "collector: {listen: none}"):
        other.write_text(f"http: {{listen: ''}}\n{others}\n{service}: {{listen: '{taken}'}}\n")
        said = run("up", directory / "second", "--config", other, code=IO).stderr
        expect(service.encode() + b".listen: cannot listen" in said, said)
        other.write_text(f"http: {{listen: ''}}\n{others}\n{service}: {{listen: '0.0.0.0:0'}}\n")
        run("up", directory / "second", "--config", other, code=CONFIG)

    up.process.send_signal(signal.SIGHUP)  # no file of definitions: goes on
    up.wait_for(lambda ready: ready["ready"])
    expect("stopping" in up.stop(signal.SIGINT), "Ctrl-C is told")
    before = result_of(root)

    other.write_text("http: {listen: ''}\napi: {listen: none}\ncollector: {listen: none}\nembedded: {partitions: 2}\n")
    refused = run("up", root, "--config", other, code=USAGE)
    expect(b"has 1 partitions, not 2" in refused.stderr, refused.stderr)
    other.write_text("htp: {listen: ''}\n")
    run("up", root, "--config", other, code=CONFIG)
    run("up", root, "--config", directory / "missing.yaml", code=IO)

    again = Up(root)
    again.wait_until_taken(root / "log")
    again.stop()
    different = difference(before, result_of(root))
    expect(not different, f"a start without news changed something: {different}")


def definitions_change(directory):
    """SIGHUP brings a changed file into force; a wrong one changes nothing."""
    root = directory / "definitions"
    mine = directory / "mine.yaml"
    text = run("check", "--print").stdout.decode()
    mine.write_text(text)
    up = Up(root, more=f"definitions: {mine}\n")
    append(root / "log", [purchase("u1", 1_700_000_000_000, 1)])
    up.wait_until_taken(root / "log")
    mine.write_text("version: 7\n")
    up.process.send_signal(signal.SIGHUP)
    up.wait_for_metric("segue_config_last_reload_successful 0")
    mine.write_text(text.replace("- name: high-value\n    when: spend >= 5000\n    announce: false", "- name: high-value\n    when: spend >= 5"))
    up.process.send_signal(signal.SIGHUP)
    transitions = root / "transitions" / "shard-0.ndjson"
    end = time.monotonic() + 60
    while '"cause":"definitions"' not in transitions.read_text():
        expect(time.monotonic() < end, "the new definitions told nothing: " + transitions.read_text())
        time.sleep(0.02)
    up.stop()
    run("verify", root)


def post_often(directory, kills, seed):
    """Events come over HTTP: what was answered with 200 is in the log, once, and in the profiles, whatever the kills."""
    choice = random.Random(seed)
    root = directory / "posted"
    options = {"collector": "collector: {listen: '127.0.0.1:0'}\n", "more": "embedded: {partitions: 2}\n"}
    up = Up(root, **options)
    safe, number = set(), 0
    for _ in range(kills):
        end = time.monotonic() + choice.uniform(0.05, 0.3)
        while time.monotonic() < end:
            first = number
            number += 20
            body = b"".join(purchase(f"u{i % 50}", 1_700_000_000_000 + i, i) for i in range(first, number))
            try:
                request = urllib.request.Request(up.listener("collector at ") + "/v1/events", data=body, method="POST")
                with urllib.request.urlopen(request, timeout=10) as answer:
                    expect(json.load(answer)["accepted"] == 20, "accepted")
                safe.update(range(first, number))
            except urllib.error.URLError as error:
                raise Failure(f"not taken: {error}") from error
        up.kill()
        up = Up(root, **options)
    up.wait_until_taken(root / "log")
    status, metrics = up.get("/metrics")
    expect(status == 200 and "segue_collector_syncs_total" in metrics, "the collector's metrics")
    up.stop()
    logged = [json.loads(line)["event_id"] for file in sorted((root / "log").glob("*.ndjson")) for line in file.read_text().splitlines()]
    lost = {f"e{i}" for i in safe} - set(logged)
    expect(not lost, f"{len(lost)} events were answered and are lost")
    expect(len(logged) == len(set(logged)), "an event is in the log twice")
    replay(root / "log", directory / "posted-replayed")
    different = difference(result_of(directory / "posted-replayed"), result_of(root))
    expect(not different, f"posted events: {different}")
    run("verify", root)
    return len(safe)


def verify_a_log_that_has_grown(directory):
    """Every file of the log grows in one life, from nothing: it is the same log all the same."""
    root = directory / "grown"
    up = Up(root, collector="collector: {listen: '127.0.0.1:0'}\n", more="embedded: {partitions: 3}\n")
    body = b"".join(purchase(f"u{i}", 1_700_000_000_000 + i, i) for i in range(60))
    request = urllib.request.Request(up.listener("collector at ") + "/v1/events", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        expect(json.load(answer)["accepted"] == 60, "accepted")
    up.wait_until_taken(root / "log")
    expect(all(path.stat().st_size > 0 for path in (root / "log").iterdir()), "a file of the log is empty")
    up.stop()
    run("verify", root)


def test(directory):
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    starts_and_stops(directory)
    verify_a_log_that_has_grown(directory)
    definitions_change(directory)
    killed = kill_often(directory, kills, seed)
    kill_with_wall_clock(directory, 5, seed)
    posted = post_often(directory, 5, seed)
    figure(f"segue up: {killed} kills while events came, and 5 while buyers lapsed by the wall clock: equal to a replay; "
           f"{posted} events over HTTP with 5 kills: none lost")


main(test)
