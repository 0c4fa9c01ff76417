"""Random `[objective]` settings for a case, every strategy in turn; the same seed gives the same ones."""

from __future__ import annotations

import random
from typing import Any

from massbalance.domain.case import Case
from massbalance.domain.objective import STRATEGIES
from massbalance.intake.objective import with_objective

FREE = ("tonnage", "expiry")
"""Goals that any strategy may have beside its own."""
OWN = {
    "concentrate": ["chosen"],
    "spread": ["common_share"],
    "leximin": ["fair_share"],
    "tonnage": ["tonnage"],
    "least-expiry": ["expiry"],
    "weighted": ["weighted"],
}


def random_objective(case: Case, seed: int, strategy: str) -> dict[str, Any]:
    """Settings of a strategy: mostly its own order of goals, sometimes a blend."""
    draw = random.Random(f"{strategy}-{seed}")
    found: dict[str, Any] = {"strategy": strategy}
    products = sorted({str(p) for p in case.orders.text("product")})
    if strategy == "concentrate":
        some = products or sorted(str(p) for p in case.products.text("product"))
        found["products"] = draw.sample(some, k=draw.randint(1, max(1, len(some) - 1)))
    if strategy == "leximin":
        found["by"] = draw.choice(["customer", "product"])
    if strategy == "weighted":
        weights = {
            "margin": 1,
            "tonnage_t": draw.choice([0, 3, 12.5]),
            "expired_tco2e": draw.choice([0, 2, 0.25]),
        }
        found["weights"] = weights
    if draw.random() < 0.3:
        goals = ["firm_shortfall", "margin", *OWN.get(strategy, [])]
        goals += [goal for goal in FREE if goal not in goals and draw.random() < 0.3]
        draw.shuffle(goals)
        found["order"] = goals
    return found


def with_minimums(case: Case, seed: int, share: float) -> list[dict[str, Any]]:
    """Minimum services of customers and products, none above `share`."""
    draw = random.Random(f"minimum-{seed}")
    kinds = draw.sample(["customer", "product"], k=draw.randint(1, 2))
    found: list[dict[str, Any]] = [{"by": by, "share": round(share * draw.random(), 3)} for by in kinds]
    customers = sorted({str(c) for c in case.orders.text("customer")})
    if customers:
        found.append({"by": "customer", "group": draw.choice(customers), "share": round(share, 3)})
    return found


def under(case: Case, seed: int, strategy: str, share: float = 0.0) -> Case:
    """The case under a random objective; share: of minimum services, 0 for none."""
    assert strategy in STRATEGIES
    settings = random_objective(case, seed, strategy)
    if share:
        settings["minimum_service"] = with_minimums(case, seed, share)
    return with_objective(case, settings)
