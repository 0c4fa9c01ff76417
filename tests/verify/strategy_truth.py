"""Strategies on the plain order x lot model, solved by scipy: the truth that the verifier's bound is held to.

`PlainStrategy` adds to `plain_model`'s rows what `[objective]` asks, written from the contract alone, in
exact fractions; `solve` runs the goals one after the other and keeps every stage's prices. A pool here is
one lot, a recipe one set of terms.
"""

from __future__ import annotations

import csv
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from plain_model import (
    ZERO,
    Model,
    PlainCase,
    _Builder,
    add_months,
    day,
    exact,
    gridded,
    is_true,
    number,
    read,
)
from random_cases import write_random_case

Column = dict[int, Fraction]
STRATEGIES = ("concentrate", "spread", "leximin", "tonnage", "least-expiry", "weighted", "blend")
OWN = {
    "concentrate": "chosen", "spread": "common_share", "leximin": "fair_share", "tonnage": "tonnage",
    "least-expiry": "expiry", "weighted": "weighted",
}  # fmt: skip


# --- cases -------------------------------------------------------------------------------------------------


def write_strategy_case(folder: Path, seed: int, strategy: str, *, mip: bool = False) -> None:
    """A random case under a strategy with random settings."""
    rng = random.Random(f"{seed}/{strategy}/{mip}")
    write_random_case(folder, seed, mip=mip, size=rng.choice(["tiny", "small"]))
    orders = list(csv.DictReader((folder / "orders.csv").open(encoding="utf-8-sig")))
    customers = sorted({row["customer"] for row in orders})
    lines = [
        "customer,name,address,contact,segment",
        *(f"{c},{c},1 Road,x,{'big' if n % 2 else 'small'}" for n, c in enumerate(customers)),
    ]
    (folder / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept, inside = [], False
    for line in (folder / "case.toml").read_text(encoding="utf-8").splitlines():
        inside = line == "[objective]" if line.startswith("[") else inside
        kept += [] if inside else [line]
    kept += objective(rng, strategy, sorted({row["product"] for row in orders}), customers)
    (folder / "case.toml").write_text("\n".join(kept) + "\n", encoding="utf-8")


def objective(
    rng: random.Random, strategy: str, products: Sequence[str], customers: Sequence[str]
) -> list[str]:
    """The section `[objective]`."""
    lines = ["[objective]"]
    if strategy == "blend":
        goals = rng.sample(["firm_shortfall", "margin", "tonnage", "expiry"], 4)
        return [*lines, f"order = {goals}".replace("'", '"')]
    lines.append(f'strategy = "{strategy}"')
    if strategy == "concentrate":
        lines.append(f"products = {rng.sample(products, rng.randint(1, len(products)))}".replace("'", '"'))
    if strategy == "leximin":
        lines.append(f'by = "{rng.choice(["customer", "segment", "product"])}"')
    if rng.random() < 0.3:
        goals = rng.sample(["firm_shortfall", OWN[strategy], "margin"], 3)
        lines.append(f"order = {goals}".replace("'", '"'))
    if strategy == "weighted":
        worth = rng.choice(["0.5", "3", "0.125"]), rng.choice(["0", "7.25"]), rng.choice(["11", "0.001"])
        lines += ["[objective.weights]", *map(" = ".join, zip(WEIGHTS, worth, strict=True))]
    if rng.random() < 0.4:
        lines += [
            "[[objective.minimum_service]]",
            'by = "customer"',
            f"share = {rng.choice(['0.1', '0.02'])}",
        ]
        if rng.random() < 0.5:
            lines.append(f'group = "{rng.choice(customers)}"')
    return lines


# --- the model ---------------------------------------------------------------------------------------------


WEIGHTS = ("margin", "tonnage_t", "expired_tco2e")


@dataclass
class PlainGoal:
    """To be maximised: a goal's key, its columns; rows of its own that replace others of the same label."""

    key: str
    columns: Column


@dataclass
class PlainStrategy:
    """The rows and goals of a case under its strategy; mass: column of every set of terms -> its order.

    theta: the shares' columns; units: t that a share is of; hopeless: orders that no mix serves.
    """

    case: PlainCase
    model: Model
    mass: dict[int, dict[str, str]]
    uses: Mapping[str, Sequence[int]]
    goals: list[PlainGoal] = field(default_factory=list)
    groups: dict[str, tuple[list[int], Fraction]] = field(default_factory=dict)
    theta: dict[str, int] = field(default_factory=dict)
    units: dict[str, Fraction] = field(default_factory=dict)
    hopeless: set[str] = field(default_factory=set)

    @property
    def objective(self) -> dict[str, object]:
        return self.case.settings.get("objective", {})

    def steps(self, orders: set[str]) -> list[int]:
        """Columns of the claimed masses of some orders."""
        return [y for y, order in self.mass.items() if order["order"] in orders]

    def by(self, kind: str) -> dict[str, set[str]]:
        """Group -> its orders."""
        segment = {row["customer"]: row.get("segment", "") for row in self.case.tables["customers"]}
        found: dict[str, set[str]] = {}
        for row in self.case.tables["orders"]:
            name = row["product"] if kind == "product" else row["customer"]
            name = segment.get(name, "") if kind == "segment" else name
            if name:
                found.setdefault(name, set()).add(row["order"])
        return dict(sorted(found.items()))

    def ordered(self, orders: set[str]) -> Fraction:
        rows = self.case.tables["orders"]
        return sum((gridded(row, "mass_t") for row in rows if row["order"] in orders), ZERO)


def model_of(folder: Path) -> PlainStrategy:
    """Rows and goals of a case; the integers are left out."""
    builder = _Builder(read(folder))
    builder.case.settings = tomllib.loads((folder / "case.toml").read_text(), parse_float=Fraction)
    for terms in builder.case.terms():
        builder.add_terms(terms)
    builder.add_supply()
    several: dict[str, Column] = {}
    for terms, y in builder.mass_of:
        several.setdefault(terms.order["order"], {})[y] = 1 / builder.model.upper[y]
    for order, share in several.items():
        if len(share) > 1:
            builder.model.at_most(f"one_offer[{order}]", share, Fraction(1))
    plain = PlainStrategy(
        builder.case, builder.model, {y: t.order for t, y in builder.mass_of}, builder.uses_of_lot
    )
    premium = {y: terms.premium for terms, y in builder.mass_of}
    _add_minimums(plain)
    _add_goals(plain, premium)
    return plain


def _add_minimums(plain: PlainStrategy) -> None:
    for least in plain.objective.get("minimum_service", []):
        for name, orders in plain.by(least["by"]).items():
            if least.get("group", name) == name:
                asked = -Fraction(least["share"]) * plain.ordered(orders)
                columns = dict.fromkeys(plain.steps(orders), Fraction(-1))
                plain.model.rows.append((f"minimum_service[{least['by']},{name}]", columns, asked))


def _expiring(plain: PlainStrategy) -> dict[str, Fraction]:
    """Lot -> t CO2e per unit, where some period can use it and none can after these."""
    case, found = plain.case, {}
    for lot in case.tables["lots"]:
        value = Fraction(1)
        if lot["kind"] != "project":
            worth, intensity = case.displaced(lot), number(lot, "intensity_tco2e_per_uom")
            value = max(ZERO, worth - intensity) if None not in (worth, intensity) else ZERO
        last = max(end for _, end in case.periods.values())
        expires, months = day(lot.get("expires", "")), case.overrides.get("expiry_months", "unlimited")
        if expires is None and months != "unlimited":
            expires = add_months(date.fromisoformat(lot["received"]), int(months))
        ends = (expires is not None and expires <= last) or case.overrides.get("carry_over") == "none"
        if value and ends and any(case.in_time(lot, period) for period in case.periods):
            found[lot["lot"]] = value
    return found


def _parts(plain: PlainStrategy, premium: Column) -> dict[str, Column]:
    """Columns of the goals that weigh margin, tonnage and expiring lots used."""
    margin = dict(premium)
    for lot in plain.case.tables["lots"]:
        margin |= {c: -exact(lot, "unit_cost") for c in plain.uses[lot["lot"]]}
    used = {c: value for lot, value in _expiring(plain).items() for c in plain.uses[lot]}
    tonnes = dict.fromkeys(plain.mass, Fraction(1))
    weights = {name: Fraction(worth) for name, worth in plain.objective.get("weights", {}).items()}
    mixed: Column = {}
    for name, columns in zip(WEIGHTS, (margin, tonnes, used), strict=True):
        for c, value in columns.items():
            mixed[c] = mixed.get(c, ZERO) + weights.get(name, ZERO) * value
    return {"margin": margin, "tonnage": tonnes, "expiry": used, "weighted": mixed}


def _add_goals(plain: PlainStrategy, premium: Column) -> None:
    told, parts = plain.objective, _parts(plain, premium)
    strategy = told.get("strategy", "")
    order = told.get("order") or ["firm_shortfall", *([OWN[strategy]] if strategy in OWN else []), "margin"]
    if strategy == "concentrate":
        for y, row in plain.mass.items():
            if row["product"] not in told["products"] and not is_true(row, "firm"):
                plain.model.upper[y] = ZERO
    for word in order:
        if word == "firm_shortfall":
            _add_firm(plain)
        elif word == "chosen":
            for product in told["products"]:
                mine = {y: Fraction(1) for y, row in plain.mass.items() if row["product"] == product}
                plain.goals.append(PlainGoal(f"{word}:{product}", mine))
        elif word == "common_share":
            _add_common(plain, firm_first=order.index("firm_shortfall") < order.index(word))
        elif word == "fair_share":
            theta = plain.theta[word] = plain.model.column(Fraction(1))
            kind = str(told.get("by", "customer"))
            plain.groups = {n: (plain.steps(o), plain.ordered(o)) for n, o in plain.by(kind).items()}
            plain.units[word] = sum((mass for _, mass in plain.groups.values()), ZERO) or Fraction(1)
            plain.goals.append(PlainGoal(word, {theta: Fraction(1)}))
        else:
            plain.goals.append(PlainGoal(word, parts[word]))


def _add_firm(plain: PlainStrategy) -> None:
    """A goal for each priority of firm orders."""
    firm: dict[int, Column] = {}
    for y, row in plain.mass.items():
        if is_true(row, "firm"):
            firm.setdefault(int(row.get("priority") or 1), {})[y] = Fraction(1)
    plain.goals += [PlainGoal(f"firm_shortfall:{p}", firm[p]) for p in sorted(firm)]


def _add_common(plain: PlainStrategy, *, firm_first: bool) -> None:
    theta = plain.theta["common_share"] = plain.model.column(Fraction(1))
    plain.goals.append(PlainGoal("common_share", {theta: Fraction(1)}))
    unit = ZERO
    for row in plain.case.tables["orders"]:
        apart = is_true(row, "whole") or exact(row, "min_fill") or (firm_first and is_true(row, "firm"))
        if apart or not gridded(row, "mass_t"):
            continue
        unit += gridded(row, "mass_t")
        ys = plain.steps({row["order"]})
        if max(_most(plain, y) for y in ys) < 1e-9:
            plain.hopeless.add(row["order"])
            continue
        columns = {theta: gridded(row, "mass_t")} | dict.fromkeys(ys, Fraction(-1))
        plain.model.rows.append((f"common_share[{row['order']}]", columns, ZERO))
        opposite = {c: -value for c, value in columns.items()}
        plain.model.rows.append((f"no_more[{row['order']}]", opposite, ZERO))
    plain.units["common_share"] = unit or Fraction(1)


def _most(plain: PlainStrategy, y: int) -> float:
    """The greatest part of a claimed t that any mix serves, lots without end."""
    upper, rows = plain.model.upper, plain.model.rows
    plain.model.upper = [Fraction(10**6)] * len(upper)
    plain.model.upper[y] = Fraction(1)
    plain.model.rows = [row for row in rows if y in row[1] and "/" in row[0]]  # those of its terms
    found = maximise(plain, {y: Fraction(1)}, []) if plain.model.rows else (1.0,)
    plain.model.upper, plain.model.rows = upper, rows
    assert found is not None
    return found[0]


# --- solving -----------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A solved goal: its key, its value, prices by row label (holds: `goal_hold[key]`), columns."""

    key: str
    value: float
    prices: dict[str, float]
    columns: npt.NDArray[np.float64]


def maximise(
    plain: PlainStrategy, columns: Column, rows: Sequence[tuple[str, Column, Fraction]]
) -> tuple[float, dict[str, float], npt.NDArray[np.float64]] | None:
    """Value, prices and columns; None where the rows allow nothing."""
    size, model = len(plain.model.upper), plain.model
    every = [*model.rows, *rows]
    cost = np.zeros(size)
    for c, value in columns.items():
        cost[c] = -float(value)
    at = [(r, c, float(v)) for r, (_, terms, _) in enumerate(every) for c, v in terms.items()]
    r, c, v = (np.array(part) for part in zip(*at, strict=True))
    matrix = csr_matrix((v, (r.astype(int), c.astype(int))), shape=(len(every), size))
    bounds = [(0, float(upper)) for upper in model.upper]
    found = linprog(cost, matrix, [float(rhs) for _, _, rhs in every], bounds=bounds, method="highs")
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    prices = dict(zip((label for label, _, _ in every), -found.ineqlin.marginals, strict=True))
    return -float(found.fun), prices, found.x


def fair_rows(
    plain: PlainStrategy, settled: Mapping[str, float | Fraction]
) -> list[tuple[str, Column, Fraction]]:
    """C19: settled groups keep their mass, the others get the share column's part."""
    rows = []
    for name, (ys, mass) in plain.groups.items():
        columns, theta = dict.fromkeys(ys, Fraction(-1)), plain.theta["fair_share"]
        if name in settled:
            rows.append((f"fair_share[{name}]", columns, -Fraction(settled[name])))
        else:
            rows.append((f"fair_share[{name}]", columns | {theta: mass}, ZERO))
    return rows


def solve(plain: PlainStrategy) -> tuple[list[Stage], dict[str, int]] | None:
    """Every goal's stage in order, and the stage at which each group was settled."""
    stages: list[Stage] = []
    held: list[tuple[str, Column, Fraction]] = []
    settled: dict[str, float] = {}
    stage_of: dict[str, int] = {}
    for goal in plain.goals:
        if goal.key != "fair_share":
            found = maximise(plain, goal.columns, [*held, *fair_rows(plain, settled)])
            if found is None:
                return None
            stages.append(Stage(goal.key, *found))
            worse = {c: -value for c, value in goal.columns.items()}
            held.append((f"goal_hold[{goal.key}]", worse, -Fraction(found[0]) + Fraction(1, 10**9)))
            continue
        while len(settled) < len(plain.groups):
            found = maximise(plain, goal.columns, [*held, *fair_rows(plain, settled)])
            if found is None:
                return None
            k = max(stage_of.values(), default=0) + 1
            stages.append(Stage(f"fair_share:{k}", *found))
            for name, (_, mass) in plain.groups.items():
                price = found[1][f"fair_share[{name}]"] * float(mass)
                if name not in settled and (price > 1e-3 / len(plain.groups) or found[0] > 1 - 1e-9):
                    stage_of[name], settled[name] = k, found[0] * float(mass) - 1e-9
            assert k in stage_of.values()
    return stages, stage_of
