"""Ways to spoil a run's folder: `SIGNED` ones sign the manifest again, so that only the meaning of the
files can give them away; `RAW` ones leave it, so that any changed byte must.

A corruption takes a folder and a random source and spoils one thing; it returns False where the run has
nothing to spoil in that way.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from handmade import sign

Row = dict[str, str]
Edit = Callable[[Row, random.Random], Row | None]
Corruption = Callable[[Path, random.Random], bool]
GRAM = Decimal("0.000001")


def read(run: Path, file: str) -> list[Row]:
    """The rows of a CSV file of the run."""
    return list(csv.DictReader(io.StringIO((run / file).read_text(encoding="utf-8"), newline="")))


def write(run: Path, file: str, rows: Sequence[Row], header: Sequence[str]) -> bool:
    """Write rows back."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (run / file).write_text(out.getvalue(), encoding="utf-8", newline="")
    return True


def number(row: Row, column: str) -> Decimal:
    """A cell as a number; empty is 0."""
    return Decimal(row[column] or 0)


# ---- what may be done to a row: edits, and which rows qualify --------------------------------------------


def shift(column: str, *by: Decimal | int | str) -> Edit:
    """Add one of these to a number."""
    return lambda row, rng: {**row, column: f"{number(row, column) + Decimal(rng.choice(by)):f}"}


def put(column: str, *texts: str) -> Edit:
    """Put one of these texts, another than it was, into a cell."""
    return lambda row, rng: {**row, column: rng.choice([t for t in texts if t != row[column]])}


def append(column: str) -> Edit:
    """A name that does not exist."""
    return lambda row, rng: {**row, column: row[column] + "x"}


def drop(_row: Row, _rng: random.Random) -> None:
    """The row goes."""


def times(column: str, *factors: int) -> Edit:
    """Multiply a number."""
    return lambda row, rng: {**row, column: f"{number(row, column) * rng.choice(factors):f}"}


def claim(new: Callable[[Decimal, Decimal], Decimal]) -> Edit:
    """Another claimed mass, from (claimed, unmet); the rest stays unmet."""

    def edit(row: Row, _: random.Random) -> Row:
        claimed, unmet = number(row, "claimed_t"), number(row, "unmet_t")
        mass = new(claimed, unmet)
        return {**row, "claimed_t": f"{mass:f}", "unmet_t": f"{claimed + unmet - mass:f}"}

    return edit


def move(*columns: str, all_of_it: bool = False) -> Edit:
    """Move an amount (all of it, or also a gram) from one of the columns to another."""

    def edit(row: Row, rng: random.Random) -> Row:
        source = rng.choice([c for c in columns if number(row, c)])
        target = rng.choice([c for c in columns if c != source])
        part = number(row, source) if all_of_it else rng.choice([number(row, source), GRAM])
        moved = {source: number(row, source) - part, target: number(row, target) + part}
        return {**row, **{column: f"{value:f}" for column, value in moved.items()}}

    return edit


def some(*columns: str) -> Callable[[Row], bool]:
    """Rows where one of the numbers is not zero."""
    return lambda row: any(number(row, c) for c in columns)


def in_file(file: str, edit: Edit, where: Callable[[Row], bool] = lambda row: True) -> Corruption:
    """Edit one random row of a file among those that qualify."""

    def spoil(run: Path, rng: random.Random) -> bool:
        rows = read(run, file)
        able = [i for i, row in enumerate(rows) if where(row)]
        if not able:
            return False
        header, at = list(rows[0]), rng.choice(able)
        edited = edit(dict(rows[at]), rng)
        rows[at : at + 1] = [] if edited is None else [edited]
        return write(run, file, rows, header)

    return spoil


def twice(file: str) -> Corruption:
    """Repeat a row."""

    def spoil(run: Path, rng: random.Random) -> bool:
        rows = read(run, file)
        return bool(rows) and write(run, file, [*rows, rng.choice(rows)], list(rows[0]))

    return spoil


def swap(file: str, *columns: str) -> Corruption:
    """Swap cells of two rows that differ in them, and in their quantity."""

    def spoil(run: Path, rng: random.Random) -> bool:
        rows = read(run, file)
        pairs = [
            (a, b)
            for b in range(len(rows))
            for a in range(b)
            if all(rows[a][c] != rows[b][c] for c in (columns[0], "quantity"))
        ]
        if not pairs:
            return False
        one, other = (rows[i] for i in rng.choice(pairs))
        for column in columns:
            one[column], other[column] = other[column], one[column]
        return write(run, file, rows, list(rows[0]))

    return spoil


def regroup(file: str, column: str) -> Corruption:
    """Put a row into the group of another."""

    def spoil(run: Path, rng: random.Random) -> bool:
        groups = sorted({row[column] for row in read(run, file)})
        return len(groups) > 1 and in_file(file, put(column, *groups))(run, rng)

    return spoil


def split_row(run: Path, rng: random.Random) -> bool:
    """One allocation row becomes two halves."""
    rows = read(run, "allocation.csv")
    row = rows.pop(rng.randrange(len(rows)))
    half = {
        c: f"{number(row, c) / 2:.6f}" for c in row if c[:-1] == "scope" or c in ("quantity", "credited_t")
    }
    return write(run, "allocation.csv", [*rows, {**row, **half}, {**row, **half}], list(row))


def serve_idle(run: Path, rng: random.Random) -> bool:
    """A row goes to an order that claims nothing."""
    idle = [row["order"] for row in read(run, "orders.csv") if not number(row, "claimed_t")]
    edit = put("order", *idle)
    return bool(idle) and in_file("allocation.csv", lambda r, g: {**edit(r, g), "offer": ""})(run, rng)


# ---- what may be done to summary.json -----------------------------------------------------------------


def in_summary(edit: Callable[[dict, random.Random], object]) -> Corruption:
    """Edit summary.json."""

    def spoil(run: Path, rng: random.Random) -> bool:
        file = run / "summary.json"
        data = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        edit(data, rng)
        file.write_text(json.dumps(data, default=float), encoding="utf-8")
        return True

    return spoil


def add(data: dict, rng: random.Random, keys: Sequence[str], *by: float) -> None:
    """Add to one of the numbers."""
    key = rng.choice(sorted(keys))
    data[key] = float(data[key]) + rng.choice(by)


def emissions_moved(data: dict, rng: random.Random) -> None:
    """What one figure loses, another gains."""
    one, other = rng.sample(["forgone", "expired", "released", "retired", "held"], 2)
    add(data["tco2e"], rng, [one], 1)
    add(data["tco2e"], rng, [other], -1)


# ---- what may be done to other files ---------------------------------------------------------------------


def text(file: str, *edits: Callable[[str], str]) -> Corruption:
    """Another text of a file."""

    def spoil(run: Path, rng: random.Random) -> bool:
        path = run / file
        before = path.read_text(encoding="utf-8")
        after = rng.choice(edits)(before)
        path.write_text(after, encoding="utf-8", newline="")
        return after != before

    return spoil


def remove(*patterns: str) -> Corruption:
    """A file goes."""

    def spoil(run: Path, rng: random.Random) -> bool:
        rng.choice(sorted(path for pattern in patterns for path in run.glob(pattern))).unlink()
        return True

    return spoil


def flip_bit(data: bytearray, rng: random.Random) -> bytearray:
    """One bit."""
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def anywhere(edit: Callable[[bytearray, random.Random], bytearray], *spared: str) -> Corruption:
    """Change the bytes of a random file."""

    def spoil(run: Path, rng: random.Random) -> bool:
        files = [p for p in run.rglob("*") if p.is_file() and p.stat().st_size and p.name not in spared]
        file = rng.choice(sorted(files))
        file.write_bytes(edit(bytearray(file.read_bytes()), rng))
        return True

    return spoil


def add_file(run: Path, _: random.Random) -> bool:
    """A file that no run writes."""
    (run / "proof" / "notes.txt").write_text("all is well", encoding="utf-8")
    return True


ALLOCATION, ORDERS, ACCOUNT, RESIDUAL = "allocation.csv", "orders.csv", "account.csv", "residual.csv"
MOVES = ("allocated", "blocked", "expired", "closing")
CLAIMS = ("green_share", "recycled_share", "post_consumer_share", "cfp", "reduction", "green")
FIGURES = ("produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual")
SHARES = ("green_share_residual", "recycled_share_residual", "correction_tco2e_per_t")

SIGNED: dict[str, Corruption] = {
    "quantity up a gram": in_file(ALLOCATION, shift("quantity", GRAM)),
    "quantity down a gram": in_file(ALLOCATION, shift("quantity", -GRAM)),
    "quantity much larger": in_file(ALLOCATION, times("quantity", 2, 10, 10**9)),
    "quantity below zero": in_file(ALLOCATION, times("quantity", -1)),
    "quantity finer than the grid": in_file(ALLOCATION, shift("quantity", "0.0000001")),
    "quantity no number": in_file(ALLOCATION, put("quantity", "", "nan", "1e3", "1_000", " 1", "１", "inf")),
    "lots swapped": swap(ALLOCATION, "lot"),
    "orders swapped": swap(ALLOCATION, "order", "offer"),
    "allocation row dropped": in_file(ALLOCATION, drop),
    "allocation row twice": twice(ALLOCATION),
    "allocation row split": split_row,
    "credited mass up a gram": in_file(ALLOCATION, shift("credited_t", GRAM)),
    "credited mass down a gram": in_file(ALLOCATION, shift("credited_t", -GRAM), some("credited_t")),
    "reduction up a gram": in_file(ALLOCATION, lambda r, g: shift(f"scope{g.choice('123')}", GRAM)(r, g)),
    "reduction in another scope": in_file(
        # a project's own scopes may be filled in several right ways
        ALLOCATION, move("scope1", "scope2", "scope3"),
        lambda row: row["uom"] != "tCO2e" and some("scope1", "scope2", "scope3")(row),
    ),
    "unit of measure": in_file(ALLOCATION, put("uom", "t", "MWh", "GJ", "tCO2e")),
    "lot unknown": in_file(ALLOCATION, append("lot")),
    "order unknown": in_file(ALLOCATION, append("order")),
    "offer unknown": in_file(ALLOCATION, append("offer")),
    "given to an order that claims nothing": serve_idle,
    "allocation header": text(ALLOCATION, lambda t: t.replace("credited_t", "credited", 1)),
    "claimed up a gram": in_file(ORDERS, claim(lambda claimed, unmet: claimed + GRAM)),
    "claimed down a gram": in_file(ORDERS, claim(lambda claimed, unmet: claimed - GRAM), some("claimed_t")),
    "claimed all": in_file(ORDERS, claim(lambda claimed, unmet: claimed + unmet), some("unmet_t")),
    "claimed half": in_file(
        ORDERS, claim(lambda claimed, unmet: (claimed / 2).quantize(GRAM)), some("claimed_t")
    ),
    "claimed nothing": in_file(ORDERS, claim(lambda claimed, unmet: Decimal(0)), some("claimed_t")),
    "claimed below zero": in_file(ORDERS, claim(lambda claimed, unmet: -claimed), some("claimed_t")),
    "unmet": in_file(ORDERS, shift("unmet_t", GRAM, 1)),
    "order dropped": in_file(ORDERS, drop),
    "order twice": twice(ORDERS),
    "level": in_file(ORDERS, shift("level", "0.1", -GRAM)),
    "claim": in_file(ORDERS, put("claim", *CLAIMS)),
    "footprint after": in_file(ORDERS, shift("cfp_after", -GRAM, GRAM), some("cfp_after")),
    "footprint before": in_file(ORDERS, shift("cfp_before", GRAM)),
    "premium": in_file(ORDERS, shift("premium", 1)),
    "offer": in_file(ORDERS, append("offer")),
    "account cell": in_file(
        ACCOUNT, lambda r, g: shift(g.choice(["opening", "received", *MOVES]), GRAM)(r, g)
    ),
    "account row that adds up": in_file(ACCOUNT, move(*MOVES[:3], all_of_it=True), some(*MOVES[:3])),
    "account row dropped": in_file(ACCOUNT, drop),
    "account period unknown": in_file(ACCOUNT, put("period", "never")),
    "residual cell": in_file(RESIDUAL, lambda r, g: shift(g.choice(FIGURES), GRAM, -GRAM)(r, g)),
    "residual share": in_file(RESIDUAL, lambda r, g: shift(g.choice(SHARES), GRAM)(r, g)),
    "residual row dropped": in_file(RESIDUAL, drop),
    "residual row twice": twice(RESIDUAL),
    "objective value": in_summary(lambda d, g: add(g.choice(d["objectives"]), g, ["value"], -1, 1, 0.001)),
    "objective dropped": in_summary(lambda d, g: d["objectives"].pop(g.randrange(len(d["objectives"])))),
    "objective priority": in_summary(lambda d, g: d["objectives"][0].update(priority=7)),
    "status": in_summary(lambda d, g: d.update(status=g.choice(["infeasible", "done", "", None]))),
    "not verified": in_summary(lambda d, g: d.update(verified=g.choice([False, None, "true", 1]))),
    "total": in_summary(lambda d, g: add(d, g, ["claimed_t", "unmet_firm_t"], 0.001)),
    "emissions": in_summary(lambda d, g: add(d["tco2e"], g, list(d["tco2e"]), -1, 1, 0.001)),
    "emissions moved": in_summary(emissions_moved),
    "emissions missing": in_summary(lambda d, g: d["tco2e"].pop(g.choice(sorted(d["tco2e"])))),
    "credits": in_summary(
        lambda d, g: add(unit := d["credits"][g.choice(sorted(d["credits"]))], g, list(unit), 0.5)
    ),
    "case hash": in_summary(lambda d, g: d.update(case_sha256="0" * 64)),
    "rules hash": in_summary(lambda d, g: d["rules"].update(sha256="0" * 64)),
    "rules id": in_summary(lambda d, g: d["rules"].update(id="jisf-2.0")),
    "summary no object": text("summary.json", *(lambda _, t=t: t for t in ("[]", "", "{", "NaN", "null"))),
    "pool row dropped": in_file("proof/pools.csv", drop),
    "pool of unlike lots": regroup("proof/pools.csv", "pool"),
    "recipe row dropped": in_file("proof/recipes.csv", drop),
    "recipe of unlike orders": regroup("proof/recipes.csv", "recipe"),
    "dual below zero": in_file("proof/duals.csv", times("dual", -1), some("dual")),
    "dual of an unknown key": in_file("proof/duals.csv", append("key")),
    "dual of an unknown equation": in_file("proof/duals.csv", append("equation")),
    "dual of an unknown goal": in_file("proof/duals.csv", append("goal")),
    "dual of an unknown index": in_file("proof/duals.csv", append("index")),
    "dual twice": twice("proof/duals.csv"),
    "lot in the case": in_file("case/lots.csv", shift("quantity", 1, 100)),
    "order in the case": in_file("case/orders.csv", lambda r, g: shift("premium_per_t", -1, GRAM)(r, g)),
    "table of the case": remove(*(f"case/{table}.csv" for table in ("lots", "orders", "products"))),
    "settings of the case": text(
        "case/case.toml", lambda t: "name = ", lambda t: t + "fiscal_year_start = 5\n"
    ),
    "rules": text(
        "rules.toml", lambda t: t + "\n# later\n", lambda t: t.replace('"inventory"', '"baseline"', 1)
    ),
    "rules unreadable": text("rules.toml", lambda t: "x", lambda t: "", lambda t: t.replace("[param", "")),
    "file removed": remove("*.csv", "*.xlsx", "summary.json", "rules.toml", "proof/*.csv"),
}  # fmt: skip


def signed(corruption: Corruption) -> Corruption:
    """The same, with a manifest that fits."""

    def spoil(run: Path, rng: random.Random) -> bool:
        done = corruption(run, rng)
        if done:
            sign(run)
        return done

    return spoil


SIGNED = {name: signed(corruption) for name, corruption in SIGNED.items()}

RAW: dict[str, Corruption] = {
    "bit flipped": anywhere(flip_bit),
    "bit flipped in a table": anywhere(flip_bit, "result.xlsx", "rules.toml", "manifest.json"),
    "file cut": anywhere(lambda data, rng: data[: rng.randrange(len(data))], "manifest.json"),
    "file longer": anywhere(lambda data, rng: data + b"\n", "manifest.json"),
    "line ends": text(ALLOCATION, lambda t: t.replace("\n", "\r\n")),
    "prices": text("prices.csv", lambda t: t + "x,1\n"),
    "workbook": lambda run, rng: bool((run / "result.xlsx").write_bytes(b"PK")),
    "manifest gone": remove("manifest.json"),
    "manifest empty": text("manifest.json", lambda t: "{}", lambda t: '{"files": {}}', lambda t: "[]"),
    "file added": add_file,
    "reason": in_file(ORDERS, append("why")),
}  # fmt: skip
