"""Ways to spoil a run's folder. Each takes a folder and a random source, and spoils one thing.

`SIGNED` ones sign the manifest again, so that only the meaning of the files can give them away;
`RAW` ones leave it, so that any changed byte must. A corruption returns False where the run has
nothing to spoil in that way.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from handmade import sign

Row = dict[str, str]
Corruption = Callable[[Path, random.Random], bool]

SIGNED: dict[str, Corruption] = {}
RAW: dict[str, Corruption] = {}
STEP = Decimal("0.000001")


def read(run: Path, file: str) -> list[Row]:
    """The rows of a CSV file of the run."""
    return list(csv.DictReader(io.StringIO((run / file).read_text(encoding="utf-8"), newline="")))


def write(run: Path, file: str, rows: list[Row], header: list[str] | None = None) -> None:
    """Write rows back; header: where there are none left."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (run / file).write_text(out.getvalue(), encoding="utf-8", newline="")


def signed(function: Corruption) -> Corruption:
    """Register a corruption that signs the manifest again."""

    def spoil(run: Path, rng: random.Random) -> bool:
        done = function(run, rng)
        if done:
            sign(run)
        return done

    SIGNED[function.__name__] = spoil
    return spoil


def raw(function: Corruption) -> Corruption:
    """Register a corruption that leaves the manifest as it was."""
    RAW[function.__name__] = function
    return function


def change(
    run: Path, rng: random.Random, file: str, edit: Callable[[Row], Row | None], where: Callable[[Row], bool]
) -> bool:
    """Edit one random row among those that qualify; an edit may return None to drop the row."""
    rows = read(run, file)
    able = [i for i, row in enumerate(rows) if where(row)]
    if not able:
        return False
    header, at = list(rows[0]), rng.choice(able)
    edited = edit(dict(rows[at]))
    rows[at : at + 1] = [] if edited is None else [edited]
    write(run, file, rows, header)
    return True


def shift(column: str, by: Decimal) -> Callable[[Row], Row]:
    """Add to a number."""
    return lambda row: {**row, column: f"{Decimal(row[column] or 0) + by:f}"}


def put(**cells: str) -> Callable[[Row], Row]:
    """Set cells."""
    return lambda row: {**row, **cells}


def anything(_: Row) -> bool:
    """Every row qualifies."""
    return True


def given(column: str) -> Callable[[Row], bool]:
    """Rows where a number is not zero."""
    return lambda row: Decimal(row[column] or 0) != 0


def summary(run: Path, edit: Callable[[dict], None]) -> bool:
    """Edit summary.json."""
    data = json.loads((run / "summary.json").read_text(encoding="utf-8"), parse_float=Decimal)
    edit(data)
    (run / "summary.json").write_text(json.dumps(data, default=float), encoding="utf-8")
    return True


# ---- allocation.csv ------------------------------------------------------------------------------------


@signed
def quantity_up_a_gram(run, rng):
    return change(run, rng, "allocation.csv", shift("quantity", STEP), anything)


@signed
def quantity_down_a_gram(run, rng):
    return change(run, rng, "allocation.csv", shift("quantity", -STEP), lambda r: Decimal(r["quantity"]) > STEP)


@signed
def quantity_much_larger(run, rng):
    factor = rng.choice([2, 10, 1000])
    return change(
        run, rng, "allocation.csv", lambda r: {**r, "quantity": f"{Decimal(r['quantity']) * factor:f}"}, anything
    )


@signed
def quantity_negative(run, rng):
    return change(run, rng, "allocation.csv", lambda r: {**r, "quantity": f"-{r['quantity']}"}, anything)


@signed
def quantity_finer_than_the_grid(run, rng):
    return change(run, rng, "allocation.csv", shift("quantity", Decimal("0.0000001")), anything)


@signed
def quantity_no_number(run, rng):
    word = rng.choice(["", "nan", "1e3", "1_000", " 1", "１", "inf", "0x10"])
    return change(run, rng, "allocation.csv", put(quantity=word), anything)


@signed
def lots_swapped(run, rng):
    rows = read(run, "allocation.csv")
    pairs = [(a, b) for a in range(len(rows)) for b in range(a) if rows[a]["lot"] != rows[b]["lot"]]
    # the same quantity from two lots alike would be as good
    pairs = [(a, b) for a, b in pairs if rows[a]["quantity"] != rows[b]["quantity"]]
    if not pairs:
        return False
    a, b = rng.choice(pairs)
    rows[a]["lot"], rows[b]["lot"] = rows[b]["lot"], rows[a]["lot"]
    write(run, "allocation.csv", rows)
    return True


@signed
def orders_swapped(run, rng):
    rows = read(run, "allocation.csv")
    pairs = [(a, b) for a in range(len(rows)) for b in range(a) if rows[a]["order"] != rows[b]["order"]]
    pairs = [(a, b) for a, b in pairs if (rows[a]["lot"], rows[a]["quantity"]) != (rows[b]["lot"], rows[b]["quantity"])]
    if not pairs:
        return False
    a, b = rng.choice(pairs)
    for column in ("order", "offer"):
        rows[a][column], rows[b][column] = rows[b][column], rows[a][column]
    write(run, "allocation.csv", rows)
    return True


@signed
def allocation_row_dropped(run, rng):
    return change(run, rng, "allocation.csv", lambda r: None, anything)


@signed
def allocation_row_twice(run, rng):
    rows = read(run, "allocation.csv")
    if not rows:
        return False
    write(run, "allocation.csv", [*rows, rng.choice(rows)])
    return True


@signed
def allocation_row_split(run, rng):
    rows = read(run, "allocation.csv")
    if not rows:
        return False
    row = rows.pop(rng.randrange(len(rows)))
    half = {c: f"{Decimal(row[c] or 0) / 2:.6f}" for c in ("quantity", "credited_t", "scope1", "scope2", "scope3")}
    write(run, "allocation.csv", [*rows, {**row, **half}, {**row, **half}])
    return True


@signed
def credited_up_a_gram(run, rng):
    return change(run, rng, "allocation.csv", shift("credited_t", STEP), anything)


@signed
def credited_not_rounded_down(run, rng):
    return change(run, rng, "allocation.csv", shift("credited_t", -STEP), given("credited_t"))


@signed
def reduction_up_a_gram(run, rng):
    return change(run, rng, "allocation.csv", shift(f"scope{rng.choice('123')}", STEP), anything)


@signed
def credits_moved_between_scopes(run, rng):
    source, target = rng.sample(["scope1", "scope2", "scope3"], 2)

    def move(row: Row) -> Row:
        part = Decimal(row[source]) if rng.random() < 0.5 else STEP
        return shift(source, -part)(shift(target, part)(row))

    # moving within a project's own scopes, below the caps, is another right answer for claims, but the
    # residual of the run then differs only where scopes matter: take material and energy
    return change(run, rng, "allocation.csv", move, lambda r: given(source)(r) and r["uom"] != "tCO2e")


@signed
def unit_of_measure_changed(run, rng):
    return change(
        run, rng, "allocation.csv", lambda r: {**r, "uom": {"t": "MWh"}.get(r["uom"], "t")}, anything
    )


@signed
def lot_unknown(run, rng):
    return change(run, rng, "allocation.csv", lambda r: {**r, "lot": r["lot"] + "x"}, anything)


@signed
def order_unknown(run, rng):
    return change(run, rng, "allocation.csv", lambda r: {**r, "order": r["order"] + "x"}, anything)


@signed
def offer_unknown(run, rng):
    return change(run, rng, "allocation.csv", lambda r: {**r, "offer": r["offer"] + "x"}, anything)


@signed
def given_to_an_order_that_claims_nothing(run, rng):
    idle = [r["order"] for r in read(run, "orders.csv") if Decimal(r["claimed_t"]) == 0]
    if not idle:
        return False
    return change(run, rng, "allocation.csv", put(order=rng.choice(idle), offer=""), anything)


@signed
def allocation_header_changed(run, rng):
    file = run / "allocation.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("credited_t", "credited", 1), encoding="utf-8")
    return True


# ---- orders.csv ----------------------------------------------------------------------------------------


def _claim(run, rng, by: Callable[[Decimal], Decimal], where: Callable[[Row], bool]) -> bool:
    def edit(row: Row) -> Row:
        claimed, unmet = Decimal(row["claimed_t"]), Decimal(row["unmet_t"])
        new = by(claimed)
        return {**row, "claimed_t": f"{new:f}", "unmet_t": f"{claimed + unmet - new:f}"}

    return change(run, rng, "orders.csv", edit, where)


@signed
def claimed_up_a_gram(run, rng):
    return _claim(run, rng, lambda y: y + STEP, anything)


@signed
def claimed_down_a_gram(run, rng):
    return _claim(run, rng, lambda y: y - STEP, given("claimed_t"))


@signed
def claimed_all(run, rng):
    return change(
        run, rng, "orders.csv",
        lambda r: {**r, "claimed_t": f"{Decimal(r['claimed_t']) + Decimal(r['unmet_t']):f}", "unmet_t": "0"},
        given("unmet_t"),
    )  # fmt: skip


@signed
def claimed_halved(run, rng):
    return _claim(run, rng, lambda y: (y / 2).quantize(STEP), given("claimed_t"))


@signed
def claimed_nothing(run, rng):
    return _claim(run, rng, lambda y: Decimal(0), given("claimed_t"))


@signed
def claimed_negative(run, rng):
    return _claim(run, rng, lambda y: -y, given("claimed_t"))


@signed
def unmet_changed(run, rng):
    return change(run, rng, "orders.csv", shift("unmet_t", STEP), anything)


@signed
def order_dropped(run, rng):
    return change(run, rng, "orders.csv", lambda r: None, anything)


@signed
def order_twice(run, rng):
    rows = read(run, "orders.csv")
    write(run, "orders.csv", [*rows, rng.choice(rows)])
    return True


@signed
def level_changed(run, rng):
    return change(run, rng, "orders.csv", shift("level", rng.choice([Decimal("0.1"), -STEP])), anything)


@signed
def claim_changed(run, rng):
    words = ["green_share", "recycled_share", "post_consumer_share", "cfp", "reduction", "green"]
    return change(
        run, rng, "orders.csv", lambda r: {**r, "claim": rng.choice([w for w in words if w != r["claim"]])}, anything
    )


@signed
def footprint_after_too_low(run, rng):
    return change(run, rng, "orders.csv", shift("cfp_after", -STEP), given("cfp_after"))


@signed
def footprint_before_too_high(run, rng):
    return change(run, rng, "orders.csv", shift("cfp_before", STEP), anything)


@signed
def premium_changed(run, rng):
    return change(run, rng, "orders.csv", shift("premium", Decimal(1)), anything)


@signed
def offer_changed(run, rng):
    return change(run, rng, "orders.csv", lambda r: {**r, "offer": "" if r["offer"] else "x"}, anything)


# ---- account.csv and residual.csv ----------------------------------------------------------------------


@signed
def account_cell(run, rng):
    column = rng.choice(["opening", "received", "allocated", "blocked", "expired", "closing"])
    return change(run, rng, "account.csv", shift(column, STEP), anything)


@signed
def account_row_that_still_adds_up(run, rng):
    a, b = rng.sample(["allocated", "blocked", "expired", "closing"], 2)
    return change(
        run, rng, "account.csv", lambda r: shift(a, -Decimal(r[a]))(shift(b, Decimal(r[a]))(r)), given(a)
    )


@signed
def account_row_dropped(run, rng):
    return change(run, rng, "account.csv", lambda r: None, anything)


@signed
def account_period_unknown(run, rng):
    return change(run, rng, "account.csv", put(period="never"), anything)


@signed
def residual_cell(run, rng):
    column = rng.choice(["produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual"])
    return change(run, rng, "residual.csv", shift(column, rng.choice([STEP, -STEP])), given(column))


@signed
def residual_share(run, rng):
    column = rng.choice(["green_share_residual", "recycled_share_residual", "correction_tco2e_per_t"])
    return change(run, rng, "residual.csv", shift(column, STEP), anything)


@signed
def residual_row_dropped(run, rng):
    return change(run, rng, "residual.csv", lambda r: None, anything)


@signed
def residual_row_twice(run, rng):
    rows = read(run, "residual.csv")
    write(run, "residual.csv", [*rows, rng.choice(rows)])
    return True


# ---- summary.json --------------------------------------------------------------------------------------


@signed
def objective_value(run, rng):
    def edit(data):
        goal = rng.choice(data["objectives"])
        goal["value"] = float(goal["value"]) + rng.choice([-1, 1, 0.001])

    return summary(run, edit)


@signed
def objective_dropped(run, rng):
    return summary(run, lambda data: data["objectives"].pop(rng.randrange(len(data["objectives"]))))


@signed
def objective_priority(run, rng):
    return summary(run, lambda data: data["objectives"][0].update(priority=7))


@signed
def status_changed(run, rng):
    return summary(run, lambda data: data.update(status=rng.choice(["infeasible", "done", "", None])))


@signed
def verified_false(run, rng):
    return summary(run, lambda data: data.update(verified=rng.choice([False, None, "true", 1])))


@signed
def summary_total(run, rng):
    key = rng.choice(["claimed_t", "unmet_firm_t"])
    return summary(run, lambda data: data.update({key: float(data[key]) + 0.001}))


@signed
def summary_emissions(run, rng):
    def edit(data):
        key = rng.choice(sorted(data["tco2e"]))
        data["tco2e"][key] = float(data["tco2e"][key]) + rng.choice([-1, 1, 0.001])

    return summary(run, edit)


@signed
def summary_emissions_moved(run, rng):
    def edit(data):
        a, b = rng.sample(["forgone", "expired", "released", "retired", "held"], 2)
        data["tco2e"][a], data["tco2e"][b] = float(data["tco2e"][a]) + 1, float(data["tco2e"][b]) - 1

    return summary(run, edit)


@signed
def summary_emissions_missing(run, rng):
    return summary(run, lambda data: data["tco2e"].pop(rng.choice(sorted(data["tco2e"]))))


@signed
def summary_credits(run, rng):
    def edit(data):
        amounts = data["credits"][rng.choice(sorted(data["credits"]))]
        key = rng.choice(sorted(amounts))
        amounts[key] = float(amounts[key]) + 0.5

    return summary(run, edit)


@signed
def summary_hashes(run, rng):
    def edit(data):
        if rng.random() < 0.5:
            data["case_sha256"] = "0" * 64
        else:
            data["rules"]["sha256"] = "0" * 64

    return summary(run, edit)


@signed
def summary_no_object(run, rng):
    (run / "summary.json").write_text(rng.choice(["[]", "", "{", "NaN", "null"]), encoding="utf-8")
    return True


# ---- proof ---------------------------------------------------------------------------------------------


@signed
def pool_row_dropped(run, rng):
    return change(run, rng, "proof/pools.csv", lambda r: None, anything)


@signed
def pool_unlike(run, rng):
    rows = read(run, "proof/pools.csv")
    pools = sorted({r["pool"] for r in rows})
    return len(pools) > 1 and change(
        run, rng, "proof/pools.csv", lambda r: {**r, "pool": rng.choice([p for p in pools if p != r["pool"]])}, anything
    )


@signed
def recipe_row_dropped(run, rng):
    return change(run, rng, "proof/recipes.csv", lambda r: None, anything)


@signed
def recipe_unlike(run, rng):
    rows = read(run, "proof/recipes.csv")
    names = sorted({r["recipe"] for r in rows})
    return len(names) > 1 and change(
        run, rng, "proof/recipes.csv",
        lambda r: {**r, "recipe": rng.choice([n for n in names if n != r["recipe"]])}, anything,
    )  # fmt: skip


@signed
def dual_negative(run, rng):
    return change(run, rng, "proof/duals.csv", lambda r: {**r, "dual": f"-{r['dual']}"}, given("dual"))


@signed
def dual_of_no_row(run, rng):
    cells = rng.choice([{"key": "nobody"}, {"equation": "wish"}, {"goal": "joy"}, {"index": "never"}])
    return change(run, rng, "proof/duals.csv", put(**cells), anything)


@signed
def dual_twice(run, rng):
    rows = read(run, "proof/duals.csv")
    if not rows:
        return False
    write(run, "proof/duals.csv", [*rows, rng.choice(rows)])
    return True


# ---- case, rules, folder -------------------------------------------------------------------------------


@signed
def lot_quantity_in_the_case(run, rng):
    return change(run, rng, "case/lots.csv", shift("quantity", Decimal(rng.choice([1, 100]))), anything)


@signed
def order_in_the_case(run, rng):
    column = rng.choice(["premium_per_t", "mass_t"])
    return change(run, rng, "case/orders.csv", shift(column, -STEP), given(column))


@signed
def case_table_missing(run, rng):
    (run / "case" / f"{rng.choice(['lots', 'orders', 'products', 'periods'])}.csv").unlink()
    return True


@signed
def case_settings_broken(run, rng):
    (run / "case" / "case.toml").write_text("name = ", encoding="utf-8")
    return True


@signed
def rules_edited(run, rng):
    file = run / "rules.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(rng.choice([text + "\n# later\n", text.replace('"inventory"', '"baseline"', 1), "x"]), encoding="utf-8")
    return True


@signed
def file_missing(run, rng):
    files = sorted(p for p in run.rglob("*") if p.is_file() and p.name != "manifest.json" and p.parent.name != "case")
    rng.choice(files).unlink()
    return True


@raw
def byte_flipped(run, rng):
    files = sorted(p for p in run.rglob("*") if p.is_file() and p.stat().st_size)
    file = rng.choice(files)
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(bytes(data))
    return True


@raw
def file_cut(run, rng):
    files = sorted(p for p in run.rglob("*") if p.is_file() and p.stat().st_size and p.name != "manifest.json")
    file = rng.choice(files)
    file.write_bytes(file.read_bytes()[: rng.randrange(file.stat().st_size)])
    return True


@raw
def line_end_changed(run, rng):
    file = run / rng.choice(["allocation.csv", "orders.csv", "prices.csv", "proof/pools.csv"])
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    return True


@raw
def file_added(run, rng):
    (run / "proof" / "notes.txt").write_text("all is well", encoding="utf-8")
    return True
