"""`massbalance init`: a starter case that is small, explained and without a fault."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from massbalance.interfaces.starter import starter_files, write_starter

ROWS = {
    "periods": 2, "sites": 2, "lots": 4, "products": 4, "orders": 6, "projects": 1, "customers": 4,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path / "case")
    return tmp_path / "case"


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_writes_the_packaged_files_and_says_which(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new" / "case")
    assert [path.name for path in written] == [file.name for file in starter_files()]
    assert {"case.toml", "README.md", "lots.csv", "orders.csv"} <= {path.name for path in written}
    for path, file in zip(written, starter_files(), strict=True):
        assert path.read_bytes() == file.read_bytes()


def test_an_existing_empty_folder_is_used(tmp_path: Path) -> None:
    assert write_starter(tmp_path)


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "case").write_text("mine")
    with pytest.raises(FileExistsError, match="is a file"):
        write_starter(tmp_path / "case")
    assert (tmp_path / "case").read_text() == "mine"


def test_it_is_small_enough_to_read(folder: Path) -> None:
    assert {table: len(rows(folder, table)) for table in ROWS} == ROWS
    assert len({row["unit"] for row in rows(folder, "sites")}) == 2
    assert len({row["alloy"] for row in rows(folder, "alloys")}) == 3
    assert {row["kind"] for row in rows(folder, "lots")} == {"material", "energy", "project"}
    assert {row["claim"] for row in rows(folder, "orders")} == {
        "green_share", "recycled_share", "post_consumer_share", "cfp", "reduction",
    }  # fmt: skip


def test_readme_explains_every_table_and_column(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("*.csv"):
        section = next(s for s in text.split("\n## ")[1:] if path.stem in s.split(":")[0])
        for column in rows(folder, path.stem)[0]:
            assert column in section, (path.stem, column)


def test_settings_explain_themselves(folder: Path) -> None:
    text = (folder / "case.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert settings["rules"] == "jaa-2026"
    for name in (
        "boundary_material", "boundary_energy", "boundary_project", "expiry_months", "carry_over", "residual",
        "approval",
    ):  # fmt: skip
        assert name in text


def test_the_override_that_the_comment_shows_is_valid(folder: Path) -> None:
    """What is commented out must work when it is used as the comment says."""
    text = (folder / "case.toml").read_text(encoding="utf-8")
    comment = text.split("#   [rules]")[1].split("\n\n")[0]
    shown = "[rules]" + comment.replace("\n#", "\n")
    overrides = tomllib.loads(shown)["rules"]
    assert overrides["id"] == "jaa-2026"

    from massbalance.intake.read import read_case

    changed = text.replace('rules = "jaa-2026"\n', "", 1) + "\n" + shown
    (folder / "case.toml").write_text(changed, encoding="utf-8")
    case = read_case(folder)
    assert dict(case.rules.overrides) == {k: str(v) for k, v in overrides.items() if k != "id"}


def test_intake_reads_it_without_any_fault_or_warning(folder: Path) -> None:
    from massbalance.intake.read import read_case

    case = read_case(folder)
    assert [fault.text() for fault in case.warnings] == []
    assert case.rules.id == "jaa-2026"
    assert len(case.orders) == 6
