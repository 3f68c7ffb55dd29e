#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a hostile event log: random_log.py --events N --users N --seed N [--mutate] --out FILE

Far more disorder, duplicates, malformed records, deletes, ties and exact window boundaries than a shop has, with names in several scripts. The
same arguments give the same bytes. A name that ends in .gz or .zst is compressed. With --mutate, bytes of every line are changed, inserted and left
out: most become malformed in ways that nobody thought of, and some change their user or jump to another century.
"""
import argparse
import gzip
import json
import random
import subprocess

SECOND_MS, HOUR_MS, DAY_MS = 1000, 3_600_000, 86_400_000
START_MS = 1_700_000_000_000
SPAN_MS = 120 * DAY_MS
FUTURE_BOUND_MS = 300_000

KINDS = {"view": 40, "click": 20, "search": 4, "cart": 10, "cart_remove": 2, "favorite": 2, "checkout": 2, "purchase": 10, "refund": 2, "review": 1,
         "share": 1, "identify": 1, "coupon_redeem": 1, "message_sent": 1, "message_opened": 1, "message_clicked": 1, "delete": 0.4}
# Scripts whose orders in UTF-8 and UTF-16 differ, and bytes that JSON escapes.
NAMES = ("顾客", "用户-张伟", "клиент", "ｆｕｌｌ", "😀", "zoë", "quo\"te", "back\\slash", "tab\there", "user", "USER", "u")
CATEGORIES = [f"{word}{number}" for number in range(8) for word in ("女装/连衣裙 ", "手机", "c-", "Käse ", "👟")]
BRANDS = [f"{word}{number}" for number in range(10) for word in ("华为", "b-", "Ñandú ")]


class RandomLog:
    def __init__(self, events, users, seed):
        self.random = random.Random(seed)
        self.events = events
        self.users = [f"{NAMES[i % len(NAMES)]}{i}" for i in range(users)]
        self.shares = [1 / (i + 1) ** 0.7 for i in range(users)]
        self.now = START_MS
        self.last_ts = {}
        self.last_order = {}
        self.written = []

    def lines(self):
        for number in range(self.events):
            chance = self.random.random()
            if chance < 0.05 and self.written:
                line = self.duplicate()
            elif chance < 0.10:
                line = self.malformed(self.event(number))
            else:
                line = self.encoded(self.event(number))
                self.written.append(line)
            yield line + (b"\r\n" if self.random.random() < 0.01 else b"\n")

    def duplicate(self):
        """The same record again: mostly soon, sometimes after more events than are remembered."""
        age = self.random.choice((1, 2, 10, 200, len(self.written)))
        line = self.written[-self.random.randint(1, min(age, len(self.written)))]
        if self.random.random() < 0.7:
            return line
        event = json.loads(line)
        return self.encoded(event | {"ts": event["ts"] + self.random.randint(-HOUR_MS, HOUR_MS), "price": 1})

    def ts(self, user):
        """Mostly ascending; often late, and sometimes exactly at the edge of a window."""
        roll = self.random.random()
        if roll < 0.002:
            self.now += self.random.choice((7, 30)) * DAY_MS + self.random.choice((-1, 0, 1, 30_000))
        elif roll < 0.9:
            self.now += int(self.random.expovariate(self.events / SPAN_MS))
        roll = self.random.random()
        if roll < 0.7:
            return self.now
        if roll < 0.85:
            return self.now - self.random.randint(0, 30 * SECOND_MS)
        if roll < 0.92:
            return self.now - self.random.randint(0, 3 * HOUR_MS)
        if roll < 0.94:
            return self.now - self.random.randint(0, 45 * DAY_MS)
        edge = self.last_ts.get(user, self.now) + self.random.choice((-7, -30, 7, 30, 0)) * DAY_MS + self.random.choice((-1, 0, 1))
        return min(edge, self.now)

    def line_fields(self):
        fields = {"item_id": f"商品-{int(self.random.paretovariate(0.5)) % 500}", "category": self.random.choice(CATEGORIES),
                  "brand": self.random.choice(BRANDS), "price": self.random.choice((0, 5, 9.99, 0.1, 129.9, 1234.567891, 0.0000005, 1e-3)),
                  "quantity": self.random.choice((1, 1, 1, 2, 10))}
        for field in tuple(fields):
            if self.random.random() < 0.1:
                fields[field] = None
            if self.random.random() < 0.1:
                del fields[field]
        return fields

    def event(self, number):
        user = self.random.choices(self.users, self.shares)[0]
        kind = self.random.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        event = {"event_id": f"e-{number:09d}", "type": kind, "user_id": user, "ts": self.ts(user)}
        if kind in ("purchase", "refund"):
            self.add_order(event, user)
        elif kind == "search":
            event["query"] = "跑鞋 trail"
        elif kind == "identify":
            event["traits"] = {"age": self.random.randint(18, 80), "region": "浙江", "consent": self.random.random() < 0.5, "gender": None}
        elif kind == "review":
            event |= {"rating": self.random.choice((1, 4.5)), "text": "很好"}
        elif kind not in ("delete", "message_sent", "message_opened", "message_clicked"):
            event |= self.line_fields()
        if self.random.random() < 0.1:
            event["received_at"] = event["ts"] + self.random.randint(-FUTURE_BOUND_MS, HOUR_MS)
        if self.random.random() < 0.1:
            event |= {"channel": "小程序", "session_id": "s-1", "unknown": [{"deep": [1, {}]}]}
        self.last_ts[user] = max(event["ts"], self.last_ts.get(user, 0))
        return event

    def add_order(self, event, user):
        """Often another line of the user's last order; sometimes several lines at once; sometimes no order_id."""
        if self.random.random() < 0.5:
            event["order_id"] = self.last_order.get(user, "o-0") if self.random.random() < 0.5 else f"o-{event['event_id']}"
            self.last_order[user] = event["order_id"]
        if self.random.random() < 0.5:
            event |= self.line_fields()
        if self.random.random() < 0.4:
            event["items"] = [self.line_fields() for _ in range(self.random.randint(0, 6))]

    def encoded(self, event):
        return json.dumps(event, ensure_ascii=self.random.random() < 0.1, separators=self.random.choice(((",", ":"), (", ", ": ")))).encode()

    def malformed(self, event):
        line = self.encoded(event)
        changes = ({"event_id": ""}, {"event_id": 7}, {"user_id": None}, {"user_id": "长" * 100}, {"type": "teleport"}, {"type": None},
                   {"ts": "now"}, {"ts": event["ts"] + 0.5}, {"ts": -1}, {"ts": 10**15}, {"ts": None}, {"price": -0.01}, {"price": "5"},
                   {"price": 1e10}, {"quantity": 0}, {"quantity": 1.5}, {"quantity": 10**7}, {"price": 1e9, "quantity": 10**6}, {"category": 5},
                   {"brand": "x" * 300}, {"items": {}}, {"items": [5]}, {"items": [{"price": 1}, {"price": -1}]}, {"items": [{}] * 1001},
                   {"traits": []}, {"traits": {str(i): i for i in range(65)}}, {"traits": {"a": []}}, {"received_at": "x"}, {"query": 1},
                   {"rating": "good"}, {"received_at": event["ts"] - FUTURE_BOUND_MS - 1},
                   {"ts": event["ts"] + 400 * DAY_MS, "received_at": event["ts"]})
        broken = (line[:-1], line[: len(line) // 2], line + b"}", b"", b" ", b"null", b"[1]", b'"text"', b"{}", b"\xff" + line,
                  line[:-1] + b',"x":"\xc3"}', line[:-1] + b',"x":NaN}', line[:-1] + b',"x":1e999}', line[:-1] + b',"x":"\\ud800"}',
                  line[:-1] + b',"x":01}', line[:-1] + b',"x":"a\x01"}', line[:-1] + b",}", line[:-1] + b',"x":' + b"[" * 65 + b"]" * 65 + b"}",
                  line[:-1] + b',"x":"' + b"y" * (1 << 20) + b'"}' if self.random.random() < 0.05 else b"{")
        if self.random.random() < 0.6:
            return self.encoded(event | self.random.choice(changes))
        return self.random.choice(broken)


def mutated(line, choice):
    content = bytearray(line.rstrip(b"\r\n"))
    for _ in range(choice.randint(1, 2) if content else 0):
        place, roll = choice.randrange(len(content)), choice.random()
        if roll < 0.3:
            content[place] = choice.choice(b'{}[],:"\\0123456789.eE+-tfn \t\xc3\x28\x00\xe4u')
        elif roll < 0.5 and len(content) > 1:
            del content[place]
        elif roll < 0.7:
            content.insert(place, choice.choice(b'{}[],:"\\0123456789.eE+-tfnu'))
        elif roll < 0.85:
            start = choice.randrange(len(content))
            content[place:place] = content[start : start + choice.randint(1, 12)]
        else:
            content[place] ^= 1 << choice.randrange(8)
    return bytes(content).replace(b"\n", b" ") + b"\n"


def write_random_log(path, events, users, seed, mutate=False):
    lines = RandomLog(events, users, seed).lines()
    if mutate:
        choice = random.Random(seed)
        lines = (mutated(line, choice) for line in lines)
    data = b"".join(lines)
    if str(path).endswith(".gz"):
        data = gzip.compress(data, 1, mtime=0)
    elif str(path).endswith(".zst"):
        data = subprocess.run(["zstd", "-q", "-1"], input=data, stdout=subprocess.PIPE, check=True).stdout
    with open(path, "wb") as stream:
        stream.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutate", action="store_true")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    write_random_log(arguments.out, arguments.events, arguments.users, arguments.seed, arguments.mutate)


if __name__ == "__main__":
    main()
