"""Seeded terms to ask of a random case."""

from __future__ import annotations

import random

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.quote.ask import read_ask


def drawn_terms(case: Case, seed: int) -> dict[str, str]:
    """Terms like those of some order, now and then on another product, in another period, or too much."""
    draw = random.Random(f"quote/{seed}")
    orders = case.orders.rows
    while True:
        like = orders.iloc[draw.randrange(len(orders))] if len(orders) else None
        product = draw.choice(list(case.products.text("product")))
        claim, level = draw.choice([("green_share", "0.3"), ("cfp", "6"), ("reduction", "0.5")])
        if like is not None and draw.random() < 0.8:
            claim, level = str(like["claim"]), f"{float(like['level']):g}"
            product = str(like["product"]) if draw.random() < 0.7 else product
        terms = {
            "product": product,
            "period": draw.choice(list(case.periods.text("period"))),
            "mass_t": str(draw.choice([0.5, 3, 12.25, 40, 150, 1000])),
            "claim": claim,
            "level": level,
            "schemes": draw.choice(["", "", "ASI", "ASI;ISCC"]),
        }
        try:
            read_ask(case, **terms)
        except CaseRefused:
            continue
        return terms
