"""Runs that the tests of pages look at; made once, in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from massbalance.api import run_case
from massbalance.pages.run import Reported, read_verified

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a shipped case's run (do not change it)."""
    folder, made = tmp_path_factory.mktemp("runs"), dict[str, Path]()

    def run(name: str) -> Path:
        if name not in made:
            made[name] = run_case(DATA / name, folder / name).out
        return made[name]

    return run


@pytest.fixture(scope="session")
def tutorial(run_of: Callable[[str], Path]) -> Reported:
    """The tutorial's run, whose figures stand in its README."""
    return read_verified(run_of("tutorial"))


@pytest.fixture(scope="session")
def aluminium(run_of: Callable[[str], Path]) -> Reported:
    """The aluminium example's run: all kinds of lots, shared origins, 60 customers."""
    return read_verified(run_of("aluminium"))


@pytest.fixture(scope="session")
def steel(run_of: Callable[[str], Path]) -> Reported:
    """The steel example's run: projects only, no releases."""
    return read_verified(run_of("steel"))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """The tutorial without lots and orders: a case, and it runs."""
    folder = tmp_path_factory.mktemp("empty")
    shutil.copytree(DATA / "tutorial", folder / "case")
    for name in ("lots", "orders"):
        table = folder / "case" / f"{name}.csv"
        table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    return read_verified(run_case(folder / "case", folder / "run").out)


HOSTILE = {
    "customer": "<script>alert(1)</script>",
    "order": '"><img src=x onerror=alert(2)>',
    "product": "P&L 'x' $\\frac{1}{2}$",
    "category": "old_scrap</title><b>",
    "name": "a{{ 7*7 }}<!-- -->\u202ereversed 100% 髙﨑",
}
"""Names that would do harm if they were not escaped: as HTML, as XML, as mathematics, as a template."""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """The tutorial with harmful names."""
    folder = tmp_path_factory.mktemp("hostile")
    case = folder / "case"
    shutil.copytree(DATA / "tutorial", case)
    changes = {
        "windows": HOSTILE["customer"],
        "O4": HOSTILE["order"],
        "SHEET": HOSTILE["product"],
        "old_scrap": HOSTILE["category"],
        "rolled sheet 5052": HOSTILE["name"],
    }
    for table in case.glob("*.csv"):
        lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
        quoted = [[_cell(changes.get(cell, cell)) for cell in line] for line in lines]
        table.write_text("\n".join(",".join(line) for line in quoted) + "\n", encoding="utf-8")
    return read_verified(run_case(case, folder / "run").out)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\n') else text
