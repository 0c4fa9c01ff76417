"""A checked case: what every other package works on.

A `Case` exists only if intake found no error, so its readers need no further checks.
Rows of every table stand in canonical order (sorted by key), whatever order the file had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from massbalance.domain.faults import Fault
from massbalance.domain.grid import Column, IntArray
from massbalance.domain.objective import Objective, read_objective
from massbalance.domain.rulemodel import Rules

IndexArray = npt.NDArray[np.intp]

TABLES = (
    "periods", "sites", "lots", "alloys", "composition", "alloy_limits", "products",
    "production", "orders", "offers", "projects", "customers",
)  # fmt: skip
OPTIONAL_TABLES = ("composition", "alloy_limits", "offers", "projects", "customers")


@dataclass(frozen=True)
class Table:
    """One table of a case, sorted by its key.

    rows: a DataFrame with a RangeIndex and every column of the interface (also the ones the
    file left out). Text: pandas `str`, "" = not given. Dates: datetime64[D] as numpy
    `datetime64[s]` in pandas, NaT = not given. Booleans: bool, default applied. Numbers: float64, NaN =
    not given, default applied; for the solver and display only.
    exact: the same numbers as exact `Column`s; masses and quantities of `lots`, `production`
    and `orders` always have 6 decimals (floored to the grid, with a warning when that cut).
    source_row: the row in the file (header = 1), for messages; shape (n,).
    """

    name: str
    rows: pd.DataFrame
    exact: Mapping[str, Column]
    source_row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, column: str) -> npt.NDArray[np.object_]:
        """A text column as Python strings, shape (n,)."""
        if column == self.rows.columns[0]:
            return np.asarray(self.rows[column].astype(object), dtype=object)
        # words that repeat are one object each, which a million rows share
        texts = pa.array(self.rows[column])
        encoded = (
            texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        ).dictionary_encode()
        words = np.empty(len(encoded.dictionary), dtype=object)
        words[:] = encoded.dictionary.to_pylist()
        return np.asarray(words[encoded.indices.to_numpy()], dtype=object)

    def flag(self, column: str) -> npt.NDArray[np.bool_]:
        """A true/false column, shape (n,)."""
        return self.rows[column].to_numpy(dtype=bool)

    def floats(self, column: str) -> npt.NDArray[np.float64]:
        """A number column as floats, NaN = not given, shape (n,)."""
        return self.rows[column].to_numpy(dtype=np.float64)

    def days(self, column: str) -> npt.NDArray[np.datetime64]:
        """A date column as datetime64[D], NaT = not given, shape (n,)."""
        return self.rows[column].to_numpy().astype("datetime64[D]")

    def grid(self, column: str) -> IntArray:
        """A quantity column in millionths of its unit, shape (n,)."""
        exact = self.exact[column]
        return exact.at(6)

    @cached_property
    def position(self) -> dict[str, int]:
        """First column (the key of single-key tables) -> row position."""
        return {key: i for i, key in enumerate(self.text(str(self.rows.columns[0])))}

    def find(self, keys: npt.NDArray[np.object_]) -> IndexArray:
        """Row positions of `keys` in the table's first column; every key must exist."""
        index = pd.Index(self.text(str(self.rows.columns[0])))
        return np.asarray(index.get_indexer(pd.Index(keys)), dtype=np.intp)


@dataclass(frozen=True)
class Case:
    """A valid case.

    settings: case.toml as parsed, without the `rules` key; rules: the rule model with the
    case's overrides applied; sha256: over sorted content, independent of row order and file
    format; warnings: every warning found; encodings: table -> encoding or format read;
    content: table -> its canonical CSV (sorted, one spelling), for each table that was present.
    """

    name: str
    currency: str
    rules: Rules
    settings: Mapping[str, Any]
    tables: Mapping[str, Table]
    sha256: str
    warnings: tuple[Fault, ...] = ()
    encodings: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __getattr__(self, name: str) -> Table:
        # case.lots, case.orders ...: only the tables of the interface, nothing else.
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @cached_property
    def objective(self) -> Objective:
        """What `[objective]` asks for, defaults applied."""
        return read_objective(self.settings.get("objective", {}))

    @property
    def goals(self) -> tuple[str, ...]:
        """Words of the goals in order, the most important first."""
        return self.objective.order
