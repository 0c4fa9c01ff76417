"""Every damaged byte is named: file and offset of the first one."""

from __future__ import annotations

import random

import pytest

from massbalance.audit.alone.main import verify_pack
from massbalance.audit.alone.packed import COPY, MANIFEST, SIGNATURE, Files, check_files
from world import World

FLIPS = 500


def first_difference(a: bytes, b: bytes) -> int:
    """Offset of the first byte that differs; the end of the shorter where one begins the other."""
    most = min(len(a), len(b))
    return next((i for i in range(most) if a[i] != b[i]), most)


def named(files: Files) -> tuple[str, int | None]:
    """File and offset of the first fault that the verifier names."""
    wrong, _ = check_files(files)
    assert wrong
    return wrong[0].file, wrong[0].offset


def flipped(content: bytes, at: int, rng: random.Random) -> bytes:
    """One byte changed into another."""
    return content[:at] + bytes([content[at] ^ rng.randrange(1, 256)]) + content[at + 1 :]


def test_an_untouched_pack_holds(aluminium: World, steel: World) -> None:
    for world in (aluminium, steel):
        report = verify_pack(world.files)
        assert report.faults == []
        assert all(line.endswith("right") for line in report.checked)


def test_random_flips_over_all_files(aluminium: World) -> None:
    rng = random.Random(20)
    names = sorted(name for name, content in aluminium.files.items() if content)
    for turn in range(FLIPS):
        name = names[turn % len(names)] if turn < 2 * len(names) else rng.choice(names)
        content = aluminium.files[name]
        at = rng.randrange(len(content))
        changed = flipped(content, at, rng)
        assert named({**aluminium.files, name: changed}) == (name, at), (turn, name, at)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_every_byte_of_the_signed_files(aluminium: World, name: str) -> None:
    rng, content = random.Random(3), aluminium.files[name]
    step = 1 if name == SIGNATURE else 67
    for at in range(0, len(content), step):
        assert named({**aluminium.files, name: flipped(content, at, rng)}) == (name, at)


def test_the_same_letter_in_upper_case(aluminium: World) -> None:
    content = aluminium.files[SIGNATURE]
    letters = [at for at in range(len(content)) if chr(content[at]) in "abcdef"]
    for at in letters:
        changed = content[:at] + content[at : at + 1].upper() + content[at + 1 :]
        assert named({**aluminium.files, SIGNATURE: changed}) == (SIGNATURE, at)


def test_insertions_deletions_and_truncations(aluminium: World) -> None:
    rng = random.Random(21)
    names = sorted(name for name, content in aluminium.files.items() if len(content) > 3)
    for turn, name in enumerate([*names, *rng.choices(names, k=80), *[SIGNATURE] * 60, *[MANIFEST] * 20]):
        content = aluminium.files[name]
        at = rng.randrange(1, len(content) - 1)
        changed = (
            content[:at] + bytes([rng.randrange(256)]) + content[at:],
            content[:at] + content[at + 1 :],
            content[:at],
            content + b"x",
        )[turn % (3 if name == SIGNATURE else 4) if name != SIGNATURE else turn % 2]
        if changed != content:
            assert named({**aluminium.files, name: changed}) == (name, first_difference(content, changed))


def test_missing_files_are_named(aluminium: World) -> None:
    for name in aluminium.files:
        files = {other: content for other, content in aluminium.files.items() if other != name}
        wrong, _ = check_files(files)
        assert (wrong[0].file, wrong[0].text) == (name, "missing")


@pytest.mark.parametrize("name", ["extra.txt", "runs/zzz", "ledger/entries.txt.bak", "certificates/MB-0.pdf"])
def test_extra_files_are_named(aluminium: World, name: str) -> None:
    assert named({**aluminium.files, name: b"one more"}) == (name, None)


def test_an_emptied_file(aluminium: World) -> None:
    for name in ("walks.csv", "ledger/entries.txt", COPY, "verify.py"):
        assert named({**aluminium.files, name: b""}) == (name, 0)


def test_two_damaged_files_the_first_first(aluminium: World) -> None:
    rng = random.Random(8)
    files = dict(aluminium.files)
    for name in ("walks.csv", "balances.csv"):
        files[name] = flipped(files[name], 100, rng)
    wrong, _ = check_files(files)
    assert [(one.file, one.offset) for one in wrong] == [("balances.csv", 100), ("walks.csv", 100)]


def test_file_and_its_copy_damaged(aluminium: World) -> None:
    files, rng = dict(aluminium.files), random.Random(9)
    at = files[COPY].index(files["walks.csv"])
    files["walks.csv"] = flipped(files["walks.csv"], 5, rng)
    files[COPY] = flipped(files[COPY], at + 7, rng)
    wrong, _ = check_files(files)
    assert [one.file for one in wrong] == ["walks.csv", COPY]
    assert all("SHA-256" in wrong[0].text or "damaged" in one.text for one in wrong)


def test_what_is_told_of_a_wrong_byte(aluminium: World) -> None:
    content = aluminium.files["walks.csv"]
    at = content.index(b"\n", 2000) + 3
    files = {**aluminium.files, "walks.csv": content[:at] + b"!" + content[at + 1 :]}
    report = verify_pack(files)
    line = content.count(b"\n", 0, at) + 1
    assert report.faults[0] == {
        "file": "walks.csv",
        "offset": at,
        "text": f"offset {at}, line {line}: byte 0x21 where {content[at]:#04x} is expected",
    }
    assert report.text().splitlines()[-1].startswith("verdict  NOT VALID")
