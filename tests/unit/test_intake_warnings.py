"""Warnings: what lets a case run and yet ought to be known, each where it is."""

from pathlib import Path

import numpy as np
import pytest

from massbalance.domain.case import Case
from massbalance.domain.effects import CARRIER_OF_UOM, Effects, windows
from massbalance.domain.faults import Fault
from massbalance.intake import usable
from massbalance.intake.read import read_case
from massbalance.intake.warnings import ONE_BY_ONE
from tests.intake_corpus.edits import Edit, again, cell, cells, every, only, rules_section, setting, without
from tests.intake_corpus.valid import steel, valid

DATA = Path(__file__).parents[2] / "data"


def warnings(folder: Path, *edits: Edit, base=valid) -> list[Fault]:
    files = base()
    every(*edits)(files)
    return list(read_case(files.write(folder)).warnings)


def places(folder: Path, *edits: Edit, base=valid) -> list[tuple[str, int | None, str, str]]:
    return [(w.table, w.row, w.column, w.code) for w in warnings(folder, *edits, base=base)]


def test_a_complete_case_has_none(tmp_path: Path) -> None:
    assert warnings(tmp_path) == []


# ---- evidence ------------------------------------------------------------------------------------

EVIDENCE = [
    ([cell("lots 2 used", "")], ("lots", 2, "used", "A5.1.2A"), "1 of 5 rows"),
    ([cell("lots 2 intensity_tco2e_per_uom", "")], ("lots", 2, "intensity_tco2e_per_uom", "A5.1.2B"), "`L1`"),
    (
        [cells("lots 3", scheme="", certificate="", evidence="")],
        ("lots", 3, "evidence", "A5.1.2B"),
        "certificate",
    ),
    (
        [cells("lots 5", scheme="", certificate="", evidence="")],
        ("lots", 5, "evidence", "A5.2.2B"),
        "certificate",
    ),
    ([cell("products 3 verified_by", "")], ("products", 3, "verified_by", "A3.3"), "1 of 2 rows"),
    ([cell("products 2 verified_on", "")], ("products", 2, "verified_on", "A3.3"), "1 of 2 rows"),
    ([cell("products 2 source", "")], ("products", 2, "source", "A3.1"), "`SHEET`"),
    ([cell("products 2 data_year", "")], ("products", 2, "data_year", "A3.2"), "`SHEET`"),
    ([cell("projects 2 baseline_method", "")], ("projects", 2, "baseline_method", "A5.2.1"), "`BURN`"),
    ([cell("projects 2 verified_on", "")], ("projects", 2, "verified_on", "A5.2.2B"), "`BURN`"),
    ([cell("projects 2 start", "")], ("projects", 2, "start", "A5.2.3"), "`BURN`"),
    ([without("projects")], ("lots", 5, "project", "A5.2.2B"), "1 lots have none"),
    ([cell("lots 5 project", "")], ("lots", 5, "project", "A5.2.2B"), "`L4`"),
    ([cell("sites 3 scope_statement", "")], ("sites", 3, "scope_statement", "A5.1.2A"), "`south`"),
    ([cells("sites 3", organisation="Mill", relation="")], ("sites", 3, "relation", "A1.1"), "`south`"),
    ([cell("sites 3 organisation", "")], ("sites", 3, "organisation", "A1.1"), "`south`"),
    (
        [cells("lots 3", recycled_pre="", recycled_post="")],
        ("lots", 3, "recycled_pre, recycled_post", "A1.2"),
        "",
    ),
    ([cell("customers 2 address", "")], ("customers", None, "address", "A6.1"), "1 of 3"),
    (
        [without("customers")],
        ("customers", None, "name, address, contact", "A6.1"),
        "3 of 3, first for `cans`",
    ),
    (
        [only("customers", lambda row: row["customer"] != "cars")],
        ("customers", None, "name, address, contact", "A6.1"),
        "`cars`",
    ),
    ([setting('contact = "books@maker.example"\n', "")], ("case", None, "issuer.contact", "A6.1"), "contact"),
    (
        [setting('level = "third-party validation"\n', "")],
        ("case", None, "assurance.0.level", "A6.2"),
        "level",
    ),
]


@pytest.mark.parametrize(("edits", "place", "says"), EVIDENCE)
def test_missing_evidence_cites_its_clause(
    edits: list[Edit], place: object, says: str, tmp_path: Path
) -> None:
    found = {(w.table, w.row, w.column, w.code): w for w in warnings(tmp_path, *edits)}
    assert place in found
    assert says in found[place].expected
    assert found[place].severity == "warning"


def test_evidence_is_one_warning_per_clause_and_table(tmp_path: Path) -> None:
    found = warnings(
        tmp_path, *(cells(f"products {row}", verified_by="", verified_on="", source="") for row in (2, 3))
    )
    assert [(w.table, w.column, w.code) for w in found] == [
        ("products", "source", "A3.1"),
        ("products", "source", "A3.2"),
        ("products", "verified_by, verified_on", "A3.3"),
    ]
    assert "2 of 2 rows, first in `BAR`" in found[0].expected


def test_no_settings_are_missing_evidence(tmp_path: Path) -> None:
    files = valid()
    files.settings = 'rules = "jaa-2026"'
    found = {(w.column, w.code) for w in read_case(files.write(tmp_path)).warnings}
    assert found == {("issuer.name", "A6.1"), ("assurance", "A3.3"), ("assurance", "A6.2")}


def test_steel_cites_its_own_clauses(tmp_path: Path) -> None:
    found = places(tmp_path, cells("projects 2", additional="", verified_by=""), base=steel)
    assert ("projects", 2, "additional, verified_by", "J4.2.1") in found
    assert ("projects", 2, "verified_by", "J4.5") in found
    assert not any(code.startswith("A") for *_, code in found)


def test_recycled_content_is_asked_where_it_is_claimed(tmp_path: Path) -> None:
    edits = [cells("lots 3", recycled_pre="", recycled_post=""), cells("orders 5", claim="green_share")]
    assert "A1.2" not in {code for *_, code in places(tmp_path, *edits)}


# ---- lots ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "says"), [((), "they do not expire"), (("expiry_months = 18",), "18 months from receipt")]
)
def test_an_empty_expiry(section: tuple[str, ...], says: str, tmp_path: Path) -> None:
    found = warnings(tmp_path, rules_section(*section), cell("lots 3 expires", ""))
    assert [(w.table, w.row, w.column, w.value, w.code) for w in found] == [
        ("lots", 3, "expires", "L2", "A5.1.3B, A5.2.3")
    ]
    assert says in found[0].expected


def test_many_rows_are_one_warning_with_their_number(tmp_path: Path) -> None:
    more = [again("lots 2", lot=f"X{i:02}", expires="") for i in range(ONE_BY_ONE + 1)]
    found = [w for w in warnings(tmp_path, *more) if w.column == "expires"]
    assert [(w.row, w.value) for w in found] == [(7, "X00")]
    assert f"{ONE_BY_ONE + 1} of {ONE_BY_ONE + 6} rows" in found[0].expected


def test_used_before_receipt(tmp_path: Path) -> None:
    assert places(tmp_path, cell("lots 2 used", "2026-04-09")) == [("lots", 2, "used", "A5.1.2A")]


def test_a_unit_of_two_organisations(tmp_path: Path) -> None:
    edits = [cells("sites 3", organisation="Mill"), cells("lots 5", site="north")]
    assert ("sites", 3, "unit", "A4.2.2") in places(tmp_path, *edits)


REASONS = [
    ([cells("lots 2", category="slag")], usable.REASONS[0]),
    ([cells("lots 6", category="coke"), cell("products 2 heat_gj_per_t", "")], usable.REASONS[0]),
    ([cells("sites 3", unit="U2"), cells("lots 6", site="south")], usable.REASONS[1]),
    ([cells("lots 3", received="2026-07-01", used="2026-07-01", expires="2026-09-29")], usable.NO_PERIOD),
    ([cells("lots 4", received="2026-07-01", used="2026-07-01")], None),
    ([cells("lots 6", received="2026-07-01", used="2026-07-01")], usable.REASONS[2]),
    ([cells("lots 2", received="2026-10-01", used="2026-10-01")], usable.TOO_LATE),
    ([cells("lots 2", received="2025-04-01", used="2025-04-01", expires="2026-06-29")], usable.TOO_EARLY),
    (
        [cells("orders 3", schemes="X"), cells("orders 2", schemes="X"), cells("lots 6", scheme="Y")],
        usable.REASONS[3],
    ),
    ([cells("products 2", gas="CO2")], usable.REASONS[4]),
    ([cells("lots 2", green_share="", intensity_tco2e_per_uom="16")], usable.REASONS[5]),
]


@pytest.mark.parametrize(("edits", "reason"), REASONS)
def test_a_lot_that_no_order_can_use_says_why(edits: list[Edit], reason: str | None, tmp_path: Path) -> None:
    found = [w.expected for w in warnings(tmp_path, *edits) if w.code == "lot_without_use"]
    assert found == ([] if reason is None else [reason])


def test_lots_without_any_order_are_one_warning(tmp_path: Path) -> None:
    edits = [only("orders", lambda _: False), only("offers", lambda _: False)]
    found = warnings(tmp_path, *edits)
    assert [(w.table, w.row, w.code) for w in found] == [("orders", None, "lot_without_use")]


def serves(case: Case) -> set[int]:
    """Lots that some order can use, by the rules of "may serve" taken literally, pair by pair."""
    effects, window = Effects(case), windows(case)
    claims: dict[str, set[str]] = {
        o: {c} for o, c in zip(case.orders.text("order"), case.orders.text("claim"), strict=True)
    }
    for order, claim in zip(case.offers.text("order"), case.offers.text("claim"), strict=True):
        claims[order].add(claim)
    pairs = {
        (a, c)
        for a, c, s in zip(
            case.alloys.text("alloy"),
            case.alloys.text("category"),
            case.alloys.floats("max_share"),
            strict=True,
        )
        if s > 0
    }
    lots, products, orders = case.lots.rows, case.products.rows, case.orders.rows
    found = set()
    for i in range(len(lots)):
        lot = lots.iloc[i]
        for j in range(len(orders)):
            order = orders.iloc[j]
            p, t = case.products.position[order["product"]], case.periods.position[order["period"]]
            product = products.iloc[p]
            area = effects.boundaries.of_products(case.rules.boundary(lot["kind"]))[p]
            carrier = CARRIER_OF_UOM.get(lot["uom"], "")
            uses = {"electricity": product["electricity_mwh_per_t"], "heat": product["heat_gj_per_t"], "": 1}[
                carrier
            ]
            gain = effects.reduction(np.array([i]), np.array([p])).values[0] > 0
            shares = {
                "green_share": lot["green_share"],
                "recycled_share": np.nansum([lot["recycled_pre"], lot["recycled_post"]]),
                "post_consumer_share": lot["recycled_post"],
            }
            adds = any(
                gain if claim in ("cfp", "reduction") else lot["kind"] == "material" and shares[claim] > 0
                for claim in claims[order["order"]]
            )
            if (
                window.first[i] <= t <= window.last[i]
                and area == effects.boundaries.lot[i]
                and (not order["schemes"] or lot["scheme"] in order["schemes"].split(";"))
                and (lot["gas"] == "CO2" or product["gas"] == "GHG")
                and (lot["kind"] != "material" or (product["alloy"], lot["category"]) in pairs)
                and uses > 0
                and adds
            ):
                found.add(i)
                break
    return found


def test_lots_without_use_are_those_that_no_pair_admits() -> None:
    for name in ("tutorial", "aluminium"):
        case = read_case(DATA / name)
        named = {w.value for w in case.warnings if w.code == "lot_without_use"}
        assert named == set(case.lots.text("lot")) - {case.lots.text("lot")[i] for i in serves(case)}


# ---- displaced values ------------------------------------------------------------------------------


def test_a_product_without_metal_where_only_a_share_is_claimed(tmp_path: Path) -> None:
    edits = [
        cell("products 3 metal_tco2e_per_t", ""),
        cells("orders 4", claim="green_share", level="0.5"),
    ]
    found = places(tmp_path, *edits)
    assert ("products", 3, "metal_tco2e_per_t", "A5.1.2B") in found
    assert len(found) == 1


def test_a_product_without_metal_that_no_lot_can_serve(tmp_path: Path) -> None:
    """Neither an error nor a warning: no lot of its boundary is feasible for it."""
    edits = [
        cell("products 3 metal_tco2e_per_t", ""),
        only("alloys", lambda row: row["alloy"] != "6063"),
        again("alloys 2", alloy="6063", category="none"),
    ]
    assert not [place for place in places(tmp_path, *edits) if place[2] == "metal_tco2e_per_t"]


def test_a_lot_whose_displaced_value_nothing_tells(tmp_path: Path) -> None:
    """The unit of its site makes no product with metal, so it reduces nothing, and no product needs it."""
    edits = [
        cells("sites 3", unit="U2", electricity_tco2e_per_mwh="", heat_tco2e_per_gj=""),
        cells("products 3", metal_tco2e_per_t="", electricity_mwh_per_t=""),
        cells("orders 4", claim="green_share", level="0.5"),
        again("lots 4", lot="L8", site="south"),
    ]
    found = places(tmp_path, *edits)
    assert ("lots", 3, "displaced_tco2e_per_uom", "nothing_displaced") in found
    assert ("lots", 7, "displaced_tco2e_per_uom", "nothing_displaced") in found


# ---- composition -----------------------------------------------------------------------------------


def test_a_lot_or_category_without_composition(tmp_path: Path) -> None:
    edits = [only("composition", lambda row: row["key"] not in ("scrap", "ingot"))]
    found = [w for w in warnings(tmp_path, *edits) if w.code == "no_composition"]
    assert [(w.row, w.value) for w in found] == [(2, "L1"), (3, "L2")]
    assert "`ingot` in Fe:" in found[0].expected
    assert "`scrap` in Fe, Si:" in found[1].expected


def test_no_composition_is_needed_without_limits(tmp_path: Path) -> None:
    edits = [only("composition", lambda _: False), only("alloy_limits", lambda row: row["max_wt_pct"] == "")]
    assert places(tmp_path, *edits) == []


def test_a_base_metal_without_composition_counts_as_none(tmp_path: Path) -> None:
    found = warnings(tmp_path, only("composition", lambda row: row["key"] != "base"))
    assert [(w.table, w.row, w.column, w.value, w.code) for w in found] == [
        ("alloy_limits", 2, "element", "5052: Fe", "base_composition"),
        ("alloy_limits", 3, "element", "6063: Si", "base_composition"),
    ]


def test_a_composition_of_nothing_in_this_case(tmp_path: Path) -> None:
    found = warnings(tmp_path, again("composition 3", key="scarp"))
    assert [(w.table, w.row, w.column, w.value, w.code) for w in found] == [
        ("composition", 10, "key", "scarp", "unknown_composition_key")
    ]


def test_a_composition_beyond_100_percent(tmp_path: Path) -> None:
    found = warnings(tmp_path, cell("composition 5 wt_pct", "99.95"))
    assert [(w.table, w.row, w.value, w.code) for w in found] == [
        ("composition", 5, "ingot: 100.05", "composition_over_100")
    ]


# ---- claims ----------------------------------------------------------------------------------------


def test_a_cfp_claim_that_needs_no_credit(tmp_path: Path) -> None:
    found = warnings(tmp_path, cell("orders 3 level", "13.10"), cell("offers 2 level", "14"))
    assert [(w.table, w.row, w.column, w.value, w.code) for w in found] == [
        ("offers", 2, "level", "14", "claim_needs_no_credit"),
        ("orders", 3, "level", "13.1", "claim_needs_no_credit"),
    ]
    assert warnings(tmp_path / "below", cell("orders 3 level", "13.099999")) == []


def test_quantities_finer_than_the_grid(tmp_path: Path) -> None:
    found = places(tmp_path, cell("lots 2 quantity", "0.0000001"), cell("orders 5 mass_t", "1.1234567"))
    assert found == [
        ("lots", 2, "quantity", "quantity_floored"),
        ("orders", 5, "mass_t", "quantity_floored"),
    ]


def test_quantities_as_floats_give_them(tmp_path: Path) -> None:
    """0.1 + 0.2 of a spreadsheet is 0.3 on the grid; a noise of 1e-39 is none."""
    noisy = [cell("lots 2 quantity", "0.30000000000000004"), cell("lots 3 quantity", "0." + "0" * 38 + "1")]
    noisy += [cell(f"lots {row} quantity", "0") for row in (4, 5, 6)]
    files = valid()
    every(*noisy)(files)
    case = read_case(files.write(tmp_path / "case"))
    assert list(case.lots.grid("quantity")) == [300_000, 0, 0, 0, 0]
    assert [w.row for w in case.warnings if w.code == "quantity_floored"] == [2, 3]
