"""Packs full of nonsense, properly signed: they are refused in words, never with a traceback."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from forge import Forgery, seal
from massbalance.audit.alone.main import verify_pack
from massbalance.audit.alone.packed import MANIFEST, SIGNATURE, signature_document
from massbalance.audit.alone.view import ENTRIES
from world import World

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**40, "", "x", "\ud800", [], [[]], {}, {"a": []}, 1.5, "9" * 5000, "2026-13-45",
)  # fmt: skip
ROWS = 80


def spoilt(value: Any, rng: random.Random) -> Any:
    """Something odd in the place of one part of a document."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        if rng.random() < 0.3:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: spoilt(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], spoilt(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def chained(rows: list[list[Any]]) -> bytes:
    """entries.txt with its hashes right."""
    import hashlib

    before, lines = bytes(32), []
    for n, row in enumerate(rows, start=1):
        first = json.dumps(row[:12], separators=(",", ":"))[:-1]
        text = f"{first},{json.dumps(row[12], sort_keys=True, separators=(',', ':'))}]"
        before = hashlib.sha256(before + hashlib.sha256(text.encode()).digest()).digest()
        lines.append(f"{n}\t{before.hex()}\t{text}\n")
    return "".join(lines).encode()


@pytest.mark.parametrize("seed", range(4))
def test_odd_values_in_rows(steel: World, seed: int) -> None:
    rng = random.Random(seed)
    rows = [json.loads(line.split(b"\t")[2]) for line in steel.files[ENTRIES].splitlines()]
    special = [at for at, row in enumerate(rows) if row[2] not in ("allocated", "carried_over", "blocked")]
    for _ in range(ROWS // 4):
        at, part = rng.choice(special), rng.choice((2, 3, 4, 5, 8, 9, 10, 11, 12, 12, 12, 12))
        changed = [list(row) for row in rows]
        changed[at][part] = spoilt(changed[at][part], rng)
        if changed != rows:
            report = verify_pack(seal({**steel.files, ENTRIES: chained(changed)}, steel.signer))
            assert report.faults, (at, part, changed[at])


@pytest.mark.parametrize("name", ["pack.json", "certificates", "checkpoints"])
def test_odd_values_in_documents(steel: World, name: str) -> None:
    rng = random.Random(name)
    for _ in range(25):
        file = rng.choice([n for n in sorted(steel.files) if n.startswith(name) and n.endswith(".json")])
        changed = spoilt(json.loads(steel.files[file]), rng)
        try:
            files = seal({**steel.files, file: json.dumps(changed).encode()}, steel.signer)
        except (ValueError, TypeError, AttributeError):
            continue  # not even a forger can make a manifest of this
        assert verify_pack(files).faults


@pytest.mark.parametrize("name", ["ledger/entries.txt", "pack.json", "walks.csv", "README.txt"])
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff\xfe", b"1\t2\t3\n", b"[]", b"{}", b"[" * 100_000, b"nan"]
)
def test_odd_files(steel: World, name: str, content: bytes) -> None:
    try:
        files = seal({**steel.files, name: content}, steel.signer)
    except (ValueError, TypeError, RecursionError, AttributeError):
        files = {**steel.files, name: content}
    assert verify_pack(files).faults


@pytest.mark.parametrize(
    "name", ["case/lots.csv", "case/case.toml", "rules.toml", "orders.csv", "account.csv"]
)
@pytest.mark.parametrize("content", [b"", b"a,b\n1\n", b"\xff", b"lot,order\n,\n", b"= 1"])
def test_odd_files_of_a_run(steel: World, name: str, content: bytes) -> None:
    forgery = Forgery(steel.files, steel.signer)
    forgery.run[name] = content
    assert verify_pack(forgery.pack()).faults


def test_odd_manifests(steel: World) -> None:
    manifest, rng = json.loads(steel.files[MANIFEST]), random.Random(4)
    for _ in range(60):
        content = json.dumps(spoilt(manifest, rng)).encode()
        signature = signature_document(steel.signer.public_hex, steel.signer.sign(content))
        report = verify_pack({**steel.files, MANIFEST: content, SIGNATURE: signature})
        assert report.faults or json.loads(content) != manifest
