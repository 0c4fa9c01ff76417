"""The command, on a run that was made and posted by the commands before it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from massbalance.interfaces.cli import app
from massbalance.ledger.store import Ledger
from pdf_text import same, text_of

DATA = Path(__file__).parents[2] / "data"
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tutorial, run and posted."""
    made = tmp_path_factory.mktemp("command")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASSBALANCE_LEDGER", str(made / "ledger.db"))
        patch.setenv("MASSBALANCE_KEY", str(made / "key.pem"))
        for arguments in (
            ("run", DATA / "tutorial", "--out", made / "run"), ("post", made / "run"),
        ):  # fmt: skip
            done = CliRunner().invoke(app, [str(a) for a in arguments])
            assert done.exit_code == 0, done.output
        yield made


@pytest.fixture
def command(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`massbalance certificate ...` on a copy of the posted ledger, in a folder of its own."""
    shutil.copy(folder / "ledger.db", tmp_path / "ledger.db")
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("MASSBALANCE_KEY", str(folder / "key.pem"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        done = CliRunner().invoke(app, ["certificate", *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return call


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_issue_again_and_check(folder: Path, command: Command, tmp_path: Path) -> None:
    done = command(folder / "run", "O1", "--date", "2026-07-10")
    assert done.exit_code == 0, done.output
    first = {path.name: path.read_bytes() for path in (tmp_path / "certificates").iterdir()}
    assert sorted(name.rsplit(".", 1)[1] for name in first) == ["json", "pdf", "sig"]
    assert command(folder / "run", "O1").exit_code == 0
    assert command(folder / "run", "O1", "--out", "other").exit_code == 0
    for place in ("certificates", "other"):
        assert {path.name: path.read_bytes() for path in (tmp_path / place).iterdir()} == first
    for path in (tmp_path / "certificates").iterdir():
        done = command("--check", path, "--json")
        assert done.exit_code == 0
        told = json.loads(done.stdout)
        assert (told["genuine"], told["status"], told["issued_on"]) == (True, "live", "2026-07-10")


def test_the_figures_are_the_runs(folder: Path, command: Command) -> None:
    """Every order's certificate against orders.csv and allocation.csv, residuals against residual.csv."""
    run, allocated = folder / "run", records(folder / "run" / "allocation.csv")
    for order in records(run / "orders.csv"):
        done = command(run, order["order"], "--json", "--date", "2027-01-01", "--lang", "en")
        assert done.exit_code == 0, done.output
        document: Any = json.loads(Path(json.loads(done.stdout)["files"]["json"]).read_bytes())
        rows = [row for row in allocated if row["order"] == order["order"]]
        assert (document["mass_t"], document["claim"]["level"]) == (order["claimed_t"], order["level"])
        cfp = document["cfp_tco2e_per_t"]
        assert (cfp["before"]["total"], cfp["after"]["total"]) == (order["cfp_before"], order["cfp_after"])
        assert {c["lot"]: (c["quantity"], c["credited_t"]) for c in document["credits"]} == {
            row["lot"]: (row["quantity"], row["credited_t"]) for row in rows
        }
        for scope in ("scope1", "scope2", "scope3"):
            total = sum((Decimal(row[scope]) for row in rows), Decimal(0))
            assert Decimal(document["reduction_tco2e"][scope]) == total
    for row in records(run / "residual.csv"):
        done = command(
            run, "--residual", row["product"], "--period", row["period"], "--json", "--date", "2027-01-01"
        )
        assert done.exit_code == 0, done.output
        document = json.loads(Path(json.loads(done.stdout)["files"]["json"]).read_bytes())
        assert document["figures"] == {name: row[name] for name in document["figures"]}


def test_a_lost_folder_does_not_matter(folder: Path, command: Command, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db", create=False) as book:
        key = next(iter(book.rows(kind="post"))).key.removeprefix("run:")
    assert command(key, "O1", "--date", "2026-07-10").exit_code == 0
    assert command(key[:8], "O1").stdout == command(folder / "run", "O1").stdout


def test_replace_cancel_and_check(folder: Path, command: Command, tmp_path: Path) -> None:
    first = json.loads(command(folder / "run", "O2", "--json", "--date", "2026-07-10").stdout)
    moved = tmp_path / "customers.csv"
    moved.write_text("customer,name,address,contact\ncar body,New Bodies,9 New Road,\n", encoding="utf-8")
    second = json.loads(
        command(
            folder / "run", "O2", "--replace", "moved", "--customers", moved, "--json", "--date", "2026-07-11"
        ).stdout
    )
    assert second["replaces"] == first["serial"]
    assert same("9 New Road") in text_of(Path(second["files"]["pdf"]).read_bytes())
    done = command("--check", first["files"]["pdf"])
    assert done.exit_code == 7
    assert f"REPLACED by {second['serial']}: moved" in done.stdout
    assert command(folder / "run", "O2", "--cancel", "returned").exit_code == 0
    assert command(folder / "run", "O2", "--cancel", "returned").exit_code == 0
    done = command("--check", second["files"]["json"], "--json")
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (7, "cancelled")
    assert command(folder / "run", "O2").exit_code == 7
    verified = CliRunner().invoke(app, ["ledger", "verify"])
    assert verified.exit_code == 0, verified.output


def test_check_by_key_alone(folder: Path, command: Command, tmp_path: Path) -> None:
    made = json.loads(command(folder / "run", "O1", "--json", "--date", "2026-07-10").stdout)
    key = json.loads(Path(made["files"]["json"]).read_bytes())["key"]
    (tmp_path / "ledger.db").unlink()
    for path in made["files"].values():
        done = command("--check", path, "--key", key)
        assert done.exit_code == 0, done.output
        assert command("--check", path, "--key", "0" * 64).exit_code == 8
    Path(made["files"]["sig"]).unlink()
    assert command("--check", made["files"]["pdf"], "--key", key).exit_code == 8


def test_forged(folder: Path, command: Command) -> None:
    made = json.loads(command(folder / "run", "O1", "--json", "--date", "2026-07-10").stdout)
    for path in map(Path, made["files"].values()):
        content = path.read_bytes()
        path.write_bytes(content.replace(b"1", b"2", 1))
        assert command("--check", path).exit_code == 8
        path.write_bytes(content)
    Path(made["files"]["pdf"]).write_bytes(b"%PDF-1.7 mine")
    assert command(folder / "run", "O1").exit_code == 8  # another file bears the serial's name
    assert Path(made["files"]["pdf"]).read_bytes() == b"%PDF-1.7 mine"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name a RUN"),
        (("RUN",), 2, "ORDER"),
        (("RUN", "O1", "--residual", "SHEET", "--period", "2026Q2"), 2, "ORDER"),
        (("RUN", "--residual", "SHEET"), 2, "--period"),
        (("RUN", "O1", "--date", "10.07.2026"), 2, "YYYY-MM-DD"),
        (("RUN", "O1", "--cancel", "a", "--replace", "b"), 2, "not both"),
        (("RUN", "O1", "--cancel", ""), 2, "REASON"),
        (("RUN", "O1", "--cancel", "a", "--lang", "ja"), 2, "--lang"),
        (("RUN", "O1", "--customer", "windows"), 2, "residual"),
        (("RUN", "O1", "--customers", "nowhere.csv"), 2, "nowhere.csv"),
        (("RUN", "O1", "--lang", "fr"), 2, "fr"),
        (("RUN", "O1", "--ledger", "nowhere.db"), 2, "ledger"),
        (("RUN", "O1", "--date", "2025-01-01"), 3, "A6.1 a"),
        (("RUN", "O9"), 7, "not-posted"),
        (("0" * 64, "O1"), 7, "not-posted"),
        (("RUN", "--residual", "SHEET", "--period", "2030"), 7, "not-posted"),
        (("RUN", "O1", "--cancel", "x"), 7, "not-issued"),
        (("RUN", "O1", "--replace", "x"), 7, "not-issued"),
        (("--check", "nowhere.pdf"), 2, "nowhere.pdf"),
        (("RUN", "O1", "--check", "nowhere.pdf"), 2, "--check"),
        (("--check", "nowhere.pdf", "--key", "xyz"), 2, "--key"),
    ],
)
def test_refusals(folder: Path, command: Command, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = command(*(folder / "run" if a == "RUN" else a for a in arguments))
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


def test_missing_fields_of_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer and a customer without address: all of it told at once, exit 3."""
    case = shutil.copytree(DATA / "tutorial", tmp_path / "case")
    text = (case / "case.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("address", "contact"))]
    (case / "case.toml").write_text("\n".join(lines), encoding="utf-8")
    customers = (case / "customers.csv").read_text(encoding="utf-8").replace("2 Frame Street", "")
    (case / "customers.csv").write_text(customers, encoding="utf-8")
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    run = str(tmp_path / "run")
    for arguments in (["run", str(case), "--out", run], ["post", run]):
        assert CliRunner().invoke(app, arguments).exit_code == 0
    done = CliRunner().invoke(app, ["certificate", run, "O1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 3
    assert [code in done.stderr for code in ("A6.1 c", "A6.1 d", "A6.1 e")] == [True] * 3
    assert not (tmp_path / "out").exists()


def test_a_reversed_claim_takes_its_certificate_along(folder: Path, command: Command, tmp_path: Path) -> None:
    made = json.loads(command(folder / "run", "O4", "--json", "--date", "2026-12-10").stdout)
    arguments = [
        "ledger",
        "reverse",
        str(folder / "run"),
        "--order",
        "O4",
        "--period",
        "2026Q3",
        "--reason",
        "sold",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    done = command("--check", made["files"]["pdf"], "--json")
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (7, "sold")
    assert command(folder / "run", "O4").exit_code == 7
    assert command(folder / "run", "O4", "--replace", "again").exit_code == 7
