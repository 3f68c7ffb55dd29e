# SPDX-License-Identifier: Apache-2.0
"""The figure of bench/run for the collector: one core for it, the other for wrk."""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/e2e"))

SECONDS = 5
WANTED = {100: 40_000, 1: 10_000}


class CollectorFigures:
    """Mixed into bench/run's Bench, which has `program`, `runs` and `scratch`."""

    def figure_collector(self):
        os.environ["SEGUE_PROGRAM"] = self.program
        import collector_server

        for calls, connections in ((100, 16), (1, 64)):
            rates, costs, shares, tails = [], [], [], []
            for _ in range(self.runs):
                with tempfile.TemporaryDirectory(prefix="collector-", dir=self.scratch) as directory:
                    collector = collector_server.Collector(directory).start()
                    subprocess.run(["taskset", "-a", "-c", "-p", "0", str(collector.process.pid)], check=True, stdout=subprocess.DEVNULL)
                    rate, cost, share, tail = self.measure(collector, calls, connections)
                    rates.append(rate), costs.append(cost), shares.append(share), tails.append(tail)
                    if collector.stop() != 0:
                        sys.exit("the collector did not stop well")
            rate = statistics.median(rates)
            what = f"batches of {calls}" if calls > 1 else "single requests"
            spread = f"median {rate:,.0f} events/s [{min(rates):,.0f}-{max(rates):,.0f}]"
            print(f"figure: collector, {what}, one core, group sync: {spread}, "
                  f"{statistics.median(costs):.2f} CPU us an event, p99 {statistics.median(tails):.1f} ms, "
                  f"{statistics.median(shares):,.0f} requests a sync; "
                  f"wanted {WANTED[calls]:,}: {rate / WANTED[calls]:.2f}", flush=True)

    @staticmethod
    def measure(collector, calls, connections):
        """Events a second, CPU microseconds an event, requests a sync, and the 99th percentile of an answer in ms."""
        before = collector.metrics()
        command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(HERE / "collector_requests.lua"),
                   f"http://127.0.0.1:{collector.port}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "CALLS": str(calls)}).stdout
        after = collector.metrics()
        if "Non-2xx" in text:
            sys.exit(f"not every request was answered with 200:\n{text}")

        def grown(name):
            return after[name] - before[name]

        events = grown('segue_collector_events_total{type="view"}')
        cost = grown("process_cpu_seconds_total") / events * 1e6
        requests = float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
        tail = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
        return requests * calls, cost, events / calls / max(grown("segue_collector_syncs_total"), 1), tail
