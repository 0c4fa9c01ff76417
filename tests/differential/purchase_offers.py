"""Seeded random purchase offers for a case folder: lots of the case once more, to be bought on some terms."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

TERMS = ("fixed_cost", "price_per_uom", "min_quantity", "max_quantity", "lot_size", "group")


def write_random_purchases(case: Path, file: Path, seed: int, *, mip: bool) -> Path:
    """2 to 4 offers like lots of the case; mip: with fixed costs, least quantities, multiples, groups."""
    random = Random(seed)
    with (case / "lots.csv").open(encoding="utf-8-sig", newline="") as opened:
        lots = list(csv.DictReader(opened))
    with (case / "orders.csv").open(encoding="utf-8-sig", newline="") as opened:
        premiums = sorted(float(row["premium_per_t"]) for row in csv.DictReader(opened))
    rows = []
    for n in range(random.randint(2, 4) if lots else 0):
        row = dict(random.choice(lots))
        quantity = max(0.01, float(row.pop("quantity") or 0))
        most = round(quantity * random.uniform(0.2, 2.5), 3)
        row |= {"lot": f"{random.choice('BYZ')}-offer-{n}", "scheme": row.get("scheme", "")}
        price = random.choice([0, 0.05, 0.2, 0.5, 1]) * max(1.0, premiums[len(premiums) // 2])
        terms = {"price_per_uom": round(price * random.uniform(0.5, 1.5), 3), "max_quantity": most}
        if mip:
            terms |= _terms(random, most, price)
        rows.append(row | {name: str(value) for name, value in terms.items()})
        rows[-1].pop("origin", None)
    names = [name for name in (rows[0] if rows else {"lot": "", "scheme": ""}) if name not in TERMS]
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, [*names, *TERMS], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


def _terms(random: Random, most: float, price: float) -> dict[str, object]:
    terms: dict[str, object] = {}
    if random.random() < 0.5:
        terms["fixed_cost"] = round(random.uniform(0, 0.4) * most * max(price, 0.5), 2)
    if random.random() < 0.4:
        terms["min_quantity"] = round(most * random.uniform(0.1, 0.8), 2)
    if random.random() < 0.4 and most > 0.1:
        terms["lot_size"] = round(most / random.randint(1, 5) - 0.005, 2)
        terms["min_quantity"] = 0
    if random.random() < 0.5:
        terms["group"] = "one of them"
    return terms
