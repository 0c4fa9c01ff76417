"""The example cases answer what their README.md says: the tutorial to the last digit, steel its optimum."""

from __future__ import annotations

import csv
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from massbalance.api import Outcome, read_case, run_case, solve_objectives
from tests.golden.checks import goal_values, table

DATA = Path(__file__).resolve().parents[2] / "data"
TUTORIAL = (DATA / "tutorial" / "README.md").read_text(encoding="utf-8")
RESIDUAL_COLUMNS = (
    "produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual",
)  # fmt: skip


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of data/tutorial."""
    return run_case(DATA / "tutorial", tmp_path_factory.mktemp("tutorial") / "run")


@pytest.fixture(scope="module")
def steel(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of data/steel."""
    return run_case(DATA / "steel", tmp_path_factory.mktemp("steel") / "run")


def printed(first_column: str) -> list[list[str]]:
    """Rows of the tutorial's table whose header begins so and which ends a step with an answer."""
    header = rf"^\| {re.escape(first_column)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)"
    (rows,) = re.findall(header, TUTORIAL, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows.splitlines()]


def figure(text: str) -> Decimal:
    """The number that a cell begins with; `-` is none."""
    return Decimal(0) if text == "-" else Decimal(text.split()[0])


def test_tutorial_goals(tutorial: Outcome) -> None:
    """No firm shortfall, margin 8420, exactly."""
    assert [(g["name"], g["priority"], g["value"]) for g in tutorial.summary["objectives"]] == [
        ("firm_shortfall_t", 1, 0),
        ("margin", None, 8420),
    ]
    assert "**Firm shortfall: 0 t.**" in TUTORIAL
    assert "**margin 8420**" in TUTORIAL
    assert tutorial.report.ok


def test_tutorial_allocation(tutorial: Outcome) -> None:
    """Every row of the README's allocation, and no other."""
    expected = {
        (lot, order): (figure(quantity), figure(credited), figure(reduction))
        for lot, order, quantity, credited, reduction in printed("lot | order | quantity")
    }
    found = {
        (r["lot"], r["order"]): (
            Decimal(r["quantity"]),
            Decimal(r["credited_t"] or 0),
            sum(Decimal(r[f"scope{s}"] or 0) for s in (1, 2, 3)),
        )
        for r in table(tutorial, "allocation")
    }
    assert found == expected
    assert len(expected) == 10


def test_tutorial_orders(tutorial: Outcome) -> None:
    """Claimed and unmet mass, CFP before and after, and the premium of all that is claimed."""
    columns = ("claimed_t", "unmet_t", "cfp_before", "cfp_after")
    expected = {row[0]: [figure(cell) for cell in row[1:]] for row in printed("order | claimed, t")}
    found = {
        r["order"]: [*(Decimal(r[c]) for c in columns), Decimal(r["premium"])]
        for r in table(tutorial, "orders")
    }
    assert found == expected
    assert list(found) == ["O1", "O2", "O3", "O4", "O5"]


def test_tutorial_residual(tutorial: Outcome) -> None:
    """The residual of every product and quarter, and the shares of the 4 t of scrap that expire."""
    quarter = {"Q2": "2026Q2", "Q3": "2026Q3"}
    expected = {
        (row[0].split(", ")[0], quarter[row[0].split(", ")[1]]): [figure(cell) for cell in row[1:]]
        for row in printed("product, quarter | produced, t")
    }
    rows = {(r["product"], r["period"]): r for r in table(tutorial, "residual")}
    assert {key: [Decimal(r[c]) for c in RESIDUAL_COLUMNS] for key, r in rows.items()} == expected
    assert len(expected) == 4
    shares = {key: Decimal(r["recycled_share_residual"] or 0) for key, r in rows.items()}
    assert shares == {
        ("SHEET", "2026Q2"): 0,
        ("PROFILE", "2026Q2"): 0,
        ("SHEET", "2026Q3"): Decimal("0.008"),
        ("PROFILE", "2026Q3"): Decimal("0.01"),
    }


def test_tutorial_emissions(tutorial: Outcome) -> None:
    """Baseline, realised, allocated, expired and accounted, and what is declared adds up to it."""
    tonnes = tutorial.summary["tco2e"]
    expected = {row[0]: figure(row[2]) for row in printed("t CO2e")}
    assert {name: tonnes[name] for name in expected} == expected
    assert set(expected) == {"baseline", "realised", "allocated", "expired", "accounted"}
    assert (tonnes["claimed_products"], tonnes["conventional_products"]) == (2180, 7880)
    assert (tonnes["released"], tonnes["retired"], tonnes["held"], tonnes["forgone"]) == (40, 0, 0, 0)


def test_tutorial_prices(tutorial: Outcome) -> None:
    """One more t of ingot is worth 80, one more t CO2e of saving 10, scrap nothing; 0.01 % of iron is worth
    232 on 80 t, 0.01 of scrap share 72.5 on 40 t.
    """
    prices = {
        r["row"]: Decimal(r["price_per_unit"]) for r in table(tutorial, "prices") if r["goal"] == "margin"
    }
    ingots = {prices["lot_supply[INGOT-1]"], prices["lot_supply[INGOT-2]"]}
    assert ingots == {80}
    assert prices["lot_supply[SCRAP-1]"] == 0
    assert prices["lot_supply[SAVING-1]"] == 10
    assert prices["element_cap[O1,Fe]"] * Decimal("0.01") * 80 == 232
    assert prices["category_cap[O3,old_scrap]"] * Decimal("0.01") * 40 == Decimal("72.5")


@pytest.mark.parametrize(
    ("name", "key", "column", "value", "margin"),
    [
        ("alloy_limits", "6063", "max_wt_pct", "0.36", 8420 + 232),
        ("alloys", "old_scrap", "max_share", "0.33", 8420 + 72.5),
        ("orders", "O1", "firm", "false", 8820),
    ],
)
def test_tutorial_what_caps_and_being_firm_are_worth(
    name: str, key: str, column: str, value: str, margin: float, tmp_path: Path
) -> None:
    """An iron limit of 0.36 % brings 232, a scrap share of 0.33 brings 72.5, O1 not firm brings 400."""
    folder = shutil.copytree(DATA / "tutorial", tmp_path / "case")
    path = folder / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    changed = [row for row in rows if key in row.values() and row.get("alloy", "5052") in (key, "5052")]
    assert len(changed) == 1
    changed[0][column] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert goal_values(solve_objectives(folder))["margin"] == pytest.approx(margin, abs=1e-6)


def test_steel_goals(steel: Outcome) -> None:
    """Firm shortfall 0 t in both priorities, margin 24,945,492 USD; all 227,000 t CO2e are used."""
    assert [(g["name"], g["priority"], g["value"]) for g in steel.summary["objectives"]] == [
        ("firm_shortfall_t", 1, 0),
        ("firm_shortfall_t", 2, 0),
        ("margin", None, pytest.approx(Decimal(24_945_492), abs=Decimal("0.5"))),
    ]
    assert steel.summary["tco2e"]["allocated"] == pytest.approx(Decimal(227_000), abs=Decimal("0.01"))
    assert steel.summary["status"] == "optimal"
    assert steel.report.ok


def test_steel_counts_nothing_twice(steel: Outcome) -> None:
    """S-001 takes 30,000 t CO2e for 20,000 t at 0.6; the other 80,000 t of April's HRC stay at 2.1, corrected
    by 0.3 against the measured 1.8.
    """
    used = [r for r in table(steel, "allocation") if r["order"] == "S-001"]
    assert sum(Decimal(r["quantity"]) for r in used) == 30_000
    (rest,) = [r for r in table(steel, "residual") if (r["product"], r["period"]) == ("HRC", "2026-04")]
    columns = ("produced_t", "conventional_t", "cfp_residual", "correction_tco2e_per_t")
    assert [Decimal(rest[c]) for c in columns] == [100_000, 80_000, Decimal("2.1"), Decimal("0.3")]


def test_steel_keeps_scopes_and_gases(steel: Outcome) -> None:
    """Per tonne claimed no more than s1, s2 and s1 + s2; ROD, declared in CO2, gets BURDEN's CO2 alone."""
    products = {r["product"]: r for r in rows_of("steel", "products")}
    product_of = {r["order"]: r["product"] for r in rows_of("steel", "orders")}
    claimed = {r["order"]: Decimal(r["claimed_t"]) for r in table(steel, "orders")}
    split: dict[str, list[Decimal]] = {}
    for row in table(steel, "allocation"):
        sums = split.setdefault(row["order"], [Decimal(0)] * 3)
        for i in range(3):
            sums[i] += Decimal(row[f"scope{i + 1}"] or 0)
        assert product_of[row["order"]] != "ROD" or row["lot"].startswith("BURDEN")
    assert len(split) > 20
    for order, sums in split.items():
        for i, scope in enumerate(("s1", "s2", "s3")):
            assert sums[i] <= Decimal(products[product_of[order]][scope]) * claimed[order], (order, scope)


def test_steel_choices(steel: Outcome) -> None:
    """S-012 and S-028 are all or nothing, S-017 and S-033 at least half or nothing; offers go to those who
    have them.
    """
    mass = {r["order"]: Decimal(r["mass_t"]) for r in rows_of("steel", "orders")}
    found = {r["order"]: r for r in table(steel, "orders")}
    part = {order: Decimal(row["claimed_t"]) / mass[order] for order, row in found.items()}
    assert {part["S-012"], part["S-028"]} <= {0, 1}
    assert all(part[order] == 0 or part[order] >= Decimal("0.5") for order in ("S-017", "S-033"))
    assert {order for order, row in found.items() if row["offer"]} <= {"S-003", "S-026", "S-031"}


def rows_of(case: str, name: str) -> list[dict[str, str]]:
    """A table of an example."""
    with (DATA / case / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_aluminium_answers_as_its_readme_says() -> None:
    """Firm shortfall 0, 0 and 186.138 t, margin 198,768.69 before booking, to the gram 198,768.67."""
    values = goal_values(solve_objectives(DATA / "aluminium"))
    assert values == {
        "firm_shortfall:1": pytest.approx(0, abs=1e-6),
        "firm_shortfall:2": pytest.approx(0, abs=1e-6),
        "firm_shortfall:3": pytest.approx(186.138, abs=1e-3),
        "margin": pytest.approx(198_768.69, abs=0.01),
    }


def test_every_example_is_valid() -> None:
    """No example has an error; the aluminium one lists its gaps as warnings."""
    assert all(read_case(DATA / name).warnings == () for name in ("tutorial", "steel"))
    assert read_case(DATA / "aluminium").warnings
