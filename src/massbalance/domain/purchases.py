"""The table of purchase offers: lots that could be bought, and on what terms.

Its columns are those of `lots` without `quantity`, and the terms of the purchase below.
"""

from __future__ import annotations

from massbalance.domain.schema import (
    LARGEST_MONEY,
    LARGEST_QUANTITY,
    TABLE_SPECS,
    ColumnKind,
    ColumnSpec,
    TableSpec,
)

PURCHASES = "purchases"


def _term(
    name: str, unit: str, meaning: str, *, kind: ColumnKind = "number", required: bool = False,
    default: str | None = None, high: int | None = None, above: int | None = None,
) -> ColumnSpec:  # fmt: skip
    low = 0 if kind == "number" and above is None else None
    return ColumnSpec(name, kind, required, unit, meaning, (), low, high, above, default, None)


_TERMS = (
    _term(
        "fixed_cost", "currency", "paid once if anything is bought", default="0", high=LARGEST_MONEY
    ),
    _term(
        "price_per_uom", "currency/uom", "paid for every unit bought, used or not",
        required=True, high=LARGEST_MONEY,
    ),
    _term("min_quantity", "uom", "least that can be bought", default="0", high=LARGEST_QUANTITY),
    _term("max_quantity", "uom", "most that can be bought", required=True, high=LARGEST_QUANTITY),
    _term(
        "lot_size", "uom", "only whole multiples of it are sold; empty: any quantity",
        high=LARGEST_QUANTITY, above=0,
    ),
    _term("group", "", "at most one purchase offer of a group is bought", kind="text"),
)  # fmt: skip

TERMS = {term.name: term for term in _TERMS}
"""What a purchase offer says beside what it says of the lot."""
LOT_COLUMNS = {name: spec for name, spec in TABLE_SPECS["lots"].columns.items() if name != "quantity"}
PURCHASE_SPEC = TableSpec(
    PURCHASES, "Purchase offers: lots that could be bought.", ("lot",), False, {**LOT_COLUMNS, **TERMS}
)
"""Every column of the table, in its order."""
TERMS_SPEC = TableSpec(
    PURCHASES, PURCHASE_SPEC.meaning, ("lot",), False, {"lot": LOT_COLUMNS["lot"], **TERMS}
)
"""The key and the terms alone: the rest is checked as rows of `lots`."""
