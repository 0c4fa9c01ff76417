"""Scenario files: what they may say, and that every fault of one is told at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from massbalance.domain.faults import CaseRefused, Fault
from massbalance.scenario.edits import Condition, Edit, EditFault, Scenario, fault_of
from massbalance.scenario.parse import read_scenario, scenario_of

LOTS = {"table": "lots", "multiply": {"quantity": 2}}


def faults(document: dict[str, Any]) -> dict[str, Fault]:
    with pytest.raises(CaseRefused) as refused:
        scenario_of(document, source="s.toml")
    assert all(fault.table == "s.toml" and fault.severity == "error" for fault in refused.value.faults)
    return {fault.column: fault for fault in refused.value.faults}


def test_a_file_becomes_plain_exact_data(tmp_path: Path) -> None:
    file = tmp_path / "late.toml"
    file.write_text(
        """
        name = "late"
        description = "two edits"
        fiscal_year_start = 1
        [[edit]]
        table = "lots"
        multiply = { quantity = 0.1000000000000000000000000000001, unit_cost = "1.50" }
        [edit.where]
        category = ["a*", "b"]
        received = { ">=" = 2026-05-01, "<" = 2026-07-01 }
        quantity = { "!=" = 0 }
        [[edit]]
        table = "orders"
        where = { firm = true }
        drop = true
        [rules]
        residual = "baseline"
        """,
        encoding="utf-8",
    )
    found = read_scenario(file)
    first = Edit(
        "lots",
        "multiply",
        (
            Condition("category", (("=", ("a*", "b")),), glob=True),
            Condition("received", ((">=", ("2026-05-01",)), ("<", ("2026-07-01",)))),
            Condition("quantity", (("!=", ("0",)),)),
        ),
        (("quantity", "0.1000000000000000000000000000001"), ("unit_cost", "1.5")),
        number=1,
    )
    second = Edit("orders", "drop", (Condition("firm", (("=", ("true",)),)),), number=2)
    settings = {"fiscal_year_start": 1, "rules": {"residual": "baseline"}}
    assert found == Scenario("late", (first, second), "two edits", settings, "late.toml")
    assert found.label == "late.toml"
    assert hash(first) != hash(second)


def test_rows_are_added_as_a_list_and_numbers_as_a_table() -> None:
    rows = [{"customer": "c", "name": "C"}, {"customer": "d"}]
    found = scenario_of(
        {"edit": [{"table": "customers", "add": rows}, {"table": "lots", "add": {"quantity": -1}}]}
    )
    assert found.edits[0].action == "append"
    assert found.edits[0].rows == ((("customer", "c"), ("name", "C")), (("customer", "d"),))
    assert (found.edits[1].action, found.edits[1].values) == ("add", (("quantity", "-1"),))


def test_every_fault_of_a_file_is_told_at_once_with_the_nearest_name() -> None:
    found = faults(
        {
            "nam": "x",
            "edit": [
                {"table": "lot", "drop": True},
                {
                    "table": "lots",
                    "where": {"categry": "x", "quantity": {"~": 1}},
                    "multiply": {"quantty": 2},
                },
                {"table": "orders", "drop": True, "set": {"firm": "perhaps"}},
                {"table": "orders", "were": {}, "drop": False},
                "drop",
            ],
            "objectiv": {},
        }
    )
    assert set(found) == {
        "nam", "edit 1.table", "edit 2.where.categry", "edit 2.where.quantity.~", "edit 2.multiply.quantty",
        "edit 3", "edit 3.set.firm", "edit 4.were", "edit 4.drop", "edit 5", "objectiv",
    }  # fmt: skip
    assert "`name`" in found["nam"].expected
    assert "`lots`" in found["edit 1.table"].expected
    assert "`category`" in found["edit 2.where.categry"].expected
    assert "`quantity`" in found["edit 2.multiply.quantty"].expected
    assert "`objective`" in found["objectiv"].expected
    assert found["edit 3.set.firm"].expected == "`true` or `false`"


@pytest.mark.parametrize(
    ("edit", "column"),
    [
        ({"table": "lots", "multiply": {"quantity": "nan"}}, "edit 1.multiply.quantity"),
        ({"table": "lots", "multiply": {"quantity": Decimal("Infinity")}}, "edit 1.multiply.quantity"),
        ({"table": "lots", "multiply": {"quantity": Decimal("1e999999")}}, "edit 1.multiply.quantity"),
        ({"table": "lots", "multiply": {"quantity": True}}, "edit 1.multiply.quantity"),
        ({"table": "lots", "multiply": {"site": 2}}, "edit 1.multiply.site"),
        ({"table": "lots", "multiply": {}}, "edit 1.multiply"),
        ({"table": "lots", "add": {"site": 2}}, "edit 1.add.site"),
        ({"table": "lots", "add": []}, "edit 1.add"),
        ({"table": "lots", "add": ["x"]}, "edit 1.add.row 1"),
        ({"table": "customers", "where": {"name": "x"}, "add": [{"customer": "c"}]}, "edit 1.where"),
        ({"table": "lots", "set": {"received": "2026-02-30"}}, "edit 1.set.received"),
        ({"table": "lots", "set": {"kind": "metal"}}, "edit 1.set.kind"),
        ({"table": "lots", "set": {"quantity": "1_000"}}, "edit 1.set.quantity"),
        ({"table": "lots", "shift_days": {"received": Decimal("0.5")}}, "edit 1.shift_days.received"),
        ({"table": "lots", "shift_days": {"quantity": 1}}, "edit 1.shift_days.quantity"),
        ({"table": "lots", "shift_days": {"received": 10**6}}, "edit 1.shift_days.received"),
        ({"table": "lots", "where": [], "drop": True}, "edit 1.where"),
        ({"table": "lots", "where": {"lot": []}, "drop": True}, "edit 1.where.lot"),
        ({"table": "lots", "where": {"lot": {}}, "drop": True}, "edit 1.where.lot"),
        ({"table": "lots", "where": {"kind": {"<": "material"}}, "drop": True}, "edit 1.where.kind.<"),
        ({"table": "lots", "where": {"quantity": "many"}, "drop": True}, "edit 1.where.quantity"),
        ({"table": "lots"}, "edit 1"),
        ({"drop": True}, "edit 1.table"),
        ({"table": ["lots"], "drop": True}, "edit 1.table"),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_its_place_is_a_fault_there(edit: dict[str, Any], column: str) -> None:
    assert set(faults({"edit": [edit]})) == {column}


def test_a_scenario_that_says_nothing_is_refused() -> None:
    assert set(faults({"name": "idle"})) == {"edit"}
    assert set(faults({"edit": {}})) == {"edit"}


@pytest.mark.parametrize("data", [b"name = ", b"\xff\xfe", b"name = 1\nname = 2"])
def test_what_is_no_toml_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(data)
    with pytest.raises(CaseRefused) as refused:
        read_scenario(file)
    assert [(fault.table, fault.code) for fault in refused.value.faults] == [("bad.toml", "file")]


def test_the_key_is_of_what_a_scenario_does_not_of_its_words() -> None:
    one, other = (scenario_of({"name": name, "edit": [LOTS]}, source=name) for name in ("a", "b"))
    assert one.key() == other.key()
    more = {"table": "lots", "multiply": {"quantity": Decimal("2.0")}}
    assert scenario_of({"edit": [more]}).key() == one.key()
    for different in (
        {"edit": [{**LOTS, "where": {"lot": "x*"}}]},
        {"edit": [{**LOTS, "where": {"lot": {"=": "x*"}}}]},
        {"edit": [LOTS, LOTS]},
        {"edit": [LOTS], "rules": {"residual": "baseline"}},
    ):
        assert scenario_of(different).key() != one.key()


def test_a_fault_of_an_edited_case_survives_as_a_document() -> None:
    fault = EditFault("lots", 3, "quantity", "-1", "a number", "out_of_range", "error", "s.toml", (1, 4))
    assert fault_of(fault.as_dict()) == fault
    assert fault.text().startswith("error: s.toml, edit 1, edit 4: lots row 3, column quantity: '-1'")
    plain = Fault("lots", None, "", "", "x", "y")
    assert fault_of(plain.as_dict()) == plain


def test_dates_of_toml_are_dates_and_may_name_periods() -> None:
    found = scenario_of({"edit": [{"table": "periods", "where": {"period": date(2026, 4, 1)}, "drop": True}]})
    assert found.edits[0].where[0].tests == (("=", ("2026-04-01",)),)
