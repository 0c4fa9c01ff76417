"""The pack itself: the same bytes again, whole or not at all, and what it must list."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from forge import digest_of
from massbalance.audit.alone.packed import COPY, MANIFEST, SIGNATURE, sha256, zip_of
from massbalance.audit.publish import check_target, write_pack
from massbalance.ledger.problems import Conflict, LedgerMissing
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from massbalance.report.publish import OutputRefused
from world import World


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_same_ledger_gives_the_same_bytes(aluminium: World, tmp_path: Path) -> None:
    with Ledger.open(aluminium.ledger) as ledger:
        for turn in range(2):
            write_pack(ledger, tuple(reversed(aluminium.periods)), tmp_path / "out", signer=aluminium.signer)
            found = {
                path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
                for path in (tmp_path / "out").rglob("*")
                if path.is_file()
            }
            assert digest_of(found) == digest_of(aluminium.files), turn
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_pack_holds(aluminium: World) -> None:
    names = set(aluminium.files)
    assert {
        "README.txt", "verify.py", MANIFEST, SIGNATURE, COPY, "pack.json", "ledger/entries.txt",
        "balances.csv", "walks.csv", "evidence.csv", "report.html",
    } <= names  # fmt: skip
    for folder, ending in (
        ("checkpoints/", ".json"),
        ("certificates/", ".pdf"),
        ("rules/jaa-2026-", ".toml"),
    ):
        assert any(name.startswith(folder) and name.endswith(ending) for name in names)
    run = {path.relative_to(aluminium.run).as_posix() for path in aluminium.run.rglob("*") if path.is_file()}
    packed = {name.split("/", 2)[2] for name in names if name.startswith("runs/")}
    assert packed == run
    told = json.loads(aluminium.files[MANIFEST])
    assert {item["name"] for item in told["files"]} == names - {MANIFEST, SIGNATURE}
    for item in told["files"]:
        assert (item["size"], item["sha256"]) == (
            len(aluminium.files[item["name"]]), sha256(aluminium.files[item["name"]]),
        )  # fmt: skip
    assert told["periods"] == list(aluminium.periods)


def test_the_second_copy_is_a_zip_that_others_read(aluminium: World, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(aluminium.files[COPY])) as copy:
        assert copy.testzip() is None
        found = {name: copy.read(name) for name in copy.namelist()}
    assert found == {n: c for n, c in aluminium.files.items() if n not in (MANIFEST, SIGNATURE, COPY)}
    assert zip_of({"日本.txt": b"x"}) == zip_of({"日本.txt": b"x"})
    with zipfile.ZipFile(io.BytesIO(zip_of({"日本.txt": b"x"}))) as copy:
        assert copy.namelist() == ["日本.txt"]


def test_missing_evidence_is_listed(aluminium: World) -> None:
    found = rows(aluminium.files["evidence.csv"])
    missing = {
        (r["clause"], r["table"], r["subject"], r["needed"]) for r in found if r["status"] == "missing"
    }
    assert ("A3.3", "products", "LI-1050", "verified_by") in missing
    assert ("A5.1.2A", "lots", "SO-R02", "scheme, certificate or evidence") in missing
    assert {r["status"] for r in found} == {"present", "missing", "statement", "not applicable"}
    who = next(
        r for r in found if r["clause"] == "A3.3" and r["table"] == "products" and r["status"] == "present"
    )
    assert who["who"]
    assert who["when"]
    levels = {r["level"] for r in found if r["clause"] == "A6.2" and r["subject"] == "assurance"}
    assert "validation" in levels


def test_every_clause_has_a_line(aluminium: World, steel: World) -> None:
    from massbalance.domain.rulemodel import parse

    for world in (aluminium, steel):
        model = parse((world.run / "rules.toml").read_bytes())
        found = rows(world.files["evidence.csv"])
        assert {row["clause"] for row in found} == {clause.code for clause in model.clauses}


def test_balances_balance(aluminium: World, steel: World) -> None:
    out = ("allocated", "blocked", "forgone", "expired", "retired")
    for world in (aluminium, steel):
        for row in rows(world.files["balances.csv"]):
            n = {name: round(float(value) * 10**6) for name, value in row.items() if name in BALANCED}
            closing = (
                n["opening"] + n["received"] - sum(n[name] for name in out) + n["returned"] + n["adjusted"]
            )
            assert closing == n["closing"], row


BALANCED = (
    "opening", "received", "allocated", "blocked", "forgone", "expired", "retired", "returned", "adjusted",
    "closing",
)  # fmt: skip


def test_walks_lead_from_claims_to_evidence(aluminium: World) -> None:
    orders = {row["order"]: row for row in rows((aluminium.run / "orders.csv").read_bytes())}
    walks = rows(aluminium.files["walks.csv"])
    assert {row["order"] for row in walks} == {
        name
        for name, row in orders.items()
        if row["period"] in aluminium.periods and float(row["claimed_t"]) > 0
    }
    bare = {
        row["lot"]
        for row in walks
        if row["lot"] and not (row["scheme"] or row["certificate"] or row["evidence"])
    }
    assert bare == {"SO-R02"}
    assert any(";" in row["certificates"] for row in walks)


class Page(HTMLParser):
    """What a page loads, where it leads, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        self.ids.add(told.get("id") or "")
        self.links.add(told.get("href") or told.get("src") or "")
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_stands_alone(aluminium: World) -> None:
    text = aluminium.files["report.html"].decode()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert not page.tags & {"script", "img", "iframe", "object", "form"}
    links = {link for link in page.links if link}
    assert all(link.startswith(("#", "certificates/")) for link in links)
    assert {link[1:] for link in links if link.startswith("#")} <= page.ids
    assert {link for link in links if not link.startswith("#")} <= set(aluminium.files)
    for word in (
        "A. Sato",
        "B. Kato",
        "監査報告",
        "a typing error",
        "the metal was not shipped",
        "accounted",
    ):
        assert word in text
    evidence = text[text.index('<section id="evidence">') :]
    assert evidence.index("missing") < evidence.index("All lines")


def test_a_period_the_ledger_does_not_know(aluminium: World, tmp_path: Path) -> None:
    with Ledger.open(aluminium.ledger) as ledger, pytest.raises(LedgerMissing) as refused:
        write_pack(ledger, ["2026-04", "1999-01", "1999-02"], tmp_path / "out", signer=aluminium.signer)
    assert [fault.value for fault in refused.value.faults] == ["1999-01", "1999-02"]
    assert not list(tmp_path.iterdir())


def test_a_key_the_ledger_does_not_know(aluminium: World, tmp_path: Path) -> None:
    with Ledger.open(aluminium.ledger) as ledger, pytest.raises(Conflict):
        write_pack(ledger, ["2026-04"], tmp_path / "out", signer=Signer.of("", tmp_path / "new.pem"))
    assert not (tmp_path / "out").exists()


def test_nothing_else_is_overwritten(aluminium: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    for name in ("file", "folder"):
        with pytest.raises(OutputRefused):
            check_target(tmp_path / name)
    pack = aluminium.fresh(tmp_path / "pack")
    check_target(pack)
    (pack / "mine.txt").write_text("x")
    with pytest.raises(OutputRefused):
        check_target(pack)


def test_a_failure_leaves_nothing(aluminium: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("massbalance.audit.publish.write_file", full)
    with Ledger.open(aluminium.ledger) as ledger, pytest.raises(OSError, match="No space"):
        write_pack(ledger, aluminium.periods, tmp_path / "out", signer=aluminium.signer)
    assert not list(tmp_path.iterdir())


def command(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MASSBALANCE_KEY": str(world.key), "MASSBALANCE_LEDGER": str(world.ledger)}
    return subprocess.run(
        [sys.executable, "-m", "massbalance.interfaces.cli", "audit", *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def test_the_command(aluminium: World, tmp_path: Path) -> None:
    periods = [argument for period in aluminium.periods for argument in ("--period", period)]
    done = command(aluminium, *periods, "--out", str(tmp_path / "out"), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["key_id"] == aluminium.signer.key_id
    assert told["verifier"] == sha256(aluminium.files["verify.py"])
    assert (tmp_path / "out" / MANIFEST).read_bytes() == aluminium.files[MANIFEST]
    assert "--key" in command(aluminium, *periods, "--out", str(tmp_path / "out")).stdout
    assert command(aluminium, "--period", "1999-01", "--out", str(tmp_path / "x")).returncode == 2
    assert command(aluminium, *periods, "--ledger", str(tmp_path / "none.db")).returncode == 2
    (tmp_path / "x").write_text("x")
    assert command(aluminium, *periods, "--out", str(tmp_path / "x")).returncode == 2
