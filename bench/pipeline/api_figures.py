# SPDX-License-Identifier: Apache-2.0
"""The figures of bench/run for the API: profile reads, audiences and similar users, on `segue up`, while events flow in."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from kafka_figures import free_ports, say, spread
from up_server import CLIENT_CORE, HERE, SERVER_CORE, PacedEvents, UpServer, pin, user_ids

READ_SECONDS, LIMIT_SECONDS = 12, 4
CONNECTIONS = 64
EVENTS_PER_SECOND = 5000
WANTED_READS, WANTED_READ_MS, WANTED_COUNT_MS, WANTED_SIMILAR_MS = 20_000, 10, 5, 100
# Answered without a shard: what the server can do at most.
NO_SHARD = "/v1/nothing"
QUESTIONS, SIMILAR_QUESTIONS = 60, 20
EXPRESSIONS = ("stage:lapsed",
               "stage:lapsed and tag:cart-abandoner",
               '(stage:lapsed or stage:buyer) and tag:cart-abandoner and not (tag:"cat:c-1" or tag:"cat:c-2" or tag:"cat:c-3") or tag:"cat:c-4"',
               "tag:cat:*",
               "not tag:cat:* or stage:new")


class ApiFigures:
    """Mixed into bench/run's Bench: uses program, runs, scratch, log(), and for the engine what KafkaFigures has."""

    @contextlib.contextmanager
    def up_server(self, events, users):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="up-", dir=self.scratch))
        try:
            with UpServer(self.program, folder, events, users) as server:
                yield server
                server.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def say_flow(flow, server, applied):
        result = flow.result
        say(f"meanwhile {result['per_second']:,.0f} events/s were answered with 200 and {applied:,.0f}/s applied (wanted {EVENTS_PER_SECOND:,}), "
            f"answers p50 {result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f}, max {result['max_ms']:.0f}; "
            f"{server.metric('segue_checkpoints_total'):.0f} checkpoints since the start")

    # ---- profile reads

    @staticmethod
    def wrk(address, cpu, seconds, **environment):
        """cpu: CPU seconds that the server has had."""
        before = cpu()
        command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "profile_reads.lua"),
                   f"http://{address}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment).stdout
        result = json.loads(text.splitlines()[-1])
        if result["failed"]:
            sys.exit(f"requests without an answer:\n{text}")
        result["rate"] = result["requests"] / result["seconds"]
        result["cpu_us"] = (cpu() - before) / result["requests"] * 1e6
        return result

    def read_profiles(self, address, cpu, users_file):
        """(answers without a shard, profile reads): a result of wrk for each run."""
        limits, found = [], []
        for run in range(self.runs):
            limits.append(self.wrk(address, cpu, LIMIT_SECONDS, PATH_ONLY=NO_SHARD))
            found.append(self.wrk(address, cpu, READ_SECONDS, USERS=str(users_file), SEED=str(run)))
            if found[-1]["refused"]:
                sys.exit(f"{found[-1]['refused']} of {found[-1]['requests']} profiles were not answered with 200")
        return limits, found

    @staticmethod
    def write_users(log, most, path):
        users = user_ids(log, most)
        path.write_text("\n".join(users) + "\n")
        return users

    def figure_api(self):
        """Profiles of many users read at random, on one core that takes events too."""
        with self.up_server(2_000_000, 300_000) as server:
            users_file = server.folder / "users"
            users = self.write_users(server.log, 200_000, users_file)
            server.settle()
            pin(server.process.pid, SERVER_CORE)
            with PacedEvents(server, users_file, EVENTS_PER_SECOND) as flow:
                began, applied = time.monotonic(), server.metric("segue_events_applied_total")
                limits, found = self.read_profiles(server.api, server.cpu, users_file)
                applied = (server.metric("segue_events_applied_total") - applied) / (time.monotonic() - began)
            self.say_reads("segue up", len(users), limits, found)
            self.say_flow(flow, server, applied)

    def figure_api_kafka(self):
        """The same of an engine on a broker, which has the other core with everything that asks."""
        with self.broker() as broker:
            for node in broker.cluster.ids():
                pin(broker.cluster.pid(node), CLIENT_CORE)
            users_file = broker.folder / "users"
            log = self.log(2_000_000, 300_000)
            users = self.write_users(log, 200_000, users_file)
            settings = broker.new_topics() | {"api.listen": f"127.0.0.1:{free_ports(1)}"}
            broker.tool("load", log, settings["kafka.input"])
            with self.engine(broker, settings) as engine:
                self.wait_drained(broker, settings, engine)
                pin(engine.process.pid, SERVER_CORE)
                seconds = self.runs * (LIMIT_SECONDS + READ_SECONDS) + 10
                command = broker.command("latency", "--rate", EVENTS_PER_SECOND, "--seconds", seconds, "--warm", 2, "--users", len(users),
                                         "--input", settings["kafka.input"], "--output", settings["kafka.transitions"])
                with subprocess.Popen(["taskset", "-c", CLIENT_CORE] + command, stdout=subprocess.PIPE, text=True) as sender:
                    time.sleep(8)  # the first events take the clock to the present: who lapses does so now
                    limits, found = self.read_profiles(settings["api.listen"], engine.cpu, users_file)
                    flow = json.loads(sender.communicate()[0])
                engine.stop()
            self.say_reads("segue engine", len(users), limits, found)
            say(f"meanwhile {flow['sent'] / seconds:,.0f} events/s; produce to transition p50 {flow['p50_ms']:.1f} ms, p99 {flow['p99_ms']:.1f}; "
                f"{flow['missing']} missing, {flow['repeated']} seen twice")

    @staticmethod
    def say_reads(what, users, limits, found):
        def values(results, key):
            return [one[key] for one in results]

        rate, limit = statistics.median(values(found, "rate")), statistics.median(values(limits, "rate"))
        size = sum(values(found, "bytes")) / sum(values(found, "requests"))
        say(f"{what}: no shard asked (404), one core, {CONNECTIONS} connections: {spread(values(limits, 'rate'))} requests/s, "
            f"p99 {spread(values(limits, 'p99_ms'), 1)} ms, {spread(values(limits, 'cpu_us'), 1)} CPU us of the whole server each")
        say(f"{what}: profile reads of {users:,} users, one core, {CONNECTIONS} connections: {spread(values(found, 'rate'))} reads/s, "
            f"p50 {spread(values(found, 'p50_ms'), 2)} ms, p99 {spread(values(found, 'p99_ms'), 1)}, p99.9 {spread(values(found, 'p999_ms'), 1)}, "
            f"max {max(values(found, 'max_ms')):.0f}, {spread(values(found, 'cpu_us'), 1)} CPU us of the whole server each, {size:,.0f} bytes; "
            f"/ 404s {rate / limit:.2f}; wanted {WANTED_READS:,}/s: {rate / WANTED_READS:.2f}, p99 {WANTED_READ_MS} ms: "
            f"{statistics.median(values(found, 'p99_ms')) / WANTED_READ_MS:.2f}")

    # ---- audiences and similar users

    @staticmethod
    def ask(connection, times, request):
        """Milliseconds of each answer as the client sees it, and the last answer. request(i): (method, path, body)."""
        waits = []
        for i in range(times):
            method, path, body = request(i)
            begin = time.monotonic()
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            text = answer.read()
            waits.append((time.monotonic() - begin) * 1000)
            if answer.status not in (200, 404) or (answer.status == 404 and path != NO_SHARD):
                sys.exit(f"{method} {path}: {answer.status} {text[:500]!r}")
        return waits, json.loads(text)

    def ask_all(self, server, users):
        """{what: (milliseconds, users that the answer counted)} of one run."""
        connection = http.client.HTTPConnection(server.api, timeout=60)
        chosen = random.Random(7).sample(users, SIMILAR_QUESTIONS)
        found = {"404": (self.ask(connection, QUESTIONS, lambda _: ("GET", NO_SHARD, None))[0], 0)}
        for expression in EXPRESSIONS:
            body = json.dumps({"expressions": [expression]})
            waits, answer = self.ask(connection, QUESTIONS, lambda _, body=body: ("POST", "/v1/audiences/count", body))
            found[expression] = (waits, answer["counts"][0]["users"])
            self.counted_users = answer["users"]
        found["similar"] = (self.ask(connection, SIMILAR_QUESTIONS, lambda i: ("GET", f"/v1/profiles/{chosen[i]}/similar?limit=10", None))[0], 0)
        connection.close()
        return found

    def figure_audience(self):
        """One question after the other over more than a million users: first alone, then while events flow."""
        with self.up_server(7_000_000, 10_000_000) as server:
            users_file = server.folder / "users"
            users = self.write_users(server.log, 100_000, users_file)
            server.settle()
            pin(server.process.pid, SERVER_CORE)
            cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {int(CLIENT_CORE)})
            self.say_questions("nothing else", [self.ask_all(server, users) for _ in range(self.runs)])
            with PacedEvents(server, users_file, EVENTS_PER_SECOND) as flow:
                began, applied = time.monotonic(), server.metric("segue_events_applied_total")
                runs = [self.ask_all(server, users) for _ in range(self.runs)]
                applied = (server.metric("segue_events_applied_total") - applied) / (time.monotonic() - began)
            os.sched_setaffinity(0, cores)
            self.say_questions(f"{EVENTS_PER_SECOND:,} events/s", runs)
            self.say_flow(flow, server, applied)

    def say_questions(self, beside, runs):
        for what in runs[0]:
            p50 = [statistics.median(run[what][0]) for run in runs]
            worst = max(max(run[what][0]) for run in runs)
            p90 = statistics.median(sorted(run[what][0])[len(run[what][0]) * 9 // 10] for run in runs)
            times = f"p50 {spread(p50, 2)} ms, p90 {p90:.2f}, max {worst:.1f}"
            if what == "404":
                say(f"beside {beside}: an answer without a shard (404): {times}")
            elif what == "similar":
                wanted = statistics.median(p50) / WANTED_SIMILAR_MS
                say(f"beside {beside}: 10 similar users of {self.counted_users:,}: {times}; wanted {WANTED_SIMILAR_MS} ms: {wanted:.2f}")
            else:
                wanted = statistics.median(p50) / WANTED_COUNT_MS
                say(f"beside {beside}: count of `{what}`, {runs[-1][what][1]:,} of {self.counted_users:,} users: {times}; "
                    f"wanted {WANTED_COUNT_MS} ms: {wanted:.2f}")
