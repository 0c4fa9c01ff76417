"""Rows of the model in a planner's words, each with the clause that asks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from massbalance.formulation.labels import LABELS
from massbalance.formulation.possible import Excuses
from massbalance.formulation.problem import CAPS, Problem, row_name
from massbalance.quote.tonne import Tonne
from massbalance.solving.hot import Found

Floats = npt.NDArray[np.float64]
BINDS = 1e-7
"""A price above this binds."""
NAMED = 4
"""So many lots are named one by one."""
CLAUSES = {one.name: one.clauses for one in LABELS}
LABEL_OF = {one.name: one.label for one in LABELS}


@dataclass(frozen=True)
class Binding:
    """A row that binds: what it is to a planner, its clause, label and name.

    of: `mass` (it limits the feasible mass) or `premium` (it makes the price); price: what one more unit of
    it is worth, t of the order for `mass`, currency for `premium`.
    """

    words: str
    code: str
    row: str
    label: str
    of: str
    price: float


def code_of(equation: str, rules: str) -> str:
    """The clause that an equation applies under a rule model."""
    clauses, family = CLAUSES[equation], "J" if rules.startswith("jisf") else "A"
    own = [clause for clause in clauses if clause.startswith(family)]
    return (own or list(clauses))[0]


class Binders:
    """What binds an order, in words. base: the problem of the case; tonne: of the order."""

    def __init__(self, base: Problem, tonne: Tonne) -> None:
        self.base, self.tonne, self.stamp = base, tonne, tonne.stamp
        self.rules = base.case.rules.id

    def of(self, found: Found, what: str) -> list[Binding]:
        """Rows that bind at an optimum, the dearest first."""
        price, small = found.point.rows[self.stamp.row_of], self.stamp.small
        drawn = self._drawn(found.point.columns)
        bound = []
        for i in np.flatnonzero(price > BINDS).tolist():
            equation, key = small.rows[i]
            if self._concerns(equation, key, drawn):
                bound.append(self._binding(equation, key, what, float(price[i])))
        return sorted([*bound, *self._held(found, what)], key=lambda b: (-round(b.price, 6), b.row))

    def _concerns(self, equation: str, key: object, drawn: npt.NDArray[np.bool_]) -> bool:
        """Is it a row of the order itself, or of credits that it draws on?"""
        if equation == "pool_balance":
            return bool(drawn[int(key[0])])  # type: ignore[index]
        if equation == "origin_once":
            groups = list(self.base.pools.origin_groups[str(key)])
            return bool(drawn[self.base.pools.group_pool[groups]].any())
        return equation in CAPS

    def _drawn(self, columns: Floats) -> npt.NDArray[np.bool_]:
        """Pools that the order draws on, or could: where it gets nothing, all that may serve it."""
        pairs = self.stamp.problem.pairs
        amount = columns[self.stamp.x]
        some = amount > BINDS if (amount > BINDS).any() else np.ones(len(amount), dtype=bool)
        drawn = np.zeros(len(self.base.pools.ids), dtype=bool)
        drawn[pairs.pool[some]] = True
        return drawn

    def _binding(self, equation: str, key: object, what: str, price: float) -> Binding:
        problem = self.stamp.problem
        name = row_name(problem, equation, key)
        words = self._words(equation, key, problem.names.key(equation, key))
        return Binding(words, code_of(equation, self.rules), name, LABEL_OF[equation], what, price)

    def _words(self, equation: str, key: object, parts: tuple[str, ...]) -> str:
        detail = parts[-1]
        if equation == "pool_balance":
            return f"no more credits like {self._lots(int(key[0]))} for {detail}"  # type: ignore[index]
        return {
            "origin_once": f"origin {detail}: one thing measured in several ways, used up",
            "mass_cap": "credited mass is at most the product's own mass",
            "category_cap": f"alloy limit for {detail}",
            "element_cap": f"alloy limit by {detail}",
            "energy_cap": f"{detail} use of the product",
            "scope_cap": f"reductions in scope {detail} are at most its intensity there",
        }[equation]

    def _lots(self, pool: int) -> str:
        """`L1, L2 (billet-low)`, a few by name."""
        pools, lots = self.base.pools, self.base.case.lots
        members = np.flatnonzero(pools.lot_pool == pool)
        names = [str(self.base.names.lots[i]) for i in members[:NAMED]]
        more = f" and {len(members) - NAMED} more" if len(members) > NAMED else ""
        first = int(members[0])
        kind = str(lots.rows["category"].iloc[first]) or str(lots.rows["kind"].iloc[first])
        return f"{', '.join(names)}{more} ({kind})"

    def _held(self, found: Found, what: str) -> list[Binding]:
        """Firm orders that would get less."""
        bound = []
        for priority, price in zip(self.base.priorities, found.point.held.tolist(), strict=False):
            if price > BINDS:
                words = f"firm orders of priority {priority} may not get less than they can"
                name = f"goal_hold[firm_shortfall:{priority}]"
                bound.append(Binding(words, "interface", name, "C15", what, price))
        return bound

    def hopeless(self) -> list[Binding]:
        """Why no mix of credits reaches the claim, whatever there is of them; nothing where one does."""
        problem = self.stamp.problem
        if len(problem.pairs.pool) == 0 and self.tonne.need > 0:
            words = Excuses(problem).missing(0)
            return [Binding(words, code_of("pool_balance", self.rules), "", "C3", "mass", 0.0)]
        if not self.tonne.out_of_reach():
            return []
        most, caps = self.tonne.reach()
        begin = f"out of reach, at most {most:.6g} of {self.tonne.need:.6g} per t: "
        found = [self._binding(*self.stamp.small.rows[int(i)], "mass", 0.0) for i in caps]
        if not found:
            words = f"{begin}what the lots carry"
            return [Binding(words, code_of("claim", self.rules), "", LABEL_OF["claim"], "mass", 0.0)]
        return [replace(one, words=begin + one.words) for one in found]
