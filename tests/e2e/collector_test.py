#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The collector as clients meet it: requests that the vendors' libraries really sent, every route, and every refusal."""
import collections
import hashlib
import json
import pathlib

from collector_server import KEY, Collector
from segue_program import expect, figure, main, run

CAPTURED = pathlib.Path(__file__).resolve().parent / "tracking_requests/captured.ndjson"
# Of the captured calls, by type; the others are alias, group and names that stand for nothing of ours.
WANTED = {"view": 11, "search": 2, "click": 4, "cart": 4, "cart_remove": 2, "favorite": 1, "checkout": 4, "purchase": 2, "refund": 2,
          "coupon_redeem": 1, "share": 2, "review": 1, "identify": 2}


def equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def captured_requests(directory):
    collector = Collector(directory).start()
    ids = set()
    for line in CAPTURED.read_text().splitlines():
        request = json.loads(line)
        status, _, body = collector.request(request["url"], request["body"], compress=request["encoding"] == "gzip",
                                            headers={"Content-Type": request["content_type"]})
        equal((status, body), (200, {"success": True}), f"a batch of {request['library']}")
        ids |= {call["messageId"] for call in request["body"]["batch"]}
    equal(collector.stop(), 0, "exit code of a stop")
    events = collector.events()
    found = collections.Counter(event["type"] for event in events)
    stored = {event["event_id"] for event in events}
    expect(stored <= ids and len(events) == len(stored), "an event that nobody sent, or twice")
    equal(found, collections.Counter(WANTED), "events by type")
    purchase = next(event for event in events if event["type"] == "purchase")
    equal([(item["item_id"], item["price"], item.get("quantity", 1)) for item in purchase["items"]],
          [("507f1f77bcf86cd799439011", 19, 1), ("505bd76785ebb509fc183733", 3, 2)], "lines of the order")
    expect(all(event["ts"] <= event["received_at"] for event in events), "an event after it was received")
    identify = next(event for event in events if event["type"] == "identify")
    equal(identify["traits"].get("address.city", "上海"), "上海", "a flattened trait")
    return len(events)


def routes(directory):
    collector = Collector(directory).start()
    call = {"userId": "u-1", "event": "Product Viewed", "properties": {"product_id": "i"}}
    for path in ("/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/alias", "/v1/group"):
        status, _, body = collector.request(path, {**call, "messageId": path})
        equal((status, body), (200, {"success": True}), path)
    equal(collector.request("/v1/import", {"batch": [{**call, "type": "track", "messageId": "import"}]})[0], 200, "/v1/import")
    lines = [{"event_id": f"e-{i}", "type": "cart", "user_id": "u-1", "ts": 1} for i in range(3)]
    status, _, body = collector.request("/v1/events", "\n".join(json.dumps(line) for line in lines) + "\n{}\n")
    equal((status, body["accepted"], body["rejected"]), (200, 3, [{"line": 4, "reason": "missing_event_id"}]), "/v1/events")
    equal(collector.request("/v1/events", '{"event_id":"x","type":"delete","user_id":"u","ts":1}')[0], 422, "a delete")
    for path, body, wanted in (("/v1/track", "{", 400), ("/v1/track", b'{"a":"\xff"}', 400), ("/v1/batch", "{}", 400), ("/v1/batch", "[]", 400),
                               ("/v1/track", json.dumps({"x": "y" * 40000}), 400), ("/v1/batch", "x" * 600_000, 413), ("/v1/nothing", "{}", 404)):
        status, headers, answer = collector.request(path, body)
        equal((status, headers["Content-Type"]), (wanted, "application/problem+json"), f"{path} {body[:20]}")
        equal(answer["status"], wanted, "the problem's status")
    status, headers, _ = collector.request("/v1/batch", "", method="GET")
    equal((status, headers["Allow"]), (405, "POST"), "GET")
    equal(collector.request("/v1/track", b"\x1f\x8b\x08no gzip", headers={"Content-Encoding": "gzip"})[0], 400, "broken gzip")
    equal(collector.request("/v1/batch", b"[" + b" " * 2_000_000 + b"]", compress=True)[0], 413, "a body that unpacks to too much")
    metrics = collector.metrics()
    equal(metrics['segue_collector_events_total{type="cart"}'], 3, "metric of carts")
    equal(metrics['segue_collector_skipped_total{reason="alias"}'], 1, "metric of aliases")
    equal(metrics['segue_collector_rejected_total{reason="missing_event_id"}'], 1, "metric of rejected events")
    equal(collector.stop(), 0, "exit code of a stop")
    equal(collections.Counter(event["type"] for event in collector.events()), {"view": 4, "identify": 1, "cart": 3}, "events")


def keys_and_rates(directory):
    keys = directory / "keys"
    keys.write_text(f"# name and SHA-256\nshop {hashlib.sha256(KEY.encode()).hexdigest()}\n")
    collector = Collector(directory, keys_file=str(keys), rate=100).start()
    page = {"userId": "u", "messageId": "m"}
    for key, wanted in ((KEY, 200), ("another", 401), (None, 401)):
        equal(collector.request("/v1/page", page, key=key)[0], wanted, f"the key {key}")
    equal(collector.request("/v1/page", {**page, "writeKey": KEY}, key=None)[0], 200, "a key in the body")
    equal(collector.request("/v1/events", "{}", key=None)[0], 401, "/v1/events without a key")
    batch = {"batch": [{**page, "type": "page", "messageId": f"b-{i}"} for i in range(300)]}
    statuses = [collector.request("/v1/batch", batch)[:2] for _ in range(5)]
    refused = [headers for status, headers in statuses if status == 429]
    expect(refused and all(int(headers["Retry-After"]) >= 1 for headers in refused), f"a rate that nobody keeps: {statuses}")
    expect(KEY not in (directory / "collector.log").read_text(), "the log shows a write key")
    equal(collector.stop(), 0, "exit code of a stop")
    # A second writer of the directory, and a listener off loopback without keys.
    with_lock = Collector(directory).start()
    other = Collector(directory)
    expect("in use" in run("collector", "--config", other.configuration, code=None).stderr.decode(), "two collectors write to one directory")
    equal(with_lock.stop(), 0, "exit code of a stop")
    other.configuration.write_text(f"collector:\n  listen: 0.0.0.0:{other.port}\n  log: {directory}\n")
    run("collector", "--config", other.configuration, code=78)


def test(scratch):
    counts = []
    for part in (captured_requests, routes, keys_and_rates):
        directory = scratch / part.__name__
        directory.mkdir()
        counts.append(part(directory))
    figure(f"collector: {counts[0]} events of captured requests, each once in the log")


main(test)
