"""Checks inside one table: keys, ranges that depend on other columns, names with a meaning."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.rulemodel import Rules
from massbalance.domain.schema import SHARE_CLAIMS, UOMS_OF_KIND
from massbalance.intake.cells import Mask, matches
from massbalance.intake.draft import Draft
from massbalance.intake.log import Log, one_of
from massbalance.intake.names import code

Drafts = dict[str, Draft]
_RESERVED = r"^base(:.*)?$"


def check_tables(drafts: Drafts, rules: Rules | None, log: Log) -> None:
    """Every check that needs one table only. Faults are logged, their rows dropped."""
    for table in drafts.values():
        check_key(table, log)
    _check_lots(drafts["lots"], rules, log)
    _check_periods(drafts["periods"], rules, log)
    for name in ("orders", "offers"):
        check_levels(drafts[name], log)
    _check_offer_names(drafts["offers"], log)
    _check_units(drafts["sites"], log)
    limits = drafts["alloy_limits"]
    upside_down = _less(limits, "max_wt_pct", "min_wt_pct")
    limits.fault(log, upside_down, "min_wt_pct", "at most max_wt_pct", "limits_in_order")
    for name, column in (("lots", "lot"), ("lots", "category"), ("alloys", "category")):
        _check_reserved(drafts[name], column, log)
    projects = drafts["projects"]
    ends = projects.dates("computation_end") < projects.dates("computation_start")
    projects.fault(log, ends, "computation_end", "a day not before computation_start", "period_dates")


def key_codes(table: Draft) -> npt.NDArray[np.int64]:
    """One integer per row that tells keys apart, shape (n,)."""
    combined = np.zeros(len(table), dtype=np.int64)
    for column in table.spec.key:
        cells = table.columns[column].cells
        combined = combined * (len(cells.words) + 1) + cells.codes
    return combined


def check_key(table: Draft, log: Log) -> None:
    """No key twice; the second and later rows are faults."""
    if not table.has(*table.spec.key) or len(table) == 0:
        return
    complete = np.logical_and.reduce([table.known(c) for c in table.spec.key])
    rows = np.flatnonzero(complete)
    keys = key_codes(table)[rows]
    order = np.argsort(keys, kind="stable")
    repeated = np.concatenate([[False], keys[order][1:] == keys[order][:-1]])
    if not repeated.any():
        return
    first = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(order))))
    at = np.flatnonzero(repeated)
    again, before = rows[order[at]], rows[order[first[at]]]
    named = np.argsort(again)[: log.room(table.name, table.spec.key[0], "duplicate_key")]
    for row, other in zip(again[named], before[named], strict=True):
        value = ", ".join(table.columns[c].cells.at(row) for c in table.spec.key)
        expected = f"each key once ({', '.join(table.spec.key)}; also in row {table.rows[other]})"
        log.add(table.name, int(table.rows[row]), table.spec.key[0], value, expected, "duplicate_key")
    log.add_many(table.name, table.spec.key[0], "duplicate_key", len(again) - len(named))
    table.dropped[again] = True


def _less(table: Draft, a: str, b: str) -> Mask:
    """Rows in which number a is given and less than number b."""
    left, right = table.exact(a), table.exact(b)
    x, y, _ = left.aligned(right)
    return left.given & right.given & np.asarray(x < y, dtype=bool)


def _check_lots(lots: Draft, rules: Rules | None, log: Log) -> None:
    if rules is not None:
        taken = rules.parameters.kinds
        other = lots.known("kind") & ~lots.is_word("kind", *taken)
        expected = f"{one_of(taken)}: `{rules.id}` takes no other kind of lot"
        lots.fault(log, other, "kind", expected, code("kind_taken", rules))
    early = lots.dates("expires") < lots.dates("received")
    expected = "a day not before receipt"
    lots.fault(log, early, "expires", expected, code("expiry_after_receipt", rules))
    for kind, uoms in UOMS_OF_KIND.items():
        wrong = lots.is_word("kind", kind) & lots.known("uom") & ~lots.is_word("uom", *uoms)
        lots.fault(log, wrong, "uom", f"{one_of(uoms)} for {kind}", "unit_of_kind")
    _check_scopes(lots, log)
    recycled = lots.exact("recycled_pre").or_zero().plus(lots.exact("recycled_post").or_zero())
    over = np.asarray(recycled.values > 10**recycled.decimals, dtype=bool)
    column = "recycled_post" if lots.has("recycled_post") else "recycled_pre"
    lots.fault(log, over, column, "recycled_pre and recycled_post of at most 1 together", "out_of_range")


def _check_scopes(lots: Draft, log: Log) -> None:
    given, kind = lots.known("scopes"), "kind"
    wrong = given & lots.is_word(kind, "material") & ~lots.is_word("scopes", "3")
    lots.fault(log, wrong, "scopes", "`3`, or empty, for material", "unit_of_kind")
    wrong = given & lots.is_word(kind, "energy") & ~lots.is_word("scopes", "1", "2", "3")
    lots.fault(log, wrong, "scopes", "one scope for energy", "unit_of_kind")
    none = lots.is_word(kind, "project")
    if lots.has("scopes"):
        none &= lots.columns["scopes"].cells.blank
    lots.fault(log, none, "scopes", "the scopes of a project lot, as `1` or `1+2`", "empty_cell")


def _check_periods(periods: Draft, rules: Rules | None, log: Log) -> None:
    starts, ends = periods.dates("start"), periods.dates("end")
    periods.fault(log, ends < starts, "end", "a day not before start", "period_dates")
    rows = np.flatnonzero(~np.isnat(starts) & ~np.isnat(ends))
    if len(rows) < len(periods) or not periods.complete:
        return
    name = code("periods_without_gaps", rules)
    for before, row in pairwise(rows):
        expected = ends[before] + np.timedelta64(1, "D")
        if starts[row] != expected:
            fault = (
                "order" if starts[row] < starts[before] else "overlap" if starts[row] < expected else "gap"
            )
            what = {"order": "periods in time order", "overlap": "no overlap", "gap": "no gap"}[fault]
            at = np.array([row])
            periods.fault(log, at, "start", f"{expected}, the day after the period before ({what})", name)


def check_levels(table: Draft, log: Log) -> None:
    """A share that is claimed is at most 1."""
    level = table.exact("level")
    over = table.is_word("claim", *SHARE_CLAIMS) & np.asarray(level.values > 10**level.decimals, dtype=bool)
    table.fault(log, over, "level", "a share from 0 to 1 for a share claim", "out_of_range")


def _check_offer_names(offers: Draft, log: Log) -> None:
    """`order/offer` names a pair; no two pairs may read the same."""
    if not offers.has("order", "offer") or not len(offers):
        return
    pairs = zip(offers.texts("order"), offers.texts("offer"), strict=True)
    _check_joined(offers, list(pairs), "offer", log)


def _check_units(sites: Draft, log: Log) -> None:
    """`organisation/unit` names an accounting unit; no two units may read the same."""
    if sites.has("organisation", "unit"):
        pairs = zip(sites.texts("organisation"), sites.texts("unit"), strict=True)
        _check_joined(sites, list(pairs), "unit", log)


def _check_joined(table: Draft, pairs: list[tuple[str, str]], column: str, log: Log) -> None:
    seen: dict[str, tuple[tuple[str, str], int]] = {}
    for i, pair in enumerate(pairs):
        other, row = seen.setdefault("/".join(pair), (pair, int(table.rows[i])))
        if other != pair:
            expected = f"a name that differs from row {row} when joined by `/`"
            table.fault(log, np.array([i]), column, expected, "ambiguous_name")


def _check_reserved(table: Draft, column: str, log: Log) -> None:
    """`base` and `base:ALLOY` mean the base metal in `composition`."""
    if table.has(column):
        cells = table.columns[column].cells
        bad = matches(cells.words, _RESERVED)
        expected = "another name (`base` means the base metal in `composition`)"
        table.fault(log, bad[cells.codes], column, expected, "reserved_name")


def clashing_offers(orders: Draft, offers: Draft, log: Log) -> None:
    """`order/offer` may not be the name of another order."""
    if not (orders.has("order") and offers.has("order", "offer") and len(offers)):
        return
    joined = pc.binary_join_element_wise(
        offers.columns["order"].cells.text(),
        offers.columns["offer"].cells.text(),
        pa.scalar("/", pa.large_string()),
    )
    clash = np.asarray(pc.is_in(joined, value_set=orders.columns["order"].cells.words), dtype=bool)
    expected = "a name with which `order/offer` is no other order's name"
    offers.fault(log, clash, "offer", expected, "ambiguous_name")
