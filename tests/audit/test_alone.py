"""verify.py as an auditor runs it: another process, a bare Python, nothing in the environment."""

from __future__ import annotations

import ast
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from forge import Forgery, OtherKey
from massbalance.audit.single import PARTS, verifier
from world import World

BARE = ("-I", "-S")


def run(*arguments: str | Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """verify.py without site packages and with an empty environment."""
    return subprocess.run(
        [python, *BARE, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={},
        check=False,
    )


@pytest.fixture
def pack(aluminium: World, tmp_path: Path) -> Path:
    """The pack in a folder."""
    return aluminium.fresh(tmp_path / "pack")


def pythons() -> Iterator[str]:
    """This Python, and older or newer ones that stand beside it."""
    yield sys.executable
    for name in ("python3.9", "python3.10", "python3.12", "python3.13"):
        if shutil.which(name):
            where = [name, "-c", "import sys; print(sys.executable)"]
            found = subprocess.run(where, capture_output=True, text=True, check=False)
            if found.returncode == 0:
                yield found.stdout.strip()


@pytest.mark.parametrize("python", sorted(set(pythons())))
def test_it_verifies_on_a_bare_python(aluminium: World, pack: Path, python: str) -> None:
    done = run(pack / "verify.py", "--key", aluminium.signer.key_id, python=python)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "verdict  everything holds"
    assert not (pack / "__pycache__").exists()


def test_json_and_checkpoint(aluminium: World, pack: Path) -> None:
    held = next((pack / "checkpoints").iterdir())
    done = run(pack / "verify.py", pack, "--json", "--checkpoint", held)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["first"], told["faults"]) == (0, True, None, [])
    assert any("your checkpoint" in line for line in told["checked"])


def test_flips_are_named_by_the_file_itself(aluminium: World, pack: Path) -> None:
    rng = random.Random(5)
    verify = pack.parent / "verify.py"
    verify.write_bytes(verifier())
    for name in ["manifest.json", "copy.zip", "verify.py", *rng.sample(sorted(aluminium.files), 6)]:
        content = aluminium.files[name]
        at = rng.randrange(len(content))
        (pack / name).write_bytes(
            content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
        )
        done = run(verify, pack, "--json")
        first = json.loads(done.stdout)["first"]
        assert (done.returncode, first["file"], first["offset"]) == (8, name, at)
        (pack / name).write_bytes(content)


def test_a_wrong_signature_is_found_by_hand(aluminium: World, pack: Path) -> None:
    content = aluminium.files["manifest.sig.json"]
    at = content.index(b'"signature": "') + 20
    changed = content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :]
    (pack / "manifest.sig.json").write_bytes(changed)
    first = json.loads(run(pack / "verify.py", "--json").stdout)["first"]
    assert (first["file"], first["offset"]) == ("manifest.sig.json", at)


def test_a_stranger_exits_8(aluminium: World, tmp_path: Path) -> None:
    folder = aluminium.fresh(tmp_path / "forged", Forgery(aluminium.files, OtherKey()).pack())
    assert run(folder / "verify.py").returncode == 0
    done = run(folder / "verify.py", "--key", aluminium.signer.key_id)
    assert done.returncode == 8
    assert "NOT VALID" in done.stdout


def test_wrong_usage_exits_2(pack: Path, tmp_path: Path) -> None:
    assert run(pack / "verify.py", tmp_path / "nowhere").returncode == 2
    assert run(pack / "verify.py", "--checkpoint", tmp_path / "nowhere").returncode == 2
    assert run(pack / "verify.py", "--nothing").returncode == 2


def test_an_empty_folder_is_no_pack(tmp_path: Path) -> None:
    verify = tmp_path / "verify.py"
    verify.write_bytes(verifier())
    done = run(verify, "--json")
    assert (done.returncode, json.loads(done.stdout)["first"]["file"]) == (8, "manifest.json")


def part(name: str) -> str:
    return resources.files("massbalance.audit.alone").joinpath(f"{name}.py").read_text("utf-8")


def names_of(source: str) -> Iterator[str]:
    """Names that a module defines at its top."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))


def test_no_part_overwrites_a_name_of_another() -> None:
    counts = Counter(name for one in PARTS for name in set(names_of(part(one))))
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_part_is_in_and_stands_after_what_it_needs() -> None:
    folder = resources.files("massbalance.audit.alone")
    assert {f"{one}.py" for one in PARTS} == {
        entry.name for entry in folder.iterdir() if entry.name.endswith(".py") and entry.name != "__init__.py"
    }
    for at, one in enumerate(PARTS):
        for node in ast.parse(part(one)).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("massbalance"):
                assert (node.module or "").rpartition(".")[2] in PARTS[:at]


def test_it_needs_the_standard_library_only_and_python_3_9() -> None:
    tree = ast.parse(verifier().decode(), feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert modules - {"cryptography"} <= set(sys.stdlib_module_names)


def test_parts_are_short() -> None:
    assert max(len(part(one).splitlines()) for one in PARTS) < 500
