"""A case that is easy to write and hard to solve: whole orders that compete for several lots at once.

Each order needs every category in its own proportions (the claim's level is the sum of what its
alloy allows of each), pays about what it takes, and is taken whole or not at all: a knapsack with
several dimensions.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

Rows = list[list[object]]


def write_hard_case(folder: Path, orders: int = 150, categories: int = 7, seed: int = 1) -> Path:
    """Write the case; branch and bound takes minutes over the default size."""
    rng = Random(seed)
    tables: dict[str, Rows] = {
        "periods": [["period", "start", "end"], ["P1", "2025-01-01", "2025-03-31"]],
        "sites": [["site", "unit"], ["S", "U"]],
        "alloys": [["alloy", "category", "max_share"]],
        "products": [["product", "name", "alloy", "site", "s1", "s2", "s3"]],
        "production": [["product", "period", "mass_t"]],
        "orders": [
            ["order", "customer", "product", "period", "mass_t", "claim", "level", "premium_per_t", "whole"]
        ],
    }
    needed = [0] * categories
    for i in range(orders):
        shares, mass = [rng.randint(10, 900 // categories) for _ in range(categories)], rng.randint(20, 120)
        level = sum(shares) / 1000
        for k, share in enumerate(shares):
            tables["alloys"].append([f"A{i}", f"C{k}", f"{share / 1000:.3f}"])
            needed[k] += share * mass
        tables["products"].append([f"B{i}", f"sheet {i}", f"A{i}", "S", 1, 1, 8])
        tables["production"].append([f"B{i}", "P1", mass])
        premium = f"{100 * level + rng.uniform(0, 10):.2f}"
        tables["orders"].append(
            [f"O{i}", "K", f"B{i}", "P1", mass, "green_share", f"{level:.3f}", premium, "true"]
        )
    tables["lots"] = [["lot", "kind", "category", "site", "received", "quantity", "uom", "green_share"]]
    tables["lots"] += [
        [f"L{k}", "material", f"C{k}", "S", "2025-01-02", grams // 2000, "t", 1]
        for k, grams in enumerate(needed)
    ]
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text('name = "hard"\nrules = "jaa-2026"\n', encoding="utf-8")
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    return folder
