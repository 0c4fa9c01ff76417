"""Small runs written by hand: a case, what was decided, and the duals that prove it.

`write_run` writes everything that follows from the decisions, right or wrong: so a test can break one
rule and keep all else consistent. Credited mass, reductions and footprints are worked out here, in a
few lines of fractions, apart from the verifier and from the model.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from massbalance.books.account import account_rows
from massbalance.books.residual import residual_book
from massbalance.books.tables import account_csv, residual_csv
from massbalance.domain.case import Case
from massbalance.domain.grid import decimal_text
from massbalance.domain.result import Allocation
from massbalance.intake.read import read_case

MODELS = Path(__file__).parents[2] / "models"
GRID = 10**6


@dataclass(frozen=True)
class Use:
    """A lot serves an order (`order` or `order/offer`).

    quantity: decimal text; unit: t CO2e per unit; rate: credited t per unit; scopes: t CO2e by scope
    where the reduction is split or wrong on purpose, else all of it goes to `scope`.
    """

    lot: str
    order: str
    quantity: str
    uom: str = "t"
    unit: str = "0"
    rate: str = "0"
    scope: int = 3
    scopes: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Handmade:
    """A run as decided: claimed: `order` or `order/offer` -> t; duals: lines of duals.csv.

    goals: (name, priority, value) as summary.json has them, and the group where one is named; pools,
    recipes: member -> group; stages: group -> stage at which its fair share is settled; reach: lines of
    out_of_reach.csv.
    """

    tables: Mapping[str, str]
    settings: str
    uses: Sequence[Use]
    claimed: Mapping[str, str]
    goals: Sequence[tuple[str, int | None, str] | tuple[str, int | None, str, str]]
    pools: Mapping[str, str]
    recipes: Mapping[str, str]
    duals: Sequence[str] = ()
    stages: Mapping[str, int] = field(default_factory=dict)
    reach: Sequence[str] | None = None
    status: str = "optimal"
    summary: Mapping[str, object] = field(default_factory=dict)

    def with_use(self, at: int, **changes: object) -> Handmade:
        """The same with one use changed."""
        uses = list(self.uses)
        uses[at] = replace(uses[at], **changes)
        return replace(self, uses=uses)


def micro(text: str) -> int:
    """Decimal text in millionths, rounded down."""
    return math.floor(Fraction(text) * GRID)


def _split(use: Use) -> tuple[int, int, int]:
    if use.scopes is not None:
        return tuple(micro(s) for s in use.scopes)
    reduced = math.floor(Fraction(use.unit) * micro(use.quantity))
    return tuple(reduced if s == use.scope else 0 for s in (1, 2, 3))


def _allocation(case: Case, run: Handmade) -> Allocation:
    offers = {
        f"{o}/{name}": i
        for i, (o, name) in enumerate(zip(case.offers.text("order"), case.offers.text("offer"), strict=True))
    }
    rows = []
    for use in run.uses:
        order = case.orders.position[use.order.split("/")[0]]
        quantity = micro(use.quantity)
        credited = math.floor(Fraction(use.rate) * quantity)
        lot = case.lots.position[use.lot]
        rows.append((order, offers.get(use.order, -1), lot, quantity, credited, *_split(use)))
    table = np.array(sorted(rows), dtype=np.int64).reshape(len(rows), 8).T
    claimed, taken = np.zeros(len(case.orders), np.int64), np.full(len(case.orders), -1, np.intp)
    for name, mass in run.claimed.items():
        at = case.orders.position[name.split("/")[0]]
        claimed[at], taken[at] = micro(mass), offers.get(name, -1)
    return Allocation(
        table[2], table[0], table[1], table[3], table[4], table[5], table[6], table[7], claimed, taken
    )


def _csv(path: Path, header: str, rows: Sequence[Sequence[object]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    path.parent.mkdir(exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")


def _order_rows(case: Case, allocation: Allocation) -> list[list[str]]:
    orders, offers, products, rows = case.orders, case.offers, case.products, []
    for o, name in enumerate(orders.text("order")):
        taken = int(allocation.taken[o])
        table, at = (orders, o) if taken < 0 else (offers, taken)
        p = products.position[orders.text("product")[o]]
        before = sum(products.exact[s].fraction(p) for s in ("s1", "s2", "s3"))
        claimed, after = int(allocation.claimed[o]), ""
        if claimed:
            reduced = int(allocation.reduction[allocation.order == o].sum())
            after = decimal_text(math.ceil((before - Fraction(reduced, claimed)) * GRID))
        offer = "" if taken < 0 else offers.text("offer")[taken]
        level, premium = (table.exact[c].fraction(at) for c in ("level", "premium_per_t"))
        unmet = int(orders.grid("mass_t")[o]) - claimed
        claim = table.text("claim")[at]
        earned = premium * claimed / GRID
        texts = [_text(level), _text(before), after, _text(earned), "as decided by hand"]
        own = [orders.text(column)[o] for column in ("customer", "product", "period")]
        own += [decimal_text(claimed + unmet), _text(premium)]
        rows.append([name, offer, decimal_text(claimed), decimal_text(unmet), claim, *texts, *own])
    return rows


def _text(value: Fraction) -> str:
    return decimal_text(int(value * 10**20), 20)


def _number(millionths: int) -> float | str:
    """A number for summary.json; as text where a float would not be exact."""
    exact = Fraction(millionths, GRID)
    return float(exact) if Fraction(repr(float(exact))) == exact else decimal_text(millionths)


def _summary(case: Case, run: Handmade, allocation: Allocation, **books: object) -> dict[str, object]:
    firm = case.orders.flag("firm")
    unmet = int((case.orders.grid("mass_t") - allocation.claimed)[firm].sum())
    goals = [
        {"name": n, "priority": p, "value": float(v), **({"group": group[0]} if group else {})}
        for n, p, v, *group in run.goals
    ]
    return {
        "status": run.status, "objectives": goals, "gap": 0, "verified": True,
        "claimed_t": int(allocation.claimed.sum()) / GRID, "unmet_firm_t": unmet / GRID, **books,
        "rules": {"id": case.rules.id, "sha256": case.rules.sha256}, "case_sha256": case.sha256,
        "versions": {}, "seconds": {}, "warnings": [], **run.summary,
    }  # fmt: skip


def write_run(folder: Path, run: Handmade) -> Path:
    """Write the run's folder and sign its manifest."""
    (folder / "case").mkdir(parents=True)
    rules = (MODELS / "jaa-2026.toml").read_bytes()
    (folder / "rules.toml").write_bytes(rules)
    (folder / "case" / "case.toml").write_text(run.settings, encoding="utf-8")
    for name, text in run.tables.items():
        (folder / "case" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    case = read_case(folder / "case", rule_source=rules)
    allocation = _allocation(case, run)
    uom, grams = {use.lot: use.uom for use in run.uses}, decimal_text
    lots, orders = case.lots.text("lot"), case.orders.text("order")
    offers = [*case.offers.text("offer"), ""]
    columns = (allocation.lot, allocation.order, allocation.offer, allocation.quantity, allocation.credited)
    rows = zip(*columns, allocation.scope1, allocation.scope2, allocation.scope3, strict=True)
    allocated = [
        [lots[i], orders[o], offers[j], grams(int(q)), uom[lots[i]], *(grams(int(v)) for v in values)]
        for i, o, j, q, *values in rows
    ]
    _csv(folder / "allocation.csv", "lot,order,offer,quantity,uom,credited_t,scope1,scope2,scope3", allocated)
    header = "order,offer,claimed_t,unmet_t,claim,level,cfp_before,cfp_after,premium,why"
    header += ",customer,product,period,mass_t,premium_per_t"
    _csv(folder / "orders.csv", header, _order_rows(case, allocation))
    write_books(folder, case, run, allocation)
    _csv(folder / "proof" / "pools.csv", "lot,pool", sorted(run.pools.items()))
    recipes = [[*[*name.split("/"), ""][:2], recipe] for name, recipe in run.recipes.items()]
    _csv(folder / "proof" / "recipes.csv", "order,offer,recipe", sorted(recipes))
    _csv(folder / "proof" / "duals.csv", "goal,equation,key,index,dual", [d.split(",") for d in run.duals])
    if run.stages:
        _csv(folder / "proof" / "fair_share.csv", "group,stage", sorted(run.stages.items()))
    if run.reach is not None:
        _csv(
            folder / "proof" / "out_of_reach.csv",
            "equation,key,index,dual",
            [r.split(",") for r in run.reach],
        )
    (folder / "prices.csv").write_text("what,price\n", encoding="utf-8")
    (folder / "result.xlsx").write_bytes(b"not opened by the verifier")
    sign(folder)
    return folder


def write_books(folder: Path, case: Case, run: Handmade, allocation: Allocation) -> None:
    """account.csv, residual.csv, summary.json; zeros where the books refuse the allocation."""
    try:
        book = residual_book(case, allocation)
        account = account_csv(case, account_rows(case, allocation))
        residual = residual_csv(case, book)
        tco2e, held = book.tco2e, book.credits
    except AssertionError:
        account, residual = b"lot,period\n", b"product,period\n"
        tco2e, held = {}, {}
    (folder / "account.csv").write_bytes(account)
    (folder / "residual.csv").write_bytes(residual)
    credits_ = {uom: {k: _number(v) for k, v in amounts.items()} for uom, amounts in held.items()}
    books = {"tco2e": {k: _number(v) for k, v in tco2e.items()}, "credits": credits_}
    summary = _summary(case, run, allocation, **books)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")


def sign(folder: Path) -> None:
    """Write a manifest that fits the folder as it is."""
    (folder / "manifest.json").unlink(missing_ok=True)
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")
