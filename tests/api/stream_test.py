# SPDX-License-Identifier: Apache-2.0
"""GET /v1/transitions: every transition once, in its partition's order, over restarts and kill -9; filters, gaps, many readers."""
import json
import sys
import threading

import shop as shops
from http_client import Events
from segue_program import expect, figure, main

PARTITIONS = 2


def transitions(shop):
    """What the files have, by partition."""
    return [path.read_text(encoding="utf-8").splitlines() for path in sorted((shop.directory / "transitions").glob("*.ndjson"))]


def take_until(shop, last_id, count, path="/v1/transitions"):
    stream = Events(shop.api, path, last_id)
    taken = stream.take(count)
    stream.close()
    return taken


def feed(shop, parts, begin, end):
    for partition, lines in enumerate(parts):
        shop.append(partition, lines[len(lines) * begin // 100:len(lines) * end // 100])


def test(directory):
    home = directory / "shop"
    log = shops.make_log(home, PARTITIONS, 12_000, 800, 5)
    parts = [path.read_text(encoding="utf-8").splitlines() for path in sorted(log.glob("*"))]
    for path in log.glob("*"):
        path.write_text("", encoding="utf-8")
    shop = shops.Shop(home, PARTITIONS).start()
    shop.wait_until_read()
    first = next(iter(Events(shop.api, "/v1/transitions")))
    expect(first[1] is None and first[0], f"a stream begins with its id, not {first}")

    taken, last_id = [], first[0]
    steps = [(0, 30, False), (30, 60, True), (60, 80, True), (80, 100, False)]
    for begin, end, kill in steps:
        feed(shop, parts, begin, end)
        shop.wait_until_read()
        total = sum(len(lines) for lines in transitions(shop))
        # All but a few before the stop, the rest after it.
        wanted = max(total - len(taken) - 7, 1)
        part = take_until(shop, last_id, wanted)
        taken += part
        last_id = part[-1][0]
        shop.stop(kill=kill)
        shop.start()
        shop.wait_until_read()
    total = sum(len(lines) for lines in transitions(shop))
    if total > len(taken):
        taken += take_until(shop, last_id, total - len(taken))
    files = transitions(shop)
    expect(total > 500 and len(taken) == total, f"{len(taken)} transitions came of {total}")
    expect(all(event == "transition" for _, event, _ in taken), "another event came between")
    for lines in files:
        mine = set(lines)
        expect([data for _, _, data in taken if data in mine] == lines, "a partition's transitions came in another order, or twice")

    # From the beginning again, from the files, filtered.
    begin = "~".join(f"{p}.0" for p in range(PARTITIONS))
    every = [json.loads(line) for lines in files for line in lines]
    moves = [t["id"] for t in every if t["type"] == "move" and t["name"] == "potential-to-buyer"]
    some = take_until(shop, begin, len(moves), "/v1/transitions?type=move&name=potential-to-buyer")
    expect(sorted(json.loads(data)["id"] for _, _, data in some) == sorted(moves), "a filter lets the wrong ones through")
    user = every[len(every) // 2]["user_id"]
    own = [t["id"] for t in every if t["user_id"] == user]
    expect([json.loads(d)["id"] for _, _, d in take_until(shop, begin, len(own), f"/v1/transitions?user_id={user}")] == own, "one user's transitions")

    # A place that is none.
    gap = take_until(shop, "0.999999999", 1)
    expect(gap[0][1] == "gap", f"no gap event: {gap}")

    streams = [Events(shop.api, "/v1/transitions") for _ in range(64)]
    expect(all(s.response.status == 200 for s in streams), "64 streams are not open")
    more = Events(shop.api, "/v1/transitions")
    expect(more.response.status == 429 and more.response.getheader("Retry-After"), f"the 65th stream: {more.response.status}")
    results = []
    readers = [threading.Thread(target=lambda s=s: results.append([d for _, _, d in s.take(1)])) for s in streams]
    for reader in readers:
        reader.start()
    new_user = json.dumps({"event_id": "n-1", "type": "purchase", "user_id": "newcomer", "ts": every[-1]["at"], "item_id": "i", "price": 10.0})
    shop.append(0, [new_user])
    for reader in readers:
        reader.join(timeout=30)
    expect(len(results) == 64 and all(r == results[0] and len(r) == 1 for r in results), "not every reader got the new transition")
    for stream in streams:
        stream.close()
    shop.stop()
    figure(f"transition stream: {total:,} transitions each once over 2 stops and 2 kills")


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main(test)
