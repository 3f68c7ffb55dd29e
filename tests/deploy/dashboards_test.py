#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboards' files are what deploy/grafana/make_dashboards.py writes, their queries name metrics and labels that the program has, and Prometheus
takes its configuration. tests/kafka/dashboards_test.py asks the queries."""
import json
import pathlib
import re
import shutil
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = PROJECT / "deploy/grafana"
sys.path.insert(0, str(GRAFANA))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import make_dashboards  # noqa: E402
from rules_test import metrics  # noqa: E402


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def faults():
    files = {path.name: path.read_text(encoding="utf-8") for path in (GRAFANA / "dashboards").glob("*.json")}
    if files != make_dashboards.files():
        yield "deploy/grafana/dashboards is stale: run deploy/grafana/make_dashboards.py"
    known = metrics()
    shown = set()
    for name, text in files.items():
        for panel in panels(json.loads(text)):
            place = f"{name}, {panel['title']}"
            if not panel["fieldConfig"]["defaults"].get("unit") or panel["datasource"]["uid"] != "${datasource}":
                yield f"{place}: no unit, or a fixed data source"
            for target in panel["targets"]:
                query = target["expr"]
                for metric in re.findall(r"\b(?:segue|process)_\w+", query):
                    shown.add(metric)
                    if metric not in known:
                        yield f"{place}: docs/metrics.md has no {metric}"
                for metric, labels in re.findall(r"\b((?:segue|process)_\w+)\{(.*?)\}", query):
                    wanted = set(re.findall(r"(\w+)=~?", labels)) - {"job", "instance"}
                    if 'job=~"$job"' not in labels or not wanted <= known.get(metric, set()):
                        yield f"{place}: {metric} is asked for {labels}"
                if re.search(r"\[(?!\$__rate_interval|\$__range)", query):
                    yield f"{place}: a fixed range"
    if len(shown) < 30:
        yield f"only {len(shown)} metrics are shown"


def main():
    found = list(faults())
    if shutil.which("promtool"):
        result = subprocess.run(["promtool", "check", "config", str(PROJECT / "deploy/prometheus/prometheus.yml")], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        found += [] if result.returncode == 0 else [result.stdout]
    elif not found:
        print("skipped: promtool is not installed (package prometheus)")
        return 77
    print("\n".join(found) or "ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
