#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API over the shards of an engine: profiles, audiences, live transitions, erasure through the topic, and what is to be had in the embedded mode
only."""
import hashlib
import json
import pathlib
import re
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from support.kafka_cluster import EVENTS
from support.scenario import Failure, expect, figure, main, seeded
from support.shop import Shop

PARTITIONS, USERS = 3, 400
ODD = "小王/1?#%2F"


def event(number, user, kind, **more):
    at = int(time.time() * 1000) - 3_600_000 + number
    return json.dumps({"event_id": f"e-{number}", "type": kind, "user_id": user, "ts": at, **more}, ensure_ascii=False).encode()


class Api:
    def __init__(self, engine):
        for _ in range(400):
            found = re.findall(r"console and API.*?(http://[0-9.:]+)", engine.log())
            if len(found) == engine.starts:
                break
            engine.expect_running()
            time.sleep(0.05)
        expect(len(found) == engine.starts, f"does not say where the API is:\n{engine.log_end()}")
        self.base = found[-1]
        self.token = "first-token-of-a-test"

    def headers(self):
        return {"content-type": "application/json", "authorization": "Bearer " + self.token}

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers=self.headers())
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if text.startswith(("{", "[")) else text
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def profile(self, user):
        return self.ask("GET", "/v1/profiles/" + urllib.parse.quote(user, safe=""))

    def until(self, what, attempt, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if attempt():
                return
            time.sleep(0.1)
        raise Failure(f"not within {seconds} s: {what}")


class Watcher(threading.Thread):
    """Reads /v1/transitions."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.lines = []
        self.stream = urllib.request.urlopen(urllib.request.Request(api.base + "/v1/transitions", headers=api.headers()), timeout=60)
        self.start()

    def run(self):
        try:
            for line in self.stream:
                if line.startswith(b"data: "):
                    self.lines.append(json.loads(line[6:]))
        except (OSError, ValueError):
            pass  # the engine has stopped


def write_token(file, token):
    file.write_text(f"test {hashlib.sha256(token.encode()).hexdigest()} read,admin,erase\n")


def test(folder):
    seeded()
    tokens = pathlib.Path(folder) / "tokens"
    write_token(tokens, "first-token-of-a-test")
    with Shop(folder, PARTITIONS, events=1000, rate=1, seed=1) as shop:
        engine = shop.engine("one", {"api.listen": "127.0.0.1:0", "api.tokens_file": str(tokens)}).start()
        engine.wait_ready(PARTITIONS)
        api = Api(engine)
        watcher = Watcher(api)
        producer = shop.kafka.producer(partitioner="murmur2_random")
        users = [ODD] + [f"u-{number}" for number in range(1, USERS)]
        for number, user in enumerate(users):
            bought = event(number, user, "purchase", order_id=f"o-{number}", item_id="i-1", category="女装", price=10)
            producer.produce(EVENTS, bought, key=user.encode())
        producer.produce(EVENTS, b"no event", partition=0)
        producer.flush(30)
        api.until("every user counted", lambda: api.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[1].get("users") == USERS)

        for user in users[:50]:
            status, profile = api.profile(user)
            expect(status == 200 and profile["user_id"] == user and profile["counters"]["orders"] == 1, f"profile: {status} {profile}")
        stage = api.profile(ODD)[1]["lifecycle"]["stage"]
        status, counted = api.ask("POST", "/v1/audiences/count", {"expressions": [f'stage:"{stage}"']})
        expect(status == 200 and counted["counts"][0]["users"] == USERS, f"all bought once, but {counted}")
        status, found = api.ask("POST", "/v1/profiles/lookup", {"user_ids": users[:20] + ["nobody"], "include": ["lifecycle"]})
        expect([one["user_id"] for one in found["profiles"]] == users[:20] and found["not_found"] == ["nobody"], f"lookup: {found}")
        api.until("every move in the stream", lambda: len({line["user_id"] for line in watcher.lines if line["type"] == "move"}) == USERS)

        status, state = api.ask("GET", "/v1/status")
        expect(status == 200 and state["mode"] == "engine" and len(state["partitions"]) == PARTITIONS, f"status: {state}")
        expect(all(one["end"] == one["position"] + one["lag"] for one in state["partitions"]), f"ends: {state}")
        for method, path, body in (("PUT", "/v1/definitions", {"text": "version: 1"}), ("POST", "/v1/definitions/preview", {"text": "version: 1"})):
            status, problem = api.ask(method, path, body)
            expect(status in (409, 422), f"{method} {path}: {status} {problem}")
        expect("<title>Segue</title>" in api.ask("GET", "/")[1], "no console")

        status, answer = api.ask("DELETE", "/v1/profiles/" + urllib.parse.quote(ODD, safe=""))
        expect(status == 202, f"erasure: {status} {answer}")
        api.until("the user is gone", lambda: api.profile(ODD)[0] == 404)
        api.until("the audience without him", lambda: api.ask("POST", "/v1/audiences/count", {"expressions": ["all"]})[1].get("users") == USERS - 1)
        text = engine.get("/metrics")[1]
        expect('segue_http_requests_total{route="/v1/profiles/{user_id}",method="GET",code="200"}' in text, "requests are not among the metrics")
        expect(ODD not in text and ODD not in engine.log(), "a user id in metrics or log")
        write_token(tokens, "second-token-of-a-test")
        engine.signal(signal.SIGHUP)
        api.until("the old token is refused", lambda: api.profile("u-1")[0] == 401)
        api.token = "second-token-of-a-test"
        expect(api.profile("u-1")[0] == 200, "the new token")
        engine.stop()
        figure(f"API over a Kafka engine: {USERS} profiles, {len(watcher.lines)} transitions streamed, one erasure through the topic")


if __name__ == "__main__":
    sys.exit(main(test))
