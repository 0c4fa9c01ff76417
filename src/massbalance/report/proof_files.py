"""proof/: what `massbalance verify` needs to prove the bound without a solver."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from massbalance.domain.grid import decimal_text
from massbalance.formulation.problem import Problem
from massbalance.solving.duals import DUAL_DECIMALS, Dual


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def proof_files(problem: Problem, duals: Sequence[Dual]) -> dict[str, bytes]:
    """File name -> content: which lots and orders are alike, and the prices of every goal."""
    case, pools, terms = problem.case, problem.pools, problem.terms
    lots, orders, offers = case.lots.text("lot"), case.orders.text("order"), case.offers.text("offer")
    ids = problem.recipes.ids
    return {
        "proof/recipes.csv": _csv(
            ("order", "offer", "recipe"),
            (
                (orders[o], "" if k < 0 else offers[k], ids[r])
                for o, k, r in zip(terms.order, terms.offer, problem.recipes.of_term, strict=True)
            ),
        ),
        "proof/pools.csv": _csv(
            ("lot", "pool"),
            ((lots[i], pools.ids[k]) for i, k in enumerate(pools.lot_pool) if k >= 0),
        ),
        "proof/duals.csv": _csv(
            ("goal", "equation", "key", "index", "dual"),
            ((d.goal, d.equation, d.key, d.index, decimal_text(d.value, DUAL_DECIMALS)) for d in duals),
        ),
    }
