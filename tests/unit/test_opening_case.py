"""Opening balances from a ledger: the derived case, and every reason to refuse one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from massbalance.api import Provenance, run_case
from massbalance.domain.case import Case
from massbalance.domain.effects import Effects, windows
from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from massbalance.ledger.opening import Opened, open_case
from massbalance.ledger.problems import Conflict
from massbalance.ledger.standing import Standing
from massbalance.ledger.state import Period
from tests.e2e.tables import CaseTables, part_of
from tests.unit.standings import EMPTY, moves, posted

TUTORIAL = Path(__file__).parents[2] / "data" / "tutorial"
Change = Callable[[CaseTables], Any]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the first quarter."""
    folder = tmp_path_factory.mktemp("first")
    return run_case(part_of(TUTORIAL, ["2026Q2"]).write_csv(folder / "case"), folder / "run").out


@pytest.fixture(scope="module")
def standing(first: Path) -> Standing:
    """A ledger in which the first quarter is posted."""
    return posted(first)


def opened(standing: Standing, folder: Path, change: Change = lambda _: None) -> Opened:
    """The second quarter, changed, with the ledger's balances."""
    tables = part_of(TUTORIAL, ["2026Q3"])
    change(tables)
    return open_case(read_case(tables.write_csv(folder / "case")), standing)


def refused(standing: Standing, folder: Path, change: Change = lambda _: None) -> list[tuple]:
    """Place and code of every fault; all are told at once."""
    with pytest.raises(Conflict) as told:
        opened(standing, folder, change)
    assert told.value.exit_code == 7
    return [(f.table, f.row, f.column, f.code) for f in told.value.faults]


def drop(*lots: str) -> Change:
    """Leave lots out of the case."""

    def change(tables: CaseTables) -> None:
        tables.rows["lots"] = [row for row in tables.rows["lots"] if row["lot"] not in lots]

    return change


def quantities(case: Case) -> dict[str, int]:
    return dict(zip(case.lots.text("lot"), map(int, case.lots.grid("quantity")), strict=True))


# ---- what comes into the case ----------------------------------------------------------------------------


def test_lots_open_with_what_is_left_of_them(standing: Standing, first: Path, tmp_path: Path) -> None:
    found = opened(standing, tmp_path)
    closing = {lot: move["closing"] for lot, move in moves(first).items()}
    assert quantities(found.case) == {**closing, "INGOT-2": 10_000_000}  # the ledger does not know INGOT-2
    assert found.document == {
        "ledger": standing.ledger,
        "n": standing.n,
        "hash": standing.hash,
        "lots": {lot: closing[lot] for lot in ("INGOT-1", "SAVING-1", "SCRAP-1")},
        "elsewhere": {},
    }


def test_the_derived_tables_are_these(standing: Standing, tmp_path: Path) -> None:
    """Golden: 5 of 50 t are left, 10 of 70 t CO2e and 4 of 60 t; a tonne of metal displaced 12 t CO2e."""
    found = opened(standing, tmp_path)
    assert found.case.content["lots"].decode() == (
        "lot,kind,category,site,received,used,expires,quantity,uom,intensity_tco2e_per_uom,"
        "displaced_tco2e_per_uom,green_share,recycled_pre,recycled_post,scopes,scheme,certificate,evidence,"
        "project,unit_cost,gas\n"
        "INGOT-1,material,low_carbon_ingot,works,2026-04-10,2026-04-12,2026-12-31,5,t,4,12,1,0,0,3,supplier,"
        "C-101,delivery note 101,,40,GHG\n"
        "INGOT-2,material,low_carbon_ingot,works,2026-07-08,2026-07-10,2026-12-31,10,t,4,,1,0,0,3,supplier,"
        "C-102,delivery note 102,,40,GHG\n"
        "SAVING-1,project,furnace,works,2026-04-20,,2027-03-31,10,tCO2e,,,,,,1,own,V-1,verification report 1,"
        "FURNACE,0,GHG\n"
        "SCRAP-1,material,old_scrap,works,2026-04-05,2026-04-06,2026-08-31,4,t,2,12,0,0,1,3,supplier,C-201,"
        "weighing slip 201,,5,GHG\n"
    )


def test_a_lot_that_the_case_does_not_list_comes_with_its_facts(standing: Standing, tmp_path: Path) -> None:
    def change(tables: CaseTables) -> None:
        drop("SAVING-1", "SCRAP-1")(tables)
        tables.rows["projects"] = []
        tables.rows["composition"] = [r for r in tables.rows["composition"] if r["key"] != "old_scrap"]

    full = replace(standing, balances={"SAVING-1": 7, "SCRAP-1": 5})
    found = opened(full, tmp_path, change)
    assert quantities(found.case) == {"INGOT-1": 0, "INGOT-2": 10_000_000, "SAVING-1": 7, "SCRAP-1": 5}
    assert found.document["lots"] == {"INGOT-1": 0, "SAVING-1": 7, "SCRAP-1": 5}
    assert list(found.case.projects.text("project")) == ["FURNACE"]
    lines = found.case.content["composition"].decode().splitlines()
    assert lines[1:] == ["SCRAP-1,Fe,0.6", "base,Fe,0.1", "low_carbon_ingot,Fe,0.1"]


def test_an_empty_lot_that_the_case_does_not_list_stays_away(standing: Standing, tmp_path: Path) -> None:
    empty = replace(standing, balances={})
    assert list(quantities(opened(empty, tmp_path, drop("SCRAP-1")).case)) == [
        "INGOT-1",
        "INGOT-2",
        "SAVING-1",
    ]


def test_a_lot_of_another_site_stays_in_the_ledger(standing: Standing, tmp_path: Path) -> None:
    fact = standing.lots["SAVING-1"]
    far = {**fact, "row": {**fact["row"], "lot": "FAR-1", "site": "far works"}}
    found = opened(
        replace(standing, lots={**standing.lots, "FAR-1": far}, balances={**standing.balances, "FAR-1": 9}),
        tmp_path,
    )
    assert found.document["elsewhere"] == {"FAR-1": 9}
    assert "FAR-1" not in quantities(found.case)


def test_what_a_lot_displaced_is_fixed_when_it_arrives(standing: Standing, tmp_path: Path) -> None:
    """The mean metal of the second quarter is another; a lot of the first keeps its worth."""

    def change(tables: CaseTables) -> None:
        for row in tables.rows["products"]:
            row["metal_tco2e_per_t"] = "9"

    full = replace(standing, balances={**standing.balances, "SCRAP-1": 2_500_000})
    case = opened(full, tmp_path, change).case
    worth = Effects(case).unit_value
    at = case.lots.position
    assert [worth.fraction(at[lot]) for lot in ("SCRAP-1", "INGOT-1", "INGOT-2")] == [10, 8, 5]


def test_a_lot_that_was_worth_nothing_stays_so(standing: Standing, tmp_path: Path) -> None:
    """Where nothing told what it displaced, nothing that is told later makes it worth something."""
    unknown = {**standing.lots["INGOT-1"], "displaced": "", "unit_value": "0"}
    case = opened(replace(standing, lots={**standing.lots, "INGOT-1": unknown}), tmp_path).case
    assert Effects(case).unit_value.fraction(case.lots.position["INGOT-1"]) == 0


def test_an_expired_lot_opens_and_leaves_in_the_first_period(standing: Standing, tmp_path: Path) -> None:
    left = replace(standing, balances={"SCRAP-1": 15_000_000})

    def change(tables: CaseTables) -> None:
        tables.rows["periods"] = [{"period": "2026Q4", "start": "2026-10-01", "end": "2026-12-31"}]
        for table in ("orders", "production"):
            for row in tables.rows[table]:
                row["period"] = "2026Q4"

    found = opened(left, tmp_path, change)
    run = run_case(found.case, tmp_path / "run", provenance=Provenance(opening=found.document)).out
    scrap = moves(run)["SCRAP-1"]
    assert (scrap["opening"], scrap["expired"], scrap["allocated"]) == (15_000_000, 15_000_000, 0)


def test_a_ledger_without_lots_changes_nothing(tmp_path: Path) -> None:
    found = opened(EMPTY, tmp_path)
    assert found.case.sha256 == read_case(tmp_path / "case").sha256
    assert (found.document["lots"], found.document["elsewhere"]) == ({}, {})


def test_how_the_case_was_read_stays_known(standing: Standing, tmp_path: Path) -> None:
    tables = part_of(TUTORIAL, ["2026Q3"])
    case = read_case(tables.write_parquet(tmp_path / "case"))
    assert open_case(case, standing).case.encodings == case.encodings


def test_the_rule_model_of_the_case_is_kept(standing: Standing, tmp_path: Path) -> None:
    folder = part_of(TUTORIAL, ["2026Q3"]).write_csv(tmp_path / "case")
    kept = read_case(folder).rules.source_bytes.replace(b'expiry_months = "unlimited"', b"expiry_months = 12")
    case = open_case(read_case(folder, rule_source=kept), standing).case
    assert case.rules.source_bytes == kept


# ---- why a case is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("category", "low_carbon_ingot"), ("received", "2026-04-04"), ("used", "2026-04-07"),
        ("expires", "2027-08-31"), ("intensity_tco2e_per_uom", "1.9"), ("green_share", "0.5"),
        ("recycled_post", "0.9"), ("scheme", "other"), ("certificate", "C-999"), ("evidence", "another slip"),
        ("gas", "CO2"), ("origin", "heap"),
    ],
)  # fmt: skip
def test_a_fact_of_a_lot_that_the_case_has_otherwise(
    standing: Standing, tmp_path: Path, column: str, value: str
) -> None:
    def change(tables: CaseTables) -> None:
        tables.row("lots", "SCRAP-1")[column] = value

    found = refused(standing, tmp_path, change)
    assert ("lots", 4, column, "A4.2.1") in found


@pytest.mark.parametrize(("quantity", "refusal"), [("0", 0), ("17.5", 0), ("60", 0), ("60.000001", 1)])
def test_the_quantity_of_a_known_lot_may_be_anything_up_to_what_was_received(
    standing: Standing, tmp_path: Path, quantity: str, refusal: int
) -> None:
    """More than that would be another delivery, which the balance does not know."""

    def change(tables: CaseTables) -> None:
        tables.row("lots", "SCRAP-1")["quantity"] = quantity

    if refusal:
        assert refused(standing, tmp_path, change) == [("lots", 4, "quantity", "A4.2.1")]
    else:
        assert quantities(opened(standing, tmp_path, change).case)["SCRAP-1"] == standing.held("SCRAP-1")


def test_all_that_differs_is_told_at_once(standing: Standing, tmp_path: Path) -> None:
    def change(tables: CaseTables) -> None:
        tables.row("lots", "SCRAP-1")["scheme"] = "other"
        tables.row("lots", "INGOT-1")["expires"] = ""
        tables.row("sites", "works")["unit"] = "another"
        tables.row("composition", "old_scrap")["wt_pct"] = "0.2"
        tables.row("projects", "FURNACE")["verified_by"] = "Somebody else"

    found = refused(replace(standing, closed_through=date(2026, 7, 1)), tmp_path, change)
    assert {(table, column) for table, _, column, _ in found} == {
        ("periods", "period"), ("lots", "scheme"), ("lots", "expires"), ("lots", "accounting unit"),
        ("lots", "composition"), ("lots", "projects.verified_by"),
    }  # fmt: skip


def test_a_later_computation_of_a_project_is_no_difference(standing: Standing, tmp_path: Path) -> None:
    def change(tables: CaseTables) -> None:
        tables.add("projects", "FURNACE", computation_start="2026-04-01", computation_end="2026-06-30")

    assert len(opened(standing, tmp_path, change).case.projects) == 2


def test_an_element_that_a_lot_was_recorded_without(standing: Standing, tmp_path: Path) -> None:
    """A category's new row would limit a lot that is not the case's to describe."""

    def change(tables: CaseTables) -> None:
        drop("SCRAP-1")(tables)
        tables.rows["composition"].append({"key": "old_scrap", "element": "Si", "wt_pct": "1"})

    full = replace(standing, balances={"SCRAP-1": 1})
    assert refused(full, tmp_path, change) == [("lots", None, "composition", "A4.2.1")]


def days(start: str, end: str, name: str = "2026Q3") -> Change:
    def change(tables: CaseTables) -> None:
        tables.rows["periods"] = [{"period": name, "start": start, "end": end}]
        for table in ("orders", "production"):
            for row in tables.rows[table]:
                row["period"] = name

    return change


@pytest.mark.parametrize(
    ("known", "closed", "columns"),
    [
        ({"2026Q3": ("2026-07-01", "2026-09-30")}, "", []),
        ({"2026Q3": ("2026-07-01", "2026-09-30")}, "2026-09-30", ["period"]),
        ({"2026Q3": ("2026-07-01", "2026-08-31")}, "", ["start"]),
        ({"2026Q4": ("2026-10-01", "2026-12-31")}, "", ["start"]),
        ({"July": ("2026-07-01", "2026-07-31")}, "", ["start"]),
        ({"August": ("2026-06-01", "2026-08-31"), "2026Q4": ("2026-10-01", "2026-12-31")}, "", ["start"] * 2),
    ],
)
def test_periods_follow_the_ledger(
    standing: Standing, tmp_path: Path, known: dict, closed: str, columns: list[str]
) -> None:
    days = {name: map(date.fromisoformat, pair) for name, pair in known.items()}
    periods = {name: Period(name, *pair) for name, pair in days.items()}
    through = date.fromisoformat(closed) if closed else None
    moved = replace(standing, periods=periods, closed_through=through, posted=frozenset(periods))
    if not columns:
        assert opened(moved, tmp_path).document["n"] == standing.n
        return
    found = refused(moved, tmp_path)
    assert found == [("periods", 2, column, "A5.1.3A") for column in columns]


def test_a_later_period_into_which_lots_were_received_is_not_in_the_way(
    standing: Standing, tmp_path: Path
) -> None:
    later = Period("2026Q4", date(2026, 10, 1), date(2026, 12, 31))
    known = replace(standing, periods={**standing.periods, later.name: later})
    assert opened(known, tmp_path).document["n"] == standing.n


def of_origin(standing: Standing, lot: str, **balances: int) -> Standing:
    """The standing with a lot of the origin `heap`."""
    fact = standing.lots[lot]
    lots = {**standing.lots, lot: {**fact, "row": {**fact["row"], "origin": "heap"}}}
    return replace(standing, lots=lots, balances={**standing.balances, **balances})


def heap(*lots: str) -> Change:
    def change(tables: CaseTables) -> None:
        for lot in lots:
            tables.row("lots", lot)["origin"] = "heap"

    return change


def test_a_new_lot_of_an_origin_that_the_ledger_has_drawn_upon(standing: Standing, tmp_path: Path) -> None:
    used = replace(of_origin(standing, "SCRAP-1"), used={"heap": "some effect was allocated"})
    found = refused(used, tmp_path, heap("SCRAP-1", "INGOT-2"))
    assert found == [("lots", 3, "origin", "A4.2.3")]


def test_a_lot_elsewhere_whose_origin_is_here(standing: Standing, tmp_path: Path) -> None:
    whole = of_origin(standing, "SCRAP-1", **{"SCRAP-1": 60_000_000, "FAR-1": 9})
    fact = whole.lots["SCRAP-1"]
    far = {**fact, "row": {**fact["row"], "lot": "FAR-1", "site": "far works"}, "quantity": 9}
    apart = replace(whole, lots={**whole.lots, "FAR-1": far})
    assert refused(apart, tmp_path, heap("SCRAP-1")) == [("sites", None, "site", "A4.2.3")]
    assert opened(
        replace(apart, balances={**whole.balances, "SCRAP-1": 0}), tmp_path / "gone", drop("SCRAP-1")
    )


def test_lots_of_one_origin_carry_what_each_can_still_give(tmp_path: Path) -> None:
    """Used shares and blocked quantities of both quarters together stay within the whole."""
    tables = part_of(TUTORIAL, ["2026Q2"])
    heap("INGOT-1", "SCRAP-1")(tables)
    run = run_case(tables.write_csv(tmp_path / "first"), tmp_path / "run-1").out
    found = opened(posted(run), tmp_path, heap("INGOT-1", "SCRAP-1"))
    again = run_case(found.case, tmp_path / "run-2", provenance=Provenance(opening=found.document)).out
    size = {"INGOT-1": 50_000_000, "SCRAP-1": 60_000_000}
    used = sum(Fraction(moves(r)[lot]["allocated"], q) for r in (run, again) for lot, q in size.items())
    assert 0 < used <= 1


def test_a_kind_that_the_rules_do_not_take_refuses_the_case(standing: Standing, tmp_path: Path) -> None:
    def change(tables: CaseTables) -> None:
        drop("INGOT-1", "INGOT-2", "SCRAP-1")(tables)
        tables.settings = tables.settings.replace("jaa-2026", "jisf-2.0")

    with pytest.raises(CaseRefused, match="kind"):
        opened(replace(standing, balances={"SCRAP-1": 1}), tmp_path, change)


# ---- period after period ---------------------------------------------------------------------------------


def test_what_is_carried_keeps_its_value(standing: Standing, first: Path, tmp_path: Path) -> None:
    """Held in the first run, in g: floor(unit value x closing); realised in the second: the same."""
    full = replace(standing, balances={**standing.balances, "SCRAP-1": 12_345_678})
    case = opened(full, tmp_path).case
    assert windows(case).received[case.lots.position["SCRAP-1"]] == -1
    worth = Effects(case).unit_value.fraction(case.lots.position["SCRAP-1"])
    assert worth == Fraction(standing.lots["SCRAP-1"]["unit_value"])
