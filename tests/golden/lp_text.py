"""Rows and goals of the compiled model as text that a reader can check by hand, LP-like.

Columns by name: f[lot,period] carried to a period (a group by its first lot), x[pool,recipe],
y[recipe], step[order] or step[order/offer] (by its first terms), take[...] likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.problem import Problem, row_name
from massbalance.formulation.recipes import recipe_id
from massbalance.solving.compiled import Compiled

Term = tuple[int, float]


def number(value: float) -> str:
    """A coefficient with at most 12 significant digits."""
    return f"{value + 0.0:.12g}"


def column_names(problem: Problem, compiled: Compiled) -> dict[int, str]:
    """Readable name of every column, in the order f, x, y, step, take, share."""
    pools, recipes, pairs = problem.pools, problem.recipes, problem.pairs
    lots, periods = problem.case.lots.text("lot"), problem.case.periods.text("period")
    names: dict[int, str] = {}
    for column, (group, period) in zip(compiled.f, compiled.flows, strict=True):
        names[int(column)] = f"f[{lots[pools.group_lots[group][0]]},{periods[period]}]"
    for column, pool, recipe in zip(compiled.x, pairs.pool, pairs.recipe, strict=True):
        names[int(column)] = f"x[{pools.ids[pool]},{recipes.ids[recipe]}]"
    for column, recipe in zip(compiled.y, recipes.ids, strict=True):
        names[int(column)] = f"y[{recipe}]"
    terms = [recipe_id(problem.case, problem.terms, int(t)) for t in problem.steps.first_terms()]
    for kind, columns in (("step", compiled.step), ("take", compiled.take)):
        for column, term in zip(columns, terms, strict=True):
            if column >= 0:
                names[int(column)] = f"{kind}[{term}]"
    for name, found in (("common", compiled.common), ("fair", compiled.fair)):
        names |= {int(column): name for column in found}
    return names


def _expression(terms: Sequence[Term], names: dict[int, str]) -> str:
    place = {column: n for n, column in enumerate(names)}
    text = ""
    for column, value in sorted(terms, key=lambda term: place[term[0]]):
        size = "" if abs(value) == 1 else f"{number(abs(value))} "
        text += f" {'-' if value < 0 else '+'} {size}{names[column]}"
    return text.removeprefix(" + ").lstrip()


def _bounds(compiled: Compiled, names: dict[int, str], columns: set[int]) -> list[str]:
    """Bounds of the claimed masses that occur, and the yes or no columns.

    Those of f and x only keep the solver safe (FORMULATION, "Variables") and are no part of a case.
    """
    blocks = (compiled.y, compiled.step, compiled.take, compiled.common, compiled.fair)
    shown = [int(c) for found in blocks for c in found if c in columns]
    lines = [] if not shown else ["bounds"]
    for column in shown:
        low, high = number(compiled.lower[column]), number(compiled.upper[column])
        kind = ", binary" if compiled.integer[column] else ""
        lines.append(f"  {low} <= {names[column]} <= {high}{kind}")
    return lines


def _sense(lower: float, upper: float) -> str:
    if lower == upper:
        return f"= {number(upper)}"
    if np.isneginf(lower):
        return f"<= {number(upper)}"
    return f">= {number(lower)}"


def rows_text(problem: Problem, compiled: Compiled, equation: str) -> str:
    """The rows of one family, and the bounds of their columns."""
    names = column_names(problem, compiled)
    found = next(e for e in EQUATIONS if e.name == equation)
    matrix = compiled.matrix.tocsr()
    lines = [f"\\ {found.label} {found.name} ({', '.join(found.clauses)})", "subject to"]
    used: set[int] = set()
    for i, (name, key) in enumerate(compiled.rows):
        if name == equation:
            entries = slice(matrix.indptr[i], matrix.indptr[i + 1])
            columns = [int(c) for c in matrix.indices[entries]]
            body = _expression(list(zip(columns, matrix.data[entries], strict=True)), names)
            sense = _sense(compiled.row_lower[i], compiled.row_upper[i])
            lines.append(f"  {row_name(problem, name, key)}: {body} {sense}")
            used.update(columns)
    return "\n".join([*lines, *_bounds(compiled, names, used), ""])


def _cost_terms(costs: np.ndarray) -> list[Term]:
    return [(int(c), float(costs[c])) for c in np.flatnonzero(costs)]


def goals_text(problem: Problem, compiled: Compiled, label: str, name: str) -> str:
    """The goals of one kind, as they are minimised, and the bounds of their columns."""
    names = column_names(problem, compiled)
    lines = [f"\\ {label} {name}"]
    used: set[int] = set()
    for goal, costs, offset in zip(compiled.goals, compiled.costs, compiled.offsets, strict=True):
        if goal.key.partition(":")[0] == name:
            constant = f"{number(offset)} " if offset else ""
            body = _expression(_cost_terms(costs), names)
            joint = "" if not constant or body.startswith("-") else "+ "
            lines += ["minimise", f"  {goal.key}: {constant}{joint}{body}"]
            used.update(int(c) for c in np.flatnonzero(costs))
    return "\n".join([*lines, *_bounds(compiled, names, used), ""])


def holds_text(problem: Problem, compiled: Compiled, held: Sequence[tuple[np.ndarray, float]]) -> str:
    """C15: the rows added between solves, each once; held: (costs, value) of each."""
    names = column_names(problem, compiled)
    lines = ["\\ C15 goal_hold", "subject to"]
    for costs, value in held:
        goal = next(
            g.key for g, own in zip(compiled.goals, compiled.costs, strict=True) if np.array_equal(own, costs)
        )
        body = _expression(_cost_terms(costs), names)
        lines.append(f"  {row_name(problem, 'goal_hold', goal)}: {body} <= {number(value)}")
    return "\n".join([*dict.fromkeys(lines), ""])
