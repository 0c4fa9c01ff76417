"""Nothing is claimed that is not there, and nothing vanishes: on the files of random runs, exactly."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from massbalance.api import run_case
from tests.e2e.command import rows
from tests.e2e.tables import CaseTables, Record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "differential"))

from random_cases import write_random_case

MOVES = ("opening", "received", "allocated", "blocked", "expired", "closing")
CREDITS = ("opening", "received", "allocated", "blocked", "expired", "held")
SCOPES = ("scope1", "scope2", "scope3")
SHARES = {
    "green_share": ("green_share",), "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}  # fmt: skip
MICRO = Fraction(1, 10**6)


def number(text: str | None) -> Fraction:
    return Fraction(text or "0")


def grid(text: str) -> Fraction:
    """A mass or quantity as it is booked: rounded down to a millionth."""
    return number(text) // MICRO * MICRO


class Run:
    """A case and the files of its run."""

    def __init__(self, case: CaseTables, folder: Path) -> None:
        self.lots = {r["lot"]: r for r in case.rows["lots"]}
        self.orders = {r["order"]: r for r in case.rows["orders"]}
        self.products = {r["product"]: r for r in case.rows["products"]}
        self.offers = {(r["order"], r["offer"]): r for r in case.rows.get("offers", [])}
        self.periods = [r["period"] for r in case.rows["periods"]]
        self.ends = {r["period"]: r["end"] for r in case.rows["periods"]}
        self.starts = {r["period"]: r["start"] for r in case.rows["periods"]}
        self.production = case.rows["production"]
        self.allocation = rows(folder / "allocation.csv")
        self.claims = {r["order"]: r for r in rows(folder / "orders.csv")}
        self.account = rows(folder / "account.csv")
        self.residual = rows(folder / "residual.csv")
        text = (folder / "summary.json").read_text(encoding="utf-8")
        self.summary = json.loads(text, parse_float=Fraction, parse_int=Fraction)

    def terms(self, order: str) -> Record:
        """The claim and level that an order has taken."""
        offer = self.claims[order]["offer"]
        return self.offers[order, offer] if offer else self.orders[order]

    def of_order(self, order: str) -> list[Record]:
        return [r for r in self.allocation if r["order"] == order]


def check_lots(run: Run) -> None:
    """No lot gives more than it holds, nor lots of one origin more than one thing, nor out of time."""
    used: dict[str, Fraction] = defaultdict(Fraction)
    origins: dict[str, Fraction] = defaultdict(Fraction)
    for row in run.allocation:
        lot, order = run.lots[row["lot"]], run.orders[row["order"]]
        used[row["lot"]] += number(row["quantity"])
        end = run.ends[order["period"]]
        assert (lot.get("used") or lot["received"]) <= end
        assert not lot.get("expires") or end <= lot["expires"]
        assert not order.get("schemes") or lot.get("scheme") in order["schemes"].split(";")
        assert row["uom"] == lot["uom"]
    for name, quantity in used.items():
        held = grid(run.lots[name]["quantity"])
        assert quantity <= held
        origins[run.lots[name].get("origin") or f"only {name}"] += quantity / held
    assert all(part <= 1 for part in origins.values())


def check_orders(run: Run) -> None:
    """Claimed and unmet make the order; a claim has its credits, and no cap is broken."""
    assert set(run.claims) == set(run.orders)
    for name, order in run.orders.items():
        told, mass = run.claims[name], grid(order["mass_t"])
        claimed = number(told["claimed_t"])
        assert claimed + number(told["unmet_t"]) == mass
        assert bool(told["why"]) == (claimed < mass), told
        if order.get("whole") == "true":
            assert claimed in (0, mass)
        assert claimed == 0 or claimed >= number(order.get("min_fill")) * mass
        check_claim(run, name, claimed)


def check_claim(run: Run, name: str, claimed: Fraction) -> None:
    """The claim of one order, from the lots that it got."""
    got, terms, told = run.of_order(name), run.terms(name), run.claims[name]
    product = run.products[run.orders[name]["product"]]
    assert claimed > 0 or not got
    assert all(row["offer"] == told["offer"] for row in got)
    assert sum(number(row["credited_t"]) for row in got) <= claimed
    reduced = {s: sum(number(row[s]) for row in got) for s in SCOPES}
    for scope, amount in reduced.items():
        assert amount <= number(product[scope.replace("scope", "s")]) * claimed
    before = sum(number(product[s]) for s in ("s1", "s2", "s3"))
    if terms["claim"] in SHARES:
        carried = sum(
            number(row["credited_t"])
            * sum(number(run.lots[row["lot"]].get(c)) for c in SHARES[terms["claim"]])
            for row in got
        )
        assert carried >= number(terms["level"]) * claimed
    else:
        level = number(terms["level"])
        need = max(Fraction(0), before - level) if terms["claim"] == "cfp" else level
        assert sum(reduced.values()) >= need * claimed
    if claimed:
        after = before - sum(reduced.values()) / claimed
        assert after <= number(told["cfp_after"]) < after + MICRO


def check_account(run: Run) -> None:
    """Every lot's rows follow from each other and from the allocation, and add up to the summary."""
    drawn: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for row in run.allocation:
        drawn[row["lot"], run.orders[row["order"]]["period"]] += number(row["quantity"])
    sums = {lot["uom"]: dict.fromkeys(CREDITS, Fraction(0)) for lot in run.lots.values()}
    left = Fraction(0)
    assert len(run.account) == len(run.lots) * len(run.periods)
    for row in run.account:
        opening, received, allocated, blocked, expired, closing = (number(row[m]) for m in MOVES)
        first, last = row["period"] == run.periods[0], row["period"] == run.periods[-1]
        assert min(opening, received, allocated, blocked, expired, closing) >= 0
        assert opening + received - allocated - blocked - expired == closing
        assert first or opening == left
        assert allocated == drawn[row["lot"], row["period"]]
        left = closing
        amounts = (opening * first, received, allocated, blocked, expired, closing * last)
        for column, amount in zip(CREDITS, amounts, strict=True):
            sums[run.lots[row["lot"]]["uom"]][column] += amount
    assert sums == run.summary["credits"]
    for c in sums.values():
        assert c["opening"] + c["received"] == c["allocated"] + c["blocked"] + c["expired"] + c["held"]


def check_residual(run: Run) -> None:
    """Claimed and conventional make what was produced; what all of it declares is what there was."""
    made = {(r["product"], r["period"]): grid(r["mass_t"]) for r in run.production}
    claimed: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for name, order in run.orders.items():
        claimed[order["product"], order["period"]] += number(run.claims[name]["claimed_t"])
    told_of = {(r["product"], r["period"]) for r in run.residual}
    assert {key for key, mass in made.items() if mass > 0} <= told_of <= set(made)
    declared = Fraction(0)
    for row in run.residual:
        key = row["product"], row["period"]
        assert number(row["produced_t"]) == made[key]
        assert number(row["claimed_t"]) == claimed[key]
        assert number(row["conventional_t"]) == made[key] - claimed[key]
        assert bool(row["cfp_residual"]) == (made[key] > claimed[key])
        if row["cfp_residual"]:
            # grams of the three scopes are rounded for the claimed mass and for all of it
            slack = MICRO + 3 * MICRO / number(row["conventional_t"])
            assert 0 <= number(row["cfp_residual"]) <= number(row["cfp_before"]) + slack
        declared += number(row["cfp_residual"]) * number(row["conventional_t"])
    t = run.summary["tco2e"]
    told = t["conventional_products"]
    # cfp_residual is rounded up to a millionth, the masses' own figures to the gram
    assert told - len(run.residual) * 4 * MICRO <= declared <= told + MICRO * (sum(made.values()) + 4)
    assert t["allocated"] == sum(number(r[s]) for r in run.allocation for s in SCOPES)
    assert t["accounted"] == t["baseline"] - t["realised"]
    assert t["claimed_products"] + told - t["held"] - t["retired"] == t["accounted"]
    units = run.summary["units"].values()
    assert sum(u["sent"] for u in units) == sum(u["received"] for u in units)
    assert run.summary["claimed_t"] == sum(claimed.values())


def check_goals(run: Run) -> None:
    """The goals' values are those of the files, and none is better than its certified bound."""
    margin, short = Fraction(0), defaultdict[Fraction, Fraction](Fraction)
    for name, order in run.orders.items():
        margin += number(run.claims[name]["claimed_t"]) * number(run.terms(name)["premium_per_t"])
        if order.get("firm") == "true":
            short[number(order.get("priority") or "1")] += number(run.claims[name]["unmet_t"])
    for row in run.allocation:
        margin -= number(row["quantity"]) * number(run.lots[row["lot"]].get("unit_cost"))
    for goal in run.summary["objectives"]:
        if goal["name"] == "margin":
            assert goal["value"] == margin
            assert goal["value"] <= goal["certified_bound"] + MICRO
        else:
            assert goal["value"] == short[goal["priority"]]
            assert goal["value"] >= goal["certified_bound"] - MICRO
    assert run.summary["unmet_firm_t"] == sum(short.values())


@settings(max_examples=24, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@example(seed=735565, mip=False)  # a claim of all that two scopes allow: whole tonnes only
@example(seed=174017, mip=False)  # dearer lots than need be
@example(seed=82666, mip=False)  # a gram less of a lot costs an order 116 g
@given(seed=st.integers(0, 4000), mip=st.booleans())
def test_every_run_conserves_what_it_is_given(seed: int, mip: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_random_case(Path(folder) / "case", seed, mip=mip)
        outcome = run_case(Path(folder) / "case", Path(folder) / "out")
        assert outcome.report.ok
        run = Run(CaseTables(Path(folder) / "case"), outcome.out)
    for check in (check_lots, check_orders, check_account, check_residual, check_goals):
        check(run)
