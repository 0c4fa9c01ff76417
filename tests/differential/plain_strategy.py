"""The plain order x lot model under a strategy, written from FORMULATION's words: sets of orders, no pools.

    python plain_strategy.py CASE_FOLDER...

prints one JSON object per case and line: {"case", "mip", "objectives": [{"name", "priority", "value"}, ...]};
an infeasible case has "objectives": null. Leximin tests group by group which can rise no more, by an LP each,
so it has as many stages as there are different shares; in a MIP its first stage alone is told, and nothing
behind it, since the decisions behind it are a matter of definition.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from plain_model import (
    Goal,
    Model,
    PlainCase,
    _Builder,
    add_months,
    day,
    exact,
    gridded,
    is_mip,
    is_true,
    read,
)

ZERO, ONE = Fraction(0), Fraction(1)
SATURATED = 1e-7
OWN = {
    "concentrate": "chosen", "spread": "common_share", "leximin": "fair_share", "tonnage": "tonnage",
    "least-expiry": "expiry", "weighted": "weighted",
}  # fmt: skip
ENDLESS = Fraction(1000)


@dataclass(frozen=True)
class Against(Goal):
    """A goal whose reported value is what is left of a total."""

    def reported(self, value: float) -> float:
        return float(self.total) - value


class Infeasible(RuntimeError):
    """Minimum services that cannot be met."""


class Strategic(_Builder):
    """The plain model with the rows and goals of the case's `[objective]`."""

    def __init__(self, case: PlainCase) -> None:
        super().__init__(case)
        self.asked: dict[str, Any] = case.settings.get("objective", {})
        own = OWN.get(self.asked.get("strategy", ""))
        default = ["firm_shortfall", *([own] if own else []), "margin"]
        self.order: list[str] = self.asked.get("order", default)
        self.groups: dict[str, dict[str, Fraction]] = {}

    def columns(self, orders: Iterable[str]) -> dict[int, Fraction]:
        """Claimed mass of some orders, whatever terms are taken."""
        names = set(orders)
        return {y: ONE for terms, y in self.mass_of if terms.order["order"] in names}

    def members(self, by: str) -> dict[str, list[dict[str, str]]]:
        """Group -> its orders."""
        segments = {row["customer"]: row.get("segment", "") for row in self.case.tables["customers"]}
        found: dict[str, list[dict[str, str]]] = {}
        for row in self.case.tables["orders"]:
            name = segments.get(row["customer"], "") if by == "segment" else row[by]
            if by != "segment" or name:
                found.setdefault(name, []).append(row)
        return {name: rows for name, rows in found.items() if mass_of(rows) > 0}

    def add_goals(self) -> None:
        super_goals = self.asked.get("order")
        self.case.settings.setdefault("objective", {})["order"] = ["firm_shortfall", "margin"]
        super().add_goals()
        self.plain = {"firm_shortfall": self.model.goals[:-1], "margin": self.model.goals[-1:]}
        if super_goals is not None:
            self.case.settings["objective"]["order"] = super_goals
        self.model.goals = []
        self.add_minimums()
        self.bar()

    def add_minimums(self) -> None:
        for least in self.asked.get("minimum_service", []):
            for name, rows in self.members(least["by"]).items():
                if least.get("group", "") in ("", name):
                    used = dict.fromkeys(self.columns(r["order"] for r in rows), -ONE)
                    share = Fraction(str(least["share"]))
                    self.model.at_most(f"minimum[{name}]", used, -share * mass_of(rows))

    def bar(self) -> None:
        """Concentrate: what is neither firm nor chosen stays conventional."""
        if "chosen" in self.order:
            for terms, y in self.mass_of:
                if terms.order["product"] not in self.asked["products"] and not is_true(terms.order, "firm"):
                    self.model.upper[y] = ZERO

    def goals_of(self, word: str) -> list[Goal]:
        """The goals of a word, but for fair shares."""
        if word in self.plain:
            return self.plain[word]
        claimed = {y: ONE for _, y in self.mass_of}
        if word == "tonnage":
            return [Goal("tonnage_t", None, claimed)]
        if word == "chosen":
            return [
                Goal("chosen_t", None, {y: ONE for t, y in self.mass_of if t.order["product"] == product})
                for product in self.asked["products"]
            ]
        if word == "common_share":
            return [Goal("common_share", None, {self.common(): ONE})]
        used, total = self.lapsing()
        if word == "expiry":
            return [Against("expired_tco2e", None, used, total)]
        weights = {name: Fraction(str(worth)) for name, worth in self.asked["weights"].items()}
        against = weights.get("expired_tco2e", ZERO)
        parts = [
            (weights.get("margin", ZERO), self.plain["margin"][0].coefficients),
            (weights.get("tonnage_t", ZERO), claimed),
            (against, used),
        ]
        mixed: dict[int, Fraction] = {}
        for weight, part in parts:
            for column, value in part.items():
                mixed[column] = mixed.get(column, ZERO) + weight * value
        return [Lessened("weighted", None, mixed, against * total)]

    def lapsing(self) -> tuple[dict[int, Fraction], Fraction]:
        """What use of lots that no later period can use is worth, and all of them together."""
        case, used, total = self.case, dict[int, Fraction](), ZERO
        last = max(end for _, end in case.periods.values())
        for lot in case.tables["lots"]:
            months = case.overrides.get("expiry_months", "unlimited")
            expires = day(lot.get("expires", ""))
            if expires is None and months != "unlimited":
                expires = add_months(day(lot["received"]), int(months))
            gone = case.overrides.get("carry_over") == "none" or (expires is not None and expires <= last)
            if not gone or not any(case.in_time(lot, period) for period in case.periods):
                continue
            worth = self.unit_value(lot)
            total += worth * gridded(lot, "quantity")
            used |= dict.fromkeys(self.uses_of_lot[lot["lot"]], worth)
        return used, total

    def unit_value(self, lot: dict[str, str]) -> Fraction:
        if lot["kind"] == "project":
            return ONE
        displaced, own = self.case.displaced(lot), lot.get("intensity_tco2e_per_uom", "").strip()
        return ZERO if displaced is None or not own else max(ZERO, displaced - Fraction(own))

    def common(self) -> int:
        """The column of the common share, with its rows."""
        theta = self.model.column(ONE)
        firm_first = self.order.index("firm_shortfall") < self.order.index("common_share")
        for row in self.case.tables["orders"]:
            mass = gridded(row, "mass_t")
            if is_true(row, "whole") or exact(row, "min_fill") > 0 or not mass:
                continue
            if (firm_first and is_true(row, "firm")) or not self.reachable(row["order"]):
                continue
            used = self.columns([row["order"]])
            self.model.at_most("share", {theta: mass} | dict.fromkeys(used, -ONE))
            self.model.at_most("share", {theta: -mass} | used)
        return theta

    def reachable(self, order: str) -> bool:
        """Could some mix serve the order, were there no end of lots?"""
        from plain_solver import solve_lp

        kinds = ("claim", "mass", "category", "element", "energy", "scope")
        begins = tuple(f"{kind}[{order}/" for kind in kinds)
        masses = {y for _, y in self.mass_of}
        alone = Model(
            upper=[ONE if i in masses else ENDLESS for i in range(len(self.model.upper))],
            rows=[row for row in self.model.rows if row[0].startswith(begins)],
        )
        answer = solve_lp(alone, Goal("reach", None, self.columns([order])), [], {})
        assert answer is not None
        return answer.value > SATURATED


@dataclass(frozen=True)
class Lessened(Goal):
    """A goal whose reported value is less by a constant."""

    def reported(self, value: float) -> float:
        return value - float(self.total)


def mass_of(rows: Iterable[dict[str, str]]) -> Fraction:
    return sum((gridded(row, "mass_t") for row in rows), ZERO)


class Run:
    """Goals in turn, each held; a fair share by its groups' rows."""

    def __init__(self, made: Strategic, model: Model) -> None:
        self.made, self.model, self.holds, self.told = made, model, list[Any](), list[dict[str, Any]]()

    def best(self, goal: Goal) -> float:
        from plain_solver import Unsolved, solve_lp, solve_mip

        model = self.model
        try:
            answer = (
                solve_mip(model, goal, self.holds) if model.binary else solve_lp(model, goal, self.holds, {})
            )
        except Unsolved as error:
            if "SCIP status 2" in str(error):
                raise Infeasible from error
            raise
        if answer is None and self.made.asked.get("minimum_service"):
            raise Infeasible
        if answer is None:
            raise Unsolved(f"{goal.name}: infeasible without minimum services")
        return answer.value

    def goal(self, goal: Goal) -> None:
        from plain_solver import Hold

        value = self.best(goal)
        self.told.append({"name": goal.name, "priority": goal.priority, "value": goal.reported(value)})
        self.holds.append(Hold(goal, value))

    def fair(self) -> bool:
        """The stages; False where what follows is a matter of decisions."""
        groups = self.made.members(self.made.asked.get("by", "customer"))
        parts = {name: self.made.columns(r["order"] for r in rows) for name, rows in groups.items()}
        mass = {name: mass_of(rows) for name, rows in groups.items()}
        fixed: dict[str, Fraction] = {}
        theta = self.model.column(ONE)
        clean = list(self.model.rows)
        for stage in range(1, len(groups) + 2):
            self.model.rows = [*clean, *self.rows(parts, mass, fixed, theta)]
            value = self.best(Goal("fair_share", None, {theta: ONE}))
            self.told.append({"name": "fair_share", "priority": stage, "value": value})
            if self.model.binary:
                return False
            free = [name for name in groups if name not in fixed]
            least = Fraction(value)
            if value < 1 - SATURATED:
                level = dict.fromkeys(free, least)
                self.model.rows = [*clean, *self.rows(parts, mass, fixed | level, theta)]
                free = [n for n in free if self.most(parts[n]) / float(mass[n]) <= value + SATURATED]
            fixed |= dict.fromkeys(free, least)
            if len(fixed) == len(groups):
                break
        self.model.rows = [*clean, *self.rows(parts, mass, fixed, theta)]
        return True

    def most(self, part: dict[int, Fraction]) -> float:
        return self.best(Goal("group", None, part))

    def rows(
        self,
        parts: dict[str, dict[int, Fraction]],
        mass: dict[str, Fraction],
        fixed: dict[str, Fraction],
        theta: int,
    ) -> list[tuple[str, dict[int, Fraction], Fraction]]:
        """Every group's row: what it was held at, or theta of its mass."""
        found = []
        for name, part in parts.items():
            used = dict.fromkeys(part, -ONE)
            if name in fixed:
                # a little less than it had: the solver's own point must stay feasible
                least = fixed[name] * mass[name]
                found.append((f"fair[{name}]", used, -least + Fraction(1, 10**10)))
            else:
                found.append((f"fair[{name}]", used | {theta: mass[name]}, ZERO))
        return found


def solve_case(folder: Path) -> dict[str, Any]:
    """{"case", "mip", "objectives"} of the case in `folder`."""
    case = read(folder)
    case.settings["objective"] = tomllib.loads(
        (folder / "case.toml").read_text(encoding="utf-8"), parse_float=Decimal
    ).get("objective", {})
    made = Strategic(case)
    run = Run(made, made.build())
    told: list[dict[str, Any]] | None = run.told
    try:
        for word in made.order:
            if word == "fair_share":
                if not run.fair():
                    break
                continue
            for goal in made.goals_of(word):
                run.goal(goal)
    except Infeasible:
        told = None
    return {"case": str(folder), "mip": is_mip(case), "objectives": told}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(solve_case(Path(name))), flush=True)
