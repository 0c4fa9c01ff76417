"""What an optimum cannot help having, on random cases of every kind.

A case is a seed of the generator of the differential tests, and a list of edits to it; so shrinking
is over seeds and edits.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from massbalance.api import read_case, solve, solve_objectives
from massbalance.domain.faults import CaseRefused
from tests.e2e.tables import CaseTables, Record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "differential"))

from random_cases import write_random_case

Goals = list[tuple[str, float]]

FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TOLERANCE = 1e-6
seeds = st.integers(0, 4000)
places = st.integers(0, 30)


def random_case(seed: int, mip: bool) -> CaseTables:
    """The tables of a seed."""
    with tempfile.TemporaryDirectory() as folder:
        write_random_case(Path(folder), seed, mip=mip)
        return CaseTables(Path(folder))


def goals(case: CaseTables) -> Goals:
    """(name, value) of the goals in order, as the solver gives them."""
    with tempfile.TemporaryDirectory() as folder:
        found = solve_objectives(case.write_csv(Path(folder) / "case"))
    return [(f"{g['name']} {g['priority']}", float(g["value"])) for g in found]  # type: ignore[arg-type]


def files(case: CaseTables) -> dict[str, bytes]:
    """Every table and proof of its run."""
    with tempfile.TemporaryDirectory() as folder:
        return solve(read_case(case.write_csv(Path(folder) / "case"))).files


# --- relaxing a limit -------------------------------------------------------------------------------------

Edit = Callable[[CaseTables, Record], bool]


def more_quantity(case: CaseTables, lot: Record) -> bool:
    case.set("lots", lot, quantity=str(Decimal(lot["quantity"]) * 2 + 10))
    return True


def later_expiry(case: CaseTables, lot: Record) -> bool:
    if not lot.get("expires"):
        return False
    case.set("lots", lot, expires=(date.fromisoformat(lot["expires"]) + timedelta(days=75)).isoformat())
    return True


def no_origin(case: CaseTables, lot: Record) -> bool:
    if not lot.get("origin"):
        return False
    case.set("lots", lot, origin="")
    return True


def any_gas(case: CaseTables, lot: Record) -> bool:
    case.set("lots", lot, gas="CO2")
    return True


def cheaper(case: CaseTables, lot: Record) -> bool:
    case.set("lots", lot, unit_cost=str(Decimal(lot.get("unit_cost") or "0") - 5))
    return True


def greater_share(case: CaseTables, pair: Record) -> bool:
    case.set("alloys", pair, max_share="1")
    return True


def greater_limit(case: CaseTables, limit: Record) -> bool:
    if not limit.get("max_wt_pct"):
        return False
    case.set("alloy_limits", limit, max_wt_pct=str(Decimal(limit["max_wt_pct"]) + Decimal("0.37")))
    return True


def no_limit(case: CaseTables, limit: Record) -> bool:
    case.rows["alloy_limits"].remove(limit)
    return True


def more_energy(case: CaseTables, product: Record) -> bool:
    if not product.get("electricity_mwh_per_t"):
        return False
    more = str(Decimal(product["electricity_mwh_per_t"]) * 2)
    case.set("products", product, electricity_mwh_per_t=more)
    return True


def all_schemes(case: CaseTables, order: Record) -> bool:
    case.set("orders", order, schemes="")
    return True


def no_least_fill(case: CaseTables, order: Record) -> bool:
    case.set("orders", order, min_fill="0")
    return True


def not_whole(case: CaseTables, order: Record) -> bool:
    case.set("orders", order, whole="false")
    return True


def one_more_offer(case: CaseTables, order: Record) -> bool:
    """The order's own claim at an easier level."""
    easier = Decimal("1.3") if order["claim"] == "cfp" else Decimal("0.6")
    case.headers.setdefault("offers", ["order", "offer", "claim", "level", "premium_per_t"])
    case.rows.setdefault("offers", []).append(
        {
            "order": order["order"], "offer": f"more{len(case.rows['offers'])}", "claim": order["claim"],
            "level": str(Decimal(order["level"]) * easier), "premium_per_t": "1",
        }
    )  # fmt: skip
    return True


RELAXATIONS: dict[str, tuple[str, Edit]] = {
    "more quantity": ("lots", more_quantity),
    "later expiry": ("lots", later_expiry),
    "no shared origin": ("lots", no_origin),
    "a gas that fits all": ("lots", any_gas),
    "lower cost": ("lots", cheaper),
    "greater share": ("alloys", greater_share),
    "greater limit": ("alloy_limits", greater_limit),
    "no limit": ("alloy_limits", no_limit),
    "more energy": ("products", more_energy),
    "all schemes": ("orders", all_schemes),
    "no least fill": ("orders", no_least_fill),
    "not whole": ("orders", not_whole),
    "one more offer": ("orders", one_more_offer),
}


@dataclass(frozen=True)
class Step:
    """One edit: which, and of the how-manieth row."""

    what: str
    place: int


steps = st.builds(Step, st.sampled_from(sorted(RELAXATIONS)), places)


def relax(case: CaseTables, step: Step) -> bool:
    """Apply an edit; False where it changes nothing."""
    table, edit = RELAXATIONS[step.what]
    rows = case.rows.get(table, [])
    return bool(rows) and edit(case, rows[step.place % len(rows)])


def lexicographically_worse(before: Goals, after: Goals) -> str:
    """The first goal that differs, where it got worse; empty otherwise."""
    assert [name for name, _ in before] == [name for name, _ in after]
    for (name, old), (_, new) in zip(before, after, strict=True):
        loss = new - old if name.startswith("firm_shortfall") else old - new
        if abs(loss) > TOLERANCE * max(1.0, abs(old)):
            return f"{name}: {old} became {new}" if loss > 0 else ""
    return ""


@FEW
@given(seed=seeds, mip=st.booleans(), edits=st.lists(steps, min_size=1, max_size=4))
def test_relaxing_a_limit_never_worsens_the_goals(seed: int, mip: bool, edits: list[Step]) -> None:
    case = random_case(seed, mip)
    before = goals(case)
    changed = [relax(case, step) for step in edits]
    assume(any(changed))
    try:
        after = goals(case)
    except CaseRefused:
        # what a GHG claim could now be served by may need a factor that the case does not give
        assume(False)
    assert not lexicographically_worse(before, after)


# --- order and scale --------------------------------------------------------------------------------------


@settings(FEW, max_examples=20)
@given(seed=seeds, mip=st.booleans(), shuffle=st.integers(0, 100))
def test_the_order_of_rows_and_columns_changes_no_byte(seed: int, mip: bool, shuffle: int) -> None:
    case = random_case(seed, mip)
    expected = files(case)
    assert files(case.shuffle(shuffle)) == expected


SCALED = (("lots", "quantity"), ("production", "mass_t"), ("orders", "mass_t"))


@settings(FEW, max_examples=30)
@given(seed=seeds, mip=st.booleans(), factor=st.sampled_from([2, 3, 10, 1000]))
def test_all_masses_times_a_factor_is_all_goals_times_it(seed: int, mip: bool, factor: int) -> None:
    case = random_case(seed, mip)
    expected = [(name, value * factor) for name, value in goals(case)]
    for table, column in SCALED:
        for row in case.rows[table]:
            row[column] = f"{Decimal(row[column]) * factor:f}"
    found = goals(case)
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (name, value), (_, scaled) in zip(found, expected, strict=True):
        assert abs(value - scaled) <= TOLERANCE * max(factor, abs(scaled)), name
