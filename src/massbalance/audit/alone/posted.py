"""Whether the ledger's rows of a posted run are what its files say, and its books balance."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from fractions import Fraction
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from massbalance.audit.alone.case import GRID, Case, amount, given, on_grid, plain, read_table
from massbalance.audit.alone.claims import claim_faults, uses_of
from massbalance.audit.alone.entries import Entry
from massbalance.audit.alone.packed import sha256
from massbalance.audit.alone.tables import balance_of
from massbalance.audit.alone.view import View, run_folder

MOVES_OF_ACCOUNT = ("opening", "received", "allocated", "blocked", "expired", "closing")
DERIVED = ("quantity", "displaced_tco2e_per_uom", "unit_cost")
"""What a later case may say anew of a lot that the ledger knows."""
PAPERS = ("evidence", "certificate")
"""What may be filled in later."""


def posted_faults(view: View, post: Entry) -> Iterator[str]:
    """Everything that is wrong with one posted run; each text begins with the run."""
    key = str(post.details.get("run", ""))
    for text in _Run(view, post, key).faults():
        yield f"run {key[:12]}: {text}"


DECISION = ("allocation.csv", "orders.csv", "account.csv", "residual.csv", "rules.toml", "opening.json")


def run_key(files: Dict[str, str], case_sha256: str) -> str:
    """SHA-256 of the decision: [name, SHA-256] of DECISION's files by name, and the case."""
    parts = [[name, files[name]] for name in sorted(DECISION) if name in files]
    text = json.dumps([*parts, ["case_sha256", case_sha256]], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class _Run:
    """One posted run: its files, its case, its rows."""

    def __init__(self, view: View, post: Entry, key: str) -> None:
        self.view, self.post, self.key = view, post, key
        self.files = view.run_files(post)
        self.rows = [row for row in view.extract.by_journal[post.n] if row.n != post.n]

    def faults(self) -> Iterator[str]:
        """All faults of the run; files first, as everything else rests on them."""
        found = list(self._file_faults())
        yield from found
        if found:
            return
        self.case: Case = self.view.case(self.post)
        self.allocation = read_table(self.files["allocation.csv"])
        self.orders = read_table(self.files["orders.csv"])
        self.uses = uses_of(self.allocation)
        yield from self._rule_faults()
        yield from self._case_faults()
        yield from self._allocation_faults()
        yield from self._order_faults()
        yield from self._account_faults()
        yield from self._residual_faults()
        yield from self._effect_faults()
        yield from self._identity_faults()
        yield from claim_faults(self.case, self.allocation, self.orders)

    def _file_faults(self) -> Iterator[str]:
        """The archived files are those that the header names by hash."""
        told: Dict[str, Any] = self.post.details.get("files", {})
        if self.post.key != f"run:{self.key}" or self.key != run_key(
            told, str(self.post.details.get("case_sha256"))
        ):
            yield f"row {self.post.n}: its key is not that of its decision"
        for name in sorted(set(told) | set(self.files)):
            if name not in self.files:
                yield f"{run_folder(self.key)}{name} is not in the pack"
            elif sha256(self.files[name]) != told.get(name):
                yield f"{run_folder(self.key)}{name} is not the file that row {self.post.n} names"

    def _rule_faults(self) -> Iterator[str]:
        """The rule model of the run is the ledger's in force, its parameters too."""
        digest = sha256(self.files["rules.toml"])
        inside = [
            row for row in self.view.extract.by_kind["rules"] if row.n < self.post.n or row in self.rows
        ]
        if not inside:
            yield "no rule model is in force"
            return
        rules = inside[-1].details
        if rules.get("sha256") != digest or self.case.model.get("id") != rules.get("id"):
            yield f"its rule model is not that of row {inside[-1].n}, {rules.get('id')}"
        told = rules.get("parameters", {})
        for name, value in sorted(self.case.parameters.items()):
            if name in told and str(told[name]) != str(value):
                yield f"{name} is {value} in its case and {told[name]} in row {inside[-1].n}"
        kept = f"rules/{rules.get('id')}-{str(rules.get('sha256'))[:12]}.toml"
        if sha256(self.view.files.get(kept, b"")) != rules.get("sha256"):
            yield f"{kept} is not in the pack, or another"

    def _case_faults(self) -> Iterator[str]:
        """The case's periods and lots are those that the ledger states."""
        periods = self.view.extract.periods()
        for name, start, end in self.case.periods:
            if periods.get(name) != (start.isoformat(), end.isoformat()):
                yield f"period {name} has other days in the ledger: {periods.get(name)}"
        lots = self.view.lot_rows()
        used = {
            row.commodity[len("lot:") :]
            for row in self.rows
            if row.commodity.startswith("lot:") and row.moves
        }
        for row in self.case.rows("lots"):
            stated = lots.get(row["lot"])
            if stated is None or stated.n > self.rows[-1].n:
                if row["lot"] in used:
                    yield f"lot {row['lot']}: the ledger did not state it"
                continue
            facts = stated.details.get("row", {})
            for column in sorted((set(facts) | set(row)) - set(DERIVED)):
                told, known = row.get(column, ""), str(facts.get(column, ""))
                if told != known and (known or column not in PAPERS):
                    yield f"lot {row['lot']}: {column} is {told!r}, and {known!r} in row {stated.n}"
            yield from self._value_faults(row["lot"], stated)

    def _value_faults(self, name: str, stated: Entry) -> Iterator[str]:
        """A lot's value per unit is the one fixed at its receipt (A5.1.2B)."""
        told = stated.details.get("unit_value")
        if told is not None and Fraction(str(told) or 0) != self.case.lots[name].unit_value:
            worth = plain(self.case.lots[name].unit_value)
            yield f"lot {name}: worth {worth} t CO2e per unit, {told} in row {stated.n}"

    def _moves(self, kind: str, sort: str) -> List[Entry]:
        return [row for row in self.rows if row.kind == kind and row.commodity.startswith(sort)]

    def _allocation_faults(self) -> Iterator[str]:
        """allocation.csv and the rows `allocated` of lots are the same, to the last digit."""
        expected = {
            (use.lot, use.order): (use.offer, use.quantity, use.credited, *use.scopes) for use in self.uses
        }
        found: Dict[Tuple[str, str], Tuple[Any, ...]] = {}
        for row in self._moves("allocated", "lot:"):
            told = row.details
            figures = (told.get(f"{name}_g") for name in ("credited", "scope1", "scope2", "scope3"))
            place = (row.commodity[len("lot:") :], row.subject)
            if place in found:
                yield f"row {row.n}: lot {place[0]} is allocated to order {place[1]} twice"
            found[place] = (told.get("offer"), row.quantity, *figures)
            order = self.case.orders.get(row.subject)
            if order is not None and order["period"] != row.period:
                yield f"row {row.n}: order {row.subject} is of {order['period']}, not {row.period}"
        for place in sorted(set(expected) | set(found)):
            if expected.get(place) != found.get(place):
                file, rows = expected.get(place, "nothing"), found.get(place, "nothing")
                yield f"lot {place[0]} for order {place[1]}: allocation.csv has {file}, the ledger {rows}"

    def _order_faults(self) -> Iterator[str]:
        """Every claim of orders.csv has its row in the ledger, and the other way round."""
        stated = {row.subject: row for row in self.rows if row.kind == "claim"}
        sums: Dict[str, List[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for use in self.uses:
            sums[use.order] = [a + b for a, b in zip(sums[use.order], (use.credited, *use.scopes))]
        for row in self.orders:
            order, claim = row["order"], stated.pop(row["order"], None)
            if (claim is not None) != (on_grid(row["claimed_t"]) > 0):
                there = "a" if claim else "no"
                yield f"order {order}: {row['claimed_t']} t in orders.csv, and {there} claim in the ledger"
            elif claim is not None:
                told = {**claim.details, "order": order, "period": claim.period}
                yield from _unequal(f"order {order}", "orders.csv", {**row, "why": None}, told, claim.n)
                figures = dict(zip(("credited_g", "scope1_g", "scope2_g", "scope3_g"), sums[order]))
                figures["claimed_g"] = on_grid(row["claimed_t"])
                yield from _unequal(f"order {order}", "its lots", figures, told, claim.n)
        for order in sorted(stated):
            yield f"order {order}: a claim in the ledger, and no row of orders.csv"

    def _account_faults(self) -> Iterator[str]:
        """account.csv follows from the movements of every lot and period (A4.2.1)."""
        moves: Dict[Tuple[str, str], List[Entry]] = defaultdict(list)
        for row in self.rows:
            if row.moves and row.commodity.startswith("lot:"):
                moves[row.commodity[len("lot:") :], row.period].append(row)
        new = {row.subject for row in self.rows if row.kind == "lot"}
        held: Dict[str, int] = {}
        table = read_table(self.files["account.csv"])
        for line in sorted(table, key=lambda r: self.case.period_at[r["period"]]):
            lot, rows = line["lot"], moves.pop((line["lot"], line["period"]), [])
            told = {name: on_grid(line[name]) for name in MOVES_OF_ACCOUNT}
            if not rows and not any(told.values()):
                continue
            before = held.get(lot, _held(self.view.extract.by_commodity.get(f"lot:{lot}", []), self.post.n))
            sums = balance_of(rows, before)
            held[lot] = sums["closing"]
            if lot not in new:  # the ledger had it already: what came in then is there from the start
                told["opening"] += told.pop("received")
                sums["opening"] += sums.pop("received", 0)
            for name, value in told.items():
                if value != sums.get(name, 0):
                    place = f"lot {lot} in {line['period']}"
                    there = amount(sums.get(name, 0))
                    yield f"{place}: {name} is {amount(value)} in account.csv, {there} in the ledger"
        for lot, period in sorted(moves):
            yield f"lot {lot} in {period}: it moves in the ledger, and account.csv has no row"

    def _residual_faults(self) -> Iterator[str]:
        """residual.csv is what the ledger states, and follows from production and claims (A4.2.4)."""
        stated = {(row.subject, row.period): row for row in self.rows if row.kind == "residual"}
        claimed: Dict[Tuple[str, str], int] = defaultdict(int)
        given_to: Dict[Tuple[str, str], List[int]] = defaultdict(lambda: [0, 0, 0])
        for order in self.orders:
            claimed[order["product"], order["period"]] += on_grid(order["claimed_t"])
        for use in self.uses:
            order = self.case.orders[use.order]
            place = (order["product"], order["period"])
            given_to[place] = [a + b for a, b in zip(given_to[place], use.scopes)]
        made = {place: mass for place, mass in self.case.production().items() if mass}
        for row in read_table(self.files["residual.csv"]):
            place = (row["product"], row["period"])
            where, fact = f"product {place[0]} in {place[1]}", stated.pop(place, None)
            if fact is None or place not in made:
                yield f"{where}: {'no production' if fact else 'the ledger states no residual'}"
                continue
            told = {**fact.details, "product": fact.subject, "period": fact.period}
            yield from _unequal(where, "residual.csv", row, told, fact.n)
            follows = self._follows(place, made.pop(place), claimed[place], given_to[place])
            yield from _unequal(where, "the case and its claims", follows, told, fact.n)
            yield from self._residual_row(where, row, fact.details)
        for place in sorted(set(stated) | set(made)):
            yield f"product {place[0]} in {place[1]}: residual.csv has no row for it"

    def _follows(
        self, place: Tuple[str, str], made: int, claimed: int, given_to: List[int]
    ) -> Dict[str, Any]:
        """What a residual's figures must be, as far as they follow from the case and the claims; g."""
        rates = [given(self.case.products[place[0]], scope) for scope in ("s1", "s2", "s3")]
        return {
            "produced_g": made, "claimed_g": claimed, "allocated_g": given_to,
            "baseline_g": [int(rate * made // 1) for rate in rates],
            "claimed_baseline_g": [int(rate * claimed // 1) for rate in rates],
            "produced_t": amount(made), "claimed_t": amount(claimed),
            "conventional_t": amount(made - claimed), "cfp_before": plain(self.case.baseline(place[0])),
        }  # fmt: skip

    def _residual_row(self, where: str, row: Dict[str, str], told: Dict[str, Any]) -> Iterator[str]:
        """What conventional products carry: baseline less what was released to them, never below zero."""
        left = told["produced_g"] - told["claimed_g"]
        carried = [
            whole - part - released
            for whole, part, released in zip(
                told["baseline_g"], told["claimed_baseline_g"], told["released_g"]
            )
        ]
        if left < 0 or min(carried) < 0 or min(told["released_g"]) < 0:
            yield f"{where}: more is claimed or released than there is"
        if not (0 <= told["green_g"] <= left and 0 <= told["recycled_g"] <= left):
            yield f"{where}: a share beyond its mass"
        expected = dict.fromkeys(("cfp_residual", "green_share_residual", "recycled_share_residual"), "")
        expected["correction_tco2e_per_t"] = ""
        if left:
            before = self.case.baseline(row["product"])
            residual = min(before, Fraction(-(-sum(carried) * GRID // left), GRID))
            measured = self.case.products[row["product"]].get("measured_tco2e_per_t", "")
            expected = {
                "cfp_residual": plain(residual),
                "green_share_residual": amount(told["green_g"] * GRID // left),
                "recycled_share_residual": amount(told["recycled_g"] * GRID // left),
                "correction_tco2e_per_t": plain(residual - Fraction(measured)) if measured else "",
            }
        for column, value in expected.items():
            if row[column] != value:
                found = row[column] or "empty"
                yield f"{where}: {column} is {found} where {value or 'nothing'} follows (A4.2.4)"

    def _effect_faults(self) -> Iterator[str]:
        """What lots gave in t CO2e is booked to their effects, by lot or origin and period."""
        origins = {row["lot"]: row.get("origin", "") for row in self.case.rows("lots")}

        def effect(lot: str) -> str:
            return f"effect:origin:{origins[lot]}" if origins.get(lot) else f"effect:{lot}"

        told: Dict[Tuple[str, str], int] = defaultdict(int)
        for row in self._moves("allocated", "lot:"):
            reduced = sum(int(row.details.get(f"scope{s}_g", 0)) for s in (1, 2, 3))
            told[effect(row.commodity[len("lot:") :]), row.period] += reduced
        found: Dict[Tuple[str, str], int] = defaultdict(int)
        for row in self._moves("allocated", "effect:"):
            found[row.commodity, row.period] += row.quantity
        for place in sorted(set(told) | set(found)):
            if told.get(place, 0) != found.get(place, 0):
                a, b = amount(told.get(place, 0)), amount(found.get(place, 0))
                yield f"{place[0]} in {place[1]}: its lots gave {a} t CO2e, {b} is booked"
        yield from self._held_effects({lot for lot, origin in origins.items() if not origin})

    def _held_effects(self, lots: Set[str]) -> Iterator[str]:
        """After the run the effect held is the lot's value per unit on what the lot holds, rounded down."""
        by_commodity, last = self.view.extract.by_commodity, self.rows[-1].n if self.rows else self.post.n
        for lot in sorted(lots):
            held = _held(by_commodity.get(f"lot:{lot}", []), last)
            left = _held(by_commodity.get(f"effect:{lot}", []), last)
            worth = self.case.lots[lot].unit_value * held // 1
            if left != worth:
                told = f"effect:{lot} holds {amount(left)} t CO2e"
                yield f"{told} where what its lot holds is worth {amount(worth)}"

    def _identity_faults(self) -> Iterator[str]:
        """accounted = baseline - realised, and what became of the realised (A4.2.4, J5.3.3)."""
        t: Dict[str, int] = self.post.details["tco2e_g"]
        known = self._known()
        for name, value in known.items():
            if t[name] != value:
                yield f"{name} is {amount(t[name])} t CO2e in row {self.post.n} where {amount(value)} follows"
        declared = t["claimed_products"] + t["conventional_products"]
        for name, left, right in (
            ("accounted = baseline - realised", t["accounted"], t["baseline"] - t["realised"]),
            ("declared - held - retired = accounted", declared - t["held"] - t["retired"], t["accounted"]),
            ("realised = allocated + held + released + retired", t["realised"],
             t["allocated"] + t["held"] + t["released"] + t["retired"]),
        ):  # fmt: skip
            if left != right:
                yield f"{name} fails by {amount(left - right)} t CO2e"

    def _known(self) -> Dict[str, int]:
        """What of the figures follows from the case, the claims and the residuals stated, g CO2e."""
        residuals = [row.details for row in self.rows if row.kind == "residual"]

        def total(name: str) -> int:
            return sum(sum(told[name]) for told in residuals)

        allocated = sum(use.reduced for use in self.uses)
        realised, baseline, released = realised_value(self.case), total("baseline_g"), total("released_g")
        claimed = total("claimed_baseline_g")
        return {
            "baseline": baseline,
            "realised": realised,
            "allocated": allocated,
            "released": released,
            "claimed_products": claimed - allocated,
            "conventional_products": baseline - claimed - released,
            "accounted": baseline - realised,
        }


def _unequal(where: str, source: str, right: Dict[str, Any], told: Dict[str, Any], n: int) -> Iterator[str]:
    """Where a row of the ledger says other than what it rests on (None: it need not say it)."""
    for name, value in right.items():
        if value is not None and told.get(name) != value:
            yield f"{where}: {name} is {value!r} by {source}, and {told.get(name)!r} in row {n}"


def _held(rows: List[Entry], last: int) -> int:
    """What a commodity holds after row `last`."""
    before: List[Optional[int]] = [row.held for row in rows if row.n <= last]
    return (before[-1] or 0) if before else 0


def realised_value(case: Case) -> int:
    """Value of the lots in the case's books, g CO2e; one origin is worth its best lot (A4.2.3)."""
    singles, origins = 0, defaultdict(Fraction)  # type: ignore[var-annotated]
    for lot in case.lots.values():
        worth = lot.unit_value * lot.quantity
        if lot.inside and lot.origin:
            origins[lot.origin] = max(origins[lot.origin], worth)
        elif lot.inside:
            singles += worth // 1
    return int(singles + sum(worth // 1 for worth in origins.values()))
