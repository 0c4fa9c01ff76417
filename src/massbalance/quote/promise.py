"""A promise beside what is promised already, every limit of it a door that can be opened.

The equations C1 to C10 of what firm orders keep are the case's own (`solving.assembly`); the ask's are stated
here once more over lots, since it may reach behind what keeps a lot away. A limit is a set of columns: at 0
it holds, up to their bounds it is given up. A column may stand behind several limits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.coefficients import scopes_of
from massbalance.formulation.problem import Problem, build_problem
from massbalance.quote.held import Held, held_orders
from massbalance.quote.sources import ENERGY, Source, Sources
from massbalance.solving.assembly import assemble
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.hot import NEARLY

if TYPE_CHECKING:
    from massbalance.quote.ask import Ask
    from massbalance.quote.session import Session

Floats = npt.NDArray[np.float64]
Key = tuple[str, str]
"""A limit: its kind, and which of that kind."""
LEAST_T = 1e-7
"""A tenth of a gram short of the whole is the whole: the solver's tolerance."""
PRICED = 1e-9
"""A reduced cost above this says that a door would help."""
DRAWN = 1e-6
"""A draw below this, per t of the mass, is none."""
MANY = 60
"""Up to so many promises are limits one by one; more are taken together by customer, else by priority."""
UNIT_OF = {"t": "t", "MWh": "MWh", "GJ": "GJ", "tCO2e": "t CO2e"}
"""Unit of a lot -> as it is printed."""
CREDITS, LEVEL, MASS, ALLOY, ELEMENT = "credits", "level", "mass_cap", "alloy", "element"
SCOPE, ORIGIN, PROMISED = "scope", "origin", "promised"


@dataclass(frozen=True)
class Tried:
    """The greatest mass with some limits given up, t; is it the whole; which limits make it so small."""

    mass: float
    whole: bool
    by: frozenset[Key]


class Builder:
    """Rows and columns upon a compiled model; `doors`: columns and the limits each stands behind."""

    def __init__(self, matrix: scipy.sparse.csc_array, upper: Floats) -> None:
        self.own, self.rows, self.columns = matrix, matrix.shape[0], matrix.shape[1]
        self.row: list[int] = []
        self.column: list[int] = []
        self.entry: list[float] = []
        self.upper: list[float] = upper.tolist()
        self.doors: list[tuple[int, frozenset[Key]]] = []

    def add_column(self, upper: float, entries: Iterable[tuple[int, float]] = ()) -> int:
        """A column within 0 and `upper`."""
        at = self.columns
        self.columns += 1
        self.upper.append(upper)
        for row, value in entries:
            self.put(row, at, value)
        return at

    def put(self, row: int, column: int, value: float) -> None:
        """An entry of the matrix."""
        self.row.append(row)
        self.column.append(column)
        self.entry.append(value)

    def add_row(self) -> int:
        """A row: what stands in it is at most 0."""
        self.rows += 1
        return self.rows - 1

    def door(self, column: int, behind: Iterable[Key]) -> int:
        """This column stays 0 unless all these limits are given up."""
        self.doors.append((column, frozenset(behind)))
        return column

    def matrix(self) -> scipy.sparse.csc_array:
        """All of it."""
        shape = (self.rows, self.columns)
        new = scipy.sparse.coo_array((self.entry, (self.row, self.column)), shape=shape)
        own = self.own.tocoo()
        old = scipy.sparse.coo_array((own.data, (own.row, own.col)), shape=shape)
        return scipy.sparse.csc_array(old + new)


class Promise:
    """The model; an ask of a session, firm orders keeping what the session's run gives them.

    y: column of the ask's mass; z: of what it draws on each source; members: promise -> its orders;
    scale: units of anything that the whole of it could need; full: firm orders that are to have all they
    ask for, whether they get it or not (then there need be no such point).
    """

    def __init__(self, session: Session, ask: Ask, full: Collection[str] = ()) -> None:
        self.session, self.ask, self.full = session, ask, full
        self.held: Held = held_orders(session, session.case.orders.flag("firm"), full)
        self.problem: Problem = build_problem(self.held.case, session.supply)
        self.asked = build_problem(ask.case(session.case), session.supply)
        self.sources = Sources(self.asked, ask)
        self.need = float(self.asked.recipes.need.floats()[0])
        self.compiled = assemble(self.problem)
        self.mass = ask.mass_t
        self.scale = self._scale()
        self.build = Builder(self.compiled.matrix, self._upper())
        self._label_rows()
        self.y = self.build.add_column(self.mass)
        self.z = self._draws()
        self.supply = self._supplies()
        self.slack: dict[Key, int] = {}
        self._origins()
        self._claim()
        self._caps()
        self._scopes()
        self._promises()
        self._finish()

    # ---- the model ------------------------------------------------------------------------------------

    def _scale(self) -> float:
        """Units of any credit that could matter: all the mass there is, by the most that a tonne takes."""
        limits = self.session.problem.limits
        most = [1.0, self.need]
        for limit in limits:
            most += [1.0 / float(limit.rate), float(limit.baseline), *map(float, limit.use.values())]
        return 2.0 * max(most) * (self.mass + float(self.held.mass.sum()))

    def _upper(self) -> Floats:
        """No bound of a flow or a mix may be the row that binds."""
        upper = self.compiled.upper.copy()
        upper[self.compiled.f] = upper[self.compiled.x] = self.scale
        return upper

    def _label_rows(self) -> None:
        self.row_of = {label: i for i, label in enumerate(self.compiled.rows)}

    def _draws(self) -> list[int]:
        """A column for each source, a door where something keeps it away."""
        made = []
        for source in self.sources.all:
            column = self.build.add_column(self.scale)
            if source.blocked:
                self.build.door(column, source.blocked)
            made.append(column)
        return made

    def category_of(self, lot: int) -> str:
        """What credits of its sort are called: the lot's category, else its kind."""
        return str(self.sources.category[lot]) or str(self.sources.lots.rows["kind"].iloc[lot])

    def _supplies(self) -> dict[int, int]:
        """C1, with more of the lot as a door. First lot of a group -> column of more of it."""
        groups, found = self.problem.pools, {}
        drawn = {s.group: z for s, z in zip(self.sources.all, self.z, strict=True) if s.group >= 0}
        self.tight: list[tuple[int, float]] = []
        for g, lots in enumerate(groups.group_lots):
            row = self.row_of.get(("lot_supply", g), -1)
            if row < 0 and g not in drawn:
                continue
            if row < 0:
                row = self.build.add_row()
                self.tight.append((row, float(groups.group_quantity[g])))
            if g in drawn:
                self.build.put(row, drawn[g], 1.0)
            found[lots[0]] = self._more(row, lots[0])
        for source, column in zip(self.sources.all, self.z, strict=True):
            if source.group < 0:
                row = self.build.add_row()
                self.tight.append((row, source.quantity))
                self.build.put(row, column, 1.0)
                found[source.lot] = self._more(row, source.lot)
        return found

    def _more(self, row: int, lot: int) -> int:
        column = self.build.add_column(self.scale, [(row, -1.0)])
        return self.build.door(column, [(CREDITS, self.category_of(lot))])

    def _origins(self) -> None:
        """C2, over all lots of an origin that measure something."""
        names, pools = self.sources.lots.text("origin"), self.problem.pools
        members: dict[str, list[tuple[Source, int]]] = {}
        for source, column in zip(self.sources.all, self.z, strict=True):
            if names[source.lot] and source.quantity > 0:
                members.setdefault(str(names[source.lot]), []).append((source, column))
        for name, found in sorted(members.items()):
            row = self.row_of.get(("origin_once", name), -1)
            size = self.compiled.origin_size.get(name, max(s.quantity for s, _ in found))
            if row < 0 and len(found) < 2:
                continue
            if row < 0:
                row = self.build.add_row()
                self.tight.append((row, size))
            for source, column in found:
                self.build.put(row, column, size / source.quantity)
            # more of a lot is more of its origin; while others of the origin are used, not quite so much
            for g in pools.origin_groups.get(name, ()):
                more = self.supply.get(pools.group_lots[g][0])
                if more is not None and pools.group_quantity[g] > 0:
                    self.build.put(row, more, -size / float(pools.group_quantity[g]))
            self.slack[ORIGIN, name] = self._slack(row, (ORIGIN, name), self.scale)

    def _slack(self, row: int, key: Key, upper: float, by: float = -1.0) -> int:
        column = self.build.add_column(upper, [(row, by)])
        return self.build.door(column, [key])

    def _row(self, of_lot: Floats, which: npt.NDArray[np.bool_], of_y: float) -> int:
        """A cap or claim of the ask: of_lot z over the lots of `which`, and of_y y, at most 0."""
        row = self.build.add_row()
        for source, column in zip(self.sources.all, self.z, strict=True):
            if which[source.lot] and of_lot[source.lot] != 0:
                self.build.put(row, column, float(of_lot[source.lot]))
        self.build.put(row, self.y, of_y)
        return row

    def _claim(self) -> None:
        every = np.ones(len(self.sources.lots), dtype=bool)
        row = self._row(-self.sources.value, every, self.need)
        self.slack[LEVEL, ""] = self._slack(row, (LEVEL, ""), max(self.need * self.mass, LEAST_T))
        row = self._row(self.sources.credited, every, -1.0)
        self.slack[MASS, ""] = self._slack(row, (MASS, ""), self.scale)

    def _caps(self) -> None:
        """C6 to C8; one column raises an alloy's limit for all who use it, t of each."""
        sources, limit = self.sources, self.sources.limit
        for category, share in limit.shares.items():
            which = sources.category == category
            if share < 1 and which[[s.lot for s in sources.all]].any():
                row = self._row(sources.credited, which, -float(share))
                upper = 1.0 - float(share)
                self._shared((ALLOY, category), row, "category_cap", category, upper)
        for element, distance in sources.distances.items():
            room = float(limit.elements[element][0] - limit.elements[element][1])
            every = np.ones(len(distance), dtype=bool)
            row = self._row(distance * sources.credited, every, -room)
            self._shared((ELEMENT, element), row, "element_cap", element, 100.0)
        for carrier, use in limit.use.items():
            which = sources.problem.effects.uom == {"electricity": "MWh", "heat": "GJ"}[carrier]
            row = self._row(np.ones(len(which)), which & sources.problem.effects.is_energy, -float(use))
            self.slack[ENERGY, carrier] = self._slack(row, (ENERGY, carrier), self.scale)

    def _shared(self, key: Key, row: int, equation: str, word: str, upper: float) -> None:
        """A limit of the alloy: the same column for the ask and for all firm orders of that alloy."""
        column = self.build.add_column(upper, [(row, -self.mass)])
        alloys = self.session.case.products.text("alloy")
        mine = alloys[self.sources.product]
        for r in range(len(self.problem.recipes)):
            at = self.row_of.get((equation, (r, word)), -1)
            if at >= 0 and alloys[self.problem.limit_of(r).product] == mine:
                self.build.put(at, column, -float(self.held_of_recipe[r]))
        self.slack[key] = self.build.door(column, [key])

    @cached_property
    def held_of_recipe(self) -> Floats:
        """Mass that firm orders keep of each recipe, t."""
        of_term = self.problem.recipes.of_term
        mass = np.bincount(of_term, weights=self.held.mass, minlength=len(self.problem.recipes))
        return mass.astype(np.float64)

    def _scopes(self) -> None:
        """C9 for every union of scope sets that sources have; more of a scope's intensity as a door."""
        sources, limit = self.sources, self.sources.limit
        sets = {int(sources.scopes[s.lot]) for s in sources.all if sources.reduction[s.lot] > 0}
        unions: set[int] = set()
        for one in sorted(sets):
            unions |= {one | other for other in unions} | {one}
        rows: dict[int, int] = {}
        for union in sorted(unions):
            inside = (sources.scopes & ~union) == 0
            room = sum(float(limit.scopes[s - 1]) for s in scopes_of(union))
            rows[union] = self._row(sources.reduction, inside, -room)
        for scope in (1, 2, 3):
            mine = [(row, -1.0) for union, row in rows.items() if scope in scopes_of(union)]
            if mine:
                column = self.build.add_column(self.scale, mine)
                self.slack[SCOPE, str(scope)] = self.build.door(column, [(SCOPE, str(scope))])

    def _promises(self) -> None:
        """Less for an order: y of its recipe = what is held less this."""
        names = [str(name) for name in self.problem.names.orders]
        recipes = self.problem.recipes.of_term
        self.less: dict[str, int] = {}
        self.members: dict[str, list[str]] = {}
        for n, (name, of) in enumerate(zip(names, self._groups(names), strict=True)):
            row = self.row_of["recipe_mass", int(recipes[n])]
            self.less[name] = self._slack(row, (PROMISED, of), float(self.held.mass[n]), by=1.0)
            self.members.setdefault(of, []).append(name)

    def _groups(self, names: list[str]) -> list[str]:
        """Who an order is promised with: each is a limit of its own, unless they are many."""
        if len(names) <= MANY:
            return names
        rows = self.held.case.orders.rows
        ranks = [f"priority {rank:g}" for rank in rows["priority"]]
        both = [f"{who}, {rank}" for who, rank in zip(rows["customer"], ranks, strict=True)]
        return both if len(set(both)) <= MANY else ranks

    def _finish(self) -> None:
        build, own = self.build, self.compiled
        new = build.rows - own.matrix.shape[0]
        upper = np.zeros(new)
        for row, most in self.tight:
            upper[row - own.matrix.shape[0]] = most
        kept = np.bincount(self.problem.steps.of_term, self.held.mass, minlength=len(own.step))
        self.open = np.array(build.upper, dtype=np.float64)
        self.open[own.step] = kept
        lower = np.zeros(build.columns)
        lower[own.step] = kept
        model = replace(
            own,
            matrix=build.matrix(),
            costs=np.zeros((1, build.columns)),
            offsets=np.zeros(1),
            row_lower=np.concatenate([own.row_lower, np.full(new, -np.inf)]),
            row_upper=np.concatenate([own.row_upper, upper]),
            lower=lower,
            upper=np.maximum(self.open, lower),
            integer=np.zeros(build.columns, dtype=bool),
            rows=(),
        )
        self.keys: tuple[Key, ...] = tuple(sorted({key for _, behind in build.doors for key in behind}))
        place = {key: n for n, key in enumerate(self.keys)}
        self.doors = np.array([column for column, _ in build.doors], dtype=np.intp)
        pairs = [(d, place[key]) for d, (_, behind) in enumerate(build.doors) for key in sorted(behind)]
        at = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        shape = (len(self.doors), len(self.keys))
        self.behind = scipy.sparse.csr_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=shape)
        self.model = Highs(model, integers=False)
        self.point = np.zeros(build.columns)
        if not self.full:
            self._settle()

    def _settle(self) -> None:
        """Take a little off what is held where a run's figures do not hold together to the last digit.

        Yes/no columns of a MIP are whole within a millionth only, and so are the masses decided by them.
        """
        given_up = dict.fromkeys(self.less.values(), 1.0)
        if self.least({}, mass=0.0) is not None:
            return
        point = self.least(given_up, mass=0.0)
        if point is None:
            raise SolverError("HiGHS: what a run gives firm orders is not feasible without the others")
        less = np.array([point[self.less[str(name)]] for name in self.problem.names.orders])
        mass = np.maximum(0.0, self.held.mass - less - LEAST_T * (less > 0))
        steps = self.problem.steps
        kept = np.bincount(steps.of_term, mass, minlength=len(steps)).astype(np.float64)
        self.model.bound(self.compiled.step, kept, kept)

    # ---- questions ------------------------------------------------------------------------------------

    def without(self, dropped: Iterable[Key]) -> Tried:
        """The greatest mass when these limits are given up entirely."""
        gone = set(dropped)
        holds = np.array([key not in gone for key in self.keys], dtype=np.float64)
        closed = self.behind @ holds > 0
        upper = np.where(closed, 0.0, self.open[self.doors])
        self.model.bound(self.doors, np.zeros(len(upper)), upper)
        self._bound_mass(0.0, self.mass)
        costs = np.zeros(self.build.columns)
        costs[self.y] = -1.0
        answer = self._solved(costs)
        if answer is None or answer.columns is None or answer.column_dual is None:
            return Tried(0.0, False, frozenset(self.keys) - gone)
        self.point = answer.columns
        mass = float(answer.columns[self.y])
        helps = closed & (answer.column_dual[self.doors] < -PRICED)
        at = np.unique(self.behind[np.flatnonzero(helps)].indices)
        by = frozenset(self.keys[int(n)] for n in at if holds[int(n)] > 0)
        return Tried(mass, mass >= self.mass - max(LEAST_T, NEARLY * self.mass), by)

    def least(self, opened: Mapping[int, float], *, mass: float | None = None) -> Floats | None:
        """Columns of the least cost at which the mass (the whole, unless told) fits, None where it does not.

        opened: column -> cost; every other door is closed.
        """
        most = np.array([self.open[c] if c in opened else 0.0 for c in self.doors.tolist()])
        self.model.bound(self.doors, np.zeros(len(most)), most)
        fixed = self.mass if mass is None else mass
        self._bound_mass(fixed, fixed)
        costs = np.zeros(self.build.columns)
        for column, cost in opened.items():
            costs[column] = cost
        answer = self._solved(costs)
        return None if answer is None else answer.columns

    def _bound_mass(self, least: float, most: float) -> None:
        self.model.bound(np.array([self.y], dtype=np.intp), np.array([least]), np.array([most]))

    def _solved(self, costs: Floats) -> Answer | None:
        self.model.set_costs(costs)
        answer = self.model.solve(deadline=None, cold=False)
        if answer.status != "optimal":
            answer = self.model.solve(deadline=None, cold=True)
        return answer if answer.status == "optimal" else None

    def drawn(self, columns: Floats) -> list[int]:
        """Sources (positions) that a solution draws on, the most first."""
        found = [n for n, z in enumerate(self.z) if columns[z] > DRAWN * max(1.0, self.mass)]
        return sorted(found, key=lambda n: (-round(float(columns[self.z[n]]), 6), n))

    def behind_only(self, key: Key) -> list[int]:
        """Sources (positions) that nothing but this limit keeps away."""
        return [n for n, s in enumerate(self.sources.all) if s.blocked == {key}]
