#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alert rules: promtool takes them, each fires for the instance that is ill and is silent for one that is well, names only metrics and
labels that
the program has, and has its heading in docs/operations.md."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
RULES = PROJECT / "deploy/prometheus/segue.rules.yml"
SKIPPED = 77

ILL, WELL = {"job": "segue", "instance": "ill"}, {"job": "segue", "instance": "well"}
ILL_JOB, WELL_JOB = {"job": "segue-ill"}, {"job": "segue-well"}
P = {"partition": "3"}
# What promtool's series mean: 0x60 is 0 for an hour, 0+5x60 rises by 5 a minute.
UP, DOWN, ONE, ZERO, HUNDRED = "1x60", "0x60", "1x60", "0x60", "100x60"


def histogram(name, labels, fast, slow):
    """Events a minute up to 0.1 s, and from 2.5 s to 10 s."""
    return [(f"{name}_bucket", {**labels, "le": "0.1"}, f"0+{fast}x60"), (f"{name}_bucket", {**labels, "le": "2.5"}, f"0+{fast}x60"),
            (f"{name}_bucket", {**labels, "le": "10"}, f"0+{fast + slow}x60"), (f"{name}_bucket", {**labels, "le": "+Inf"}, f"0+{fast + slow}x60")]


def both(name, ill, well, extra=None):
    extra = extra or {}
    return [(name, ILL | extra, ill), (name, WELL | extra, well)]


# Alert: (series, the labels that it carries besides its severity). Evaluated at minute 50; a rise at minute 45 is inside every window.
LATE_RISE, FLAT = "0x44 5x60", "7x60"
CASES = {
    "SegueDown": (both("up", DOWN, UP), ILL),
    "SegueNotRunning": (both("segue_up_state", ZERO, ONE, {"state": "running"}) + both("segue_up_state", ZERO, ZERO, {"state": "done"})
                        + both("segue_up_state", ONE, ZERO, {"state": "restoring"}), ILL),
    "SegueRestarting": (both("process_start_time_seconds", "1x30 2x4 3x4 4x20", "1x40 2x20"), ILL),
    "SeguePartitionStopped": (both("segue_partition_state", ONE, ZERO, P | {"state": "stopped"}), ILL | P | {"state": "stopped"}),
    "SeguePartitionPaused": (both("segue_partition_state", ONE, "1x10 0 1x2 0 1x2 0 0x60", P | {"state": "paused"}), ILL | P | {"state": "paused"}),
    "SegueLagGrowing": (both("segue_consumer_lag_seconds", "10+10x60", "9000-50x60", P)
                           + both("segue_consumer_lag_records", "0+1000x60", "900000-900x60", P),
                        ILL | P),
    "SegueNoProgress": (both("segue_consumer_lag_records", HUNDRED, HUNDRED, P) + both("segue_events_consumed_total", "5x60", "0+5x60"), ILL),
    "SegueDeadLetters": ([("segue_dlq_records_total", ILL_JOB | {"reason": "json"}, "0+2x60"), ("segue_events_consumed_total", ILL_JOB, "0+100x60"),
                          ("segue_dlq_records_total", WELL_JOB | {"reason": "json"}, "0+1x60"), ("segue_events_consumed_total", WELL_JOB,
                          "0+200x60")], ILL_JOB),
    "SegueReplayDiffered": (both("segue_replay_mismatches_total", LATE_RISE, FLAT), ILL),
    "SegueStateDamaged": (both("segue_damaged_states_total", LATE_RISE, FLAT), ILL),
    "SegueReplayStuck": (both("segue_replay_remaining_records", HUNDRED, "9000-10x60", P), ILL | P),
    "SegueCommitHangs": (both("segue_commit_in_flight_seconds", "0+60x60", "0 50 0x60", P), ILL | P),
    "SegueCommitsSlow": (histogram("segue_commit_duration_seconds", ILL_JOB, 90, 10)
                           + histogram("segue_commit_duration_seconds", WELL_JOB, 1000, 0), ILL_JOB),
    "SegueCommitsInDoubt": (both("segue_commits_recycled_total", "0+2x60", "0x40 5x60"), ILL),
    "SegueTimersLate": (both("segue_timer_lag_seconds", "400x60", "200x60", P), ILL | P),
    # The one that is well lags, and its clock with it.
    "SegueClockBehind": (both("segue_clock_lag_seconds", "1000x60", "1000x60", P) + both("segue_consumer_lag_records", ZERO, HUNDRED, P), ILL | P),
    "SegueRebalancing": (both("segue_rebalances_total", "0+1x60", "0x45 2x60"), ILL),
    "SegueInputUnread": (both("segue_input_unread_partitions", ONE, ZERO), ILL),
    "SegueReloadFailed": (both("segue_config_last_reload_successful", ZERO, ONE), ILL),
    # The one that is well has had no events.
    "SegueCheckpointOld": (both("segue_checkpoint_last_timestamp_seconds", ZERO, ZERO, P)
                           + both("segue_events_consumed_total", "0+1x60", "9x60"), ILL | P),
    "SegueSnapshotsFailing": (both("segue_snapshots_total", "0x30 0+1x60", "0x40 1x60", {"result": "failed"}), ILL | {"result": "failed"}),
    "SegueSnapshotOld": (both("segue_snapshot_last_timestamp_seconds", "-3000x60", "0+60x60", P), ILL | P),
    "SegueStoreStalled": (both("segue_rocksdb_stalled", ONE, "0x48 1x60", P), ILL | P),
    "SegueStoreErrors": (both("segue_rocksdb_background_errors_total", LATE_RISE, FLAT, P), ILL | P),
    "SegueFilesExhausted": (both("process_open_fds", "900x60", "700x60") + both("process_max_fds", "1000x60", "1000x60"), ILL),
    "SegueHttpErrors": (both("segue_http_requests_total", "0+98x60", "0+999x60", {"route": "/a", "method": "GET", "code": "200"})
                        + both("segue_http_requests_total", "0+2x60", "0+1x60", {"route": "/a", "method": "GET", "code": "503"}), ILL),
    "SegueHttpSlow": (histogram("segue_http_request_duration_seconds", ILL_JOB | {"route": "/a"}, 90, 10)
                      + histogram("segue_http_request_duration_seconds", WELL_JOB | {"route": "/a"}, 1000, 0), ILL_JOB | {"route": "/a"}),
    "SegueCollectorNotWriting": (both("segue_collector_log_errors_total", "0x47 5x60", FLAT), ILL),
    "SegueCollectorRejecting": ([("segue_collector_rejected_total", ILL_JOB | {"reason": "json"}, "0+2x60"),
                                 ("segue_collector_events_total", ILL_JOB | {"type": "view"}, "0+100x60"),
                                 ("segue_collector_rejected_total", WELL_JOB | {"reason": "json"}, "0+1x60"),
                                 ("segue_collector_events_total", WELL_JOB | {"type": "view"}, "0+200x60")], ILL_JOB),
    "SegueHttpRefusing": (both("segue_http_requests_total", "0+120x60", "0+30x60", {"route": "/v1/batch", "method": "POST", "code": "429"}), ILL),
}


def rules():
    """{alert: (expression, severity, summary, runbook)} of the rules file, which keeps one form."""
    found = {}
    for block in RULES.read_text(encoding="utf-8").split("- alert: ")[1:]:
        name = block.split("\n", 1)[0].strip()
        expression = re.search(r"expr: (?:\|\n)?(.*?)\n +(?:for|labels):", block, re.S).group(1)
        found[name] = (expression, *(re.search(pattern, block).group(1) for pattern in
                                     (r"severity: (\w+)", r'summary: "(.*)"', r"runbook_url: (\S+)")))
    return found


def unit_tests(alerts):
    tests = []
    for name, (series, labels) in CASES.items():
        _, severity, summary, runbook = alerts[name]
        for label, value in labels.items():
            summary = summary.replace("{{ $labels.%s }}" % label, value)
        expected = {"exp_labels": {**labels, "severity": severity}, "exp_annotations": {"summary": summary, "runbook_url": runbook}}
        tests.append({"name": name, "interval": "1m",
                      "input_series": [{"series": metric + json.dumps(have).replace('": "', '="').replace('{"', "{").replace(', "', ","),
                      "values": values}
                                       for metric, have, values in series],
                      "alert_rule_test": [{"eval_time": "50m", "alertname": name, "exp_alerts": [expected]}]})
    return {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}


def metrics():
    """{name: labels} of docs/metrics.md."""
    lines = re.findall(r"^\| (\w+) \| (counter|gauge|histogram) \| (\S+) \|", (PROJECT / "docs/metrics.md").read_text(encoding="utf-8"), re.M)
    found = {}
    for name, kind, labels in lines:
        labels = set() if labels == "-" else set(labels.split(","))
        for suffix in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
            found[name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def anchors():
    text = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def faults(alerts):
    known, headings = metrics(), anchors()
    for name in sorted(alerts.keys() ^ CASES.keys()):
        yield f"{name} is in the rules or in this test only"
    for name, (expression, _, summary, runbook) in alerts.items():
        for metric in re.findall(r"\b(?:segue|process)_\w+", expression):
            if metric not in known:
                yield f"{name}: docs/metrics.md has no {metric}"
        page, _, anchor = runbook.partition("#")
        if page != "docs/operations.md" or anchor not in headings or anchor != name.lower():
            yield f"{name}: {runbook} is no heading"
        if "{{" in summary.replace("{{ $labels.", ""):
            yield f"{name}: the summary has more than labels in it, which this test does not expand"
    for name, (series, _) in CASES.items():
        for metric, labels, _ in series:
            if metric != "up" and labels.keys() - {"job", "instance"} != known.get(metric):
                yield f"{name}: the test gives {metric} other labels than docs/metrics.md: {sorted(labels)}"


def promtool(*arguments):
    result = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return [] if result.returncode == 0 else [f"promtool {' '.join(arguments[:2])}: {result.stdout}"]


def main():
    alerts = rules()
    found = list(faults(alerts))
    if found:
        print("\n".join(found))
        return 1
    if not shutil.which("promtool"):
        print("skipped: promtool is not installed (package prometheus)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tests.yml"
        path.write_text(json.dumps(unit_tests(alerts), indent=1), encoding="utf-8")
        found = promtool("check", "rules", str(RULES)) + promtool("test", "rules", str(path))
    print("\n".join(found) or f"figure: {len(alerts)} alerts, each seen to fire and to stay silent")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
