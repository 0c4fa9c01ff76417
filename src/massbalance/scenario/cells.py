"""Values of a scenario's file as texts of a table's cells, and whether a column can hold them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from massbalance.domain.schema import ColumnSpec
from massbalance.intake.log import one_of
from massbalance.intake.numbers import NUMBER
from massbalance.intake.values import EARLIEST_YEAR, parse_date

_NUMBER = re.compile(NUMBER)
MOST, FINEST = 15, -60
"""Decimal exponents within which a figure can be one of a plant."""
MOST_DAYS = 36_525


def plain(number: Decimal) -> str:
    """A finite number without exponent and trailing zeros: `1.50` -> `1.5`."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def number_text(value: Any) -> str | None:
    """A number of a file as exact decimal text; None where it is none (or none that a plant has)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or number.adjusted() > MOST or int(number.as_tuple().exponent) < FINEST:
        return None
    return plain(number)


def days_text(value: Any) -> str | None:
    """A whole number of days; None where it is none."""
    text = number_text(value)
    if text is None or not re.fullmatch(r"-?[0-9]+", text) or abs(int(text)) > MOST_DAYS:
        return None
    return text


def _date_text(value: Any) -> str | None:
    if isinstance(value, dt.datetime):
        return None
    text = value.isoformat() if isinstance(value, dt.date) else value
    return text if isinstance(text, str) and parse_date(text) is not None else None


def _free_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return number_text(value)
    return value.strip() if isinstance(value, str) else None


def cell_text(value: Any, spec: ColumnSpec) -> str | None:
    """A value as a cell of the column; None where it cannot stand there. "" is a cell without a value."""
    if value == "":
        return ""
    if spec.kind in ("number", "whole"):
        return number_text(value)
    if spec.kind == "date":
        return _date_text(value)
    text = _free_text(value)
    if spec.kind == "flag":
        return text if text in ("true", "false") else None
    if spec.kind == "word":
        return text if text in spec.words else None
    return text


def expected(spec: ColumnSpec) -> str:
    """What a cell of the column must be, in words."""
    words = {
        "number": spec.range_text if spec.kind == "number" else "",
        "whole": spec.range_text if spec.kind == "whole" else "",
        "date": f"a date that exists, as YYYY-MM-DD, from {EARLIEST_YEAR} on",
        "flag": "`true` or `false`",
        "word": one_of(spec.words) if spec.words else "",
    }
    return words.get(spec.kind, "a text")
