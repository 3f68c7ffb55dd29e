#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent, naive model of the reference job with the default definitions.

    reference_model.py LOG [--out DIR] [--future-bound-ms N]

Reads one NDJSON log (.gz, .zst through the zstd program, or plain), one event after the other, with eager timers, whole
histories in memory and double precision. It shares no code with the engine and tries nothing clever, so that a difference
between the two means that one of them has misread the rules. It prints the moves by kind; with --out it writes three files:

moves.ndjson: every output in the order of a run with one shard (log order; timers by deadline, then user_id bytes)
    {"user_id","n","name","from","to","at","cause","orders","spend"}    a move; n counts the outputs of the user from 1
    {"user_id","n","type":"erased","at"}                                a delete event that was applied

dead_letters.ndjson: {"line": number from 1, "position": of its first byte in the uncompressed log, "reason": name in reject_reason.h}

profiles.ndjson: the profiles at the end of the log, sorted by user_id bytes
    user_id          string
    n                outputs so far
    stage            new, potential, buyer, returning or lapsed
    counts           {event type: events applied}, types that occurred only
    first_seen, last_seen          smallest and largest ts, milliseconds
    last_purchase    largest ts of a purchase; absent without one
    orders           purchase events; consecutive ones with the same order_id are one
    spend_micros, refunded_micros  exact sums of price x quantity in millionths
    category_affinity, brand_affinity   [[name, weight], ...] in insertion order; weights decayed to last_seen; where 16 are held, a
                     newcomer takes the place of the entry that leaves
    vector           64 numbers, decayed to last_seen
    cart             [[item_id, ts when carted], ...], oldest first
    tags             up to three "cat:<category>", then "high-value", then "cart-abandoner", as of the final clock

A weight's history is the same at every time but for a factor, so the time that decay is counted to never decides anything.
"""
import argparse
import collections
import gzip
import heapq
import json
import math
import os
import subprocess
import sys

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HALF_LIFE_MS = 7 * DAY_MS
LATENESS_MS = 30_000
FUTURE_BOUND_MS = 300_000

WEIGHTS = {"view": 1.0, "click": 2.0, "cart": 5.0, "purchase": 10.0}
TYPES = ("view", "search", "click", "cart", "cart_remove", "favorite", "checkout", "purchase", "refund", "review", "share", "identify",
         "coupon_redeem", "message_sent", "message_opened", "message_clicked", "delete")
# The events that may start interest. A view after enough clicks moves nothing.
INTEREST_TYPES = ("click", "cart")

REMEMBERED_EVENT_IDS = 64
AFFINITY_ENTRIES = 16
CART_ENTRIES = 16
HIGH_VALUE_MICROS = 5_000_000_000
LARGEST_MICROS = 2**63 - 1
# Two weights closer than this are a tie that rounding decides: such a user's affinities say so instead of being compared.
NEAR_TIE = 1e-12


# ---- input -------------------------------------------------------------------------------------------------------------

def read_lines(path):
    """Yields the raw lines with their newline; a last line without newline counts."""
    if path.endswith(".gz"):
        with gzip.open(path, "rb") as stream:
            yield from stream
    elif path.endswith(".zst"):
        with subprocess.Popen(["zstd", "-dcq", "--", path], stdout=subprocess.PIPE) as process:
            yield from process.stdout
        if process.returncode:
            raise OSError(f"zstd cannot read {path}")
    else:
        with open(path, "rb") as stream:
            yield from stream


class Rejected(Exception):
    """The reason for which a record cannot be used."""


LATEST_TS = 253_402_300_799_999
MAX_RECORD_BYTES, MAX_NAME_BYTES, MAX_TEXT_BYTES, MAX_DEPTH = 1 << 20, 256, 16384, 64
MAX_ITEMS, MAX_TRAITS, MAX_QUANTITY, MAX_PRICE, MAX_LINE_MICROS = 1000, 64, 1_000_000, 1e9, 10**18


def demand(condition, reason):
    if not condition:
        raise Rejected(reason)


def parse_json(text):
    """Strict JSON: Python's own parser also takes NaN, half surrogate pairs, numbers beyond a double's range and any depth."""
    def refuse(constant):
        raise ValueError(constant)

    def finite(digits):
        if math.isinf(float(digits)):
            raise ValueError(digits)
        return float(digits)

    def whole(digits):
        finite(digits)
        return int(digits)

    def with_whole_strings(pairs):
        if "\\u" in text:
            json.dumps(pairs, ensure_ascii=False).encode()
        return dict(pairs)

    def depth(value):
        if isinstance(value, (dict, list)):
            return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
        return 0

    value = json.loads(text, parse_constant=refuse, parse_float=finite, parse_int=whole, object_pairs_hook=with_whole_strings)
    with_whole_strings([("", value)])
    if depth(value) > MAX_DEPTH:
        raise ValueError("too deep")
    return value


def read_string(fields, field, limit=MAX_NAME_BYTES):
    """Empty where the field is absent or null."""
    value = fields.get(field)
    if value is None:
        return ""
    demand(isinstance(value, str), "invalid_field")
    demand(len(value.encode()) <= limit, "field_too_long")
    return value


def is_number(value):
    return type(value) in (int, float)  # a bool is none


def is_time(value):
    return type(value) is int and 0 <= value <= LATEST_TS


def round_half_away(price):
    scaled = float(price) * 1e6
    return math.floor(scaled) + (scaled - math.floor(scaled) >= 0.5)


def read_line(fields):
    """One line of an event: (item_id, category, brand, price in millionths, quantity); absent names are empty."""
    names = [read_string(fields, field) for field in ("item_id", "category", "brand")]
    price, quantity = fields.get("price"), fields.get("quantity")
    demand(price is None or is_number(price) and 0 <= price <= MAX_PRICE, "invalid_price")
    demand(quantity is None or type(quantity) is int and 1 <= quantity <= MAX_QUANTITY, "invalid_quantity")
    micros, quantity = round_half_away(price or 0), 1 if quantity is None else quantity
    demand(micros * quantity <= MAX_LINE_MICROS, "amount_too_large")
    return (*names, micros, quantity)


def read_items(items):
    demand(items is None or isinstance(items, list), "invalid_field")
    demand(len(items or []) <= MAX_ITEMS, "too_many_items")
    lines = []
    for item in items or []:
        demand(isinstance(item, dict), "invalid_field")
        lines.append(read_line(item))
    return lines


def check_traits(traits):
    demand(traits is None or isinstance(traits, dict), "invalid_field")
    demand(len(traits or {}) <= MAX_TRAITS, "too_many_items")
    for name, value in (traits or {}).items():
        demand(name != "", "invalid_field")
        demand(len(name.encode()) <= MAX_NAME_BYTES, "field_too_long")
        demand(not isinstance(value, (dict, list)), "invalid_field")
        demand(not isinstance(value, str) or len(value.encode()) <= MAX_TEXT_BYTES, "field_too_long")


def decode(raw, future_bound_ms):
    """Returns the event as a dict with its "lines", or raises Rejected. The first fault in this order is the reason."""
    demand(len(raw) <= MAX_RECORD_BYTES, "record_too_large")
    try:
        event = parse_json(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        undecodable = isinstance(error, UnicodeDecodeError)
        raise Rejected("invalid_utf8" if undecodable else "invalid_json") from None
    demand(isinstance(event, dict), "not_an_object")
    for field in ("event_id", "user_id"):
        demand(isinstance(event.get(field), str) and event[field], "missing_" + field)
        read_string(event, field)
    demand(event.get("type") in TYPES, "unknown_type")
    demand(is_time(event.get("ts")), "invalid_ts")
    received_at = event.get("received_at")
    demand(received_at is None or is_time(received_at), "invalid_field")
    for field in ("order_id", "session_id", "channel"):
        read_string(event, field)
    line = read_line(event)
    event["lines"] = read_items(event.get("items")) or [line]
    for field, limit in (("query", MAX_TEXT_BYTES), ("text", MAX_TEXT_BYTES), ("coupon_id", MAX_NAME_BYTES), ("campaign_id", MAX_NAME_BYTES),
                         ("message_id", MAX_NAME_BYTES)):
        read_string(event, field, limit)
    demand(event.get("rating") is None or is_number(event["rating"]), "invalid_field")
    check_traits(event.get("traits"))
    demand(received_at is None or event["ts"] - received_at <= future_bound_ms, "from_the_future")
    return event


# ---- numbers -----------------------------------------------------------------------------------------------------------

SIGNS = {}


def signs(name):
    """64 signs from the bits of FNV-1a 64 with MurmurHash3's finaliser."""
    if name not in SIGNS:
        mask = 2**64 - 1
        h = 0xCBF29CE484222325
        for byte in name.encode():
            h = (h ^ byte) * 0x100000001B3 & mask
        h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & mask
        h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & mask
        h ^= h >> 33
        SIGNS[name] = [1.0 if h >> bit & 1 else -1.0 for bit in range(64)]
    return SIGNS[name]


def decay(age_ms):
    """2^(-age / half-life), whole half-lives exactly."""
    whole, rest = divmod(-age_ms, HALF_LIFE_MS)
    return math.ldexp(2.0 ** (rest / HALF_LIFE_MS), max(-4096, whole))


def decimal(micros):
    """The shortest decimal form of an amount in millionths."""
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, rest = divmod(micros, 1_000_000)
    return sign + (f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole))


class Affinity:
    """At most 16 places of [name, weight, as of]. A newcomer takes the next free place, or that of the entry that leaves."""

    def __init__(self):
        self.places = []
        self.near_tie = False

    def add(self, name, weight, ts, now):
        for place in self.places:
            if place[0] == name:
                then = max(ts, place[2])
                place[1:] = [place[1] * decay(then - place[2]) + weight * decay(then - ts), then]
                return
        if len(self.places) < AFFINITY_ENTRIES:
            self.places.append([name, weight, ts])
            return
        current = [w * decay(now - as_of) for _, w, as_of in self.places]
        newcomer = weight * decay(now - ts)
        lightest = current.index(min(current))  # the first place of equals
        self.near_tie |= near_tie(newcomer, current[lightest]) or any(near_tie(current[lightest], w) for w in current)
        if newcomer > current[lightest]:
            self.places[lightest] = [name, weight, ts]

    def at(self, now):
        return [[name, weight * decay(now - as_of)] for name, weight, as_of in self.places]


def near_tie(a, b):
    return a != b and abs(a - b) <= NEAR_TIE * max(a, b)


# ---- the profile -------------------------------------------------------------------------------------------------------

class Profile:
    def __init__(self):
        self.stage = "new"
        self.event_ids = collections.deque(maxlen=REMEMBERED_EVENT_IDS)
        self.counts = collections.Counter()
        self.first_seen = self.last_seen = self.last_purchase = None
        self.orders = self.spend = self.refunded = 0
        self.last_order_id = None
        self.clicks, self.carts = [], []  # every ts
        self.categories, self.brands = Affinity(), Affinity()
        self.vector, self.vector_ts = [0.0] * 64, None
        self.cart = []

    def deadline(self):
        """When the stage will change if nothing happens; None for never."""
        if self.stage == "potential":
            return self.last_seen + 7 * DAY_MS
        if self.stage in ("buyer", "returning"):
            return self.last_purchase + 30 * DAY_MS
        return None

    def update(self, event):
        """Everything but the stage."""
        kind, ts = event["type"], event["ts"]
        self.event_ids.append(event["event_id"])
        self.counts[kind] += 1
        self.first_seen = ts if self.first_seen is None else min(self.first_seen, ts)
        self.last_seen = ts if self.last_seen is None else max(self.last_seen, ts)
        if kind in WEIGHTS:
            for item_id, category, brand, _, _ in event["lines"]:
                self.add_interest(item_id, category, brand, WEIGHTS[kind], ts)
        if kind == "click":
            self.clicks.append(ts)
        elif kind == "cart":
            self.carts.append(ts)
            for item_id, *_ in event["lines"]:
                if item_id and item_id not in [carted for carted, _ in self.cart]:
                    self.cart = (self.cart + [[item_id, ts]])[-CART_ENTRIES:]
        elif kind == "purchase":
            self.last_purchase = ts if self.last_purchase is None else max(self.last_purchase, ts)
            order_id = event.get("order_id") or None
            if order_id is None or order_id != self.last_order_id:
                self.orders += 1
            self.last_order_id = order_id
            self.spend = add_lines(self.spend, event["lines"])
        elif kind == "refund":
            self.refunded = add_lines(self.refunded, event["lines"])
        if kind in ("purchase", "cart_remove"):
            gone = [line[0] for line in event["lines"]]
            self.cart = [entry for entry in self.cart if entry[0] not in gone]

    def add_interest(self, item_id, category, brand, weight, ts):
        # Weights are compared at the latest event that had one: at last_seen, a search that says it is the year 9999 would make all of them zero.
        now = ts if self.vector_ts is None else max(ts, self.vector_ts)
        for affinity, name in ((self.categories, category), (self.brands, brand)):
            if name:
                affinity.add(name, weight, ts, now)
        names = [name for name in (item_id, category, brand) if name]
        if not names:
            return
        then = ts if self.vector_ts is None else max(ts, self.vector_ts)
        if self.vector_ts is not None and then > self.vector_ts:
            factor = decay(then - self.vector_ts)
            self.vector = [x * factor for x in self.vector]
        self.vector_ts = then
        weight *= decay(then - ts)
        for name in names:
            self.vector = [x + weight * sign for x, sign in zip(self.vector, signs(name))]

    def next_stage(self, event):
        """The stage that this event, already applied, leads to."""
        kind, since = event["type"], event["ts"] - 7 * DAY_MS
        if kind == "purchase":
            if self.stage in ("new", "potential"):
                return "buyer"
            if self.stage == "lapsed" or self.orders >= 2:
                return "returning"
        if self.stage == "new" and kind in INTEREST_TYPES:
            if sum(ts > since for ts in self.clicks) >= 3 or any(ts > since for ts in self.carts):
                return "potential"
        return self.stage

    def tags(self, clock):
        top = sorted(self.categories.at(self.vector_ts or 0), key=lambda entry: -entry[1])[:3]
        tags = ["cat:" + name for name, _ in top]
        if self.spend >= HIGH_VALUE_MICROS:
            tags.append("high-value")
        if any(added <= clock - HOUR_MS for _, added in self.cart):
            tags.append("cart-abandoner")
        return tags

    def as_json(self, user_id, n, clock):
        last = {} if self.last_purchase is None else {"last_purchase": self.last_purchase}
        factor = 1.0 if self.vector_ts is None else decay(self.last_seen - self.vector_ts)
        return {"user_id": user_id, "n": n, "stage": self.stage, "counts": {kind: self.counts[kind] for kind in TYPES if self.counts[kind]},
                "first_seen": self.first_seen, "last_seen": self.last_seen, **last, "orders": self.orders, "spend_micros": self.spend,
                "refunded_micros": self.refunded, "category_affinity": self.categories.at(self.last_seen),
                "brand_affinity": self.brands.at(self.last_seen), "vector": [x * factor for x in self.vector], "cart": self.cart,
                "tags": self.tags(clock)}


def add_lines(amount, lines):
    return min(amount + sum(micros * quantity for *_, micros, quantity in lines), LARGEST_MICROS)


# ---- the job -----------------------------------------------------------------------------------------------------------

class Model:
    def __init__(self, future_bound_ms=FUTURE_BOUND_MS):
        self.future_bound_ms = future_bound_ms
        self.high = None         # the largest valid ts
        self.profiles = {}       # user_id -> Profile
        self.erased_until = {}   # user_id -> events up to this ts are not taken again
        self.output_counts = collections.Counter()
        self.timers = []         # heap of (deadline, user_id bytes); entries that no longer hold are skipped when they come up
        self.moves = []
        self.dead_letters = []
        self.events = self.duplicates = self.dropped_after_erasure = 0

    @property
    def clock(self):
        return self.high - LATENESS_MS

    def run(self, lines):
        position = 0
        for number, raw in enumerate(lines, 1):
            start, position = position, position + len(raw)
            try:
                event = decode(raw.removesuffix(b"\n").removesuffix(b"\r"), self.future_bound_ms)
            except Rejected as reason:
                self.dead_letters.append({"line": number, "position": start, "reason": str(reason)})
            else:
                self.step(event)
        return self

    def step(self, event):
        user_id = event["user_id"]
        self.events += 1
        self.high = event["ts"] if self.high is None else max(self.high, event["ts"])
        self.fire_timers()
        if event["ts"] <= self.erased_until.get(user_id, -1):
            self.dropped_after_erasure += 1
            return
        profile = self.profiles.get(user_id)
        if event["type"] == "delete":
            self.erase(user_id, event["ts"])
            return
        if profile is not None and event["event_id"] in profile.event_ids:
            self.duplicates += 1
            return
        if profile is None:
            profile = self.profiles[user_id] = Profile()
        profile.update(event)
        to = profile.next_stage(event)
        if to != profile.stage:
            self.move(user_id, profile, to, event["ts"], "event")
        self.arm(user_id, profile)
        self.fire_timers()  # a late event may have armed a deadline that has passed

    def erase(self, user_id, ts):
        """Also what came before a late delete in the log, but has a later ts, must not come back by a redelivery."""
        profile = self.profiles.pop(user_id, None)
        self.erased_until[user_id] = max(ts, profile.last_seen if profile else ts)
        self.emit(user_id, {"type": "erased", "at": ts})

    def arm(self, user_id, profile):
        deadline = profile.deadline()
        if deadline is not None:
            heapq.heappush(self.timers, (deadline, user_id.encode()))

    def fire_timers(self):
        while self.timers and self.timers[0][0] <= self.clock:
            deadline, user_bytes = heapq.heappop(self.timers)
            user_id = user_bytes.decode()
            profile = self.profiles.get(user_id)
            if profile is None or profile.deadline() != deadline:
                continue
            self.move(user_id, profile, "new" if profile.stage == "potential" else "lapsed", deadline, "timer")
            self.arm(user_id, profile)

    def move(self, user_id, profile, to, at, cause):
        self.emit(user_id, {"name": f"{profile.stage}-to-{to}", "from": profile.stage, "to": to, "at": at, "cause": cause,
                            "orders": profile.orders, "spend": decimal(profile.spend)})
        profile.stage = to

    def emit(self, user_id, output):
        self.output_counts[user_id] += 1
        self.moves.append({"user_id": user_id, "n": self.output_counts[user_id], **output})

    def final_profiles(self):
        for user_id in sorted(self.profiles):  # code points sort like UTF-8 bytes
            yield self.profiles[user_id].as_json(user_id, self.output_counts[user_id], self.clock)

    def kinds(self):
        return collections.Counter(move.get("name", "erased") for move in self.moves)


def canonical(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("--out", help="directory for moves.ndjson, dead_letters.ndjson and profiles.ndjson")
    parser.add_argument("--future-bound-ms", type=int, default=FUTURE_BOUND_MS)
    arguments = parser.parse_args()
    model = Model(arguments.future_bound_ms).run(read_lines(arguments.log))
    if arguments.out:
        os.makedirs(arguments.out, exist_ok=True)
        for name, records in (("moves", model.moves), ("dead_letters", model.dead_letters), ("profiles", model.final_profiles())):
            with open(os.path.join(arguments.out, name + ".ndjson"), "w", encoding="utf-8") as stream:
                stream.writelines(map(canonical, records))
    print(f"{model.events} events, {len(model.profiles)} profiles, {len(model.moves)} outputs, {len(model.dead_letters)} dead letters, "
          f"{model.duplicates} duplicates, {model.dropped_after_erasure} dropped after an erasure")
    for name, count in sorted(model.kinds().items()):
        print(f"{count:10} {name}")


if __name__ == "__main__":
    sys.exit(main())
