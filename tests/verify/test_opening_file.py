"""opening.json: where a run's opening balances are a ledger's, its case must hold exactly those."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handmade import sign
from massbalance.api import Provenance, read_case, run_case
from massbalance.verification.verify import verify_run

TUTORIAL = Path(__file__).parents[2] / "data" / "tutorial"
HEAD = {"ledger": "0123456789abcdef" * 2, "n": 7, "hash": "ab" * 32}
LOTS = {"INGOT-1": 50_000_000, "SAVING-1": 70_000_000}
OPENING = {**HEAD, "lots": LOTS, "elsewhere": {"OTHER-1": 5}}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tutorial whose lots are said to come from a ledger (do not change it)."""
    out = tmp_path_factory.mktemp("opened") / "run"
    return run_case(TUTORIAL, out, provenance=Provenance("Ana", OPENING)).out


def spoiled(run: Path, folder: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> list[Any]:
    """What is found in a copy whose summary and opening.json were changed and signed again."""
    copy = shutil.copytree(run, folder / "copy")
    summary, opening = (json.loads((copy / f"{n}.json").read_text()) for n in ("summary", "opening"))
    change(summary, opening)
    for name, document in (("summary", summary), ("opening", opening)):
        (copy / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    sign(copy)
    return [(fault.table, fault.column) for fault in verify_run(copy).faults]


def test_a_run_says_who_proposed_it_and_which_row_of_the_ledger_it_opens_with(opened: Path) -> None:
    summary = json.loads((opened / "summary.json").read_text(encoding="utf-8"))
    assert (summary["proposer"], summary["opening"]) == ("Ana", HEAD)
    assert json.loads((opened / "opening.json").read_text(encoding="utf-8")) == OPENING
    assert "opening.json" in json.loads((opened / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert verify_run(opened).ok


def test_a_run_of_a_case_alone_says_neither(tmp_path: Path) -> None:
    summary = run_case(read_case(TUTORIAL), tmp_path / "run").summary
    assert (summary["proposer"], summary["opening"]) == (None, None)
    assert not (tmp_path / "run" / "opening.json").exists()


def test_a_checked_case_gives_the_same_run_as_its_folder(tmp_path: Path) -> None:
    runs = [run_case(case, tmp_path / f"{i}").out for i, case in enumerate((TUTORIAL, read_case(TUTORIAL)))]
    for name in ("allocation.csv", "orders.csv", "case/lots.csv"):
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda s, o: o["lots"].update({"INGOT-1": 49_999_999}), ("opening.json", "lots.INGOT-1")),
        (lambda s, o: o["lots"].update({"NONE": 1}), ("opening.json", "lots.NONE")),
        (lambda s, o: o["lots"].update({"INGOT-1": True}), ("opening.json", "lots.INGOT-1")),
        (lambda s, o: o["lots"].update({"INGOT-1": -1}), ("opening.json", "lots.INGOT-1")),
        (lambda s, o: o["lots"].update({"INGOT-1": "50"}), ("opening.json", "lots.INGOT-1")),
        (lambda s, o: o["lots"].update({"INGOT-1": 5e7}), ("opening.json", "lots.INGOT-1")),
        (lambda s, o: o["elsewhere"].update({"INGOT-2": 1}), ("opening.json", "elsewhere.INGOT-2")),
        (lambda s, o: o.update(lots=[]), ("opening.json", "lots")),
        (lambda s, o: o.pop("elsewhere"), ("opening.json", "")),
        (lambda s, o: o.update(more=1), ("opening.json", "")),
        (lambda s, o: o.update(n=8), ("summary.json", "opening")),
        (lambda s, o: (o.update(n=0), s["opening"].update(n=0)), ("opening.json", "n")),
        (
            lambda s, o: (o.update(hash="x" * 64), s["opening"].update(hash="x" * 64)),
            ("opening.json", "hash"),
        ),
        (lambda s, o: (o.update(ledger="ab"), s["opening"].update(ledger="ab")), ("opening.json", "ledger")),
        (lambda s, o: s.update(opening=None), ("summary.json", "opening")),
        (lambda s, o: s.pop("opening"), ("summary.json", "opening")),
        (lambda s, o: s["opening"].update(hash="cd" * 32), ("summary.json", "opening")),
        (lambda s, o: o.clear(), ("opening.json", "")),
        (lambda s, o: s.update(proposer=3), ("summary.json", "proposer")),
    ],
)
def test_what_does_not_agree_is_found(
    opened: Path, tmp_path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any], found: tuple
) -> None:
    assert spoiled(opened, tmp_path, change)[:1] == [found]


def test_a_missing_opening_is_found(opened: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(opened, tmp_path / "copy")
    (copy / "opening.json").unlink()
    sign(copy)
    assert [fault.table for fault in verify_run(copy).faults] == ["opening.json"]


def test_a_case_that_holds_other_balances_is_found(opened: Path, tmp_path: Path) -> None:
    """Even where everything else follows from the changed case."""
    case = read_case(opened / "case")
    with pytest.raises(Exception, match=r"lots\.INGOT-1"):
        run_case(case, tmp_path / "run", provenance=Provenance(opening={**OPENING, "lots": {"INGOT-1": 1}}))
    assert not (tmp_path / "run").exists()
