"""The schema is the one source of columns: it agrees with the interface and with what intake accepts."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from massbalance.domain.case import OPTIONAL_TABLES, TABLES
from massbalance.domain.faults import CaseRefused
from massbalance.domain.schema import ROW_MODELS, TABLE_SPECS, UOMS_OF_KIND
from massbalance.intake.read import read_case
from tests.intake_corpus.bad_values import CELLS
from tests.intake_corpus.edits import cell
from tests.intake_corpus.valid import TABLES as VALID
from tests.intake_corpus.valid import valid

REQUIRED = {
    "periods": "period start end",
    "sites": "site unit",
    "lots": "lot kind category site received quantity uom",
    "alloys": "alloy category max_share",
    "composition": "key element wt_pct",
    "alloy_limits": "alloy element",
    "products": "product name alloy site s1 s2 s3",
    "production": "product period mass_t",
    "orders": "order customer product period mass_t claim level premium_per_t",
    "offers": "order offer claim level premium_per_t",
    "projects": "project computation_start computation_end",
    "customers": "customer",
}
DEFAULTS = {
    ("lots", "unit_cost"): "0",
    ("lots", "gas"): "GHG",
    ("products", "gas"): "GHG",
    ("products", "t_product_per_t_input"): "1",
    ("orders", "priority"): "1",
    ("orders", "firm"): "false",
    ("orders", "whole"): "false",
    ("orders", "min_fill"): "0",
}


def test_tables_are_those_of_the_interface() -> None:
    assert tuple(TABLE_SPECS) == TABLES
    assert tuple(name for name, spec in TABLE_SPECS.items() if spec.optional) == OPTIONAL_TABLES


@pytest.mark.parametrize("name", TABLES)
def test_required_columns_come_first_and_are_those_of_the_interface(name: str) -> None:
    columns = TABLE_SPECS[name].columns
    assert {c for c, spec in columns.items() if spec.required} == set(REQUIRED[name].split())
    assert set(TABLE_SPECS[name].key) <= set(REQUIRED[name].split())
    assert list(columns) == VALID[name].split("\n", 1)[0].split(",") or name in (
        "products",
        "lots",
        "customers",
    )


def test_defaults_are_those_of_the_interface() -> None:
    found = {
        (t.name, c.name): c.default for t in TABLE_SPECS.values() for c in t.columns.values() if c.default
    }
    assert found == DEFAULTS


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_is_and_in_which_unit(name: str) -> None:
    for column in TABLE_SPECS[name].columns.values():
        assert column.meaning
        if column.kind in ("number", "whole"):
            assert column.unit
            assert column.high is not None
            assert (column.low is None) != (column.above is None)
        assert bool(column.words) == (column.kind == "word")
        if column.of:
            assert column.of[1] in TABLE_SPECS[column.of[0]].key


def test_every_kind_of_lot_has_its_units() -> None:
    kinds, uoms = TABLE_SPECS["lots"].columns["kind"].words, TABLE_SPECS["lots"].columns["uom"].words
    assert set(UOMS_OF_KIND) == set(kinds)
    assert {uom for some in UOMS_OF_KIND.values() for uom in some} == set(uoms)


def as_row(table: str, text: dict[str, str]) -> dict[str, Any]:
    """A CSV row for the table's pydantic model: empty cells left out."""
    return {column: value for column, value in text.items() if value != ""}


def test_rows_of_the_valid_case_are_rows_of_the_models() -> None:
    for name, rows in valid().tables.items():
        for row in rows:
            model = ROW_MODELS[name].model_validate(as_row(name, row))
            for column, spec in TABLE_SPECS[name].columns.items():
                value = getattr(model, column)
                kinds = {"number": Decimal, "date": date, "flag": bool, "whole": int}
                assert value is None or isinstance(value, kinds.get(spec.kind, str))


ONE_CELL = ("out_of_range", "unknown_word", "not_a_number", "not_whole", "not_a_date")


@pytest.mark.parametrize(("name", "place", "value", "code"), [c[:4] for c in CELLS if c[3] in ONE_CELL])
def test_the_models_refuse_the_same_cells(name: str, place: str, value: str, code: str) -> None:
    """But for what depends on another column (a share's level), on text form, and on fineness."""
    table, row, column = place.split(" ")
    if (
        name in ("share_level_above_1", "too_fine", "quantity_long")
        or TABLE_SPECS[table].columns[column].kind == "scopes"
    ):
        return
    text = {**valid().tables[table][int(row) - 2], column: value}
    with pytest.raises(ValidationError):
        ROW_MODELS[table].model_validate(as_row(table, text))


EDGES = [
    (table.name, column.name, word, good)
    for table in TABLE_SPECS.values()
    for column in table.columns.values()
    if column.kind in ("number", "whole")
    for limit, inside in ((column.low, True), (column.high, True), (column.above, False))
    if limit is not None
    for word, good in (
        (str(limit), inside),
        (str(limit + (1 if limit == column.high else -1)), False),
    )
]


@pytest.mark.parametrize(("table", "column", "word", "good"), EDGES)
def test_ranges_hold_at_both_ends(table: str, column: str, word: str, good: bool, tmp_path: Path) -> None:
    """The model and intake agree on the first and last value of every range, and on those beyond."""
    files = valid()
    cell(f"{table} 2 {column}", word)(files)
    row = as_row(table, files.tables[table][0])
    if good:
        ROW_MODELS[table].model_validate(row)
    else:
        with pytest.raises(ValidationError):
            ROW_MODELS[table].model_validate(row)
    try:
        read_case(files.write(tmp_path / "case"))
        codes: set[tuple[str, str]] = set()
    except CaseRefused as refused:
        codes = {(f.column, f.expected) for f in refused.faults if f.severity == "error"}
    spec = TABLE_SPECS[table].columns[column]
    assert ((column, spec.range_text) in codes) == (not good)
