#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a running engine and a collector: promtool finds nothing to say about their pages, no alert fires, and every query of
every dashboard has an answer, but for those that are listed here with a reason."""
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from support.scenario import PROGRAM, PROJECT, expect, figure, main, seeded
from support.shop import Shop

sys.path.insert(0, str(PROJECT / "tests/kafka"))
from broker import free_ports  # noqa: E402
from engine_start import write_configuration  # noqa: E402

PARTITIONS, RATE = 2, 2000
# Metric in a query: why it may have no answer here.
EMPTY = {}
# Alerts that are right to fire in this test.
FIRING = set()


class Prometheus:
    """One that scrapes these addresses every second, with the project's rules."""

    def __init__(self, folder, targets):
        self.folder, self.port = folder, free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        configuration = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                         "rule_files": [str(PROJECT / "deploy/prometheus/segue.rules.yml")],
                         "scrape_configs": [{"job_name": "segue", "static_configs": [{"targets": targets}]}]}
        folder.mkdir()
        (folder / "prometheus.yml").write_text(json.dumps(configuration), encoding="utf-8")

    def __enter__(self):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "prometheus", f"--config.file={self.folder}/prometheus.yml",
                                             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address={self.address}"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(20)

    def get(self, path, **parameters):
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
            return json.load(answer)["data"]

    def wait_for(self, query, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.get("query", query=query)["result"]:
                    return
            except OSError:
                pass  # it starts
            time.sleep(0.2)
        expect(False, f"Prometheus has no answer to {query}:\n{(self.folder / 'log').read_text(encoding='utf-8')[-2000:]}")


def queries():
    """(dashboard, panel, query as Grafana would send it)."""
    for path in sorted((PROJECT / "deploy/grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in (("$__rate_interval", "10s"), ("$__range", "5m"), ("$job", ".*"), ("$instance", ".*")):
                    query = query.replace(name, value)
                yield path.name, panel["title"], query


def check_queries(prometheus):
    asked, excused = 0, 0
    for dashboard, title, query in queries():
        result = prometheus.get("query", query=query)["result"]
        good = bool(result) and all(series["value"][1] != "NaN" for series in result)
        reason = next((why for metric, why in EMPTY.items() if metric in query), None)
        if reason and not good:
            print(f"no answer: {dashboard}, {title}: {reason}", flush=True)
            excused += 1
            continue
        expect(good, f"{dashboard}, {title}: no answer to {query}: {result}")
        expect(not reason, f"{dashboard}, {title} has an answer now: take {query} from the list of exceptions")
        asked += 1
    return asked, excused


class Collector:
    """`segue collector` before the same broker, with a client who sends an event ten times a second; one in ten of them is none."""

    def __init__(self, folder, brokers):
        self.folder = folder
        folder.mkdir()
        self.port, self.metrics_port = free_ports(1), free_ports(1)
        write_configuration(folder, {"instance": "collector", "kafka.brokers": brokers, "http.listen": f"127.0.0.1:{self.metrics_port}",
                                     "collector.listen": f"127.0.0.1:{self.port}"})
        self.over = threading.Event()
        self.client = threading.Thread(target=self.send)

    def __enter__(self):
        with open(self.folder / "stderr.log", "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", PROGRAM, "collector", "--config", str(self.folder / "segue.yaml")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.client.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.client.join()
        self.process.terminate()
        self.process.wait(30)

    def send(self):
        number = 0
        while not self.over.wait(0.1):
            number += 1
            event = {"event_id": f"d-{number}", "user_id": "u1", "ts": int(time.time() * 1000), "type": "view", "item": "i1"}
            body = json.dumps(event) if number % 10 else "no event"
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/events", body.encode(), {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    answer.read()
            except OSError:
                pass  # refused, or not there yet: what the panels show is looked at, not this


def check_page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        page = answer.read().decode()
    result = subprocess.run(["promtool", "check", "metrics"], input=page, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    expect(result.returncode == 0, f"promtool on the page of metrics: {result.stdout}")
    return len([line for line in page.splitlines() if line and not line.startswith("#")])


def test(folder):
    seed, _ = seeded()
    with Shop(folder, PARTITIONS, events=200_000, rate=RATE, seed=seed) as shop:
        (folder / "snapshots").mkdir()
        engine = shop.engine("one", {"snapshots.directory": str(folder / "snapshots"), "snapshots.interval": "2s"}).start()
        engine.wait_ready(PARTITIONS)
        shop.producer.start()
        with (Collector(folder / "collector", shop.kafka.bootstrap) as collector,
              Prometheus(folder / "prometheus", [f"127.0.0.1:{port}" for port in (engine.port, collector.metrics_port)]) as prometheus):
            prometheus.wait_for("count(segue_snapshot_last_timestamp_seconds) == 2 and count(segue_checkpoint_last_timestamp_seconds) == 2")
            prometheus.wait_for("sum(rate(segue_transitions_total[10s])) > 0 and sum(rate(segue_commit_duration_seconds_count[10s])) > 0")
            prometheus.wait_for('sum(rate(segue_collector_events_total[10s])) > 0 and sum(rate(segue_http_requests_total{code="200"}[10s])) > 0')
            series = check_page(engine.port) + check_page(collector.metrics_port)
            asked, excused = check_queries(prometheus)
            rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
            wrong = [rule for rule in rules if rule["health"] != "ok"]
            expect(not wrong, f"rules that cannot be evaluated: {wrong}")
            firing = {rule["name"] for rule in rules if rule["state"] == "firing"}
            expect(firing <= FIRING, f"alerts fire though all is well: {firing}")
        shop.settle()
        figure(f"Prometheus on a running engine and collector: {series} series, {asked} queries of dashboards answered, {excused} excused, "
               f"{len(rules)} alerts silent")


if __name__ == "__main__":
    if not shutil.which("prometheus"):
        print("skipped: prometheus is not installed")
        sys.exit(77)
    sys.exit(main(test))
