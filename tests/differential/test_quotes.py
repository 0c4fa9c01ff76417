"""Quotes against the difference of two outside optima: other formulation, other solver, other process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hard_cases import write_hard_case, write_plenty_case
from massbalance.api import read_case
from massbalance.quote.session import Session
from plain_quote import quote_plainly
from quote_terms import drawn_terms
from random_cases import write_random_case

KINDS: dict[str, tuple[int, Callable[[Path, int], object]]] = {
    "lp": (70, lambda folder, seed: write_random_case(folder, seed, mip=False)),
    "mip": (20, lambda folder, seed: write_random_case(folder, seed, mip=True)),
    "hard": (20, write_hard_case),
    "plenty": (12, write_plenty_case),
}
"""Kind -> how many cases, and what writes one: `plenty` puts the margin before the shortfalls."""
KEYS = [(kind, seed) for kind, (count, _) in KINDS.items() for seed in range(count)]
FIRST_SEED = 7000
RELATIVE, OF_MARGIN = 1e-5, 1e-8
GRAM = 2e-6
Key = tuple[str, int]
Asked = dict[Key, tuple[Path, dict[str, str], dict[str, Any]]]


def key_name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Key -> (case folder, terms, plain model's answer) of every case that was asked for."""
    root = tmp_path_factory.mktemp("cases")
    keys = [
        item.callspec.params["key"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and item.callspec.params.keys() == {"key"}
    ]
    found = []
    for kind, seed in keys:
        folder = root / key_name((kind, seed))
        KINDS[kind][1](folder, FIRST_SEED + seed)
        found.append((folder, drawn_terms(read_case(folder), seed)))
    answers = quote_plainly([{"case": str(folder), "terms": terms} for folder, terms in found], root)
    return {key: (*one, answer) for key, one, answer in zip(keys, found, answers, strict=True)}


@pytest.mark.parametrize("key", KEYS, ids=key_name)
def test_mass_and_floor_premium_are_the_difference_of_two_outside_optima(key: Key, asked: Asked) -> None:
    folder, terms, plain = asked[key]
    session = Session(folder)
    quote = session.quote(**terms)
    mass, before = plain["feasible"], plain["before"]
    assert session.margin == pytest.approx(before, rel=1e-7, abs=1e-7)
    assert quote.feasible_t == pytest.approx(mass, rel=RELATIVE, abs=GRAM), terms
    assert (quote.floor_premium_per_t is None) == (mass < float(terms["mass_t"]) * (1 - 1e-9))
    if quote.feasible_t > 1e-3:
        floor = (before - plain["after"]) / mass
        found = quote.answer.floor_feasible
        allowed = max(RELATIVE * abs(floor), OF_MARGIN * max(1.0, abs(before)))
        assert found == pytest.approx(floor, abs=allowed), terms
