"""A column as read: its distinct words, and which of them stands in each row.

Every check of single values runs over the distinct words, so it costs what the words cost and
not what the rows cost; all file formats become this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

# Full-width digits, signs, point, colon, slash and letters, as Japanese keyboards give them.
_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}
_ASCII = r"^[\x00-\x7f]*$"


@dataclass(frozen=True)
class Cells:
    """codes: shape (n,), positions in `words`; words: arrow large_string, shape (k,), stripped,
    distinct, no nulls; "" = empty.
    """

    codes: Codes
    words: Any

    @staticmethod
    def of(column: Any) -> Cells:
        """From an arrow array of strings (also dictionary-encoded); surrounding space is dropped."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
        codes, words = encoded.indices, encoded.dictionary.cast(pa.large_string())
        distinct = encoded is not array
        if codes.null_count or words.null_count:
            codes = pc.fill_null(codes, len(words))
            words = pa.concat_arrays([pc.fill_null(words, ""), pa.array([""], pa.large_string())])
            distinct = False
        cells = Cells(codes.to_numpy(zero_copy_only=False).astype(np.int32), words)
        trimmed = pc.utf8_trim_whitespace(words)
        if distinct and trimmed.equals(words):
            return cells
        return cells.mapped(trimmed)

    @staticmethod
    def empty() -> Cells:
        """A column without rows."""
        return Cells(np.zeros(0, np.int32), pa.array([], pa.large_string()))

    def mapped(self, words: Any) -> Cells:
        """The same rows with each word replaced by the one at its position in `words`."""
        encoded = pc.dictionary_encode(words)
        if len(encoded.dictionary) == len(words):
            return Cells(self.codes, words)
        into = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        return Cells(into[self.codes] if len(into) else self.codes, encoded.dictionary)

    def take(self, rows: npt.NDArray[np.intp]) -> Cells:
        """The rows at `rows`, in that order (the words stay)."""
        return Cells(self.codes[rows], self.words)

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, row: int) -> str:
        """The word in a row."""
        return str(self.words[int(self.codes[row])].as_py())

    @cached_property
    def blank(self) -> Mask:
        """Which rows are empty, shape (n,)."""
        where = pc.index(self.words, pa.scalar("", pa.large_string())).as_py()
        return self.codes == where

    def present(self, rows: Mask) -> Any:
        """Distinct non-empty words in the rows of a mask, as an arrow array."""
        used = np.zeros(len(self.words), dtype=bool)
        used[self.codes[rows]] = True
        return self.words.filter(pa.array(used & np.asarray(pc.not_equal(self.words, ""))))

    def text(self) -> Any:
        """Arrow large_string array, shape (n,)."""
        return self.words.take(pa.array(self.codes))

    def narrow(self) -> Cells:
        """Full-width digits, signs and letters as their ASCII ones (numbers, dates, flags, scopes)."""
        wide = ~matches(self.words, _ASCII)
        if not wide.any():
            return self
        return self.replaced(wide, lambda word: word.translate(_FULL_WIDTH))

    def replaced(self, where: Mask, change: Any) -> Cells:
        """The same rows with `change` applied to the words of a mask over words."""
        words = self.words.to_pylist()
        for i in np.flatnonzero(where):
            words[i] = change(words[i])
        return self.mapped(pa.array(words, pa.large_string()))


def matches(words: Any, pattern: str) -> Mask:
    """Which words match a regular expression (RE2), shape (k,)."""
    return np.asarray(pc.match_substring_regex(words, pattern), dtype=bool)


def contains(words: Any, known: Any) -> Mask:
    """Which words are among `known` (an arrow array), shape (k,)."""
    return np.asarray(pc.is_in(words, value_set=known.cast(pa.large_string())), dtype=bool)


def positions(words: Any, known: Any) -> npt.NDArray[np.int64]:
    """Position of each word in `known`, -1 where it is not there, shape (k,)."""
    found = pc.fill_null(pc.index_in(words, value_set=known), -1)
    return np.asarray(found, dtype=np.int64)
