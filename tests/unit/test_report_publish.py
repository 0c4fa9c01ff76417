"""A run's folder appears whole or not at all, whatever breaks and whenever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from massbalance import api
from massbalance.api import run_case
from massbalance.report.publish import OutputRefused, check_target, publish, sign_off, staging

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "data" / "tutorial"


class Broken(Exception):
    """What a test lets happen."""


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def write_run(folder: Path, text: str) -> None:
    """A signed folder with one file."""
    (folder / "summary.json").write_text(f'{{"status": "{text}"}}', encoding="utf-8")
    sign_off(folder)


def publish_new(out: Path, text: str) -> None:
    with staging(out) as folder:
        write_run(folder, text)
        publish(folder, out)


def test_a_new_folder_appears_with_all_that_was_written(tmp_path: Path) -> None:
    publish_new(tmp_path / "deep" / "out", "first")
    assert names(tmp_path / "deep") == ["out"]
    assert names(tmp_path / "deep" / "out") == ["manifest.json", "summary.json"]


def test_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish_new(out, "first")
    check_target(out)
    publish_new(out, "second")
    assert "second" in (out / "summary.json").read_text(encoding="utf-8")
    assert names(tmp_path) == ["out"]


def write_half(out: Path, error: type[BaseException]) -> None:
    """Begin a run, and break."""
    with staging(out) as folder:
        (folder / "half.csv").write_text("half", encoding="utf-8")
        raise error


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
def test_what_breaks_while_writing_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_half(tmp_path / "out", error)
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
def test_what_breaks_while_writing_leaves_the_earlier_run(tmp_path: Path, error: type[BaseException]) -> None:
    out = tmp_path / "out"
    publish_new(out, "first")
    with pytest.raises(error):
        write_half(out, error)
    assert names(tmp_path) == ["out"]
    assert "first" in (out / "summary.json").read_text(encoding="utf-8")


def test_what_breaks_between_the_two_renamings_leaves_the_earlier_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    publish_new(out, "first")
    rename, calls = Path.rename, []

    def second_fails(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise Broken
        return rename(self, target)

    with staging(out) as folder:
        write_run(folder, "second")
        monkeypatch.setattr(Path, "rename", second_fails)
        with pytest.raises(Broken):
            publish(folder, out)
        monkeypatch.undo()
    assert names(tmp_path) == ["out"]
    assert "first" in (out / "summary.json").read_text(encoding="utf-8")


STEPS = ("write_case", "write_workbook", "sign_off", "verify_run", "publish")


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_breaks_at_any_step_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise Broken

    monkeypatch.setattr(api, step, broken)
    with pytest.raises(Broken):
        run_case(TUTORIAL, tmp_path / "out")
    assert names(tmp_path) == []


def test_a_run_that_does_not_verify_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = api.write_file

    def claims_more(path: Path, pieces: Iterable[bytes]) -> None:
        write(path, [b"".join(pieces).replace(b"O4,,30,10,", b"O4,,31,9,")])

    monkeypatch.setattr(api, "write_file", claims_more)
    with pytest.raises(api.VerificationFailed) as failed:
        run_case(TUTORIAL, tmp_path / "out")
    assert failed.value.report.faults[0].table == "orders.csv"
    assert names(tmp_path) == []


def test_the_manifest_holds_the_hash_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "proof").mkdir()
    (tmp_path / "proof" / "duals.csv").write_bytes(b"goal\n")
    (tmp_path / "a.csv").write_bytes(b"x\n")
    sign_off(tmp_path)
    found = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert found == {
        "files": {
            "a.csv": hashlib.sha256(b"x\n").hexdigest(),
            "proof/duals.csv": hashlib.sha256(b"goal\n").hexdigest(),
        }
    }


def test_of_a_signed_folder_only_what_changed_is_hashed_again(tmp_path: Path) -> None:
    for name in ("a.csv", "summary.json"):
        (tmp_path / name).write_bytes(b"x\n")
    sign_off(tmp_path)
    (tmp_path / "summary.json").write_bytes(b"y\n")
    sign_off(tmp_path, "summary.json")
    found = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["files"]
    hashes = {n: hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() for n in ("a.csv", "summary.json")}
    assert found == hashes


@pytest.mark.parametrize("there", ["nothing", "empty", "run"])
def test_targets_that_may_be_written(tmp_path: Path, there: str) -> None:
    out = tmp_path / "out"
    if there != "nothing":
        out.mkdir()
    if there == "run":
        write_run(out, "first")
    check_target(out)


@pytest.mark.parametrize("there", ["file", "foreign", "foreign manifest", "something beside the run"])
def test_targets_that_hold_something_else(tmp_path: Path, there: str) -> None:
    out = tmp_path / "out"
    if there == "file":
        out.write_text("x", encoding="utf-8")
    else:
        out.mkdir()
        (out / "notes.txt").write_text("precious", encoding="utf-8")
    if there == "foreign manifest":
        (out / "manifest.json").write_text('{"name": "app"}', encoding="utf-8")
    if there == "something beside the run":
        (out / "notes.txt").unlink()
        write_run(out, "first")
        (out / "notes.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(OutputRefused, match="out"):
        check_target(out)
