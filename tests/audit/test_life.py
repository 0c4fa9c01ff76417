"""Packs of a ledger that has lived: period after period, reversals, locks, rows that are not shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge import digest_of, seal
from life import MONTHS, live
from massbalance.audit.alone.main import verify_pack
from massbalance.audit.alone.packed import Files
from massbalance.audit.alone.view import ENTRIES, View
from massbalance.audit.pack import pack_files
from massbalance.audit.publish import quiet
from massbalance.ledger.store import Ledger
from world import World

Life = tuple[World, dict[str, Files]]


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Four months, and packs of each and of two together."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("life")
    patch.setenv("MASSBALANCE_KEY", str(folder / "key.pem"))
    try:
        return live(folder)
    finally:
        patch.undo()


def test_every_pack_verifies(life: Life) -> None:
    world, packs = life
    for name, files in packs.items():
        report = verify_pack(files, key=world.signer.key_id)
        assert report.faults == [], (name, report.faults[:5])
        assert any("by their digest only" in note for note in report.notes)


def test_rows_of_other_periods_are_not_shown(life: Life) -> None:
    _, packs = life
    for name, files in packs.items():
        view, wanted = View(files), set(name.split("+"))
        assert view.extract.hidden > 100
        claims = {row.period for row in view.extract.by_kind["claim"]}
        assert claims == wanted
        assert {row.period for row in view.extract.by_kind["residual"]} == wanted
        assert len(view.posts()) == len(wanted)


def test_withdrawn_claims_are_marked(life: Life) -> None:
    world, packs = life
    april = packs[MONTHS[0]]
    view = View(april)
    back = [view.withdrawal(claim) for claim in view.claims()]
    assert sum(row is not None for row in back) == 3
    report = verify_pack(april, key=world.signer.key_id)
    assert any("was cancelled: returned by the customer" in note for note in report.notes)
    assert "returned by the customer" in april["report.html"].decode()


def test_the_same_state_gives_the_same_bytes(life: Life) -> None:
    world, packs = life
    with Ledger.open(world.ledger) as ledger, ledger.snapshot() as reading:
        again = pack_files(reading, (MONTHS[1],), world.signer, quiet)
    assert digest_of(again) == digest_of(packs[MONTHS[1]])


def hidden(files: Files, n: int, signer: object) -> Files:
    """The pack with row n by its digest only, signed again by an insider."""
    from massbalance.audit.alone.evidence import evidence_csv
    from massbalance.audit.alone.report import report_html
    from massbalance.audit.alone.tables import balances_csv, walks_csv
    from massbalance.ledger.rows import Row, details_text

    row = View(files).extract.row(n)
    assert row is not None
    told = row._asdict()
    del told["hash"]
    digest = Row(**{**told, "details": details_text(row.details)}).digest().hex()
    lines = files[ENTRIES].split(b"\n")
    lines[n - 1] = f"{n}\t{row.hash}\t={digest}".encode()
    out = {**files, ENTRIES: b"\n".join(lines)}
    for name, make in (
        ("balances.csv", balances_csv), ("walks.csv", walks_csv), ("evidence.csv", evidence_csv),
        ("report.html", report_html),
    ):  # fmt: skip
        out[name] = make(View(out))
    return seal(out, signer)


@pytest.mark.parametrize("kind", ["allocated", "returned", "received", "claim", "residual", "open", "key"])
def test_a_row_that_matters_cannot_be_hidden(life: Life, kind: str) -> None:
    world, packs = life
    view = View(packs[MONTHS[0]])
    rows = [row for row in view.extract.by_kind[kind] if row.period in ("", MONTHS[0]) or kind == "returned"]
    report = verify_pack(hidden(packs[MONTHS[0]], rows[-1].n, world.signer), key=world.signer.key_id)
    assert report.faults


def test_a_digest_is_part_of_the_chain(life: Life) -> None:
    world, packs = life
    files = packs[MONTHS[0]]
    lines = files[ENTRIES].split(b"\n")
    at = next(at for at, line in enumerate(lines) if b"\t=" in line)
    first, hash_, digest = lines[at].split(b"\t")
    for wrong in (digest[:-1] + (b"0" if digest[-1:] != b"0" else b"1"), b"=", b"=" + digest[1:].upper()):
        lines[at] = b"\t".join((first, hash_, wrong))
        forged = seal({**files, ENTRIES: b"\n".join(lines)}, world.signer)
        report = verify_pack(forged, key=world.signer.key_id)
        assert report.faults[0]["text"].startswith(f"row {at + 1}: its hash is not that of the chain")


def test_checkpoints_between(life: Life) -> None:
    """A checkpoint that was given out early confirms every later pack."""
    _world, packs = life
    early = next(name for name in sorted(packs[MONTHS[0]]) if name.startswith("checkpoints/"))
    held = {"held.json": packs[MONTHS[0]][early]}
    for files in packs.values():
        assert verify_pack(files, checkpoints=held).faults == []
    assert json.loads(held["held.json"])["ledger"] == View(packs[MONTHS[1]]).pack["ledger"]


def test_packs_hold_only_their_runs(life: Life) -> None:
    _, packs = life
    for name, files in packs.items():
        folders = {Path(path).parts[1] for path in files if path.startswith("runs/")}
        assert len(folders) == len(name.split("+"))
