"""The residual: what the products carry once claims, releases and holdings are booked.

accounted = baseline - realised, and to the last gram (interface, "Residual"; A4.2.4, J5.3.3):
  realised = allocated + forgone + expired + held + retired_at_origin
  forgone + expired = released + what nobody could take (all of it under the `baseline` residual)
  declared - held - retired = accounted, declared = claimed_products + conventional_products
  per accounting unit: realised - sent + received = allocated + released + held + retired
Baselines are floor(s * mass) in g per product, period and scope; what claimed products do not carry of
it, conventional products do. A row's forgone effect belongs to the row's period; the grams that
rounding down left over belong to the last period in which the lot (or its origin) was used; expired
effects to the period of expiry. Effects of one origin go out from its home (see `value`), except that
what a row forgoes goes where that row's own lot may go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from massbalance.books.account import Account, BooksError, build_account, order_periods
from massbalance.books.book import UNIT_FIELDS, ResidualBook, ResidualRow, Scopes, imbalances
from massbalance.books.release import WIDTHS, Pool, Released, Taker, release
from massbalance.books.shares import SHARES, ShareBook, share_book
from massbalance.books.value import Ints, Split, add_up, split_value, sum_by
from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import Effects, Windows, windows
from massbalance.domain.grid import IntArray, as_python_ints, floor_product, shrink, total
from massbalance.domain.result import Allocation
from massbalance.domain.texts import positions

__all__ = ["ResidualBook", "ResidualRow", "Statement", "imbalances", "residual_book", "statement"]


@dataclass(frozen=True)
class Statement:
    """All the books of an allocation: what a ledger is posted from.

    account: every lot, period by period; split: what became of every lot's value; forgone: (home,
    period, g CO2e) of every forgone effect, with the grams that rounding left over, shape (n,) each;
    retired_in: period in which a home's `split.retired` left, shape (lots,); residual: its book.
    """

    window: Windows
    effects: Effects
    account: Account
    split: Split
    forgone: tuple[IndexArray, IndexArray, IntArray]
    retired_in: IndexArray
    residual: ResidualBook


def statement(case: Case, allocation: Allocation) -> Statement:
    """All the books of an allocation. BooksError as `residual_book`."""
    books = _Books(case, allocation)
    residual = _balanced(books.book())
    lot, period, amount = books.forgone()
    forgone = (books.split.home[lot], period, amount)
    return Statement(
        books.window, books.effects, books.account, books.split, forgone, books.last_use()[1], residual
    )


def residual_book(case: Case, allocation: Allocation) -> ResidualBook:
    """The residual of an allocation. BooksError where it does not balance to the last unit.

    Orders must not claim more than the case's production of their product and period.
    """
    return _balanced(_Books(case, allocation).book())


def _balanced(book: ResidualBook) -> ResidualBook:
    problems = imbalances(book)
    if problems:
        raise BooksError("; ".join(problems))
    return book


class _Books:
    """One computation of the residual: the parts that several steps share, worked out once."""

    def __init__(self, case: Case, allocation: Allocation) -> None:
        self.case, self.allocation = case, allocation
        self.effects, self.window = Effects(case), windows(case)
        self.account: Account = build_account(case, allocation, self.window)
        self.order_period = order_periods(case)
        self.order_product = positions(case.orders, "product", case.products)
        self.row_lot, self.row_period = allocation.lot, self.order_period[allocation.order]
        self.split: Split = split_value(
            case, self.account, self.window, self.effects.unit_value,
            as_python_ints(sum_by(allocation.lot, allocation.reduction, len(case.lots))),
        )  # fmt: skip
        self.origin_unit = self.effects.boundaries.lot_unit[self.split.home]

    # ---- products and periods -------------------------------------------------------------------------

    @cached_property
    def places(self) -> tuple[IndexArray, IndexArray, Ints]:
        """Product, period and produced mass (g) of every row: by product, then in time order."""
        made = self.case.production
        mass = as_python_ints(made.grid("mass_t"))
        product = self.case.products.find(made.text("product"))
        period = self.case.periods.find(made.text("period"))
        rows = np.lexsort((period, product))
        rows = rows[np.asarray(mass[rows] > 0, dtype=bool)]
        return product[rows], period[rows], mass[rows]

    def at_place(self, order: IndexArray, values: IntArray) -> Ints:
        """Sums over the rows' places of `values` that belong to orders, shape (places,)."""
        product, period, _ = self.places
        index = np.full((len(self.case.products), len(self.case.periods)), len(product), dtype=np.intp)
        index[product, period] = np.arange(len(product))
        sums = sum_by(index[self.order_product[order], self.order_period[order]], values, len(product) + 1)
        if sums[-1]:
            raise BooksError("emissions_identity: a claim on a product and period without production")
        return as_python_ints(sums[:-1])

    def per_scope(self, mass: Ints) -> list[Scopes]:
        """floor(s * mass) in scopes 1, 2, 3, g CO2e, for each place."""
        product, exact = self.places[0], self.case.products.exact
        parts = [floor_product(mass, exact[s].take(product)) for s in ("s1", "s2", "s3")]
        return [_scopes(values) for values in zip(*parts, strict=True)]

    @cached_property
    def claimed(self) -> Ints:
        """Claimed mass at each place, g."""
        orders = np.arange(len(self.case.orders), dtype=np.intp)
        claimed = self.at_place(orders, self.allocation.claimed)
        if (claimed > self.places[2]).any():
            raise BooksError("emissions_identity: claims exceed the production of a product and period")
        return claimed

    @cached_property
    def baselines(self) -> tuple[list[Scopes], list[Scopes]]:
        """Baselines of all mass and of the claimed mass at each place, g CO2e."""
        return self.per_scope(self.places[2]), self.per_scope(self.claimed)

    # ---- release --------------------------------------------------------------------------------------

    @cached_property
    def takers(self) -> dict[int, Taker]:
        """Place -> its conventional mass as a taker of releases, where there is any."""
        product, period, produced = self.places
        areas = self.effects.boundaries
        of = {boundary: areas.of_products(boundary) for boundary in WIDTHS}
        co2_only = self.case.products.text("gas") == "CO2"
        takers = {}
        for i, (whole, part) in enumerate(zip(*self.baselines, strict=True)):
            p, mass = int(product[i]), int(produced[i] - self.claimed[i])
            if mass:
                takers[i] = Taker(
                    period=int(period[i]),
                    mass=mass,
                    co2_only=bool(co2_only[p]),
                    unit=areas.product_unit[p],
                    areas={boundary: of[boundary][p] for boundary in WIDTHS},
                    room=(whole[0] - part[0], whole[1] - part[1], whole[2] - part[2]),
                )
        return takers

    def pools(self) -> list[Pool]:
        """Forgone and expired effects by where and when they may go."""
        lots, periods = len(self.case.lots), len(self.case.periods)
        lot, period, amount = self.loose()
        some = np.flatnonzero(amount)
        gas, alike = self.case.lots.text("gas"), dict[Pool, int]()
        of_lot = np.zeros(lots, dtype=np.intp)
        for i in range(lots):
            pool = Pool(
                boundary=self.case.rules.boundary(self.effects.kind[i]),
                area=self.effects.boundaries.lot[i],
                unit=self.origin_unit[i],
                scopes=self.effects.scopes[i],
                gas=gas[i],
                period=0,
                amount=0,
            )
            of_lot[i] = alike.setdefault(pool, len(alike))
        sums = sum_by(of_lot[lot[some]] * periods + period[some], amount[some], len(alike) * periods)
        return [
            replace(pool, period=t, amount=int(sums[n * periods + t]))
            for pool, n in alike.items()
            for t in range(periods)
            if sums[n * periods + t]
        ]

    def loose(self) -> tuple[IndexArray, IndexArray, IntArray]:
        """Every forgone or expired effect: its lot, its period, g CO2e."""
        lot, period, amount = self.forgone()
        homes = np.arange(len(self.split.home), dtype=np.intp)
        return (
            np.concatenate([lot, homes]),
            np.concatenate([period, self.split.expired_in.astype(np.intp)]),
            np.concatenate([amount, shrink(self.split.expired)]),
        )

    def forgone(self) -> tuple[IndexArray, IndexArray, IntArray]:
        """Every forgone effect, and what rounding left over: its lot, its period, g CO2e."""
        split, worth = self.split, self.effects.unit_value.take(self.row_lot)
        forgone = shrink(floor_product(self.allocation.quantity, worth) - self.allocation.reduction)
        if (forgone < 0).any():
            raise BooksError("emissions_identity: a reduction exceeds the value of what it used")
        rounding = split.remainder - sum_by(split.home[self.row_lot], forgone, len(split.home))
        last_lot, last_period = self.last_use()
        return (
            np.concatenate([self.row_lot, last_lot]),
            np.concatenate([self.row_period, last_period]),
            np.concatenate([forgone, shrink(rounding)]),
        )

    def last_use(self) -> tuple[IndexArray, IndexArray]:
        """Lot and period of the last use of each home's lots (itself and 0 where there is none)."""
        lots = len(self.split.home)
        last = np.full(lots, -1, dtype=np.intp)
        np.maximum.at(last, self.split.home[self.row_lot], self.row_period * lots + self.row_lot)
        return np.where(last < 0, np.arange(lots), last % max(lots, 1)), np.maximum(last, 0) // max(lots, 1)

    @cached_property
    def released(self) -> Released:
        """Pools given to takers, or all retired under the `baseline` residual."""
        allowed = self.case.rules.parameters.residual == "inventory"
        return release(self.pools(), list(self.takers.values()), allowed)

    @cached_property
    def shares(self) -> dict[str, ShareBook]:
        """Books of the green and recycled shares."""
        product, rate = self.places[0], self.case.products.exact["t_product_per_t_input"]
        takers = list(self.takers.values())
        rates = [(int(rate.values[product[i]]), 10**rate.decimals) for i in self.takers]
        return {
            name: share_book(
                self.case, self.allocation, self.effects, self.account, self.window, takers, rates, name
            )
            for name in SHARES
        }

    # ---- the book -------------------------------------------------------------------------------------

    def rows(self) -> tuple[ResidualRow, ...]:
        """One row per place."""
        product, period, produced = self.places
        allocation, exact = self.allocation, self.case.products.exact
        allocated = [
            self.at_place(allocation.order, part)
            for part in (allocation.scope1, allocation.scope2, allocation.scope3)
        ]
        before = exact["s1"].plus(exact["s2"]).plus(exact["s3"])
        given = {name: dict(zip(self.takers, self.shares[name].given, strict=True)) for name in SHARES}
        whole, part = self.baselines
        released = dict(zip(self.takers, self.released.taken, strict=True))
        return tuple(
            ResidualRow(
                product=int(product[i]),
                period=int(period[i]),
                produced=int(produced[i]),
                claimed=int(self.claimed[i]),
                baseline=whole[i],
                claimed_baseline=part[i],
                allocated=_scopes(scope[i] for scope in allocated),
                released=released.get(i, (0, 0, 0)),
                green=given["green"].get(i, 0),
                recycled=given["recycled"].get(i, 0),
                cfp_before=before.fraction(int(product[i])),
            )
            for i in range(len(product))
        )

    def book(self) -> ResidualBook:
        """Everything, unchecked."""
        split, released = self.split, self.released
        rows = self.rows()
        at_origin = add_up(split.retired)
        baseline = sum(sum(row.baseline) for row in rows)
        realised, allocated = add_up(split.realised), add_up(split.booked)
        given = sum(sum(row.released) for row in rows)
        tco2e = {
            "baseline": baseline,
            "realised": realised,
            "allocated": allocated,
            "forgone": add_up(split.remainder),
            "expired": add_up(split.expired),
            "released": given,
            "retired": at_origin + sum(released.retired.values()),
            "held": add_up(split.held),
            "claimed_products": sum(sum(r.claimed_baseline) - sum(r.allocated) for r in rows),
            "conventional_products": sum(r.conventional_baseline - sum(r.released) for r in rows),
            "accounted": baseline - realised,
        }
        shares = {name: share.balance for name, share in self.shares.items()}
        return ResidualBook(rows, tco2e, at_origin, self.credits(), shares, self.units(rows))

    def credits(self) -> dict[str, dict[str, int]]:
        """The account summed by unit of measure, in millionths of it."""
        uom, account = self.effects.uom, self.account
        columns = {
            "opening": account.opening[:, :1].sum(axis=1),
            "received": account.received.sum(axis=1),
            "allocated": account.allocated.sum(axis=1),
            "blocked": account.blocked.sum(axis=1),
            "expired": account.expired.sum(axis=1),
            "held": account.held(),
        }
        return {
            str(unit): {name: total(values[uom == unit]) for name, values in columns.items()}
            for unit in sorted(set(uom))
        }

    def units(self, rows: tuple[ResidualRow, ...]) -> dict[str, dict[str, int]]:
        """Balance of every accounting unit that has lots or products, g CO2e."""
        areas, split = self.effects.boundaries, self.split
        names = sorted({*areas.lot_unit, *areas.product_unit})
        units = {name: dict.fromkeys(UNIT_FIELDS, 0) for name in names}
        for row in rows:
            units[areas.product_unit[row.product]]["baseline"] += sum(row.baseline)
        for lot, name in enumerate(self.origin_unit):
            units[name]["realised"] += split.realised[lot]
            units[name]["held"] += split.held[lot]
            units[name]["retired"] += split.retired[lot]
        for name, amount in self.released.retired.items():
            units[name]["retired"] += amount
        for (source, target), amount in self.released.flows.items():
            _move(units, source, target, "released", amount)
        for (source, target), amount in self.allocated_flows(names).items():
            _move(units, source, target, "allocated", amount)
        for unit in units.values():
            unit["declared"] = unit["baseline"] - unit["allocated"] - unit["released"]
            unit["accounted"] = unit["baseline"] - unit["realised"]
        return units

    def allocated_flows(self, names: list[str]) -> dict[tuple[str, str], int]:
        """(unit of the lot, unit of the product) -> g CO2e booked to claims."""
        at = {name: i for i, name in enumerate(names)}
        source = np.array([at[name] for name in self.origin_unit], dtype=np.intp)
        target = np.array([at[name] for name in self.effects.boundaries.product_unit], dtype=np.intp)
        pair = source[self.row_lot] * len(names) + target[self.order_product[self.allocation.order]]
        sums = sum_by(pair, self.allocation.reduction, len(names) ** 2)
        return {
            (names[at // len(names)], names[at % len(names)]): int(sums[at]) for at in np.flatnonzero(sums)
        }


def _scopes(values: Iterable[int]) -> Scopes:
    one, two, three = (int(value) for value in values)
    return one, two, three


def _move(units: dict[str, dict[str, int]], source: str, target: str, what: str, amount: int) -> None:
    """Book an effect to the unit that gets it; as sent and received where units differ."""
    units[target][what] += amount
    if source != target:
        units[source]["sent"] += amount
        units[target]["received"] += amount
