"""What plots show is what the books say, to the gram: beside figures by hand and beside the summary."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.pages.ageing import CLASSES, ageing, class_of, months_after
from massbalance.pages.bars import grouped as fewer_steps
from massbalance.pages.bars import products_by_effect, waterfall
from massbalance.pages.flows import OTHERS, Flow, Flows, flows_of, grouped, units
from massbalance.pages.orders import customers, products, short_orders
from massbalance.pages.run import Reported

TONNE = 1_000_000


@pytest.fixture(params=["tutorial", "aluminium", "steel"])
def source(request: pytest.FixtureRequest) -> Reported:
    """Each of the shipped runs."""
    found: Reported = request.getfixturevalue(request.param)
    return found


def grams(value: object) -> int:
    """A decimal of the summary in millionths."""
    return int(Decimal(str(value)) * TONNE)


# ---- flows ---------------------------------------------------------------------------------------------


def test_flows_of_the_tutorial_by_hand(tutorial: Reported) -> None:
    """data/tutorial/README.md, step 4: ingot 8, scrap 10 t CO2e per t, 4 t of scrap expire."""
    found = {(f.source, f.target or f.fate): f.amount for f in flows_of(tutorial).rows}
    assert found == {
        ("low_carbon_ingot", "windows"): 160 * TONNE,
        ("low_carbon_ingot", "car body"): 300 * TONNE,
        ("low_carbon_ingot", "appliances"): 20 * TONNE,
        ("old_scrap", "windows"): 400 * TONNE,
        ("old_scrap", "appliances"): 160 * TONNE,
        ("old_scrap", "expired"): 40 * TONNE,
        ("furnace", "windows"): 40 * TONNE,
        ("furnace", "appliances"): 20 * TONNE,
        ("furnace", "furniture"): 10 * TONNE,
    }


def test_flows_in_tonnes_by_hand(tutorial: Reported) -> None:
    found = Counter[str]()
    for flow in flows_of(tutorial, "t").rows:
        found[flow.target or flow.fate] += flow.amount
    assert found == {
        "windows": 60 * TONNE,
        "car body": 37_500_000,
        "appliances": 18_500_000,
        "expired": 4 * TONNE,
    }


def test_flows_add_up_to_what_the_summary_says(source: Reported) -> None:
    """What came in went to customers, was forgone, expired or is held; retired of origins is what is left."""
    tco2e, fates = source.run.summary["tco2e"], flows_of(source).by_fate()
    assert flows_of(source).total == grams(tco2e["realised"])
    assert fates["customer"] == grams(tco2e["allocated"])
    for fate in ("forgone", "expired", "held"):
        assert fates.get(fate, 0) == grams(tco2e[fate])


def test_flows_of_quantities_add_up_to_the_account(source: Reported) -> None:
    for unit in units(source)[1:]:
        flows, account = flows_of(source, unit), source.run.summary["credits"][unit]
        assert flows.total == grams(account["opening"]) + grams(account["received"])
        fates = flows.by_fate()
        assert fates["customer"] == grams(account["allocated"])
        assert [fates.get(f, 0) for f in ("blocked", "expired", "held")] == [
            grams(account[f]) for f in ("blocked", "expired", "held")
        ]


def test_a_unit_without_lots_is_refused(steel: Reported) -> None:
    with pytest.raises(ValueError, match="no lot is counted in 'MWh'"):
        flows_of(steel, "MWh")


def test_grouping_keeps_every_amount_and_names_how_many() -> None:
    rows = [
        Flow(f"s{i:03d}", ("material", "energy")[i % 2], f"c{j:03d}", "customer", (i * 37 + j * 11) % 101 + 1)
        for i in range(500)
        for j in range(0, 500, 25)
    ]
    rows += [Flow(f"s{i:03d}", ("material", "energy")[i % 2], "", "held", 7) for i in range(500)]
    large = Flows("tCO2e", tuple(rows))
    small = grouped(large, sources=10, targets=6)
    assert small.total == large.total
    assert small.by_fate() == large.by_fate()
    assert len({(f.source, f.kind) for f in small.rows}) == 9 + 2
    assert len({f.target for f in small.rows if f.fate == "customer"}) == 6
    assert sum(n for (_, kind), n in small.members.items() if kind != "customer") == 500 - 9
    assert small.members[OTHERS, "customer"] == 20 - 5
    of_kind = Counter[str]()
    for sign, flows in ((1, large), (-1, small)):
        for flow in flows.rows:
            of_kind[flow.kind] += sign * flow.amount
    assert not any(of_kind.values())


def test_what_fits_is_not_grouped_and_one_alone_is_no_others(tutorial: Reported) -> None:
    flows = flows_of(tutorial)
    assert grouped(flows).members == {}
    assert set(grouped(flows).rows) == set(flows.rows)
    one_too_many = grouped(flows, sources=1)  # three sources, of two kinds
    assert one_too_many.members == {(OTHERS, "material"): 2}
    assert ("furnace", "project") in {(f.source, f.kind) for f in one_too_many.rows}


# ---- waterfall -----------------------------------------------------------------------------------------


def test_waterfall_of_sheet_by_hand(tutorial: Reported) -> None:
    """100 t claimed: 20 of the furnace in scope 1, 320 of ingot and 160 of scrap in scope 3; 16 - 5 = 11."""
    found = waterfall(tutorial, "SHEET")
    assert found.claimed is not None
    assert found.claimed.before == 16
    assert [(s.scope, s.category, s.value) for s in found.claimed.steps] == [
        (1, "furnace", Fraction(1, 5)),
        (3, "low_carbon_ingot", Fraction(16, 5)),
        (3, "old_scrap", Fraction(8, 5)),
    ]
    assert found.claimed.after == 11
    third = waterfall(tutorial, "SHEET", "2026Q3")
    assert third.claimed is None
    assert third.conventional is not None
    assert third.conventional.after == Fraction("15.9")


def test_waterfalls_end_at_what_the_files_say(source: Reported) -> None:
    """By product and period: the residual of residual.csv (rounded up), and the orders' mean footprint."""
    for row in source.run.residual:
        found = waterfall(source, row["product"], row["period"])
        for fall, mass in ((found.claimed, row["claimed_t"]), (found.conventional, row["conventional_t"])):
            assert (fall.mass if fall else 0) == grams(mass)
            if fall:
                assert fall.before - sum((s.value for s in fall.steps), Fraction(0)) == fall.after
        if found.conventional:
            up = -((-found.conventional.after * TONNE) // 1)
            assert min(Fraction(up, TONNE), Fraction(row["cfp_before"])) == Fraction(row["cfp_residual"])


def test_claimed_falls_equal_the_reductions_of_the_allocation(source: Reported) -> None:
    """The files once more, by another way: plain sums over allocation.csv and orders.csv."""
    rows = {o["order"]: o for o in source.run.orders}
    text = source.run.content("allocation.csv").decode("utf-8").splitlines()
    lowered: Counter[tuple[str, int]] = Counter()
    for line in csv.DictReader(text):
        for scope in (1, 2, 3):
            lowered[rows[line["order"]]["product"], scope] += grams(line[f"scope{scope}"])
    claimed: Counter[str] = Counter()
    for order in rows.values():
        claimed[order["product"]] += grams(order["claimed_t"])
    for product in products_by_effect(source):
        fall = waterfall(source, product).claimed
        assert fall is not None
        assert fall.mass == claimed[product]
        for scope in (1, 2, 3):
            mine = sum((s.value for s in fall.steps if s.scope == scope), Fraction(0))
            assert mine == Fraction(lowered[product, scope], claimed[product])


def test_few_steps_make_up_as_much(aluminium: Reported) -> None:
    fall = waterfall(aluminium, "CB-3104").claimed
    assert fall is not None
    few = fewer_steps(fall, 5)
    assert few.after == fall.after
    assert len(few.steps) < len(fall.steps)
    assert sum(s.members or 1 for s in few.steps) == len(fall.steps)


def test_unknown_words_are_told_together_with_the_nearest(tutorial: Reported) -> None:
    with pytest.raises(CaseRefused) as refused:
        waterfall(tutorial, "SHEAT", "2026Q9")
    assert [(f.column, f.value) for f in refused.value.faults] == [("period", "2026Q9"), ("product", "SHEAT")]
    assert "`SHEET`" in refused.value.faults[1].expected


# ---- ageing --------------------------------------------------------------------------------------------


def test_ageing_of_the_tutorial_by_hand(tutorial: Reported) -> None:
    """End of June: 4 t of scrap (40, until August), 5 t of ingot (40, until December), 10 of the project."""
    found = ageing(tutorial)
    assert found.periods == ("2026Q2", "2026Q3")
    assert {name: found.held[name][0] for name in CLASSES if found.held[name][0]} == {
        "m3": 40 * TONNE,
        "m6": 40 * TONNE,
        "m12": 10 * TONNE,
    }
    assert [found.total(i) for i in (0, 1)] == [90 * TONNE, 0]
    assert found.expired == (0, 40 * TONNE)
    assert found.holdings == ()


def test_ageing_ends_at_what_the_summary_says(source: Reported) -> None:
    found, tco2e = ageing(source), source.run.summary["tco2e"]
    assert found.total(len(found.periods) - 1) == grams(tco2e["held"])
    assert sum(found.expired) == grams(tco2e["expired"])
    assert sum(one.amount for one in found.holdings) == grams(tco2e["held"])


def test_ageing_of_the_steel_example_another_way(steel: Reported) -> None:
    """Projects are worth their quantity: at each period's end what account.csv holds, lot by lot."""
    text = steel.run.content("account.csv").decode("utf-8").splitlines()
    closing: Counter[str] = Counter()
    expired: Counter[str] = Counter()
    for row in csv.DictReader(text):
        closing[row["period"]] += grams(row["closing"])
        expired[row["period"]] += grams(row["expired"])
    assert not any(steel.case.lots.text("origin"))
    found = ageing(steel)
    assert [found.total(i) for i in range(len(found.periods))] == [closing[p] for p in found.periods]
    assert list(found.expired) == [expired[p] for p in found.periods]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-06-30", 1, "2026-07-31"),
        ("2026-11-15", 3, "2027-02-15"),
        ("2026-12-31", 12, "2027-12-31"),
        ("9999-06-30", 12, "9999-12-31"),
    ],
)
def test_months_after(day: str, months: int, expected: str) -> None:
    """A month's last day stays one, also where that month is longer."""
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2026-07-31", "m1"),
        ("2026-08-01", "m3"),
        ("2026-09-30", "m3"),
        ("2026-12-31", "m6"),
        ("2027-06-30", "m12"),
        ("2027-07-01", "later"),
        (None, "never"),
    ],
)
def test_classes_of_age_at_the_end_of_june(expires: str | None, expected: str) -> None:
    day = None if expires is None else date.fromisoformat(expires)
    assert class_of(date(2026, 6, 30), day) == expected


# ---- orders --------------------------------------------------------------------------------------------


def test_customers_by_hand(tutorial: Reported) -> None:
    found = {c.key: c for c in customers(tutorial)}
    windows = found["windows"]
    assert (windows.orders, windows.asked, windows.claimed) == (2, 120 * TONNE, 110 * TONNE)
    assert (windows.firm_short, windows.effect, windows.premium) == (0, 600 * TONNE, 2600)
    assert [c.key for c in customers(tutorial)] == ["windows", "car body", "appliances", "furniture"]


def test_sums_equal_the_summary(source: Reported) -> None:
    summary, found = source.run.summary, customers(source)
    assert sum(c.claimed for c in found) == grams(summary["claimed_t"])
    assert sum(c.asked for c in found) == grams(summary["asked_t"])
    assert sum(c.firm_short for c in found) == grams(summary["unmet_firm_t"])
    assert sum(c.effect for c in found) == grams(summary["tco2e"]["allocated"])
    assert sum(p.claimed for p in products(source)) == grams(summary["claimed_t"])
    short = short_orders(source)
    assert sum(s.unmet for s in short) == grams(summary["asked_t"]) - grams(summary["claimed_t"])
    assert [s.firm for s in short] == sorted((s.firm for s in short), reverse=True)
    assert all(s.why for s in short)
