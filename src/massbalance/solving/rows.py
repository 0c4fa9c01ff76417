"""Labels of rows as arrays: (equation, key) of a row is made when it is asked for."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsIndex, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from massbalance.formulation.labels import EQUATION_NAMES, OF_A_RECIPE
from massbalance.formulation.problem import recipe_of

Positions = npt.NDArray[np.intp]
RowLabel = tuple[str, object]


@dataclass(frozen=True)
class Family:
    """Labels of one equation's rows, in row order.

    first, second: shape (n,), the parts of each key; words: what the codes of the last part stand
    for (None: the integers themselves). A key is its only part, or the pair.
    """

    equation: str
    first: Positions
    second: Positions | None = None
    words: Sequence[object] | None = None

    def __len__(self) -> int:
        return len(self.first)

    def __iter__(self) -> Iterator[object]:
        """The keys in order."""
        last = (self.first if self.second is None else self.second).tolist()
        parts = last if self.words is None else [self.words[code] for code in last]
        return iter(parts) if self.second is None else zip(self.first.tolist(), parts, strict=True)

    def take(self, index: Positions) -> Family:
        """The rows at `index`."""
        second = None if self.second is None else self.second[index]
        return Family(self.equation, self.first[index], second, self.words)


class RowLabels(Sequence[RowLabel]):
    """(equation, key) of every row, family after family."""

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = tuple(families)
        self.start = np.cumsum([0, *(len(f) for f in self.families)])

    def __len__(self) -> int:
        return int(self.start[-1])

    @overload
    def __getitem__(self, index: SupportsIndex) -> RowLabel: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowLabel, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> RowLabel | tuple[RowLabel, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        at = operator.index(index)
        at += len(self) if at < 0 else 0
        if not 0 <= at < len(self):
            raise IndexError(index)
        n = int(np.searchsorted(self.start, at, side="right")) - 1
        family = self.families[n]
        one = np.array([at - self.start[n]], dtype=np.intp)
        return family.equation, next(iter(family.take(one)))

    def __iter__(self) -> Iterator[RowLabel]:
        for family in self.families:
            for key in family:
                yield family.equation, key

    def take(self, index: Positions) -> RowLabels:
        """Labels of the rows at `index`, which must ascend."""
        cuts = np.searchsorted(index, self.start)
        parts = zip(self.families, self.start[:-1], cuts[:-1], cuts[1:], strict=True)
        return RowLabels([family.take(index[a:b] - start) for family, start, a, b in parts])

    def family(self, equation: str) -> tuple[slice, Family | None]:
        """Where the rows of an equation stand, and their labels; an empty slice, None: there are none."""
        for n, found in enumerate(self.families):
            if found.equation == equation:
                return slice(int(self.start[n]), int(self.start[n + 1])), found
        return slice(0, 0), None

    @cached_property
    def equation(self) -> npt.NDArray[np.int8]:
        """Position of each row's equation in EQUATION_NAMES (-1: none of them)."""
        codes = [_code(family.equation) for family in self.families]
        return np.repeat(np.array(codes, dtype=np.int8), np.diff(self.start))

    @cached_property
    def recipe(self) -> Positions:
        """Recipe of each row of C4 to C10, -1 elsewhere."""
        parts = [
            f.first if f.equation in OF_A_RECIPE else np.full(len(f), -1, dtype=np.intp)
            for f in self.families
        ]
        return np.concatenate([np.empty(0, dtype=np.intp), *parts])


AnyRows: TypeAlias = RowLabels | tuple[RowLabel, ...]


def _code(equation: str) -> int:
    return EQUATION_NAMES.index(equation) if equation in EQUATION_NAMES else -1


def equation_codes(rows: AnyRows) -> npt.NDArray[np.int8]:
    """Position of each row's equation in EQUATION_NAMES (-1: none of them)."""
    if isinstance(rows, RowLabels):
        return rows.equation
    codes = {name: n for n, name in enumerate(EQUATION_NAMES)}
    return np.array([codes.get(equation, -1) for equation, _ in rows], dtype=np.int8)


def recipe_codes(rows: AnyRows) -> Positions:
    """Recipe of each row of C4 to C10, -1 elsewhere."""
    if isinstance(rows, RowLabels):
        return rows.recipe
    known = set(OF_A_RECIPE)
    return np.array([recipe_of(key) if equation in known else -1 for equation, key in rows], dtype=np.intp)
