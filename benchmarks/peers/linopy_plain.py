"""The plain model in linopy, solved by HiGHS.

    python -m benchmarks.peers.linopy_plain CASE

Vectorised over feasible pairs: x has one entry a pair, sums by term and by lot are grouped sums. The model is
sparse, goes to HiGHS in memory, and later goals change it in place, so that HiGHS keeps its basis.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import linopy
import numpy as np
import pandas as pd
from linopy.solvers import Solver

from benchmarks.peers.plain_case import PlainCase, read
from benchmarks.peers.report import goal, measured, optimal, say, slack, stage

PACKAGES = ("linopy", "highspy", "numpy", "pandas", "xarray")


def build(case: PlainCase) -> linopy.Model:
    """x[pair], y[term], take[term]; claims, caps, supply, and a row for each goal to be held."""
    model = linopy.Model(sparse=True)
    pair = pd.RangeIndex(len(case.term), name="pair")
    term = pd.RangeIndex(len(case.mass), name="term")
    x = model.add_variables(lower=0, upper=pd.Series(case.quantity[case.lot], pair), name="x")
    y = model.add_variables(lower=0, upper=pd.Series(case.mass, term), name="y")
    for cap in case.caps:
        given = x.isel(pair=cap.pair) * cap.value
        used = given.groupby(pd.Series(case.term[cap.pair], pair[cap.pair], name="term")).sum()
        limit = pd.Series(cap.limit, term[cap.term])
        model.add_constraints(used - y.isel(term=cap.term) * limit <= 0, name=cap.name)
    drawn = x.groupby(pd.Series(case.lot, pair, name="lot")).sum()
    lots = np.unique(case.lot)
    model.add_constraints(drawn <= pd.Series(case.quantity[lots], pd.Index(lots, name="lot")), name="supply")
    if len(case.origin):
        shares = x.isel(pair=case.origin_pair) * case.share
        origin = pd.Series(case.origin, pair[case.origin_pair], name="origin")
        model.add_constraints(shares.groupby(origin).sum() <= 1, name="origins")
    add_yes_or_no(model, case)
    for number in range(len(case.goals) - 1):
        # nothing yet: tightened when the goal has been reached
        model.add_constraints(expression(model, case, number) >= -1.0, name=f"hold {number}", freeze=False)
    return model


def add_yes_or_no(model: linopy.Model, case: PlainCase) -> None:
    """Whole orders, minimum fills, and at most one of an order's terms."""
    at = np.flatnonzero(case.binary)
    if not len(at):
        return
    term = pd.Index(at, name="term")
    take = model.add_variables(binary=True, coords=[term], name="take")
    y = model.variables["y"].isel(term=at)
    mass, least = pd.Series(case.mass[at], term), pd.Series((case.least * case.mass)[at], term)
    model.add_constraints(y - take * mass <= 0, name="at most")
    model.add_constraints(y - take * least >= 0, name="at least")
    several = case.choice[at] >= 0
    if several.any():
        orders = pd.Series(case.choice[at][several], term[several], name="order")
        chosen = take.isel(term=np.flatnonzero(several)).to_linexpr()
        model.add_constraints(chosen.groupby(orders).sum() <= 1, name="one offer")


def expression(model: linopy.Model, case: PlainCase, number: int) -> linopy.LinearExpression:
    """The goal's linear expression."""
    aim, y = case.goals[number], model.variables["y"]
    used = np.flatnonzero(aim.gain)
    total = (y.isel(term=used) * aim.gain[used]).sum()
    return total - (model.variables["x"] * case.cost).sum() if aim.cost else total


def solve(model: linopy.Model, case: PlainCase) -> None:
    """Goals in order, the earlier ones held."""
    solver = None
    found: list[dict[str, object]] = []
    for number, aim in enumerate(case.goals):
        with goal(found):
            model.add_objective(expression(model, case, number), overwrite=True, sense="max")
            if solver is None:
                options = {"output_flag": False, "mip_rel_gap": 0.0}
                solver = Solver.from_name(
                    "highs", model=model, io_api="direct", options=options, track_updates=True
                )
                result = solver.solve(assign=True)
            else:
                result = solver.solve(model, assign=True)
            optimal(result.status.termination_condition.value)
            reached = float(model.objective.value)
            found.append(aim.reported(reached))
        if number + 1 < len(case.goals):
            model.constraints[f"hold {number}"].rhs = reached - slack(reached)


def body(folder: Path, *, every_pair: bool = False) -> None:
    """Read, build, solve."""
    warnings.simplefilter("ignore")
    linopy.options["semantics"] = "v1"
    with stage("read"):
        case = read(folder, every_pair=every_pair)
    with stage("build"):
        model = build(case)
        say(sizes={"columns": int(model.nvars), "rows": int(model.ncons)})
    with stage("solve"):
        solve(model, case)


if __name__ == "__main__":
    measured(body, PACKAGES)
