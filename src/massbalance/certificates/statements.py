"""Which statements a document carries: those that a clause of the run's rule model asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from massbalance.certificates.posted import Guideline

_CODES: Mapping[str, Sequence[str]] = {
    "with_the_metal": ("A6.1x", "J5.1"),
    "before_and_after": ("A4.1", "J5.1"),
    "deduct": ("A6.1S", "J5.1"),
    "which_figure": ("A6.1S", "J6"),
    "not_measured": ("A3.1", "J6"),
    "not_epd": ("A3.1", "J6"),
    "mass_balance": ("A2", "J5.1"),
    "once": ("A4.2.3", "J5.3.1"),
    "assured": ("A6.2", "J5.4"),
    "not_assured": ("A6.2", "J5.4"),
    "residual_use": ("A4.2.4", "J6"),
    "residual_not_measured": ("A4.2.4", "J5.3.3"),
    "residual_not_epd": ("A4.2.4", "J5.3.3"),
    "residual_no_claim": ("A4.2.4", "J5.3.3"),
    "residual_corrected": ("A4.2.4", "J5.3.3"),
}


def statements(model: Guideline, keys: Iterable[str]) -> list[dict[str, str]]:
    """[{code, key}] of those keys that a clause of the model asks for; texts stand in texts.toml."""
    found = []
    for key in keys:
        codes = [code for code in _CODES[key] if code in model.codes]
        if codes:
            found.append({"code": ", ".join(codes), "key": key})
    return found


def of_certificate(model: Guideline, *, measured: bool, assurance: Sequence[Any]) -> list[dict[str, str]]:
    """measured: the product gives a figure with the improvements in it."""
    keys = [
        "with_the_metal",
        "before_and_after",
        "deduct",
        "which_figure",
        "not_measured" if measured else "not_epd",
        "mass_balance",
        "once",
        "assured" if assurance else "not_assured",
    ]
    return statements(model, keys)


def of_residual(
    model: Guideline, *, measured: bool, corrected: bool, assurance: Sequence[Any]
) -> list[dict[str, str]]:
    """corrected: later corrections touch the product and period."""
    keys = [
        "residual_use",
        "residual_not_measured" if measured else "residual_not_epd",
        *(["residual_corrected"] if corrected else []),
        "residual_no_claim",
        "mass_balance",
        "assured" if assurance else "not_assured",
    ]
    return statements(model, keys)
