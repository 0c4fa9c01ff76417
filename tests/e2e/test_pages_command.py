"""`report` and `plot` as people use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from massbalance.report.documents import dumps
from tests.e2e.command import DATA, everything_in, inside, massbalance


def test_a_report_in_both_languages_the_same_again(tutorial_run: Path, tmp_path: Path) -> None:
    first = massbalance("report", tutorial_run, "--out", "pages", cwd=tmp_path)
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [str(Path("pages") / f"report.{code}.html") for code in ("ja", "en")]
    assert everything_in(tmp_path) == ["pages", "pages/report.en.html", "pages/report.ja.html"]
    before = {p.name: p.read_bytes() for p in (tmp_path / "pages").iterdir()}
    assert inside("report", tutorial_run, "--out", tmp_path / "pages", "--json").code == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "pages").iterdir()} == before
    assert b'href="report.en.html"' in before["report.ja.html"]


def test_a_quote_a_report_with_its_curve(tutorial_run: Path, tmp_path: Path) -> None:
    quoted = inside(
        "quote",
        DATA / "tutorial",
        "--product",
        "PROFILE",
        "--period",
        "2026Q3",
        "--mass",
        "20",
        "--claim",
        "green_share",
        "--level",
        "0.5",
        "--curve",
        "--json",
    )
    file = tmp_path / "quote.json"
    file.write_text(quoted.out, encoding="utf-8")
    made = inside(
        "report", tutorial_run, "--out", tmp_path, "--lang", "en", "--product", "SHEET", "--curve", file
    )
    assert made.code == 0
    page = (tmp_path / "report.en.html").read_text(encoding="utf-8")
    assert "Floor premium over mass: PROFILE in 2026Q3" in page
    assert "SHA-256 of quote.json" in page
    assert inside("plot", "curve", file, "--out", tmp_path).code == 0
    assert (tmp_path / "curve.en.svg").is_file()


def test_each_plot_as_png_and_svg(tutorial_run: Path, tmp_path: Path) -> None:
    bars, front = tmp_path / "sweep.json", tmp_path / "front.json"
    bars.write_text(dumps({"goal": "margin", "base": 1, "rows": [{"name": "a", "low": 0, "high": 2}]}))
    front.write_text(dumps({"x": "margin", "y": "tonnage_t", "points": [{"x": 1, "y": 2}, {"x": 2, "y": 1}]}))
    out = tmp_path / "plots"
    for arguments, name in (
        (("sankey", tutorial_run), "sankey"),
        (("sankey", tutorial_run, "--unit", "t"), "sankey-t"),
        (("waterfall", tutorial_run, "--product", "SHEET"), "waterfall-SHEET"),
        (("waterfall", tutorial_run, "--product", "SHEET", "--period", "2026Q2"), "waterfall-SHEET-2026Q2"),
        (("ageing", tutorial_run), "ageing"),
        (("tornado", bars), "tornado"),
        (("pareto", front), "pareto"),
    ):
        ended = inside("plot", *arguments, "--out", out, "--lang", "both", "--json")
        assert ended.code == 0, ended.err
        files = json.loads(ended.out)["files"]
        assert [Path(f).name for f in files] == [
            f"{name}.{code}.{end}" for code in ("ja", "en") for end in ("png", "svg")
        ]
        assert (out / f"{name}.ja.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.ja.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("command", [("report",), ("plot", "sankey"), ("plot", "ageing")])
@pytest.mark.parametrize("file", ["orders.csv", "case/lots.csv", "summary.json"])
def test_a_run_that_was_changed_is_not_shown(
    tutorial_run: Path, tmp_path: Path, command: tuple[str, ...], file: str
) -> None:
    """A figure, the case or only a comment of the summary: whatever `verify` sees."""
    run = tmp_path / "run"
    shutil.copytree(tutorial_run, run)
    content = (run / file).read_text(encoding="utf-8")
    (run / file).write_text(
        content.replace("8420", "8421") if "8420" in content else content + " \n", encoding="utf-8"
    )
    ended = inside(*command, run, "--out", tmp_path / "out")
    assert ended.code == 6
    assert "nothing was written" in ended.err
    assert file in ended.err or "manifest" in ended.err
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_into_a_run(tutorial_run: Path) -> None:
    before = everything_in(tutorial_run)
    for out in (tutorial_run, tutorial_run / "plots"):
        ended = inside("plot", "ageing", tutorial_run, "--out", out)
        assert ended.code == 2
        assert "belongs to a run" in ended.err
    assert everything_in(tutorial_run) == before


def test_wrong_words_and_missing_files(tutorial_run: Path, tmp_path: Path) -> None:
    unknown = inside("report", tutorial_run, "--product", "SHEETS", "--out", tmp_path / "out", "--json")
    assert unknown.code == 3
    assert json.loads(unknown.out)["faults"][0]["value"] == "SHEETS"
    assert inside("plot", "sankey", tutorial_run, "--unit", "kg", "--out", tmp_path / "out").code == 3
    assert inside("plot", "curve", tutorial_run / "summary.json", "--out", tmp_path / "out").code == 3
    assert inside("report", tmp_path / "none").code == 2
    assert inside("report", tutorial_run, "--curve", tmp_path / "none.json").code == 2
    assert inside("plot", "ageing", tutorial_run, "--lang", "fr").code == 2
    assert inside("report", tmp_path, "--out", tmp_path / "out").code == 6
    (tmp_path / "file").touch()
    assert inside("plot", "ageing", tutorial_run, "--out", tmp_path / "file").code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command", [("report",), *(("plot", n) for n in "sankey waterfall ageing curve tornado pareto".split())]
)
def test_each_command_shows_an_example(command: tuple[str, ...]) -> None:
    ended = inside(*command, "--help")
    assert ended.code == 0
    assert f"Example: massbalance {' '.join(command)}" in ended.out
