"""Purchase offers for tiny cases, from a few words."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.golden.tiny import EVERY_LOT, LOT_DEFAULTS

Offers = dict[str, dict[str, object]]


def write_offers(path: Path, offers: Offers) -> Path:
    """Purchase offers of green metal unless told otherwise: at 1 per t, at most 100 t."""
    defaults = {"green_share": 1, "price_per_uom": 1, "max_quantity": 100, "expires": "2027-12-31"}
    rows = [
        {"lot": lot, "kind": "material", **LOT_DEFAULTS["material"], **EVERY_LOT, **defaults, **given}
        for lot, given in offers.items()
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
