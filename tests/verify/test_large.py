"""The largest figures that a case may hold: every check stays exact, to the last unit."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from handmade import Handmade, Use, sign, write_run
from massbalance.intake.read import read_case
from massbalance.verification import verify_run
from massbalance.verification.facts import Facts
from runs import SETTINGS

COUNT = 30
UNIT = Decimal("0.000001")
DIGITS = {12: "0.12345678901", 20: "0.1234567890123456789"}
"""Decimals of the coefficients: with 12 their products go beyond int64, with 20 they do themselves."""


def large(decimals: int) -> Handmade:
    """30 lots and orders of some 1e9 t each, intensities and prices with many decimals."""
    tail = DIGITS[decimals][1:]
    names = [f"{i:02d}" for i in range(COUNT)]
    lots = "".join(
        f"L{n},material,green,S1,2025-04-02,{999_999_999 - i},t,0{tail},0.9{tail[1:]},1{tail},12.5{tail[1:]}"
        "\n"
        for i, n in enumerate(names)
    )
    orders = "".join(
        f"O{n},c{n},X{n},P1,{999_999_000 - i},green_share,0.1{tail[1:]},999999{tail},{1 + i % 2},true\n"
        for i, n in enumerate(names)
    )
    products = "".join(f"X{n},billet,6063,S1,1{tail},1,80{tail},0.98{tail[1:]}\n" for n in names)
    # 12.5... - 0.1... of displaced value less intensity, and half of each order's mass from its lot
    unit = Decimal(f"12.5{tail[1:]}") - Decimal(f"0{tail}")
    return Handmade(
        settings=SETTINGS,
        tables={
            "periods": "period,start,end\nP1,2025-04-01,2025-06-30\n",
            "sites": "site,unit\nS1,U1\n",
            "lots": "lot,kind,category,site,received,quantity,uom,intensity_tco2e_per_uom,green_share,"
            f"unit_cost,displaced_tco2e_per_uom\n{lots}",
            "alloys": "alloy,category,max_share\n6063,green,0.9\n",
            "products": "product,name,alloy,site,s1,s2,s3,t_product_per_t_input,metal_tco2e_per_t\n"
            + products.replace("\n", ",13\n"),
            "production": "product,period,mass_t\n" + "".join(f"X{n},P1,1000000000\n" for n in names),
            "orders": "order,customer,product,period,mass_t,claim,level,premium_per_t,priority,firm\n"
            + orders,
        },
        uses=[
            Use(f"L{n}", f"O{n}", "499999999.999999", unit=f"{unit}", rate=f"0.98{tail[1:]}") for n in names
        ],
        claimed={f"O{n}": f"{999_999_000 - i}" for i, n in enumerate(names)},
        goals=[],
        pools={f"L{n}": "L00" for n in names},
        recipes={f"O{n}": "O00" for n in names},
        status="limit",
    )


def goals_of(run: Handmade) -> Handmade:
    """The run with the goals' values filled in."""
    cost = Decimal(run.tables["lots"].splitlines()[1].split(",")[9])
    premium = Decimal(run.tables["orders"].splitlines()[1].split(",")[7])
    margin = sum(premium * Decimal(mass) for mass in run.claimed.values())
    margin -= sum(cost * Decimal(use.quantity) for use in run.uses)
    goals = [("firm_shortfall_t", 1, "0"), ("firm_shortfall_t", 2, "0"), ("margin", None, f"{margin:f}")]
    return Handmade(**{**vars(run), "goals": goals})


@pytest.fixture(scope="module", params=sorted(DIGITS))
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("large") / "run", goals_of(large(request.param)))


def test_a_sound_run_passes(sound: Path) -> None:
    report = verify_run(sound)
    assert report.ok, report.first
    facts = Facts(read_case(sound / "case", rule_source=(sound / "rules.toml").read_bytes()))
    assert facts.scale >= 10**12
    assert all(goal.gap >= 0 for goal in report.goals)


def change(run: Path, file: str, row: int, column: str, by: Callable[[Decimal], Decimal]) -> None:
    """Change one number of a file."""
    rows = list(csv.DictReader(io.StringIO((run / file).read_text(encoding="utf-8"))))
    rows[row][column] = f"{by(Decimal(rows[row][column])):f}"
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (run / file).write_text(out.getvalue(), encoding="utf-8", newline="")


CHANGES = {
    ("allocation.csv", "quantity", 1): "C5 mass_cap",
    ("allocation.csv", "credited_t", 1): "C5 mass_cap",
    ("allocation.csv", "credited_t", -1): "C5 mass_cap",
    ("allocation.csv", "scope3", 1): "C9 scope_cap",
    ("allocation.csv", "scope3", -1): "C9 scope_cap",
    ("orders.csv", "claimed_t", 1): "C11 order_mass",
    ("orders.csv", "cfp_after", 1): "A4.1 cfp",
    ("orders.csv", "cfp_after", -1): "A4.1 cfp",
    ("orders.csv", "premium", 1): "G2 margin",
    ("account.csv", "closing", 1): "A4.2.1 account",
}


@pytest.mark.parametrize(("file", "column", "units"), CHANGES)
def test_one_unit_is_seen(sound: Path, file: str, column: str, units: int) -> None:
    before = {name: (sound / name).read_bytes() for name in (file, "manifest.json")}
    try:
        change(sound, file, COUNT // 2, column, lambda value: value + units * UNIT)
        sign(sound)
        first = verify_run(sound).first
    finally:
        for name, data in before.items():
            (sound / name).write_bytes(data)
    assert first is not None
    assert (first.table, first.row, first.code) == (file, COUNT // 2 + 2, CHANGES[file, column, units])
