# SPDX-License-Identifier: Apache-2.0
"""Every route of docs/api.md against a running `segue up`: right answers, which are those of its dump, and clear errors."""
import collections
import csv
import io
import json
import math
import shutil
import sys

import shop as shops
from http_client import quoted
from segue_program import dump, expect, figure, main

PARTITIONS = 3
EVENTS, USERS = 30_000, 3_000
checks = 0


def same(have, want, what):
    global checks
    checks += 1
    expect(have == want, f"{what}: {str(have)[:600]}, not {str(want)[:600]}")


def problem(answer, status, what, *words):
    same(answer.status, status, what)
    same(answer.headers.get("Content-Type"), "application/problem+json", f"content type of {what}")
    body = answer.json
    same(body["status"], status, f"status in the body of {what}")
    for word in words:
        expect(word in json.dumps(body, ensure_ascii=False), f"{what}: {body} does not say {word!r}")
    return body


# ---- what the dump says

def members(line):
    keyed = collections.defaultdict(set)
    for one in line["keyed_members"]:
        keyed[one["name"]].add(one["key"])
    return line["stage"], {m for m in line["members"] if m in ("大客户", "active")}, keyed["keen"], set(line["tags"])


def recount(lines, test):
    return sum(1 for line in lines.values() if test(*members(line)))


EXPRESSIONS = {
    "all": lambda stage, segments, keys, tags: True,
    "stage:lapsed": lambda stage, segments, keys, tags: stage == "lapsed",
    "segment:大客户": lambda stage, segments, keys, tags: "大客户" in segments,
    "segment:\"active\" and not stage:new": lambda stage, segments, keys, tags: "active" in segments and stage != "new",
    "segment:keen": lambda stage, segments, keys, tags: bool(keys),
    "tag:high-value or stage:returning": lambda stage, segments, keys, tags: "high-value" in tags or stage == "returning",
    "tag:\"cat:nobody\"": None,
}


# ---- parts

def check_profile(api, user, line):
    answer = api.get(f"/v1/profiles/{quoted(user)}?include=" + ",".join(
        ["lifecycle", "segments", "tags", "traits", "counters", "affinities", "vector", "cart", "history"]))
    same(answer.status, 200, "profile")
    profile = answer.json
    stage, segments, keys, tags = members(line)
    same(profile["lifecycle"]["stage"], stage, "stage")
    same(profile["lifecycle"].get("since"), line.get("stage_since"), "stage since")
    same({s["name"] for s in profile["segments"] if "key" not in s}, segments, "segments")
    same({s["key"] for s in profile["segments"] if s["name"] == "keen"}, keys, "keys")
    same({t["name"] for t in profile["tags"]}, tags, "tags")
    same(profile["counters"]["orders"], line["orders"], "orders")
    same(round(profile["counters"]["spend"] * 1e6), line["spend_micros"], "spend")
    same({k: v["count"] for k, v in profile["counters"]["events"].items()}, line["counts"], "counts")
    same(sorted(a["name"] for a in profile["affinities"]["category"]), sorted(a["name"] for a in line["category_affinity"]), "affinities")
    weights = [a["weight"] for a in profile["affinities"]["category"]]
    same(weights, sorted(weights, reverse=True), "order of affinities")
    expect(not weights or abs(sum(a["share"] for a in profile["affinities"]["category"]) - 1) < 1e-6, "shares do not add up")
    same(len(profile["vector"]), 64, "vector")
    same([c["item_id"] for c in profile["cart"]], [c["item_id"] for c in line["cart"]], "cart")
    same([(m["name"], m["at"], m["cause"]) for m in profile["history"]["moves"]],
         [(m["name"], m["at"], m["cause"]) for m in line["past_moves"]], "moves")
    same(profile.get("next_change_at"), line.get("deadline"), "next change")
    same({k: v for k, v in profile["traits"].items()}, {k: v["value"] for k, v in line["traits"].items()}, "traits")


def profiles(shop, lines):
    users = sorted(lines)[::max(1, len(lines) // 200)]
    for user in users:
        check_profile(shop.api, user, lines[user])
    plain = shop.api.get(f"/v1/profiles/{users[0]}").json
    expect("vector" not in plain and "history" not in plain and "explanation" not in plain, "parts that nobody asked for")
    same(set(shop.api.get(f"/v1/profiles/{users[0]}?include=cart").json) & {"cart", "tags", "lifecycle"}, {"cart"}, "include")
    looked = shop.api.post("/v1/profiles/lookup", {"user_ids": users + ["nobody"], "include": ["lifecycle"]}).json
    same([p["user_id"] for p in looked["profiles"]], users, "look-up")
    same(looked["not_found"], ["nobody"], "not found")
    same([p["lifecycle"]["stage"] for p in looked["profiles"]], [lines[u]["stage"] for u in users], "stages of the look-up")
    head = shop.api.request("HEAD", f"/v1/profiles/{users[0]}")
    same((head.status, head.body), (200, b""), "HEAD")


def explanations(shop, lines):
    buyers = [user for user, line in sorted(lines.items()) if line["stage"] == "buyer"][:20]
    expect(buyers, "no buyer in the log")
    for user in buyers:
        profile = shop.api.get(f"/v1/profiles/{user}?explain=true&sources=true").json
        lapse = lines[user]["last_purchase"] + 30 * 86_400_000
        same(profile["lifecycle"]["leaves_at"], lapse, "when a buyer lapses")
        same(profile["lifecycle"]["leaves_to"], "lapsed", "where to")
        same(profile["lifecycle"]["leaves_because"], "since(last_purchase) >= 30d", "because")
        move = next(m for m in profile["explanation"]["moves"] if m["to"] == "lapsed")
        condition = move["conditions"][0]
        same((condition["text"], condition["value"], condition["unit"]), ("since(last_purchase) >= 30d", False, "duration_ms"), "condition")
        same(condition["compared"], profile["as_of"] - lines[user]["last_purchase"], "compared")
        same(profile["sources"]["lifecycle.stage"]["at"], profile["lifecycle"]["since"], "source of the stage")
        history = shop.api.get(f"/v1/profiles/{user}/history").json
        same(history["moves"][-1]["name"], profile["lifecycle"]["by"], "last move")
        same(history["complete"], True, "history is complete")


def similar(shop, lines):
    vectors = {user: line["vector"] for user, line in lines.items() if any(line["vector"])}
    for user in sorted(vectors)[::max(1, len(vectors) // 5)]:
        length = math.sqrt(sum(x * x for x in vectors[user]))
        want = {other: sum(a * b for a, b in zip(vectors[user], v)) / length / math.sqrt(sum(x * x for x in v))
                for other, v in vectors.items() if other != user}
        answer = shop.api.get(f"/v1/profiles/{user}/similar?limit=5")
        same(answer.status, 200, "similar users")
        have = [(s["user_id"], s["similarity"]) for s in answer.json["users"]]
        best = sorted(want.values(), reverse=True)[:5]
        expect(len(have) == 5 and all(abs(want[u] - s) < 1e-4 for u, s in have), f"similarities are not the cosines: {have}")
        near = shop.api.post("/v1/similar", {"vector": vectors[user], "limit": 5, "except": user}).json
        expect({s["user_id"] for s in near["users"]} == {u for u, _ in have}, f"near the vector: {near}, not {have}")
        expect(have[0][1] > best[0] - 1e-3 and have[-1][1] > best[-1] - 0.02, f"nearer ones were missed: {have}, not {best}")


def audiences(shop, lines):
    texts = list(EXPRESSIONS)
    answer = shop.api.post("/v1/audiences/count", {"expressions": texts, "overlaps": True})
    same(answer.status, 200, "count")
    counts = answer.json
    tests = [EXPRESSIONS[t] or (lambda *_: False) for t in texts]
    want = [recount(lines, test) for test in tests]
    same([c["users"] for c in counts["counts"]], want, "counts")
    expect(all(n > 0 for n in want[:-1]), f"an expression without users proves nothing: {want}")
    same(counts["users"], len(lines), "users")
    same(counts["overlaps"], [[recount(lines, lambda *m, a=a, b=b: a(*m) and b(*m)) for b in tests] for a in tests], "overlaps")
    same([c["users"] for c in shop.api.post("/v1/audiences/count", {"expressions": texts}).json["counts"]], want, "counts without overlaps")
    for text in texts:
        test = EXPRESSIONS[text] or (lambda *_: False)
        users = sorted(u for u, line in lines.items() if test(*members(line)))
        same(sorted(pages(shop, text)), users, f"pages of {text}")
        exported = shop.api.post("/v1/audiences/export", {"expression": text})
        same(sorted(json.loads(line)["user_id"] for line in exported.body.splitlines()), users, f"export of {text}")
    sets(shop, lines)
    columns = ["user_id", "stage", "orders", "spend", "last_purchase", "tags"]
    table = shop.api.post("/v1/audiences/export?format=csv", {"expression": "stage:buyer", "columns": columns})
    same(table.headers["Content-Type"], "text/csv; charset=utf-8", "type of CSV")
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    same(len(rows), recount(lines, lambda stage, *_: stage == "buyer"), "rows")
    for row in rows:
        line = lines[row["user_id"]]
        same((row["stage"], int(row["orders"]), round(float(row["spend"]) * 1e6), int(row["last_purchase"]), set(row["tags"].split("|")) - {""}),
             ("buyer", line["orders"], line["spend_micros"], line["last_purchase"], set(line["tags"])), "row")


def pages(shop, text, limit=97):
    users, cursor = [], {}
    while True:
        answer = shop.api.post("/v1/audiences/users", {"expression": text, "limit": limit} | cursor)
        same(answer.status, 200, f"page of {text}")
        expect(len(answer.json["user_ids"]) <= limit, "a page is too long")
        users += answer.json["user_ids"]
        if "cursor" not in answer.json:
            expect(len(users) == len(set(users)), "a user is in two pages")
            return users
        cursor = {"cursor": answer.json["cursor"]}


def sets(shop, lines):
    answer = shop.api.get("/v1/audiences/sets?limit=10000").json
    want = collections.Counter()
    for line in lines.values():
        stage, segments, keys, tags = members(line)
        want.update([("stage", stage, None)] + [("segment", s, None) for s in segments])
        want.update([("segment", "keen", k) for k in keys] + [("tag", t, None) for t in tags])
    have = {(s["kind"], s["name"], s.get("key")): s["users"] for s in answer["sets"] if s["users"]}
    same(have, dict(want), "sets")
    chosen = [s for s in answer["sets"] if s["users"]][::29]
    counted = shop.api.post("/v1/audiences/count", {"expressions": [s["expression"] for s in chosen][:50]}).json
    same([c["users"] for c in counted["counts"]], [s["users"] for s in chosen][:50], "sets by their expressions")
    some = shop.api.get("/v1/audiences/sets?kind=tag&limit=1").json
    same((len(some["sets"]), some["sets"][0]["kind"], some["truncated"]), (1, "tag", True), "one set")
    same({s["name"] for s in shop.api.get("/v1/audiences/sets?contains=high").json["sets"]}, {"high-value"}, "sets by text")


def whole_shop(shop, lines):
    lifecycle = shop.api.get("/v1/lifecycle").json
    stages = collections.Counter(line["stage"] for line in lines.values())
    same({s["name"]: s["users"] for s in lifecycle["stages"] if s["users"]}, dict(stages), "stages")
    same((lifecycle["users"], lifecycle["time_zone"]), (len(lines), "Asia/Shanghai"), "users and time zone")
    moves = collections.Counter()
    letters = collections.Counter()
    for path in sorted((shop.directory / "transitions").glob("*.ndjson")):
        moves.update(t["name"] for t in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if t["type"] == "move")
    same({m["name"]: m["total"] for m in lifecycle["moves"] if m["total"]}, dict(moves), "moves")
    for path in sorted((shop.directory / "dead-letters").glob("*.ndjson")):
        letters.update(json.loads(line)["reason"] for line in path.read_text(encoding="utf-8").splitlines())
    dead = shop.api.get("/v1/dead-letters?limit=100").json
    same({r["reason"]: r["total"] for r in dead["reasons"]}, dict(letters), "dead letters")
    same(dead["total"], sum(letters.values()), "dead letters in all")
    same(len(dead["newest"]), min(100, dead["total"]), "newest dead letters")
    reason = next(iter(letters))
    of_reason = shop.api.get(f"/v1/dead-letters?reason={reason}&limit=3").json["newest"]
    same({d["reason"] for d in of_reason}, {reason}, "dead letters of one reason")
    status = shop.api.get("/v1/status").json
    same((status["mode"], status["complete"], len(status["partitions"])), ("embedded", True, PARTITIONS), "status")
    same([p["lag"] for p in status["partitions"]], [0] * PARTITIONS, "lag")
    same(sum(p["users"] for p in status["partitions"]), len(lines), "users of the partitions")


WRONG = [
    ("GET", "/v1/profiles/nobody", None, 404, "no such user"),
    ("GET", "/v1/profiles/nobody/history", None, 404, "no such user"),
    ("GET", "/v1/profiles/nobody/similar", None, 404, "no such user"),
    ("GET", "/v1/profiles/nobody/similar?limit=101", None, 400, "limit"),
    ("POST", "/v1/similar", {"vector": [1, 2]}, 400, "64 numbers"),
    ("POST", "/v1/similar", {"vector": ["x"] * 64}, 400, "64 numbers"),
    ("GET", "/v1/profiles/%FF", None, 404, "no such user"),
    ("GET", "/v1/profiles/u%", None, 400, ""),
    ("GET", "/v1/profiles/u-1?include=tgas", None, 400, "tags"),
    ("GET", "/v1/profiles/u-1?include=", None, 400, "include"),
    ("GET", "/v1/profiles/u-1?explain=yes", None, 400, "explain"),
    ("GET", "/v1/profiles/u-1?explian=true", None, 400, "explain"),
    ("GET", "/v1/profiles/u-1?explain=true&explain=true", None, 400, "twice"),
    ("POST", "/v1/profiles/u-1", None, 405, ""),
    ("TRACE", "/v1/status", None, 405, ""),
    ("PATCH", "/v1/definitions", None, 405, ""),
    ("POST", "/v1/profiles/lookup", {}, 400, "user_ids"),
    ("POST", "/v1/profiles/lookup", {"user_ids": []}, 400, "user_ids"),
    ("POST", "/v1/profiles/lookup", {"user_ids": ["a", "a"]}, 400, "/user_ids/1"),
    ("POST", "/v1/profiles/lookup", {"user_ids": ["a"] * 1001}, 400, "1000"),
    ("POST", "/v1/profiles/lookup", {"user_ids": ["a", 1]}, 400, "/user_ids/1"),
    ("POST", "/v1/profiles/lookup", {"user_ids": ["a"], "more": 1}, 400, "unknown member"),
    ("POST", "/v1/profiles/lookup", b'{"user_ids":["a"],"user_ids":["b"]}', 400, "twice"),
    ("POST", "/v1/profiles/lookup", b'{"user_ids":["a"', 400, "not JSON"),
    ("POST", "/v1/profiles/lookup", b"", 400, ""),
    ("POST", "/v1/profiles/lookup", b"[" * 100_000, 400, ""),
    ("POST", "/v1/profiles/lookup", b" " * (2 << 20), 413, ""),
    ("POST", "/v1/audiences/count", {"expressions": ["stage:lapst"]}, 400, "lapsed"),
    ("POST", "/v1/audiences/count", {"expressions": ["all and"]}, 400, "column"),
    ("POST", "/v1/audiences/count", {"expressions": ["all", "segment:none"]}, 400, "/expressions/1"),
    ("POST", "/v1/audiences/count", {"expressions": ["all"] * 51}, 400, "50"),
    ("POST", "/v1/audiences/count", {"expressions": ["all"] * 21, "overlaps": True}, 400, "20"),
    ("POST", "/v1/audiences/count", {"expressions": ["(" * 100 + "all" + ")" * 100]}, 400, "nested"),
    ("POST", "/v1/audiences/count", {"expressions": ["a" * 5000]}, 400, "4096"),
    ("POST", "/v1/audiences/users", {"expression": "all", "limit": 0}, 400, "limit"),
    ("POST", "/v1/audiences/users", {"expression": "all", "limit": 1001}, 400, "limit"),
    ("POST", "/v1/audiences/users", {"expression": "all", "cursor": "x"}, 400, "cursor"),
    ("POST", "/v1/audiences/export?format=xml", {"expression": "all"}, 400, "format"),
    ("POST", "/v1/audiences/export", {"expression": "all", "columns": ["user"]}, 400, "columns"),
    ("GET", "/v1/audiences/sets?kind=stages", None, 400, "stage"),
    ("GET", "/v1/audiences/sets?limit=0", None, 400, "limit"),
    ("GET", "/v1/lifecycle?x=1", None, 400, "unknown"),
    ("GET", "/v1/status?x=1", None, 400, "unknown"),
    ("GET", "/v1/dead-letters?reason=bad", None, 400, "reason"),
    ("GET", "/v1/dead-letters?limit=101", None, 400, "limit"),
    ("GET", "/v1/transitions?type=moves", None, 400, "move"),
    ("GET", "/v1/transitions?last_event_id=x", None, 400, "id"),
    ("GET", "/v1/definitions?x=1", None, 400, "unknown"),
    ("POST", "/v1/definitions/check", {"text": ""}, 400, "text"),
    ("POST", "/v1/definitions/preview", {"text": "version: 7"}, 422, "/text"),
    ("PUT", "/v1/definitions", {"text": "version: 7"}, 422, "/text"),
    ("GET", "/v1/definitions/preview/p-99", None, 404, "no such preview"),
    ("DELETE", "/v1/definitions/preview/p-99", None, 404, "no such preview"),
    ("GET", "/v1/nothing", None, 404, ""),
]


def wrong_requests(shop):
    for method, path, body, status, word in WRONG:
        raw = body if isinstance(body, bytes) else None
        answer = shop.api.request(method, path, None if raw is not None else body, raw=raw)
        problem(answer, status, f"{method} {path[:60]} {str(body)[:60]}", word)
        if status == 405:
            expect("Allow" in answer.headers, f"405 of {path} without Allow")
    cursor = shop.api.post("/v1/audiences/users", {"expression": "all", "limit": 1}).json["cursor"]
    problem(shop.api.post("/v1/audiences/users", {"expression": "stage:new", "cursor": cursor}), 400, "another expression's cursor", "cursor")
    answer = shop.api.request("POST", "/v1/audiences/count", raw=b"{}", headers={"Content-Type": "text/plain"})
    problem(answer, 415, "text/plain")


def definitions(shop):
    now = shop.api.get("/v1/definitions")
    text = shops.DEFINITIONS.read_text(encoding="utf-8")
    same((now.json["text"], now.json["editable"]), (text, True), "definitions")
    same(now.headers["ETag"], f'"{now.json["hash"]}"', "ETag")
    same([s["name"] for s in now.json["segments"]], ["大客户", "active", "keen"], "segments")
    checked = shop.api.post("/v1/definitions/check", {"text": text}).json
    same(checked, {"valid": True, "hash": now.json["hash"], "same_as_in_force": True}, "check of the same")
    bad = shop.api.post("/v1/definitions/check", {"text": text.replace("on: purchase, when: orders >= 2", "on: purchse, when: orders >= 2")}).json
    same((bad["valid"], bad["errors"][0]["line"]), (False, 11), "check of a mistake")


def preview(shop, lines):
    draft = shops.DEFINITIONS.read_text(encoding="utf-8").replace("since(last_purchase) >= 30d", "since(last_purchase) >= 10d")
    started = shop.api.post("/v1/definitions/preview", {"text": draft})
    same(started.status, 202, "preview")
    same(started.headers["Location"], f"/v1/definitions/preview/{started.json['id']}", "location")
    for _ in range(1200):
        status = shop.api.get(started.headers["Location"]).json
        if status["state"] != "running":
            break
        shops.time.sleep(0.05)
    same(status["state"], "done", f"state of the preview {status}")
    result = status["result"]
    stages = collections.Counter(line["stage"] for line in lines.values())
    same({s["name"]: s["in_force"] for s in result["stages"] if s["in_force"]}, dict(stages), "stages in force")
    same(result["users"], len(lines), "users of the preview")
    flow = collections.Counter()
    for one in result["flow"]:
        flow[one["draft"]] += one["users"]
        expect(one["in_force"] == one["draft"] or one["draft"] == "lapsed", f"a flow that cannot be: {one}")
    same({s["name"]: s["draft"] for s in result["stages"] if s["draft"]}, dict(flow), "stages of the draft")
    moved = sum(one["users"] for one in result["flow"] if one["in_force"] != one["draft"])
    same(result["users_in_another_stage"], moved, "users in another stage")
    expect(moved > 0 and 0 < len(result["samples"]) <= 20, "nobody moved")
    expect(not list(shop.directory.glob("preview*")), "the preview left its directory")
    cancelled = shop.api.post("/v1/definitions/preview", {"text": draft}).json["id"]
    same(shop.api.request("DELETE", f"/v1/definitions/preview/{cancelled}").status, 204, "cancel")
    for _ in range(1200):
        status = shop.api.get(f"/v1/definitions/preview/{cancelled}").json
        if status["state"] != "running":
            break
        shops.time.sleep(0.05)
    expect(status["state"] in ("cancelled", "done"), f"state of a cancelled preview {status}")


def new_definitions(shop):
    before = shop.api.get("/v1/definitions").json
    text = before["text"].replace("spend >= 3000", "spend >= 100")
    problem(shop.api.request("PUT", "/v1/definitions", {"text": text}, headers={"If-Match": '"0123"'}), 412, "PUT over another's change")
    answer = shop.api.request("PUT", "/v1/definitions", {"text": text}, headers={"If-Match": f'"{before["hash"]}"'})
    same((answer.status, answer.json["changed"]), (200, True), "PUT")
    shop.wait_until_read()
    for _ in range(600):
        after = shop.api.get("/v1/lifecycle")
        if after.status == 200 and after.json["definitions"] == answer.json["hash"]:
            break
        shops.time.sleep(0.05)
    same(after.json["definitions"], answer.json["hash"], "definitions in force")
    return answer.json["hash"]


def everything(shop, lines):
    profiles(shop, lines)
    explanations(shop, lines)
    similar(shop, lines)
    audiences(shop, lines)
    whole_shop(shop, lines)
    wrong_requests(shop)
    definitions(shop)
    preview(shop, lines)


def read_dump(directory):
    return {line["user_id"]: line for line in map(json.loads, dump(directory).decode().splitlines())}


def test(directory):
    home = directory / "shop"
    shops.make_log(home, PARTITIONS, EVENTS, USERS, 11)
    shop = shops.Shop(home, PARTITIONS).start()
    shop.wait_until_read()
    shop.stop()
    lines = read_dump(home)
    shop.start()
    shop.wait_until_read()
    everything(shop, lines)
    hash_of_new = new_definitions(shop)
    want = {e: shop.api.post("/v1/audiences/count", {"expressions": [e]}).json["counts"][0]["users"] for e in EXPRESSIONS}
    shop.stop()
    lines = read_dump(home)
    same(want, {e: recount(lines, test or (lambda *_: False)) for e, test in EXPRESSIONS.items()}, f"counts under {hash_of_new}")
    expect(not any(user in shop.said() for user in lines), "a user id is in the log")

    figure(f"API: {checks:,} answers and values right on {len(lines):,} users in {PARTITIONS} partitions")
    shutil.rmtree(home)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main(test)
