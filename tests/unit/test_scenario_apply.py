"""Scenarios in a case: each action changes what it says and nothing else, and the case is checked anew."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import decimal_text
from massbalance.intake.canonical import write_case
from massbalance.intake.read import read_case
from massbalance.scenario.apply import Base, apply, read_base
from massbalance.scenario.edits import EditFault
from massbalance.scenario.parse import scenario_of

DATA = Path(__file__).parents[2] / "data"
Edit = dict[str, Any]


@pytest.fixture(scope="module")
def tutorial() -> Base:
    return read_base(DATA / "tutorial")


@pytest.fixture(scope="module")
def aluminium() -> Base:
    return read_base(DATA / "aluminium")


def under(base: Base, *edits: Edit, **settings: Any) -> Case:
    return apply(base, scenario_of({"edit": list(edits), **settings}, source="s.toml"))


def column(case: Case, table: str, name: str) -> dict[str, str]:
    """Key -> cell, as exact text."""
    of = case.tables[table]
    keys = [str(key) for key in of.text(str(of.rows.columns[0]))]
    if name in of.exact:
        exact = of.exact[name]
        cells = [decimal_text(int(v), exact.decimals) for v in exact.values]
        return {k: c if g else "" for k, c, g in zip(keys, cells, exact.given, strict=True)}
    return dict(zip(keys, [str(cell).removesuffix(" 00:00:00") for cell in of.rows[name]], strict=True))


def refused(base: Base, *edits: Edit) -> list[Fault]:
    with pytest.raises(CaseRefused) as found:
        under(base, *edits)
    return [fault for fault in found.value.faults if fault.severity == "error"]


def changed(base: Base, case: Case) -> set[str]:
    """Tables whose content differs."""
    return {
        name
        for name in base.case.content | case.content
        if base.case.content.get(name) != case.content.get(name)
    }


def test_multiply_is_exact(tutorial: Base) -> None:
    edit = {
        "table": "lots",
        "where": {"lot": "INGOT-1"},
        "multiply": {"intensity_tco2e_per_uom": Decimal("1.000000000001")},
    }
    case = under(tutorial, edit)
    assert column(case, "lots", "intensity_tco2e_per_uom")["INGOT-1"] == "4.000000000004"
    assert changed(tutorial, case) == {"lots"}


def test_add_to_numbers_set_and_shift(tutorial: Base) -> None:
    where = {"category": "low_carbon_ingot"}
    case = under(
        tutorial,
        {"table": "lots", "where": where, "add": {"quantity": Decimal("-0.5")}},
        {
            "table": "lots",
            "where": where,
            "set": {"scheme": "other", "certificate": "", "used": "2026-08-01"},
        },
        {"table": "lots", "where": where, "shift_days": {"received": 21, "expires": -31}},
    )
    assert column(case, "lots", "quantity") == {
        "INGOT-1": "49.5",
        "INGOT-2": "9.5",
        "SAVING-1": "70",
        "SCRAP-1": "60",
    }
    assert column(case, "lots", "received")["INGOT-1"] == "2026-05-01"
    assert column(case, "lots", "expires")["INGOT-2"] == "2026-11-30"
    assert column(case, "lots", "scheme")["INGOT-1"] == "other"
    assert column(case, "lots", "certificate")["INGOT-2"] == ""
    assert column(case, "lots", "used")["INGOT-2"] == "2026-08-01"
    assert column(case, "lots", "scheme")["SCRAP-1"] == "supplier"


def test_edits_act_in_order(tutorial: Base) -> None:
    up = {"table": "lots", "where": {"quantity": {">=": 60}}, "multiply": {"quantity": 10}}
    down = {"table": "lots", "where": {"quantity": {">": 100}}, "set": {"quantity": 1}}
    first, second = under(tutorial, up, down), under(tutorial, up)
    assert column(first, "lots", "quantity")["SCRAP-1"] == "1"
    assert column(second, "lots", "quantity")["SCRAP-1"] == "600"


def test_rows_are_added_and_dropped(tutorial: Base) -> None:
    row = {
        "order": "O9", "customer": "new", "product": "SHEET", "period": "2026Q3", "mass_t": 5,
        "claim": "reduction", "level": 1, "premium_per_t": 3, "firm": True,
    }  # fmt: skip
    case = under(
        tutorial,
        {"table": "orders", "add": [row]},
        {"table": "orders", "where": {"customer": "win*"}, "drop": True},
    )
    assert set(column(case, "orders", "mass_t")) == {"O2", "O3", "O5", "O9"}
    assert case.orders.flag("firm")[case.orders.position["O9"]]


def test_an_order_takes_its_offers_along(aluminium: Base) -> None:
    offers = aluminium.case.offers.text("order")
    assert "A-0022" in offers
    case = under(aluminium, {"table": "orders", "where": {"order": "A-0022"}, "drop": True})
    assert len(case.orders) == len(aluminium.case.orders) - 1
    assert set(case.offers.text("order")) == set(offers) - {"A-0022"}


def test_columns_and_tables_that_the_file_left_out_come_in(tutorial: Base) -> None:
    assert "displaced_tco2e_per_uom" not in tutorial.tables["lots"].header
    assert "offers" not in tutorial.tables
    offer = {"order": "O1", "offer": "half", "claim": "reduction", "level": 3, "premium_per_t": 4}
    case = under(
        tutorial,
        {"table": "lots", "where": {"lot": "INGOT-1"}, "set": {"displaced_tco2e_per_uom": 11}},
        {"table": "offers", "add": [offer]},
    )
    assert column(case, "lots", "displaced_tco2e_per_uom")["INGOT-1"] == "11"
    assert list(case.offers.text("offer")) == ["half"]


@pytest.mark.parametrize(
    ("where", "lots"),
    [
        ({}, {"INGOT-1", "INGOT-2", "SCRAP-1", "SAVING-1"}),
        ({"lot": "INGOT-*"}, {"INGOT-1", "INGOT-2"}),
        ({"lot": "*-1"}, {"INGOT-1", "SCRAP-1", "SAVING-1"}),
        ({"lot": {"=": "INGOT-*"}}, set()),
        ({"lot": ["INGOT-1", "S*G-1"]}, {"INGOT-1", "SAVING-1"}),
        ({"lot": {"!=": ["INGOT-1", "SCRAP-1"]}}, {"INGOT-2", "SAVING-1"}),
        ({"kind": "material", "quantity": {"<": Decimal("50.0")}}, {"INGOT-2"}),
        ({"quantity": {">=": 10, "<=": 50}}, {"INGOT-1", "INGOT-2"}),
        ({"quantity": Decimal("5E+1")}, {"INGOT-1"}),
        ({"received": {">": "2026-04-10"}}, {"INGOT-2", "SAVING-1"}),
        ({"used": ""}, {"SAVING-1"}),
        ({"used": {"<": "2100-01-01"}}, {"INGOT-1", "INGOT-2", "SCRAP-1"}),
        ({"lot": {">": "INGOT-2", "<": "SCRAP-1"}}, {"SAVING-1"}),
        ({"displaced_tco2e_per_uom": ""}, {"INGOT-1", "INGOT-2", "SCRAP-1", "SAVING-1"}),
        ({"intensity_tco2e_per_uom": {"!=": 4}}, {"SCRAP-1", "SAVING-1"}),
    ],
)  # fmt: skip
def test_conditions_find_the_rows_that_meet_them(tutorial: Base, where: Edit, lots: set[str]) -> None:
    edit = {"table": "lots", "where": where, "set": {"certificate": "found"}}
    if not lots:
        assert [fault.code for fault in refused(tutorial, edit)] == ["edit_without_effect"]
        return
    case = under(tutorial, edit)
    assert {lot for lot, cell in column(case, "lots", "certificate").items() if cell == "found"} == lots


def test_an_empty_cell_counts_as_the_default_of_its_column(aluminium: Base) -> None:
    case = under(
        aluminium, {"table": "orders", "where": {"firm": False, "priority": 1}, "set": {"customer": "X"}}
    )
    firm = aluminium.case.orders.flag("firm")
    priority = aluminium.case.orders.floats("priority")
    assert ((case.orders.text("customer") == "X") == (~firm & (priority == 1))).all()
    # t_product_per_t_input and unit_cost have defaults that a factor can act on; `displaced` has none
    more = under(aluminium, {"table": "lots", "add": {"unit_cost": 1}})
    before = aluminium.case.lots.exact["unit_cost"].fraction(0)
    assert more.lots.exact["unit_cost"].fraction(0) == before + 1


def test_full_width_digits_are_read_as_in_a_table(tmp_path: Path, tutorial: Base) -> None:
    write_case(tutorial.case, tmp_path)
    file = tmp_path / "lots.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("2026-04-10", "２０２６-04-10").replace(",60,", ",６０,"), encoding="utf-8")
    base = read_base(tmp_path)
    assert base.case.sha256 == tutorial.case.sha256
    edits = (
        {"table": "lots", "where": {"quantity": 60}, "multiply": {"quantity": 2}},
        {"table": "lots", "where": {"received": "2026-04-10"}, "shift_days": {"received": 1}},
    )
    assert under(base, *edits).sha256 == under(tutorial, *edits).sha256


def test_settings_are_replaced_key_by_key(tutorial: Base) -> None:
    case = under(
        tutorial,
        objective={"order": ["margin", "firm_shortfall"]},
        rules={"residual": "baseline"},
        fiscal_year_start=1,
    )
    assert case.goals == ("margin", "firm_shortfall")
    assert (case.rules.id, case.rules.parameters.residual) == ("jaa-2026", "baseline")
    assert case.settings["issuer"] == tutorial.case.settings["issuer"]
    assert case.settings["fiscal_year_start"] == 1
    assert tutorial.case.goals == ("firm_shortfall", "margin")


def test_a_strategy_takes_the_place_of_the_whole_objective(tutorial: Base) -> None:
    chosen = {"strategy": "concentrate", "products": ["SHEET"]}
    assert under(tutorial, objective=chosen).goals == ("firm_shortfall", "chosen", "margin")
    minimum = {"minimum_service": [{"by": "customer", "group": "windows", "share": Decimal("0.5")}]}
    kept = under(tutorial, objective=minimum)
    assert kept.goals == ("firm_shortfall", "margin")
    assert [str(one.share) for one in kept.objective.minimums] == ["1/2"]


def test_settings_are_checked_as_those_of_a_case(tutorial: Base) -> None:
    with pytest.raises(CaseRefused) as found:
        under(tutorial, objective={"order": ["margn", "firm_shortfall"]}, rules={"residul": "x"})
    assert {fault.column for fault in found.value.faults if fault.severity == "error"} == {
        "objective.order.0", "rules.residul",
    }  # fmt: skip
    assert all(
        isinstance(f, EditFault) and f.scenario == "s.toml"
        for f in found.value.faults
        if f.severity == "error"
    )


def test_faults_of_the_edited_case_name_file_edit_table_and_row(tutorial: Base) -> None:
    found = refused(
        tutorial,
        {"table": "lots", "where": {"lot": "INGOT-2"}, "multiply": {"unit_cost": 2}},
        {"table": "lots", "where": {"lot": "INGOT-2"}, "multiply": {"quantity": -1}},
        {"table": "orders", "add": [{"order": "O1", "customer": "c"}]},
    )
    assert all(isinstance(fault, EditFault) for fault in found)
    told = {(f.table, f.row, f.column): f.edits for f in found if isinstance(f, EditFault)}
    assert told["lots", 3, "quantity"] == (2,)
    assert told["orders", 7, "order"] == (3,)
    assert told["orders", 7, "product"] == (3,)
    assert found[0].text().startswith("error: s.toml, edit 2: lots row 3, column quantity: '-10': ")


def test_a_fault_that_no_edit_touched_names_the_scenario_alone(tutorial: Base) -> None:
    found = refused(tutorial, {"table": "periods", "where": {"period": "2026Q3"}, "drop": True})
    assert {fault.table for fault in found} >= {"orders", "production"}
    assert {fault.edits for fault in found if isinstance(fault, EditFault)} == {()}


def test_an_edit_without_effect_is_a_warning_and_a_scenario_without_any_is_refused(tutorial: Base) -> None:
    idle = {"table": "lots", "where": {"lot": "INGOT-3"}, "multiply": {"quantity": 2}}
    blank = {"table": "lots", "where": {"lot": "SAVING-1"}, "multiply": {"green_share": 2}}
    case = under(tutorial, idle, blank, {"table": "lots", "multiply": {"quantity": 2}})
    found = [fault for fault in case.warnings if fault.code == "edit_without_effect"]
    assert [(f.edits, f.column, f.severity) for f in found if isinstance(f, EditFault)] == [
        ((1,), "", "warning"), ((2,), "green_share", "warning"),
    ]  # fmt: skip
    assert [fault.severity for fault in refused(tutorial, idle)] == ["error"]
    assert [fault.table for fault in refused(tutorial, {"table": "offers", "drop": True})] == ["offers"]


def test_a_date_beyond_the_calendar_is_a_fault(tutorial: Base) -> None:
    far = {"table": "lots", "set": {"expires": "9999-12-31"}}
    found = refused(tutorial, far, {"table": "lots", "shift_days": {"expires": 1}})
    assert {(fault.column, fault.code) for fault in found} == {("expires", "not_a_date")}


def test_the_base_stays_as_it_is(tutorial: Base) -> None:
    before = tutorial.case.sha256
    under(tutorial, {"table": "lots", "drop": True}, objective={"order": ["margin", "firm_shortfall"]})
    assert under(tutorial, {"table": "lots", "multiply": {"quantity": 1}}).sha256 == before


@pytest.mark.parametrize("read", [read_base, read_case])
def test_an_invalid_base_is_refused(tmp_path: Path, tutorial: Base, read: Callable[[Path], object]) -> None:
    write_case(tutorial.case, tmp_path)
    (tmp_path / "orders.csv").unlink()
    with pytest.raises(CaseRefused):
        read(tmp_path)


def test_the_written_case_reads_as_the_edited_one(tmp_path: Path, aluminium: Base) -> None:
    case = under(
        aluminium,
        {"table": "lots", "where": {"kind": "material"}, "multiply": {"quantity": Decimal("0.777")}},
    )
    write_case(case, tmp_path)
    assert read_case(tmp_path).sha256 == case.sha256


def test_a_name_that_is_gone_is_gone_for_references_too(tutorial: Base) -> None:
    # intake takes the distinct words of a column for what the table names
    drop = {"table": "sites", "where": {"site": "works"}, "drop": True}
    assert {fault.table for fault in refused(tutorial, drop)} == {"lots", "products"}
    rename = {"table": "products", "where": {"product": "SHEET"}, "set": {"product": "PLATE"}}
    assert {fault.value for fault in refused(tutorial, rename)} == {"SHEET"}
