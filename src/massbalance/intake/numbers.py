"""Numbers as written to exact integers: no float, nothing guessed.

Accepted: optional sign, digits, optional fraction (`.5` and `5.` too), optional exponent. Refused:
nan, inf, 1_000, 1,000, hex. Plain decimals go through arrow's exact decimal type, all others through
`Decimal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.grid import IntArray, as_python_ints, decimal_text, peak, scale_up, shrink
from massbalance.intake.cells import Mask, matches

NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_PLAIN = r"^[+-]?[0-9]{1,18}(\.[0-9]{1,18})?$"
_CANONICAL = r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$"
MOST_DECIMALS = 30
"""More decimals than this are refused: coefficients are kept exactly, as integers."""
MOST_FLOORED_DECIMALS = 40
"""The same for quantities that are rounded down to the grid anyway."""
_HUGE = Decimal(10) ** 15

GIVEN, EMPTY, NO_NUMBER, TOO_LARGE, TOO_FINE = range(5)


@dataclass(frozen=True)
class Numbers:
    """Numbers of distinct words: values[i] / 10**decimals, shape (k,).

    state: per word GIVEN, EMPTY, NO_NUMBER, TOO_LARGE (beyond 1e15) or TOO_FINE (more
    decimals than asked for); values are 0 where not GIVEN.
    """

    values: IntArray
    decimals: int
    state: npt.NDArray[np.int8]

    @property
    def given(self) -> Mask:
        """Which words are numbers."""
        return self.state == GIVEN

    def outside(self, low: int | None, high: int | None, above: int | None) -> Mask:
        """Which numbers lie outside low..high (inclusive) or not above `above`; exact."""
        scale = 10**self.decimals
        out = self.state == TOO_LARGE
        for broken, limit in ((np.less, low), (np.greater, high), (np.less_equal, above)):
            if limit is not None:
                out |= self.given & np.asarray(broken(self.values, limit * scale), dtype=bool)
        return out

    @property
    def fractional(self) -> Mask:
        """Which numbers are not whole."""
        return self.given & np.asarray(self.values % 10**self.decimals != 0, dtype=bool)


def _integers(decimals: Any) -> IntArray:
    """Unscaled integers of an arrow decimal128 array without nulls."""
    raw = np.frombuffer(decimals.buffers()[1], dtype="<i8").reshape(-1, 2)
    raw = raw[decimals.offset : decimals.offset + len(decimals)]
    low, high = raw[:, 0], raw[:, 1]
    if np.array_equal(high, low >> 63):
        return low.copy()
    wide = np.empty(len(raw), dtype=object)
    wide[:] = [(int(h) << 64) | (int(v) & (2**64 - 1)) for v, h in zip(low, high, strict=True)]
    return wide


def _without_trailing_zeros(values: IntArray, decimals: int) -> tuple[IntArray, int]:
    """The same numbers with as few decimals as they need."""
    while decimals and not np.any(values % 10):
        values, decimals = values // 10, decimals - 1
    return shrink(values), decimals


def _plain(words: Any) -> tuple[IntArray, int]:
    """Exact integers of plain decimals (at most 18 digits each side), and their decimals."""
    point = np.asarray(pc.find_substring(words, "."), dtype=np.int64)
    length = np.asarray(pc.binary_length(words), dtype=np.int64)
    fraction = np.where(point < 0, 0, length - point - 1)
    decimals = int(fraction.max()) if len(fraction) else 0
    return _without_trailing_zeros(_integers(words.cast(pa.decimal128(38, decimals))), decimals)


def _written(word: str, most: int) -> tuple[int, int, int]:
    """State, integer and decimals of one word that matches NUMBER."""
    number = Decimal(word)
    if abs(number) > _HUGE:
        return TOO_LARGE, 0, 0
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0") or "0"
    decimals = -int(exponent) - (len(text) - len(text.rstrip("0")))
    if kept == "0":
        return GIVEN, 0, 0
    if decimals > most:
        return TOO_FINE, 0, 0
    value = int(kept) * 10 ** max(0, -decimals)
    return GIVEN, -value if sign else value, max(0, decimals)


def parse(words: Any, most_decimals: int = MOST_DECIMALS) -> Numbers:
    """Exact numbers of distinct words (arrow large_string, shape (k,), already narrow)."""
    state = np.full(len(words), NO_NUMBER, dtype=np.int8)
    state[np.asarray(pc.equal(words, ""), dtype=bool)] = EMPTY
    plain = matches(words, _PLAIN)
    state[plain] = GIVEN
    some, decimals = _plain(words.filter(pa.array(plain)))
    others = np.flatnonzero(~plain & matches(words, NUMBER))
    found = [_written(words[int(i)].as_py(), most_decimals) for i in others]
    most = max([decimals, *(f[2] for f in found)])
    some = scale_up(some if most - decimals < 19 else as_python_ints(some), most - decimals)
    loose = np.array([0, *(v * 10 ** (most - d) for _, v, d in found)], dtype=object)[1:]
    fits = some.dtype != object and peak(loose) < 2**62
    values: IntArray = np.zeros(len(words), dtype=np.int64 if fits else object)
    values[plain] = some
    values[others] = loose
    state[others] = [f[0] for f in found]
    return Numbers(values, most, state)


def canonical_words(words: Any, numbers: Numbers) -> Any:
    """The one spelling of each number (1.0 = 1 = 1.00), arrow large_string; other words unchanged."""
    pointed = pc.match_substring(words, ".")
    trimmed = pc.utf8_rtrim(pc.utf8_rtrim(words, "0"), ".")
    short = pc.if_else(pointed, trimmed, words)
    odd = np.flatnonzero(numbers.given & ~matches(short, _CANONICAL))
    if len(odd) == 0:
        return short
    texts = short.to_pylist()
    for i in odd:
        texts[i] = decimal_text(int(numbers.values[i]), numbers.decimals)
    return pa.array(texts, pa.large_string())
