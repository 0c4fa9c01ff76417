"""Conflicts made on purpose: a promise that can be kept, then one limit of case or terms tightened.

`plant(number, folder)` writes a case and gives the terms and the cell that was tightened. `check(planted)`
asks for the quote and tells whether that cell is in the named set, and which relaxations work when their
cells are changed in the files and the case is read, solved and asked again from nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from massbalance.domain.faults import CaseRefused
from massbalance.quote.answer import Quote
from massbalance.quote.change import Edit, text_of
from massbalance.quote.levers import DIGITS
from massbalance.quote.mend import Relaxation
from massbalance.quote.promise import Promise
from massbalance.quote.session import Session
from tests.e2e.tables import CaseTables

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from quote_terms import drawn_terms
from random_cases import write_random_case

DATA = Path(__file__).parents[2] / "data"
Cell = tuple[str, tuple[str, ...], str]
SHORT_T = 1e-3
KEYS = {
    "lots": ("lot",), "alloys": ("alloy", "category"), "alloy_limits": ("alloy", "element"),
    "orders": ("order",), "products": ("product",),
}  # fmt: skip
"""Tables that a relaxation may change -> their keys."""


@dataclass
class Planted:
    """A case in a folder, terms of which not all fits, and the cell whose tightening did that."""

    number: int
    how: str
    folder: Path
    terms: dict[str, str]
    cell: Cell
    quote: Quote
    session: Session


@dataclass
class Checked:
    """named: is the planted cell in the set; worked, failed: relaxations; faults: of the set itself.

    tight, slack: relaxations with an amount of which one step less does not work, or does.
    """

    named: bool
    kinds: tuple[str, ...]
    worked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    tight: list[str] = field(default_factory=list)
    slack: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass
class Ground:
    """What a planter works on: tables as text, terms that fit, and the quote of them."""

    draw: Random
    tables: CaseTables
    terms: dict[str, str]
    quote: Quote
    session: Session

    def drawn(self) -> list[str]:
        """Lots that the quote draws on."""
        return [name for d in self.quote.drawn for name in d.lots]

    def drawn_lot(self) -> dict[str, str]:
        """One of them, a row."""
        return row_of(self.tables, "lots", self.draw.choice(sorted(self.drawn())))

    def product(self) -> dict[str, str]:
        """The product's row."""
        return row_of(self.tables, "products", self.terms["product"])

    def last_day(self) -> date:
        """Last day of the period."""
        return date.fromisoformat(row_of(self.tables, "periods", self.terms["period"])["end"])


def row_of(tables: CaseTables, table: str, key: str) -> dict[str, str]:
    """The row of that name, wherever its key's column stands."""
    return next(row for row in tables.rows[table] if row[table.removesuffix("s")] == key)


Planter = Callable[[Ground], Cell | None]


def quantity(on: Ground) -> Cell | None:
    row = on.drawn_lot()
    left = Decimal(row["quantity"]) * on.draw.choice([0, 1, 5]) / 10
    on.tables.set("lots", row, quantity=f"{left:.6f}")
    return ("lots", (row["lot"],), "quantity")


def expiry(on: Ground) -> Cell | None:
    row, day = on.drawn_lot(), on.last_day() - timedelta(days=1)
    if max(row["received"], row.get("used", "")) > day.isoformat():
        return None
    on.tables.set("lots", row, expires=day.isoformat())
    return ("lots", (row["lot"],), "expires")


def arrival(on: Ground) -> Cell | None:
    row, day = on.drawn_lot(), on.last_day() + timedelta(days=on.draw.choice([1, 20, 40]))
    if row.get("expires") and row["expires"] < day.isoformat():
        return None
    on.tables.set("lots", row, received=day.isoformat(), used="")
    return ("lots", (row["lot"],), "received")


def alloy_share(on: Ground) -> Cell | None:
    alloy = on.product()["alloy"]
    categories = {row_of(on.tables, "lots", name)["category"] for name in on.drawn()}
    rows = [r for r in on.tables.rows["alloys"] if r["alloy"] == alloy and r["category"] in categories]
    if not rows:
        return None
    row = on.draw.choice(rows)
    low = Decimal(on.draw.randrange(0, 40)) / 100 * Decimal(row["max_share"])
    on.tables.set("alloys", row, max_share=str(low))
    return ("alloys", (alloy, row["category"]), "max_share")


def not_listed(on: Ground) -> Cell | None:
    alloy, lot = on.product()["alloy"], on.drawn_lot()
    rows = on.tables.rows["alloys"]
    gone = [r for r in rows if (r["alloy"], r["category"]) == (alloy, lot["category"])]
    if not gone or sum(r["alloy"] == alloy for r in rows) < 2:
        return None
    rows.remove(gone[0])
    return ("lots", (lot["lot"],), "category")


def element(on: Ground) -> Cell | None:
    alloy = on.product()["alloy"]
    limits = [
        r for r in on.tables.rows.get("alloy_limits", []) if r["alloy"] == alloy and r.get("max_wt_pct")
    ]
    if not limits:
        return None
    row = on.draw.choice(limits)
    wt = {(r["key"], r["element"]): Decimal(r["wt_pct"]) for r in on.tables.rows["composition"]}
    base = wt.get((f"base:{alloy}", row["element"]), wt.get(("base", row["element"]), Decimal(0)))
    if Decimal(row["max_wt_pct"]) <= base:
        return None
    room = (Decimal(row["max_wt_pct"]) - base) * on.draw.choice([0, 1, 3]) / 10
    on.tables.set("alloy_limits", row, max_wt_pct=str(base + room), min_wt_pct="")
    return ("alloy_limits", (alloy, row["element"]), "max_wt_pct")


def level(on: Ground) -> Cell | None:
    old = Decimal(on.terms["level"])
    if on.terms["claim"] == "cfp":
        on.terms["level"] = str(old * on.draw.choice([3, 6, 9]) / 10)
    else:
        on.terms["level"] = str(min(Decimal(1), old * on.draw.choice([12, 15, 25]) / 10))
    return ("quote", (), "level")


def scheme(on: Ground) -> Cell | None:
    lot = on.drawn_lot()
    own = {r.get("scheme", "") for r in on.tables.rows["lots"]} - {lot.get("scheme", ""), ""}
    on.terms["schemes"] = on.draw.choice(sorted(own)) if own else "none of these"
    return ("lots", (lot["lot"],), "scheme")


def unit(on: Ground) -> Cell | None:
    lot, sites = on.drawn_lot(), on.tables.rows["sites"]
    own = row_of(on.tables, "sites", lot["site"])
    area = (own["unit"], own.get("organisation"))
    others = [s for s in sites if (s["unit"], s.get("organisation")) != area]
    if not others:
        home = dict(own)
        on.tables.rows["sites"].append(home)
        on.tables.set("sites", home, site="FAR", unit="far", organisation=own.get("organisation", ""))
        others = [home]
    # what the lot displaced stays what it was: it is the boundary alone that is planted
    at = on.session.case.lots.position[lot["lot"]]
    displaced = on.session.problem.effects.displaced
    if displaced.given[at]:
        on.tables.set("lots", lot, displaced_tco2e_per_uom=text_of(displaced.fraction(at)))
    on.tables.set("lots", lot, site=on.draw.choice(others)["site"])
    return ("lots", (lot["lot"],), "site")


def energy_use(on: Ground) -> Cell | None:
    row = on.product()
    columns = [c for c in ("electricity_mwh_per_t", "heat_gj_per_t") if row.get(c)]
    if not columns:
        return None
    column = on.draw.choice(columns)
    on.tables.set("products", row, **{column: str(Decimal(row[column]) * on.draw.choice([1, 3]) / 10)})
    return ("products", (row["product"],), column)


def intensity(on: Ground) -> Cell | None:
    row, scope = on.product(), on.draw.choice("123")
    gone = Decimal(row[f"s{scope}"]) * on.draw.choice([5, 8, 10]) / 10
    if on.terms["claim"] == "cfp":
        # the claim is of the intensity: what it asks for stays the same
        on.terms["level"] = str(max(Decimal(0), Decimal(on.terms["level"]) - gone))
    on.tables.set("products", row, **{f"s{scope}": str(Decimal(row[f"s{scope}"]) - gone)})
    return ("products", (row["product"],), f"s{scope}")


def competitor(on: Ground) -> Cell | None:
    mass = on.draw.choice(["5", "50", "500"])
    made = on.tables.rows["production"]
    at = [r for r in made if (r["product"], r["period"]) == (on.terms["product"], on.terms["period"])]
    if at:
        on.tables.set("production", at[0], mass_t=str(Decimal(at[0]["mass_t"]) + Decimal(mass)))
    else:
        made.append({"product": on.terms["product"], "period": on.terms["period"], "mass_t": mass})
    row = dict.fromkeys(on.tables.headers["orders"], "")
    on.tables.rows["orders"].append(row)
    wanted = {k: on.terms[k] for k in ("product", "period", "claim", "level", "schemes")}
    on.tables.set(
        "orders", row, order="RIVAL", customer="rival", premium_per_t="1", firm="true", priority="1",
        mass_t=mass, **wanted,
    )  # fmt: skip
    return ("orders", ("RIVAL",), "mass_t")


def origin(on: Ground) -> Cell | None:
    if len(on.drawn()) < 2:
        return None
    for name in on.drawn():
        on.tables.set("lots", row_of(on.tables, "lots", name), origin="one heap")
    return ("lots", (on.drawn()[0],), "origin")


def gas(on: Ground) -> Cell | None:
    if all((row_of(on.tables, "lots", name).get("gas") or "GHG") == "CO2" for name in on.drawn()):
        return None
    on.tables.set("products", on.product(), gas="CO2")
    ghg = [n for n in on.drawn() if (row_of(on.tables, "lots", n).get("gas") or "GHG") == "GHG"]
    return ("lots", (ghg[0],), "gas")


PLANTERS: dict[str, Planter] = {
    one.__name__: one
    for one in (
        quantity, expiry, arrival, alloy_share, not_listed, element, level, scheme, unit, energy_use,
        intensity, competitor, origin, gas,
    )
}  # fmt: skip
BASES = ("random", "random", "random", "mip", "tutorial", "random", "mip", "random")


def ground(draw: Random, base: str, folder: Path) -> Ground | None:
    """A case with terms that fit and need credits; None where these draws give none."""
    if base in ("tutorial", "aluminium"):
        source = DATA / base
    else:
        source = folder
        write_random_case(folder, draw.randrange(10**6), mip=base == "mip")
    session = _session(source)
    for _ in range(4):
        terms = drawn_terms(session.case, draw.randrange(10**6))
        terms["schemes"] = "" if draw.random() < 0.8 else terms["schemes"]
        found = session.quote(**terms)
        if found.feasible_t < 0.1:
            continue
        if found.feasible_t < float(terms["mass_t"]):
            terms["mass_t"] = f"{found.feasible_t * draw.choice([0.5, 0.8, 0.95]):.2f}"
            found = session.quote(**terms)
        if found.feasible_t >= float(terms["mass_t"]) > 0 and found.drawn:
            return Ground(draw, CaseTables(source), dict(terms), found, session)
    return None


_kept: dict[Path, Session] = {}


def _session(source: Path) -> Session:
    """A session; those of the examples are kept, since a quote leaves nothing behind."""
    if DATA not in source.parents:
        return Session(source)
    if source not in _kept:
        _kept[source] = Session(source)
    return _kept[source]


def plant(number: int, folder: Path, *, only: str = "", base: str = "") -> Planted | None:
    """The planted conflict of a number; None where no planter makes one on its case."""
    draw = Random(f"planted/{number}")
    on = ground(draw, base or BASES[number % len(BASES)], folder / "base")
    if on is None:
        return None
    names = [only] if only else draw.sample(sorted(PLANTERS), len(PLANTERS))
    if not only:
        # each kind of limit has its turn first
        first = sorted(PLANTERS)[number % len(PLANTERS)]
        names.remove(first)
        names.insert(0, first)
    for turn, name in enumerate(names):
        trial = Ground(draw, deepcopy(on.tables), dict(on.terms), on.quote, on.session)
        cell = PLANTERS[name](trial)
        if cell is None:
            continue
        target = trial.tables.write_csv(folder / f"planted-{turn}")
        try:
            session = Session(target)
            found = session.quote(**trial.terms)
        except CaseRefused:
            continue
        if found.ask.mass_t - found.feasible_t > SHORT_T:
            return Planted(number, name, target, trial.terms, cell, found, session)
    return None


def check(planted: Planted, folder: Path, *, tight: bool = False) -> Checked:
    """Is the cell named, is the set sound, and does every relaxation work on the files?

    tight: also try one step less of each that has an amount.
    """
    quote = planted.quote
    rows = {row for one in quote.conflict for row in one.rows}
    found = Checked(planted.cell in rows, tuple(f"{c.kind}:{c.of}" for c in quote.conflict))
    found.faults += list(unsound(planted))
    for number, one in enumerate(quote.relaxations):
        works = applied(planted.folder, planted.terms, one.edits, folder / f"mended-{number}")
        (found.worked if works else found.failed).append(f"{one.kind}: {one.words}")
        less = one_step_less(one) if tight else None
        if less is not None:
            enough = applied(planted.folder, planted.terms, [less], folder / f"less-{number}")
            (found.slack if enough else found.tight).append(f"{one.kind}: {one.words}")
    return found


def one_step_less(one: Relaxation) -> Edit | None:
    """The only cell of a relaxation, a step nearer to what it was; None where there is no such thing."""
    digits = DIGITS.get(one.kind, 0)
    if len(one.edits) != 1 or not digits or one.edits[0].column == "firm":
        return None
    (edit,) = one.edits
    new, old = Decimal(edit.new), Decimal(edit.old or 0)
    step = Decimal(1).scaleb(-digits)
    return replace(edit, new=f"{new - step if new > old else new + step:f}")


def unsound(planted: Planted) -> Iterator[str]:
    """Faults of a set: it must clash, each limit must count, and the model must be that of the quote."""
    quote, promise = planted.quote, Promise(planted.session, planted.quote.ask)
    held = {(c.kind, c.of) for c in quote.conflict}
    every = set(promise.keys)
    if not held:
        yield "nothing is named"
        return
    if promise.without(every - held).whole:
        yield "the set does not clash"
    yield from (f"{key} can be left out" for key in held if not promise.without((every - held) | {key}).whole)
    yield from (
        f"{c.kind}:{c.of} alone" for c in quote.conflict
        if c.alone != promise.without({(c.kind, c.of)}).whole
    )  # fmt: skip
    if planted.session.decider is None and not any(_short(planted.session)):
        most = promise.without(()).mass
        if abs(most - quote.feasible_t) > 2e-6 * max(1.0, quote.feasible_t):
            yield f"greatest mass {most}, by the quote {quote.feasible_t}"


def _short(session: Session) -> Sequence[bool]:
    """Firm orders that the run leaves short."""
    firm, mass = session.case.orders.flag("firm"), session.case.orders.floats("mass_t")
    return [bool(f and m - c > 1e-6) for f, m, c in zip(firm, mass, session.claimed, strict=True)]


def applied(source: Path, terms: dict[str, str], edits: Sequence[Edit], target: Path) -> bool:
    """Change the cells in the files, read the case, and ask again: does all of it fit?"""
    tables, asked = CaseTables(source), dict(terms)
    for edit in edits:
        if edit.table == "quote":
            asked[edit.column] = edit.new
            continue
        key = dict(zip(KEYS[edit.table], edit.key, strict=True))
        found = [r for r in tables.rows[edit.table] if key.items() <= r.items()]
        if not found:
            found = [dict.fromkeys(tables.headers[edit.table], "") | key]
            tables.rows[edit.table] += found
        elif edit.old is None or not _same(found[0].get(edit.column, ""), edit.old):
            return False
        tables.set(edit.table, found[0], **{edit.column: edit.new})
    quote = Session(tables.write_csv(target)).quote(**asked)
    return quote.floor_premium_per_t is not None


def _same(cell: str, old: str) -> bool:
    """Is that what the cell said? Not given, false and none are told apart from each other only here."""
    if cell == old or (cell, old) == ("", "false"):
        return True
    try:
        return Decimal(cell or 0) == Decimal(old or 0)
    except ArithmeticError:
        return False
