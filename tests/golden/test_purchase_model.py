"""P1 to P6: one tiny case for each, in which that equation is what binds (models/PURCHASE.md).

Each sentence derives the optimum by hand; stored rows are in lp_purchase/. One label, four views: page,
function, row name and golden test agree.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from massbalance.purchase.advise import Advice, advise
from massbalance.purchase.equations import EQUATIONS, build_purchase_model
from massbalance.purchase.model import PurchaseModel, build_purchase_arrays
from massbalance.purchase.offers import read_purchases
from massbalance.purchase.sets import LABELS, build_sets
from massbalance.solving.lexicographic import solve
from tests.golden.checks import without_rows
from tests.golden.lp_text import number
from tests.golden.tiny import Tiny, tiny
from tests.golden.tiny_purchases import Offers, write_offers

ROOT = Path(__file__).resolve().parents[2]
STORED = Path(__file__).parent / "lp_purchase"
PAGE = (ROOT / "models" / "PURCHASE.md").read_text(encoding="utf-8")


class Buying:
    """The checks of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def advice(self, case: Tiny, offers: Offers, budget: Fraction | None = None) -> Advice:
        folder = case.write(self.folder / "case")
        found = read_purchases(folder, write_offers(self.folder / "offers.csv", offers))
        self.model = build_purchase_arrays(build_sets(found, budget))
        return advise(found, budget=budget)

    def equation(self, name: str, advice: Advice, net: float, bought: dict[str, float]) -> None:
        """The rows are the stored ones; the plan is that; without the rows it is another one."""
        text = rows_text(self.model, name.partition("_")[2])
        path = STORED / f"{name}.txt"
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text and os.environ.get("MASSBALANCE_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            pytest.fail(f"{path.name} is written anew: look at the difference, then run again")
        assert text == before
        assert {lot: float(q) for lot, q in advice.bought.items()} == pytest.approx(bought, abs=1e-6)
        assert net_margin(advice) == pytest.approx(net, abs=1e-5)
        free = without_rows(self.model.compiled, name.partition("_")[2])
        assert -solve(free).stages[self.model.margin].minimum != pytest.approx(net, abs=1e-3)


def net_margin(advice: Advice) -> float:
    return next(g.plan for g in advice.goals if g.name == "margin") - float(advice.cost)


def rows_text(model: PurchaseModel, equation: str) -> str:
    """The rows of one family; f by its lot, periods and the new columns by name."""
    problem, compiled, offers = model.sets.problem, model.compiled, model.sets.offers
    names = {
        int(c): f"f[{offers[model.sets.group_of.index(g)].lot},{problem.names.periods[t]}]"
        for c, (g, t) in zip(compiled.f, compiled.flows, strict=True)
        if g in model.sets.group_of
    }
    for kind in ("bought", "buy", "count"):
        found = zip(getattr(model, kind), offers, strict=True)
        names |= {int(column): f"{kind}[{offer.lot}]" for column, offer in found if column >= 0}
    matrix, label = compiled.matrix.tocsr(), next(k for k, name in LABELS.items() if name == equation)
    lines, used = [f"\\ {label} {equation}", "subject to"], set()
    for (name, key), row in model.rows.items():
        if name == equation:
            entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
            terms = sorted(zip(matrix.indices[entries].tolist(), matrix.data[entries].tolist(), strict=True))
            body = " + ".join(f"{number(value)} {names[column]}" for column, value in terms)
            sense = "=" if compiled.row_lower[row] == compiled.row_upper[row] else "<="
            what = offers[key].lot if isinstance(key, int) else key
            lines.append(f"  {name}[{what}]: {body} {sense} {number(compiled.row_upper[row])}")
            used |= {column for column, _ in terms if column >= model.bought[0]}
    lines.append("bounds")
    for column in sorted(used):
        kind = ", whole" if compiled.integer[column] else ""
        lines.append(f"  {names[column]} <= {number(compiled.upper[column])}{kind}")
    return "\n".join([*lines, ""])


@pytest.fixture
def buying(tmp_path: Path) -> Buying:
    return Buying(tmp_path)


def test_p1_purchase_supply(buying: Buying) -> None:
    """Nothing is owned. O1 pays 4 per t of metal and O2 1.5, in another quarter; at 2 per t the 10 t of O1
    are bought: 40 - 20 = 20. Were metal not to be bought first, both were served: 55.
    """
    case = tiny(
        quarters=2,
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 4},
            "O2": {"mass_t": 10, "premium_per_t": 1.5, "period": "Q2"},
        },
    )
    advice = buying.advice(case, {"N": {"price_per_uom": 2}})
    buying.equation("P1_purchase_supply", advice, 20, {"N": 10})
    worth = advice.offers[0].worth
    assert worth is not None
    assert (worth.break_even, worth.advised_break_even, worth.bid) == pytest.approx((4, 4, 4), abs=1e-6)


def test_p2_purchase_most(buying: Buying) -> None:
    """NEAR costs 5 once and 1 per t, FAR 3 per t: 20 t at 4 want NEAR, 80 - 5 - 20 = 55; had it not to be
    bought, its 5 would be saved: 60.
    """
    case = tiny(orders={"O": {"mass_t": 20, "premium_per_t": 4}})
    advice = buying.advice(case, {"FAR": {"price_per_uom": 3}, "NEAR": {"fixed_cost": 5}})
    buying.equation("P2_purchase_most", advice, 55, {"NEAR": 20})


def test_p3_purchase_least(buying: Buying) -> None:
    """Only 10 t are wanted at 4 and BULK is sold from 30 t at 1: 40 - 30 = 10, better than SMALL at 3.5: 5.
    Without a least quantity 10 t of it cost 10: 30.
    """
    case = tiny(orders={"O": {"mass_t": 10, "premium_per_t": 4}})
    advice = buying.advice(case, {"BULK": {"min_quantity": 30}, "SMALL": {"price_per_uom": 3.5}})
    buying.equation("P3_purchase_least", advice, 10, {"BULK": 30})
    assert advice.offers[0].unused == pytest.approx(20)


def test_p4_purchase_size(buying: Buying) -> None:
    """20 t at 4; TRUCK is sold by 8 t at 2, REST at 3.5: two trucks (64 - 32) and 4 t (16 - 14) earn 34,
    three trucks 80 - 48 = 32. Sold by the gram, 20 t would earn 40.
    """
    case = tiny(orders={"O": {"mass_t": 20, "premium_per_t": 4}})
    offers = {"REST": {"price_per_uom": 3.5}, "TRUCK": {"price_per_uom": 2, "lot_size": 8}}
    advice = buying.advice(case, offers)
    buying.equation("P4_purchase_size", advice, 34, {"REST": 4, "TRUCK": 16})


def test_p5_purchase_group(buying: Buying) -> None:
    """The same 10 t are on offer for Q1 at 2 or for Q2 at 1. Q1 pays 5, Q2 3.5: 30 or 25, not 55."""
    case = tiny(
        quarters=2,
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 5},
            "O2": {"mass_t": 10, "premium_per_t": 3.5, "period": "Q2"},
        },
    )
    same = {"group": "metal", "max_quantity": 10}
    late = {"received": "2026-07-01", "price_per_uom": 1, **same}
    advice = buying.advice(case, {"EARLY": {"price_per_uom": 2, **same}, "LATE": late})
    buying.equation("P5_purchase_group", advice, 30, {"EARLY": 10})
    early, second = (one.worth for one in advice.offers)
    assert early is not None
    assert second is not None
    assert early.break_even == pytest.approx(2.5, abs=1e-6)  # then LATE's 25 are as good
    assert second.break_even == pytest.approx(0.5, abs=1e-6)  # 35 - 10 p = 30


def test_p6_purchase_budget(buying: Buying) -> None:
    """12 buy 12 t at 1, of the 20 t wanted at 4, and the other metal is dearer: 48 - 12 = 36; with money
    enough 60.
    """
    case = tiny(orders={"O": {"mass_t": 20, "premium_per_t": 4}})
    offers = {"A": {"price_per_uom": 1}, "B": {"price_per_uom": 2}}
    advice = buying.advice(case, offers, Fraction(12))
    buying.equation("P6_purchase_budget", advice, 36, {"A": 12})


# ---- one label, four views -------------------------------------------------------------------------------


def test_page_code_rows_and_tests_have_the_same_labels() -> None:
    written = dict(re.findall(r"^\| (P\d+) \| `(\w+)\[\w+\]` \|", PAGE, re.MULTILINE))
    assert written == LABELS
    tests = re.findall(r"^def test_(p\d+)_(\w+)\(", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)
    assert {label.upper(): name for label, name in tests} == LABELS
    assert {path.stem for path in STORED.glob("*.txt")} == {f"{k}_{v}" for k, v in LABELS.items()}
    for (label, name), add in zip(LABELS.items(), EQUATIONS, strict=True):
        assert add.__name__ == name
        assert (add.__doc__ or "").startswith(f"{label}: ")


FULL: Offers = {
    "A": {"fixed_cost": 3, "min_quantity": 5, "group": "g", "price_per_uom": 2},
    "B": {"lot_size": 7, "group": "g", "received": "2026-07-10"},
    "C": {"price_per_uom": 0.5, "max_quantity": 9, "lot_size": 0.3, "min_quantity": 1},
    "D": {"scheme": "nobody's", "fixed_cost": 1},
    "E": {"expires": "2026-04-02"},
}


@pytest.mark.parametrize("budget", [None, Fraction(30)])
def test_arrays_say_what_pyomo_says(budget: Fraction | None, tmp_path: Path) -> None:
    """Both statements have the same rows by name, and the same optimum of every goal."""
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    case = tiny(
        quarters=2,
        lots={"L": {"quantity": 4, "green_share": 1}},
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 4, "schemes": "own"},
            "O2": {"mass_t": 12, "premium_per_t": 3, "period": "Q2", "schemes": "own", "whole": "true"},
        },
    ).write(tmp_path / "case")
    found = read_purchases(case, write_offers(tmp_path / "offers.csv", FULL))
    sets = build_sets(found, budget)
    arrays = build_purchase_arrays(sets)
    model, _ = build_purchase_model(sets)
    standard = LinearStandardFormCompiler().write(model.case.pyomo, mixed_form=True, set_sense=None)
    ours, theirs = arrays.compiled, standard
    by_name = {}
    for constraint, _ in theirs.rows:
        name = constraint.parent_component().local_name
        by_name[name, model.case.row_keys[name][constraint.index()]] = constraint
    assert set(by_name) == set(ours.rows)
    place = _columns(arrays, model)
    matrix = ours.matrix.tocsr()
    for row, label in enumerate(ours.rows):
        at = theirs.rows.index((by_name[label], next(k for c, k in theirs.rows if c is by_name[label])))
        entries = theirs.A.tocsr()[[at]].tocoo()
        want = {id(theirs.columns[c]): v for c, v in zip(entries.col, entries.data, strict=True) if v}
        got = slice(matrix.indptr[row], matrix.indptr[row + 1])
        assert want == {place[c]: v for c, v in zip(matrix.indices[got], matrix.data[got], strict=True)}
        assert theirs.rhs[at] == ours.row_upper[row]
    for n, costs in enumerate(ours.costs):
        line = theirs.c.tocsr()[[n]].tocoo()
        want = {id(theirs.columns[c]): v for c, v in zip(line.col, line.data, strict=True) if v}
        assert want == {place[c]: costs[c] for c in np.flatnonzero(costs)}
    for column in theirs.columns:
        at = next(c for c, known in place.items() if known == id(column))
        assert (column.lb, column.ub) == (ours.lower[at], ours.upper[at])
        assert (column.is_integer() or column.is_binary()) == ours.integer[at]


def _columns(arrays: PurchaseModel, model: object) -> dict[int, int]:
    """Column -> id of the Pyomo variable."""
    case, compiled, place = model.case, arrays.compiled, {}  # type: ignore[attr-defined]
    for name, columns in (("x", compiled.x), ("y", compiled.y), ("step", compiled.step)):
        place |= {int(c): id(getattr(case, name)[n]) for n, c in enumerate(columns)}
    place |= {int(c): id(case.f[key]) for c, key in zip(compiled.f, compiled.flows, strict=True)}
    place |= {int(c): id(case.take[j]) for j, c in enumerate(compiled.take) if c >= 0}
    for name in ("bought", "buy", "count"):
        columns = getattr(arrays, name)
        place |= {int(c): id(getattr(model, name)[i]) for i, c in enumerate(columns) if c >= 0}
    return place


def test_a_lot_of_the_same_kind_shares_the_pool_but_not_the_group(tmp_path: Path) -> None:
    """What may flow from an offer is its own; an owned lot like it keeps its C1."""
    case = tiny(
        lots={"N0": {"quantity": 4, "green_share": 1, "expires": "2027-12-31"}},
        orders={"O": {"mass_t": 10, "premium_per_t": 4}},
    ).write(tmp_path / "case")
    found = read_purchases(case, write_offers(tmp_path / "offers.csv", {"N1": {}, "N2": {}}))
    model = build_purchase_arrays(build_sets(found))
    pools = model.sets.problem.pools
    assert len(pools.ids) == 1
    assert [len(lots) for lots in pools.group_lots] == [1, 1, 1]
    families = [name for name, _ in model.compiled.rows]
    assert families.count("lot_supply") == 1
    assert families.count("purchase_supply") == 2
    assert replace(found, offers=()).with_bought({}).sha256 == found.base.sha256
