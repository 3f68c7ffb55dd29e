#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboards of Grafana, written down once and compactly: make_dashboards.py writes dashboards/*.json beside itself.

tests/deploy/dashboards_test.py fails when the files are stale; tests/kafka/dashboards_test.py asks a real Prometheus every query.
"""
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "dashboards"
S = '{job=~"$job",instance=~"$instance"}'


def s(more=""):
    """The selector that every query has, with more labels."""
    return '{job=~"$job",instance=~"$instance"' + ("," + more if more else "") + "}"


def rate(metric, more=""):
    return f"rate({metric}{s(more)}[$__rate_interval])"


def quantile(q, metric, by=""):
    return f"histogram_quantile({q}, sum by (le{by}) ({rate(metric + '_bucket')}))"


# Dashboard: rows of panels. A panel: title, unit, queries with legends, and what it says to the one who looks.
OPERATIONS = {
    "Flow": [
        ("Events", "ops", [(f"sum({rate('segue_events_consumed_total')})", "taken"),
                           (f"sum({rate('segue_events_applied_total')})", "applied")],
         "Records taken from the log a second, and those that changed a profile."),
        ("Cannot be used", "ops", [(f"sum by (reason) ({rate('segue_dlq_records_total')})", "{{reason}}")], "Dead letters a second by reason."),
        ("Discarded", "ops", [(f"sum by (reason) ({rate('segue_events_discarded_total')})", "{{reason}}")],
         "Duplicates, and events of erased users."),
        ("Outputs", "ops", [(f"sum({rate('segue_outputs_total')})", "outputs")], "Transitions and changes of segments and tags that were committed."),
    ],
    "Delay": [
        ("Behind, in time", "s", [(f"segue_consumer_lag_seconds{S}", "{{instance}} {{partition}}")], "Age of the oldest record that no commit has."),
        ("Behind, in records", "short", [(f"segue_consumer_lag_records{S}", "{{instance}} {{partition}}")], "Falls while a backlog is taken."),
        ("Clock behind", "s", [(f"segue_clock_lag_seconds{S}", "{{instance}} {{partition}}")], "Shard's clock behind the wall clock."),
        ("Timers late", "s", [(f"segue_timer_lag_seconds{S}", "{{instance}} {{partition}}")], "Above 0: somebody lapses late."),
    ],
    "Commits": [
        ("Commit", "s", [(quantile(0.5, "segue_commit_duration_seconds"), "median"), (quantile(0.99, "segue_commit_duration_seconds"), "99 %")],
         "From submission until it is durable; every output waits that long."),
        ("Commits", "ops", [(f"sum({rate('segue_commits_total')})", "commits")], ""),
        ("In doubt", "ops", [(f"sum({rate('segue_commits_aborted_total')})", "sent again"),
                             (f"sum({rate('segue_commits_recycled_total')})", "in doubt")],
         "The broker did not answer in time; costs time, no data."),
        ("Replay differed", "short", [(f"sum(segue_replay_mismatches_total{S})", "commits"),
                                      (f"sum(segue_damaged_states_total{S})", "damaged states")],
         "Anything but 0 is a fault: docs/operations.md."),
    ],
    "Partitions": [
        ("State of the program", "short", [(f"sum by (state) (segue_up_state{S})", "{{state}}")], "Instances by state."),
        ("State of partitions", "short", [(f"sum by (state) (segue_partition_state{S})", "{{state}}")], "Stopped and paused should be 0."),
        ("Owned", "short", [(f"segue_assigned_partitions{S}", "{{instance}}")], ""),
        ("Rebalances", "short", [(f"sum(increase(segue_rebalances_total{S}[$__range]))", "rebalances")], "In the range shown."),
    ],
    "State on disk": [
        ("Age of the checkpoint", "s", [(f"time() - segue_checkpoint_last_timestamp_seconds{S}", "{{instance}} {{partition}}")], ""),
        ("Size", "bytes", [(f"sum by (instance) (segue_rocksdb_live_bytes{S})", "{{instance}}")], ""),
        ("Profiles read from disk", "ops", [(f"sum by (instance) ({rate('segue_profile_cache_misses_total')})", "{{instance}}")],
         "Many: raise state.cache_profiles."),
        ("Compaction to do", "bytes", [(f"sum by (instance) (segue_rocksdb_pending_compaction_bytes{S})", "{{instance}}")], ""),
        ("Age of the snapshot", "s", [(f"time() - segue_snapshot_last_timestamp_seconds{S}", "{{instance}} {{partition}}")], ""),
        ("Store stalled", "short", [(f"sum by (instance) (segue_rocksdb_stalled{S})", "{{instance}}")], "Checkpoints that wait for compaction."),
    ],
    "Collector": [
        ("Events that are safe", "ops", [(f"sum by (type) ({rate('segue_collector_events_total')})", "{{type}}")], "Answered with 200."),
        ("Not taken", "ops", [(f"sum({rate('segue_collector_refused_total')})", "429 and 503"),
                              (f"sum({rate('segue_collector_rejected_total')})", "cannot be used"),
                              (f"sum({rate('segue_collector_log_errors_total')})", "not written")], "Refused ones come again; others do not."),
        ("Calls that are no event", "ops", [(f"sum by (reason) ({rate('segue_collector_skipped_total')})", "{{reason}}")], "Of tracking libraries."),
        ("Waiting to be safe", "bytes", [(f"sum by (instance) (segue_collector_waiting_bytes{S})", "{{instance}}")],
         "At its limit, clients get 429."),
    ],
    "HTTP": [
        ("Requests", "reqps", [(f"sum by (route) ({rate('segue_http_requests_total')})", "{{route}}")], ""),
        ("Answers", "reqps", [(f"sum by (code) ({rate('segue_http_requests_total')})", "{{code}}")], ""),
        ("Time of an answer, 99 %", "s", [(quantile(0.99, "segue_http_request_duration_seconds", ", route") + " >= 0", "{{route}}")],
         "Of the routes that were asked."),
        ("Connections", "short", [(f"segue_http_connections{S}", "{{instance}}")], ""),
    ],
    "Process": [
        ("CPU", "percentunit", [(rate("process_cpu_seconds_total"), "{{instance}}")], "1 is one core."),
        ("Memory", "bytes", [(f"process_resident_memory_bytes{S}", "{{instance}}")], ""),
        ("Open files", "percentunit", [(f"process_open_fds{S} / process_max_fds{S}", "{{instance}}")], ""),
        ("Runs since", "s", [(f"time() - process_start_time_seconds{S}", "{{instance}}")], ""),
    ],
}
CUSTOMERS = {
    "Customers": [
        ("Customers by stage", "short", [(f"sum by (segment) (segue_profiles{S})", "{{segment}}")], "Every user is in one stage of the lifecycle."),
        ("Moves", "short", [(f"sum by (from, to) (increase(segue_transitions_total{S}[$__range]))", "{{from}} to {{to}}")], "In the range shown."),
        ("Moves a second", "ops", [(f"sum by (move) ({rate('segue_transitions_total')})", "{{move}}")], ""),
        ("Deadlines ahead", "short", [(f"sum(segue_timers_pending{S})", "users")], "Users who will lapse or leave a window if nothing happens."),
    ],
    "What they do": [
        ("Events by type", "ops", [(f"sum by (type) ({rate('segue_events_applied_total')})", "{{type}}")], ""),
        ("Deadlines that came due", "ops", [(f"sum({rate('segue_timers_fired_total')})", "deadlines")], ""),
        ("Users still to be evaluated", "short", [(f"sum(segue_sweep_remaining_users{S})", "users")], "After new definitions."),
    ],
}
WIDTH, HEIGHT = 24, 8


def panel(number, title, unit, queries, text, x, y, width):
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": number, "type": "timeseries", "title": title, "description": text, "datasource": source,
        "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 8, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [{"refId": chr(ord("A") + i), "expr": expression, "legendFormat": legend, "datasource": source}
                    for i, (expression, legend) in enumerate(queries)],
    }


def variable(name, label, query):
    return {"name": name, "label": label, "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"}, "refresh": 2,
            "query": {"query": query, "refId": name}, "includeAll": True, "multi": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}, "sort": 1}


def dashboard(uid, title, rows):
    panels, y = [], 0
    for row, entries in rows.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": row, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
                       "panels": []})
        y += 1
        a_line = 4 if len(entries) % 4 == 0 else 3
        for i, entry in enumerate(entries):
            width = WIDTH // a_line
            panels.append(panel(len(panels) + 1, *entry, x=i % a_line * width, y=y + i // a_line * HEIGHT, width=width))
        y += -(-len(entries) // a_line) * HEIGHT
    variables = [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}},
                 variable("job", "Job", "label_values(segue_build_info, job)"),
                 variable("instance", "Instance", 'label_values(segue_build_info{job=~"$job"}, instance)')]
    return {"uid": uid, "title": title, "tags": ["segue"], "schemaVersion": 39, "version": 1, "editable": False, "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"}, "timezone": "browser", "templating": {"list": variables}, "annotations": {"list": []},
            "links": [{"type": "dashboards", "tags": ["segue"], "title": "Segue", "asDropdown": False}], "panels": panels}


def files():
    """{name: text} of every dashboard."""
    made = {"segue-operations.json": dashboard("segue-operations", "Segue: operations", OPERATIONS),
            "segue-customers.json": dashboard("segue-customers", "Segue: customers", CUSTOMERS)}
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}


if __name__ == "__main__":
    for file_name, text in files().items():
        (FOLDER / file_name).write_text(text, encoding="utf-8")
