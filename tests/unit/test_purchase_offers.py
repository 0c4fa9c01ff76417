"""Purchase offers are read as strictly as a case: all faults of both at once, each where it stands."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.purchase.offers import Purchases, read_purchases
from tests.golden.tiny import Tiny, tiny
from tests.golden.tiny_purchases import Offers, write_offers

CASE = tiny(
    lots={"L": {"quantity": 4, "green_share": 1, "origin": "metal"}},
    orders={"O": {"mass_t": 10, "premium_per_t": 4}},
)


def read(folder: Path, offers: Offers, case: Tiny = CASE) -> Purchases:
    return read_purchases(case.write(folder / "case"), write_offers(folder / "offers.csv", offers))


def faults(folder: Path, offers: Offers, case: Tiny = CASE) -> set[tuple[str, int | None, str, str]]:
    """(table, row, column, code) of every error."""
    with pytest.raises(CaseRefused) as refused:
        read(folder, offers, case)
    return {(f.table, f.row, f.column, f.code) for f in refused.value.faults if f.severity == "error"}


def test_an_offer_is_a_lot_with_terms(tmp_path: Path) -> None:
    """Quantities and money as written; what the file leaves out has the defaults of the page."""
    found = read(tmp_path, {"N": {"max_quantity": "7.5", "price_per_uom": "1.25"}, "A": {"lot_size": 3}})
    a, n = found.offers
    assert (a.lot, a.size, n.size) == ("A", 3, None)
    assert (n.fixed, n.price, n.least, n.most, n.group) == (0, Fraction(5, 4), 0, Fraction(15, 2), "")
    assert list(found.case.lots.text("lot")) == ["A", "L", "N"]
    assert list(found.base.lots.text("lot")) == ["L"]


@pytest.mark.parametrize(
    ("offer", "column", "code"),
    [
        ({"price_per_uom": ""}, "price_per_uom", "empty_cell"),
        ({"price_per_uom": -1}, "price_per_uom", "out_of_range"),
        ({"fixed_cost": "nan"}, "fixed_cost", "not_a_number"),
        ({"max_quantity": ""}, "max_quantity", "empty_cell"),
        ({"max_quantity": "1_000"}, "max_quantity", "not_a_number"),
        ({"max_quantity": 2 * 10**9}, "max_quantity", "out_of_range"),
        ({"min_quantity": 101}, "min_quantity", "limits_in_order"),
        ({"min_quantity": "0.0000005"}, "min_quantity", "out_of_range"),
        ({"lot_size": 0}, "lot_size", "out_of_range"),
        ({"lot_size": 101}, "lot_size", "out_of_range"),
        ({"min_quantity": 61, "lot_size": 60}, "lot_size", "out_of_range"),
        ({"site": "nowhere"}, "site", "unknown_reference"),
        ({"kind": "metal"}, "kind", "unknown_word"),
        ({"received": "2026-02-30"}, "received", "not_a_date"),
        ({"expires": "2026-03-31"}, "expires", "A5.1.3B, A5.2.3"),
        ({"origin": "metal"}, "origin", "ambiguous_name"),
    ],
)
def test_a_fault_is_told_where_it_stands(
    offer: dict[str, object], column: str, code: str, tmp_path: Path
) -> None:
    found = faults(tmp_path, {"GOOD": {}, "BAD": offer})
    assert {(table, row, name) for table, row, name, _ in found} == {("purchases", 3, column)}
    assert {one[3] for one in found} == {code}


def test_all_faults_of_case_and_offers_come_at_once(tmp_path: Path) -> None:
    case = CASE.but(orders={"O": {"level": 2}})
    found = faults(tmp_path, {"N": {"site": "nowhere", "price_per_uom": "x"}, "L": {}}, case)
    assert {(table, row, column) for table, row, column, _ in found} == {
        ("orders", 2, "level"),
        ("purchases", 2, "site"),
        ("purchases", 2, "price_per_uom"),
        ("purchases", 3, "lot"),  # the case has a lot L
    }


def test_a_key_used_twice_names_the_other_row_of_the_offers(tmp_path: Path) -> None:
    file = write_offers(tmp_path / "offers.csv", {"N": {}})
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(CaseRefused) as refused:
        read_purchases(CASE.write(tmp_path / "case"), file)
    (fault,) = [f for f in refused.value.faults if f.severity == "error"]
    assert (fault.table, fault.row, fault.code) == ("purchases", 3, "duplicate_key")
    assert "row 2 of purchases" in fault.expected


@pytest.mark.parametrize(
    ("header", "column", "code", "words"),
    [
        ("max_quantity:max_quantty", "max_quantty", "unknown_column", "nearest: `max_quantity`"),
        ("max_quantity:quantity", "quantity", "unknown_column", "min_quantity"),
        ("site:sit", "site", "missing_column", "`site`"),
        ("site:lot", "lot", "duplicate_column", "once"),
    ],
)
def test_headers_are_checked(header: str, column: str, code: str, words: str, tmp_path: Path) -> None:
    file = write_offers(tmp_path / "offers.csv", {"N": {}})
    before, after = header.split(":")
    file.write_text(file.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(CaseRefused) as refused:
        read_purchases(CASE.write(tmp_path / "case"), file)
    told = [f for f in refused.value.faults if f.column == column and f.code == code]
    assert len(told) == 1
    assert words in told[0].expected


def test_a_lots_table_that_lacks_a_column_is_told_of_once(tmp_path: Path) -> None:
    """The offers' own column does not stand in for it."""
    folder = CASE.write(tmp_path / "case")
    lots = folder / "lots.csv"
    lots.write_text(lots.read_text(encoding="utf-8").replace("site", "origin_note", 1), encoding="utf-8")
    with pytest.raises(CaseRefused) as refused:
        read_purchases(folder, write_offers(tmp_path / "offers.csv", {"N": {}}))
    assert {(f.table, f.row, f.column, f.code) for f in refused.value.faults if f.severity == "error"} == {
        ("lots", 1, "origin_note", "unknown_column"),
        ("lots", None, "site", "missing_column"),
    }


def test_parquet_and_workbook_say_the_same(tmp_path: Path) -> None:
    folder = CASE.write(tmp_path / "case")
    file = write_offers(tmp_path / "offers.csv", {"N": {"lot_size": 3}, "M": {"group": "g"}})
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    frame.to_parquet(tmp_path / "offers.parquet")
    frame.to_excel(tmp_path / "offers.xlsx", sheet_name="purchases", index=False)
    found = [read_purchases(folder, tmp_path / f"offers.{kind}") for kind in ("csv", "parquet", "xlsx")]
    assert found[0].offers == found[1].offers == found[2].offers
    assert len({one.case.sha256 for one in found}) == 1


@pytest.mark.parametrize("name", ["offers.txt", "offers.xlsx"])
def test_a_file_of_another_kind_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(CaseRefused) as refused:
        read_purchases(CASE.write(tmp_path / "case"), tmp_path / name)
    assert {f.code for f in refused.value.faults if f.severity == "error"} == {"file"}


def test_offers_take_what_the_case_says_of_their_category_and_unit(tmp_path: Path) -> None:
    """Composition by category, and what is displaced by the case's formula: 12, its products' metal."""
    case = CASE.but(composition={("ingot", "Fe"): 0.3, ("base", "Fe"): 0.1}, alloy_limits={("A", "Fe"): 0.4})
    found = read(tmp_path, {"N": {"intensity_tco2e_per_uom": 4}}, case)
    from massbalance.domain.effects import Effects

    at = found.offers[0].position
    assert Effects(found.case).displaced.fraction(at) == 12
    assert not [w for w in found.case.warnings if w.table == "purchases" and w.code == "no_composition"]


def test_warnings_about_offers_name_the_offers(tmp_path: Path) -> None:
    found = read(tmp_path, {"N": {"expires": "2026-04-02"}})
    assert ("purchases", 2, "lot_without_use") in {(w.table, w.row, w.code) for w in found.case.warnings}
