"""What an insider who holds the ledger's key may try. FRAUDS: name -> (what is changed, what gives it away).

Every fraud is consistent as far as a liar can make it: ledger rows, the run's files and the documents say
the same, and all hashes, balances and signatures are made anew. Only what the figures mean is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from forge import Entry, Forgery
from massbalance.audit.alone.case import amount

Fraud = Callable[[Forgery], None]
FRAUDS: dict[str, tuple[Fraud, str]] = {}


def fraud(expected: str) -> Callable[[Fraud], Fraud]:
    """Enter a fraud under its name."""

    def enter(made: Fraud) -> Fraud:
        FRAUDS[made.__name__] = made, expected
        return made

    return enter


# ---- helpers -----------------------------------------------------------------------------------------


def use(f: Forgery, **wanted: str) -> Entry:
    """The first allocation of a lot with these cells in lots.csv, and these of its order in orders.csv."""
    lots = {row["lot"]: row for row in f.table("case/lots.csv")}
    orders = {row["order"]: row for row in f.table("orders.csv")}

    def fits(row: Entry) -> bool:
        if not row["commodity"].startswith("lot:"):
            return False
        cells = {**lots[row["commodity"][4:]], **orders[row["subject"]]}
        return all(cells[name] == value for name, value in wanted.items())

    return f.first("allocated", fits)


def lot_of(row: Entry) -> str:
    return str(row["commodity"][4:])


def is_use(row: Entry) -> Callable[[dict[str, str]], bool]:
    return lambda r: r["lot"] == lot_of(row) and r["order"] == row["subject"]


def allocate(f: Forgery, row: Entry, **figures: int) -> None:
    """New figures of an allocation, in the row and in allocation.csv, with account and effect following."""
    before, details = row["quantity"], row["details"]
    grams = sum(details[f"scope{s}_g"] for s in (1, 2, 3))
    row["quantity"] = figures.pop("quantity", before)
    details.update(figures)
    cells = {"quantity": amount(row["quantity"]), "credited_t": amount(details["credited_g"])}
    cells |= {f"scope{s}": amount(details[f"scope{s}_g"]) for s in (1, 2, 3)}
    f.change("allocation.csv", is_use(row), **cells)
    moved = sum(details[f"scope{s}_g"] for s in (1, 2, 3)) - grams
    origin = next(r for r in f.table("case/lots.csv") if r["lot"] == lot_of(row))["origin"]
    effect = f"effect:origin:{origin}" if origin else f"effect:{lot_of(row)}"
    f.first("allocated", lambda r: r["commodity"] == effect and r["period"] == row["period"])["quantity"] += (
        moved
    )
    account(f, row, row["quantity"] - before)


def account(f: Forgery, row: Entry, more: int) -> None:
    """account.csv where a lot gave more in a period: from then on it holds less."""
    rows, passed = f.table("account.csv"), False
    for r in rows:
        if r["lot"] == lot_of(row):
            figures = {name: round(float(r[name]) * 10**6) for name in r if name not in ("lot", "period")}
            if passed:
                figures["opening"] -= more
            if r["period"] == row["period"]:
                figures["allocated"] += more
                passed = True
            if passed:
                figures["closing"] -= more
                r.update({name: amount(value) for name, value in figures.items()})
    f.put("account.csv", rows)


def claim(f: Forgery, row: Entry, **cells: str) -> None:
    """New cells of a claim, in its row and in orders.csv."""
    told = {name: value for name, value in cells.items() if name in row["details"]}
    row["details"].update(told)
    if "claimed_t" in cells:
        row["details"]["claimed_g"] = round(float(cells["claimed_t"]) * 10**6)
    f.change("orders.csv", lambda r: r["order"] == row["subject"], **cells)


def order_of(f: Forgery, row: Entry) -> dict[str, str]:
    return next(r for r in f.table("case/orders.csv") if r["order"] == row["subject"])


def lot_cells(f: Forgery, lot: str, **cells: str) -> None:
    """New cells of a lot, in the case and in the ledger's fact."""
    f.change("case/lots.csv", lambda r: r["lot"] == lot, **cells)
    row = f.first("lot", lambda r: r["subject"] == lot)["details"]["row"]
    for name, value in cells.items():
        row.update({name: value}) if value else row.pop(name, None)


def product_of(f: Forgery, row: Entry) -> dict[str, str]:
    order = order_of(f, row)
    return next(r for r in f.table("case/products.csv") if r["product"] == order["product"])


# ---- lots --------------------------------------------------------------------------------------------


@fraud("drawn of")
def a_lot_gives_more_than_it_has(f: Forgery) -> None:
    row = use(f, kind="material")
    have = next(r for r in f.table("case/lots.csv") if r["lot"] == lot_of(row))["quantity"]
    allocate(f, row, quantity=round(float(have) * 10**6) + 1)


@fraud("credits")
def credited_mass_out_of_nothing(f: Forgery) -> None:
    row = use(f, kind="material")
    allocate(f, row, credited_g=1 + row["details"]["credited_g"])


@fraud("reduces")
def a_reduction_out_of_nothing(f: Forgery) -> None:
    row = use(f, kind="material", claim="cfp")
    allocate(f, row, scope3_g=1 + row["details"]["scope3_g"])


@fraud("does not act")
def a_reduction_in_another_scope(f: Forgery) -> None:
    row = use(f, kind="material", claim="cfp")
    allocate(f, row, scope3_g=row["details"]["scope3_g"] - 1000, scope1_g=row["details"]["scope1_g"] + 1000)


@fraud("has expired")
def an_expired_lot(f: Forgery) -> None:
    row = use(f, kind="material", period="2026-06")
    lot_cells(f, lot_of(row), expires="2026-05-31")


@fraud("is not available")
def a_lot_that_is_not_there_yet(f: Forgery) -> None:
    row = use(f, kind="material", period="2026-05")
    lot_cells(f, lot_of(row), used="2026-08-01")


@fraud("another accounting unit")
def a_lot_of_another_unit(f: Forgery) -> None:
    row = use(f, kind="material", site="TOKIWA")
    lot_cells(f, lot_of(row), site="KAZEHAYA")


@fraud("is feasible in")
def a_category_that_the_alloy_does_not_take(f: Forgery) -> None:
    row = use(f, kind="material")
    lot_cells(f, lot_of(row), category="dross")


@fraud("does not accept")
def a_scheme_that_the_order_does_not_accept(f: Forgery) -> None:
    row = use(f, kind="material", scheme="epd")
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], schemes="asi_coc")


@fraud("in CO2 only")
def a_ghg_lot_on_a_co2_product(f: Forgery) -> None:
    row = use(f, kind="material", gas="GHG")
    name = product_of(f, row)["product"]
    f.change("case/products.csv", lambda r: r["product"] == name, gas="CO2")


@fraud("times (C2")
def an_origin_used_twice(f: Forgery) -> None:
    drawn: dict[str, int] = {}
    for row in f.of("allocated", lambda r: r["commodity"].startswith("lot:")):
        drawn[lot_of(row)] = drawn.get(lot_of(row), 0) + row["quantity"]
    origins: dict[str, list[str]] = {}
    for lot in f.table("case/lots.csv"):
        if lot["origin"] and lot["lot"] in drawn:
            origins.setdefault(lot["origin"], []).append(lot["lot"])
    for name in next(lots for lots in origins.values() if len(lots) > 1):
        lot_cells(f, name, quantity=amount(drawn[name]))


@fraud("in row")
def a_lot_greener_than_at_receipt(f: Forgery) -> None:
    row = use(f, kind="material", claim="green_share")
    f.change("case/lots.csv", lambda r: r["lot"] == lot_of(row), green_share="0.999")


@fraud("per unit")
def another_value_per_unit(f: Forgery) -> None:
    row = use(f, kind="material")
    f.first("lot", lambda r: r["subject"] == lot_of(row))["details"]["unit_value"] = "99"


@fraud("two rows")
def one_allocation_written_twice(f: Forgery) -> None:
    row = use(f, kind="material")
    rows = f.table("allocation.csv")
    rows.append(next(r for r in rows if is_use(row)(r)))
    f.put("allocation.csv", rows)


# ---- claims ------------------------------------------------------------------------------------------


@fraud("is not reached")
def a_higher_share_than_reached(f: Forgery) -> None:
    row = f.first("claim", lambda r: r["details"]["claim"] == "green_share")
    level = str(float(row["details"]["level"]) + 0.1)[:3]
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], level=level)
    claim(f, row, level=level)


@fraud("is not reached")
def a_lower_footprint_than_reached(f: Forgery) -> None:
    row = f.first("claim", lambda r: r["details"]["claim"] == "cfp" and not r["details"]["offer"])
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], level="0.1")
    claim(f, row, level="0.1")


@fraud("is not reached")
def more_mass_than_the_credits_carry(f: Forgery) -> None:
    row = f.first(
        "claim", lambda r: r["details"]["claim"] == "reduction" and float(r["details"]["mass_t"]) > 20
    )
    more = f"{float(row['details']['claimed_t']) + 10:g}"
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], mass_t=f"{float(more) + 1:g}")
    claim(f, row, claimed_t=more, mass_t=f"{float(more) + 1:g}", unmet_t="1")


@fraud("t claimed of")
def more_than_the_order(f: Forgery) -> None:
    row = f.first("claim")
    claim(f, row, claimed_t=f"{float(row['details']['mass_t']) + 1:g}", unmet_t="-1")


@fraud("less than its minimum fill")
def less_than_the_minimum_fill(f: Forgery) -> None:
    row = f.first("claim", lambda r: float(r["details"]["unmet_t"]) > 0)
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], min_fill="1")


@fraud("whole or nothing")
def a_part_of_a_whole_order(f: Forgery) -> None:
    row = f.first("claim", lambda r: float(r["details"]["unmet_t"]) > 0)
    f.change("case/orders.csv", lambda r: r["order"] == row["subject"], whole="true")


@fraud("follows (A4.1)")
def a_lower_footprint_written(f: Forgery) -> None:
    row = f.first("claim")
    claim(f, row, cfp_after="0.1")


@fraud("cfp_before")
def another_footprint_before(f: Forgery) -> None:
    row = f.first("claim")
    claim(f, row, cfp_before="99")


@fraud("premium")
def another_premium(f: Forgery) -> None:
    row = f.first("claim")
    claim(f, row, premium="1000000")


@fraud("customer")
def another_customer(f: Forgery) -> None:
    row = f.first("claim")
    claim(f, row, customer="C-NOBODY")


@fraud("t made")
def more_than_was_made(f: Forgery) -> None:
    row = f.first("claim")
    told = row["details"]
    f.change(
        "case/production.csv",
        lambda r: r["product"] == told["product"] and r["period"] == row["period"],
        mass_t="0.5",
    )


@fraud("terms ask for")
def another_claim_than_ordered(f: Forgery) -> None:
    row = f.first("claim", lambda r: r["details"]["claim"] == "green_share")
    claim(f, row, claim="reduction")


@fraud("is feasible in")
def a_smaller_share_is_feasible(f: Forgery) -> None:
    row = use(f, kind="material")
    lot = next(r for r in f.table("case/lots.csv") if r["lot"] == lot_of(row))
    alloy = product_of(f, row)["alloy"]
    f.change(
        "case/alloys.csv",
        lambda r: r["alloy"] == alloy and r["category"] == lot["category"],
        max_share="0.001",
    )


@fraud("too much")
def an_element_beyond_its_limit(f: Forgery) -> None:
    rows = f.table("case/composition.csv")
    for row in rows:
        if not row["key"].startswith("base"):
            row["wt_pct"] = "9"
    f.put("case/composition.csv", rows)


@fraud("more than the product uses")
def more_heat_than_the_product_uses(f: Forgery) -> None:
    row = use(f, uom="GJ")
    name = product_of(f, row)["product"]
    f.change("case/products.csv", lambda r: r["product"] == name, heat_gj_per_t="0.000001")


@fraud("more than the product has")
def more_reduction_than_the_scope_has(f: Forgery) -> None:
    row = use(f, kind="project")
    name = product_of(f, row)["product"]
    f.change("case/products.csv", lambda r: r["product"] == name, s1="0", s2="0")


@fraud("t credited to")
def more_metal_credited_than_claimed(f: Forgery) -> None:
    row = use(f, kind="material", claim="cfp")
    order = f.first("claim", lambda r: r["subject"] == row["subject"])
    tiny = "0.001"
    claim(f, order, claimed_t=tiny, unmet_t=f"{float(order['details']['mass_t']) - 0.001:g}")


@fraud("no claim in the ledger")
def a_claim_left_out_of_the_ledger(f: Forgery) -> None:
    row = list(f.of("claim"))[-1]
    f.rows.remove(row)


@fraud("is taken (C14)")
def an_offer_that_was_not_taken(f: Forgery) -> None:
    row = use(f, kind="material", offer="")
    row["details"]["offer"] = "A"
    f.change("allocation.csv", is_use(row), offer="A")
