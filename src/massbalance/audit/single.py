"""verify.py: the parts in `alone` joined into one file that needs nothing but Python."""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources

PARTS = (
    "ed25519", "packed", "entries", "toml", "case", "claims", "view", "tables", "evidence", "posted",
    "undone", "certified", "words", "report", "readme", "main",
)  # fmt: skip
"""Modules of `massbalance.audit.alone`, each after those that it imports."""

HEADER = '''#!/usr/bin/env python3
"""Check an audit pack: every file, every row, every signature, every figure.

    python verify.py [PACK] [--key KEY] [--checkpoint FILE ...] [--json]

Needs Python 3.9 or later and nothing else; `cryptography`, where it is installed, checks signatures
faster. Prints what was checked and a verdict; exit code 0 when everything holds, else 8. A wrong file is
named with its first wrong byte.

--key: the signer's key id (16 hex digits) or public key (64), as you know it from elsewhere.
--checkpoint: a checkpoint of the ledger that you were given earlier; may be repeated.
Without either, a pack that someone made up and signed with a key of his own looks whole.

This file is made of {count} parts, joined when the pack was written; each begins with a ruled line and
its own introduction. Read them in order: signatures, files, rows, then what the figures mean; the last
ones make report.html and README.txt again.
"""
'''
_PACKAGE = "massbalance.audit.alone"


@cache
def verifier() -> bytes:
    """The bytes of verify.py; the same for every pack of this version."""
    sources = [resources.files(_PACKAGE).joinpath(f"{part}.py").read_text("utf-8") for part in PARTS]
    imports: set[str] = set()
    bodies = []
    for part, source in zip(PARTS, sources, strict=True):
        told, body = _split(source)
        imports |= told
        bodies.append(f"\n\n# {'=' * 20} {part} {'=' * (80 - len(part))}\n{body}")
    plain = sorted(line for line in imports if line.startswith("import "))
    named = sorted(line for line in imports if not line.startswith("import "))
    head = HEADER.format(count=len(PARTS))
    lines = [head, "from __future__ import annotations\n", *plain, *_merged(named)]
    return ("\n".join(lines) + "".join(bodies)).encode()


def _split(source: str) -> tuple[set[str], str]:
    """Imports of the standard library, and everything else with the introduction as a comment."""
    tree, lines = ast.parse(source), source.splitlines()
    imports: set[str] = set()
    for node in reversed(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            told = ast.unparse(node)
            if _PACKAGE not in told and "__future__" not in told:
                imports.add(told)
            del lines[node.lineno - 1 : node.end_lineno]
    first = tree.body[0]
    if isinstance(first, ast.Expr) and first.end_lineno is not None:
        words = [line.strip().strip('"').strip() for line in lines[: first.end_lineno]]
        lines[: first.end_lineno] = [f"# {line}".rstrip() for line in words if line or len(words) > 1]
    body = "\n".join(lines).strip("\n")
    while "\n\n\n\n" in body:
        body = body.replace("\n\n\n\n", "\n\n\n")
    return imports, body + "\n"


def _merged(named: list[str]) -> list[str]:
    """`from a import b` and `from a import c` as one line."""
    found: dict[str, set[str]] = {}
    for line in named:
        module, _, names = line.removeprefix("from ").partition(" import ")
        found.setdefault(module, set()).update(name.strip() for name in names.split(","))
    return [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(found.items())]
