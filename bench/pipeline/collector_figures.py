# SPDX-License-Identifier: Apache-2.0
"""The figure of bench/run for the collector: one core for it, the other for wrk."""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/e2e"))

SECONDS = 5
WANTED = {100: 40_000, 1: 10_000}
# (calls of a request, connections). A request waits for one or two syncs: how many are under way decides how many a sync can stand for.
LOADS = ((100, 16), (1, 64), (1, 256))
SYNC_SECONDS, SYNC_BYTES = 2, 16 << 10


def spread(values, digits=0):
    return f"median {statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}-{max(values):,.{digits}f}]"


def syncs_per_second(directory):
    """The limit: what the disk makes of appends and fdatasyncs, one after the other, each about as large as those of single requests."""
    block = b"x" * SYNC_BYTES
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        count, begin = 0, time.monotonic()
        while time.monotonic() - begin < SYNC_SECONDS:
            os.write(file.fileno(), block)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - begin)


class CollectorFigures:
    """Mixed into bench/run's Bench, which has `program`, `runs` and `scratch`."""

    def figure_collector(self):
        os.environ["SEGUE_PROGRAM"] = self.program
        import collector_server

        disk, found = [], {load: [] for load in LOADS}
        for _ in range(self.runs):
            disk.append(syncs_per_second(self.scratch))
            for (calls, connections), results in found.items():
                with tempfile.TemporaryDirectory(prefix="collector-", dir=self.scratch) as directory:
                    collector = collector_server.Collector(directory).start()
                    subprocess.run(["taskset", "-a", "-c", "-p", "0", str(collector.process.pid)], check=True, stdout=subprocess.DEVNULL)
                    results.append(self.measure(collector, calls, connections))
                    if collector.stop() != 0:
                        sys.exit("the collector did not stop well")
        print(f"figure: the disk alone, appends of {SYNC_BYTES >> 10} KiB: {spread(disk)} syncs/s", flush=True)
        for (calls, connections), results in found.items():
            self.say_load(calls, connections, results)

    @staticmethod
    def say_load(calls, connections, results):
        rates, costs, requests, syncs, tails = zip(*results)
        what = f"batches of {calls}" if calls > 1 else "single requests"
        print(f"figure: collector, {what}, {connections} connections, one core, group sync: {spread(rates)} events/s, "
              f"{statistics.median(costs):.2f} CPU us an event, p99 {statistics.median(tails):.1f} ms, {statistics.median(syncs):,.0f} syncs/s, "
              f"{statistics.median(requests):,.0f} requests a sync; "
              f"wanted {WANTED[calls]:,}: {statistics.median(rates) / WANTED[calls]:.2f}", flush=True)

    @staticmethod
    def measure(collector, calls, connections):
        """Events a second, CPU microseconds an event, requests a sync, syncs a second, and the 99th percentile of an answer in ms."""
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
        syncs = max(grown("segue_collector_syncs_total"), 1)
        cost = grown("process_cpu_seconds_total") / events * 1e6
        requests = float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
        tail = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
        return requests * calls, cost, events / calls / syncs, syncs / SECONDS, tail
