#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two engines and a `segue api` find each other over the compacted topic, with tokens and TLS: each answers for all users, exactly, also when one of
them freezes or dies."""
import csv
import hashlib
import http.client
import io
import itertools
import json
import math
import re
import ssl
import subprocess
import sys
import time
import urllib.parse

from support.engine_process import EngineProcess
from support.kafka_cluster import EVENTS, INSTANCES, TRANSITIONS
from support.scenario import Failure, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, USERS = 5, 300
ODD = "小王/1?#%2F"
# A request that waits for an instance that says nothing waits for 5 s.
PATIENCE = 8
COLUMNS = ["user_id", "stage", "orders", "spend", "tags"]
TOKENS = {"reader": "read", "eraser": "erase", "instance": "read"}


def path_of(user):
    return "/v1/profiles/" + urllib.parse.quote(user, safe="")


class Front(EngineProcess):
    command = "api"


class Entry:
    """One of the places to ask."""

    def __init__(self, process):
        self.process = process
        for _ in range(600):
            found = re.findall(r"console and API.*?https://([0-9.]+):([0-9]+)", process.log())
            if found:
                break
            process.expect_running()
            time.sleep(0.05)
        expect(found, f"does not say where the API is:\n{process.log_end()}")
        self.host, self.port = found[-1][0], int(found[-1][1])
        self.slowest = 0
        self.trusts = ssl.create_default_context(cafile=str(process.folder.parent / "certificate.pem"))

    def connect(self, timeout=20):
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.trusts)

    def ask(self, method, path, body=None, token="reader", headers=None):
        """(status, body as bytes)."""
        headers = {"content-type": "application/json"} | (headers or {})
        if token:
            headers["authorization"] = f"Bearer {token}-token"
        began = time.monotonic()
        connection = self.connect()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
            self.slowest = max(self.slowest, time.monotonic() - began)

    def get(self, path, body=None, **more):
        """A value that has to be there."""
        status, text = self.ask("GET" if body is None else "POST", path, body, **more)
        expect(status == 200, f"{self.process.name}: {path}: {status} {text.decode()}\n{self.process.log_end()}")
        return json.loads(text)

    def status_of(self, path, **more):
        return self.ask("GET", path, **more)[0]


def until(what, attempt, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if attempt():
            return
        time.sleep(0.1)
    raise Failure(f"not within {seconds} s: {what}")


def settings_of(folder):
    lines = [f"{name} {hashlib.sha256((name + '-token').encode()).hexdigest()} {scopes}" for name, scopes in TOKENS.items()]
    (folder / "tokens").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "instance_token").write_text("instance-token\n", encoding="utf-8")
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=segue", "-addext",
               "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {"api.listen": "127.0.0.1:0", "api.tokens_file": str(folder / "tokens"), "api.instance_token_file": str(folder / "instance_token"),
            "api.certificate_file": certificate, "api.key_file": key, "api.ca_file": certificate}


def produce(shop, users):
    producer = shop.kafka.producer(partitioner="murmur2_random")
    at = int(time.time() * 1000) - 3_600_000
    for number, user in enumerate(users):
        events = [{"type": "view", "item_id": f"i-{number % 7}", "category": ["女装", "鞋"][number % 2]}]
        if number % 3 == 0:
            events.append({"type": "purchase", "order_id": f"o-{number}", "item_id": "i-1", "category": "女装", "price": 10 + number / 100})
        for step, event in enumerate(events):
            line = {"event_id": f"e-{number}-{step}", "user_id": user, "ts": at + 10 * number + step} | event
            producer.produce(EVENTS, json.dumps(line, ensure_ascii=False).encode(), key=user.encode())
    producer.produce(EVENTS, b"no event", partition=PARTITIONS - 1)
    producer.flush(30)


def same(entries, what, ask):
    """What every entry says, which is the same."""
    answers = [ask(entry) for entry in entries]
    for entry, answer in zip(entries, answers):
        expect(answer == answers[0], f"{what}: {entry.process.name} says {answer}, {entries[0].process.name} {answers[0]}")
    return answers[0]


def pages(entries, expression):
    """Page after page, each from another entry."""
    found, cursor = [], {}
    for entry in itertools.cycle(entries):
        answer = entry.get("/v1/audiences/users", {"expression": expression, "limit": 7} | cursor)
        found += answer["user_ids"]
        if "cursor" not in answer:
            return found
        expect(len(answer["user_ids"]) == 7, f"a page of {len(answer['user_ids'])}")
        cursor = {"cursor": answer["cursor"]}


def check_users(entries, users):
    profiles = {}
    for user in users:
        status, text = same(entries, "profile", lambda entry: entry.ask("GET", path_of(user) + "?include=lifecycle,counters,tags,affinities,vector"))
        expect(status == 200, f"profile: {status} {text}")
        profiles[user] = json.loads(text)
        expect(profiles[user]["user_id"] == user, "another user's profile")
    expect(len({profile["partition"] for profile in profiles.values()}) == PARTITIONS, "users in every partition")
    for user in users[:20]:
        same(entries, "history", lambda entry: entry.ask("GET", path_of(user) + "/history"))
    asked = {"user_ids": users + ["nobody"], "include": ["lifecycle", "counters", "tags", "affinities", "vector"]}
    found = same(entries, "lookup", lambda entry: entry.ask("POST", "/v1/profiles/lookup", asked))
    found = json.loads(found[1])
    expect([one["user_id"] for one in found["profiles"]] == users and found["not_found"] == ["nobody"], "lookup in the order of the request")
    expect(all(one == profiles[one["user_id"]] for one in found["profiles"]), "lookup and profile differ")
    same(entries, "nobody", lambda entry: entry.ask("GET", path_of("nobody")))
    expect(same(entries, "nobody", lambda entry: entry.status_of(path_of("nobody"))) == 404, "nobody is there")
    return profiles


def check_similar(entries, profiles):
    """The nearest of all partitions, whoever is asked."""
    vectors = {user: profile["vector"] for user, profile in profiles.items() if any(profile["vector"])}
    for user in list(vectors)[:: max(1, len(vectors) // 8)]:
        want = {other: cosine(vectors[user], vector) for other, vector in vectors.items() if other != user}
        best = sorted(want.values(), reverse=True)[:100]
        asked = {"vector": vectors[user], "limit": 100, "except": user}
        for entry in entries:
            for answer in (entry.get(path_of(user) + "/similar?limit=100"), entry.get("/v1/similar", asked)):
                near = {one["user_id"]: one["similarity"] for one in answer["users"]}
                expect(len(near) == len(best) and user not in near, f"{len(near)} similar users, not {len(best)}")
                expect(all(abs(want[other] - found) < 1e-5 for other, found in near.items()), f"no cosines: {near}")
                # The candidates are chosen by directions in bytes.
                expect(all(abs(have - one) < 0.01 for have, one in zip(near.values(), best)), f"nearer ones than {near} were missed: {best}")
    expect(entries[2].status_of(path_of("nobody") + "/similar") == 404, "nobody has similar users")


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def check_sets(entries, users, profiles):
    stages = sorted({profile["lifecycle"]["stage"] for profile in profiles.values()})
    expressions = ["all"] + [f'stage:"{stage}"' for stage in stages]
    by_stage = [[user for user in users if profiles[user]["lifecycle"]["stage"] == stage] for stage in stages]
    counted = same(entries, "count", lambda entry: entry.get("/v1/audiences/count", {"expressions": expressions, "overlaps": True}))
    expect(counted["users"] == len(users), f"count: {counted}")
    expect([one["users"] for one in counted["counts"]] == [len(users)] + [len(some) for some in by_stage], f"count: {counted}")
    expect(counted["overlaps"][0][1:] == [len(some) for some in by_stage], f"overlaps: {counted}")
    expect(counted["overlaps"][1][2:] == [0] * (len(stages) - 1), f"overlaps: {counted}")
    expect(len(stages) > 1, "one stage proves nothing")
    for sets in ("/v1/audiences/sets", "/v1/audiences/sets?kind=tag&limit=2"):
        same(entries, sets, lambda entry: entry.get(sets))
    lifecycle = same(entries, "lifecycle", lambda entry: entry.get("/v1/lifecycle"))
    filled = {one["name"]: one["users"] for one in lifecycle["stages"] if one["users"]}
    expect(filled == dict(zip(stages, map(len, by_stage))), f"lifecycle: {lifecycle}")
    expect(sorted(pages(entries, "all")) == sorted(users), "pages over all users")
    for expression, some in zip(expressions[1:], by_stage):
        expect(sorted(pages(entries, expression)) == sorted(some), f"pages of {expression}")
    check_exports(entries, users, profiles)
    letters = same(entries, "dead letters", lambda entry: {name: entry.get("/v1/dead-letters")[name] for name in ("total", "reasons")})
    expect(letters["total"] == 1, f"dead letters: {letters}")
    for entry in entries:
        until("a sample of the dead letter", lambda: [one.get("raw") for one in entry.get("/v1/dead-letters")["newest"]] == ["no event"])


def check_stream(shop, front):
    """The front streams every partition's transitions, from the topic's beginning."""
    wanted = sum(map(len, shop.kafka.read(TRANSITIONS).values()))
    connection = front.connect()
    headers = {"authorization": "Bearer reader-token"}
    connection.request("GET", "/v1/transitions", headers=headers)
    answer = connection.getresponse()
    name = next(line for line in answer if line.startswith(b"id: ")).decode()[4:].split("~")[0]
    connection.close()
    connection = front.connect()
    begin = "~".join([name] + [f"{partition}.0" for partition in range(PARTITIONS)])
    connection.request("GET", "/v1/transitions", headers=headers | {"Last-Event-ID": begin})
    answer = connection.getresponse()
    expect(answer.status == 200, f"stream: {answer.status}")
    found = [json.loads(line[6:])["id"] for line in itertools.islice((line for line in answer if line.startswith(b"data: ")), wanted)]
    connection.close()
    expect(wanted > 0 and len(set(found)) == wanted, f"{len(set(found))} of {wanted} transitions")


def check_exports(entries, users, profiles):
    wanted = {"expression": "all", "columns": COLUMNS}
    status, text = same(entries, "export", lambda entry: entry.ask("POST", "/v1/audiences/export", wanted))
    rows = [json.loads(line) for line in text.decode().splitlines()]
    expect(status == 200 and sorted(row["user_id"] for row in rows) == sorted(users), "export of all users")
    for row in rows:
        profile = profiles[row["user_id"]]
        expect(row["stage"] == profile["lifecycle"]["stage"] and row["orders"] == profile["counters"]["orders"], f"export: {row}")
    status, text = same(entries, "csv", lambda entry: entry.ask("POST", "/v1/audiences/export?format=csv", wanted))
    lines = list(csv.reader(io.StringIO(text.decode(), newline="")))
    expect(lines[0] == COLUMNS and sorted(line[0] for line in lines[1:]) == sorted(users), "CSV of all users, with one head")


def check_hops(entries, profiles):
    """A request that names partitions goes no further, and adds up."""
    every, parts = entries[0].get("/v1/audiences/count", {"expressions": ["all"]})["users"], 0
    for partition in range(PARTITIONS):
        user = next(user for user, profile in profiles.items() if profile["partition"] == partition)
        named = {"Segue-Partitions": str(partition)}
        found = [entry.status_of(path_of(user), headers=named) for entry in entries]
        expect(sorted(found) == [200, 503, 503] and found[-1] == 503, f"asked for partition {partition} alone: {found}")
        owner = entries[found.index(200)]
        parts += owner.get("/v1/audiences/count", {"expressions": ["all"]}, headers=named)["users"]
        stale = named | {"Segue-Definitions": "other"}
        expect(owner.ask("POST", "/v1/audiences/count", {"expressions": ["all"]}, headers=stale)[0] == 503, "with other definitions in mind")
    expect(parts == every, f"{parts} users in the partitions, {every} in all")
    for wrong in ("", "x", "1,", "2,1", "-1", ",".join(map(str, range(600)))):
        expect(entries[0].status_of("/v1/status", headers={"Segue-Partitions": wrong}) == 400, f"took Segue-Partitions: {wrong[:20]}")


def check_tokens(shop, settings, entries, profiles):
    user = next(iter(profiles))
    for entry in entries:
        expect(entry.status_of(path_of(user), token=None) == 401 and entry.status_of(path_of(user), token="eraser") == 403, "read without the right")
        expect(entry.ask("DELETE", path_of(user), token="reader")[0] == 403, "erase without the right")
    front = Front(shop.folder, "unknown", shop.kafka.bootstrap, settings | {"api.instance_token_file": ""}).start()
    shop.engines.append(front)
    stranger = Entry(front)
    until("an instance without a token is told so", lambda: stranger.status_of(path_of(user)) == 502, 30)
    expect(stranger.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[0] == 503, "a count without a token")
    front.stop()


def check_frozen(entries, two, profiles):
    """SIGSTOP: whoever asks for its users is told so within seconds, and nothing else waits."""
    mine = {number for number, report in two.partitions("running").items()}
    theirs = next(user for user, profile in profiles.items() if profile["partition"] in mine)
    other = next(user for user, profile in profiles.items() if profile["partition"] not in mine)
    two.pause()
    try:
        began = time.monotonic()
        expect(entries[2].status_of(path_of(theirs)) == 503, "a user of the frozen instance")
        expect(time.monotonic() - began < PATIENCE, "waited for the frozen instance")
        began = time.monotonic()
        expect(entries[2].status_of(path_of(other)) == 200 and time.monotonic() - began < 2, "another user waits too")
    finally:
        two.resume()
    for entry in entries:
        until("all again", lambda: entry.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[0] == 200)


def check_new_topic(shop, entries, profiles):
    """The topic is deleted and made again: everybody says so, and finds the others by himself."""
    shop.kafka.delete_topic(INSTANCES)
    for entry in entries:
        until("the trouble is told", lambda: "trouble" in entry.get("/v1/status"))
    for user in itertools.islice(profiles, 20):
        same(entries, "profile", lambda entry: entry.ask("GET", path_of(user)))
    shop.kafka.create_topic(INSTANCES, 1, {"cleanup.policy": "compact"})
    for entry in entries:
        until("all is well again", lambda: "trouble" not in entry.get("/v1/status"))
        until("all is counted again", lambda: entry.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[0] == 200)


def check_death(shop, one, two, front, profiles):
    """kill -9: 503 soon, and 200 again when the other has its partitions."""
    lost = sorted(two.partitions("running"))
    user = next(user for user, profile in profiles.items() if profile["partition"] in lost)
    for entry in (one, front):
        entry.slowest = 0
    two.kill()
    began = time.monotonic()
    for entry in (one, front):
        expect(entry.status_of(path_of(user)) == 503, "a user of the dead instance")
        expect(entry.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[0] == 503, "a count without the dead instance")
    expect(front.get("/v1/status")["complete"] is False, "the status is not complete")
    until("taken over", lambda: front.status_of(path_of(user)) == 200 and one.status_of(path_of(user)) == 200)
    seconds = time.monotonic() - began
    until("every user counted", lambda: front.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[0] == 200)
    expect(max(one.slowest, front.slowest) < PATIENCE, f"a request took {max(one.slowest, front.slowest)} s")
    for user, profile in profiles.items():
        expect(same([one, front], "profile", lambda entry: entry.ask("GET", path_of(user)))[0] == 200, "a user after the takeover")
    return seconds


def test(folder):
    seeded()
    users = [ODD] + [f"u-{number}" for number in range(1, USERS)]
    with Shop(folder, PARTITIONS, events=1000, rate=1, seed=1) as shop:
        settings = settings_of(folder)
        shop.kafka.delete_topic(INSTANCES)
        one = shop.engine("one", settings).start()
        two = shop.engine("two", settings).start()
        shop.wait_shared([one, two], everybody=True)
        entries = [Entry(one), Entry(two)]
        expect("segue.instances is missing" in entries[0].get("/v1/status")["trouble"], "says that the topic is missing")
        shop.kafka.create_topic(INSTANCES, 1, {"cleanup.policy": "compact"})
        front = Front(shop.folder, "front", shop.kafka.bootstrap, settings).start()
        shop.engines.append(front)
        entries.append(Entry(front))
        produce(shop, users)
        for entry in entries:
            until("every user counted", lambda: b'"users":%d,' % USERS in entry.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[1])
            state = entry.get("/v1/status")
            expect(state["complete"] and "trouble" not in state, f"status: {state}")
            expect([one["partition"] for one in state["partitions"]] == list(range(PARTITIONS)), f"status: {state}")
            expect({one["instance"] for one in state["instances"]} >= {"one", "two"}, f"status: {state}")
        expect(entries[-1].get("/v1/status")["mode"] == "api" and front.get("/readyz")[0] == 200, "the front is ready")

        profiles = check_users(entries, users)
        check_similar(entries, profiles)
        check_sets(entries, users, profiles)
        check_hops(entries, profiles)
        check_stream(shop, entries[2])
        check_tokens(shop, settings, entries, profiles)
        check_frozen(entries, two, profiles)
        check_new_topic(shop, entries, profiles)
        gone = next(user for user, profile in profiles.items() if profile["partition"] in one.partitions("running"))
        expect(entries[1].ask("DELETE", path_of(gone), token="eraser")[0] == 202, "erase through another instance")
        for entry in entries:
            until("the user is gone", lambda: entry.status_of(path_of(gone)) == 404)
        del profiles[gone]

        seconds = check_death(shop, entries[0], two, entries[2], profiles)
        for process in (one, front):
            text = process.get("/metrics")[1]
            expect(not any(user in process.log() or f'"{user}"' in text for user in (ODD, gone)), "a user id in metrics or log")
        front.stop()
        one.stop()
        figure(f"instances: {USERS} users of {PARTITIONS} partitions through 2 engines and an api alike, "
               f"after kill -9 of one again in {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main(test))
