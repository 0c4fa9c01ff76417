"""JSON documents with exact decimals. Knows no solver: the verifier's command prints with it, too."""

from __future__ import annotations

from collections.abc import Mapping

import simplejson

Json = dict[str, object]


def dumps(document: Mapping[str, object], *, ascii_only: bool = False) -> str:
    """JSON text with exact decimals, indented, one newline at the end."""
    return str(simplejson.dumps(document, use_decimal=True, ensure_ascii=ascii_only, indent=2)) + "\n"
