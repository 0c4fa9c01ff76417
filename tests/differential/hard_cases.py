"""Random LP cases with what ordinary ones lack: degenerate, lopsided, empty, out of scale, at the limit.

Each case is one of `random_cases` with a few moods, drawn from the seed: a mood changes the orders (with
their products and alloys) or the lots. `write_hard_case(folder, seed)` returns the moods.
`write_plenty_case(folder, seed)`: margin first, and lots for everyone.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from random_cases import SHARE_CLAIMS, SIZES, CaseWriter
from random_draw import Draw, Record, plain

MOOD = 0.15
"""Chance of each mood."""
GRID = Decimal("0.000001")


def decimal(text: str | None) -> Decimal:
    return Decimal(text or "0")


def scaled(text: str | None, factor: Decimal, most: int = 10**9) -> str:
    return plain(min(decimal(text) * factor, Decimal(most)))


def on_grid(text: str | None, factor: Decimal) -> str:
    return plain((decimal(text) * factor).quantize(GRID))


class HardCaseWriter(CaseWriter):
    """Draws a case and puts it into the moods that the draw says."""

    moods: tuple[str, ...] = ()

    def change(self, table: str) -> None:
        for mood in MOODS[table]:
            if self.draw.chance(MOOD):
                self.moods = (*self.moods, mood)
                getattr(self, mood)()

    def power(self, low: int, high: int) -> Decimal:
        return Decimal(10) ** self.draw.whole(low, high)

    def baseline(self, order: Record) -> Decimal:
        product = self.product_of(order)
        return sum((decimal(product[s]) for s in ("s1", "s2", "s3")), Decimal(0))

    def product_of(self, order: Record) -> Record:
        return next(p for p in self.tables["products"] if p["product"] == order["product"])

    # --- orders ------------------------------------------------------------------------------------------

    def own_terms(self) -> None:
        """No two orders alike: every order is a recipe or a step of its own."""
        for i, row in enumerate(self.tables["orders"]):
            row["premium_per_t"] = plain(decimal(row["premium_per_t"]) + i * Decimal("0.007"))
            if row["claim"] in SHARE_CLAIMS:
                level = decimal(row["level"]) * (1 + Decimal(i) / 997)
                row["level"] = plain(min(Decimal(1), level.quantize(GRID)))

    def dear(self) -> None:
        factor = self.power(1, 3)
        for row in self.tables["orders"]:
            row["premium_per_t"] = scaled(row["premium_per_t"], factor)

    def cheap(self) -> None:
        factor = self.power(-3, -1)
        for row in self.tables["orders"]:
            row["premium_per_t"] = scaled(row["premium_per_t"], factor)

    def negative_premiums(self) -> None:
        for row in self.tables["orders"]:
            if self.draw.chance(0.3):
                row["premium_per_t"] = "-" + self.draw.number(1, 50)

    def at_baseline(self) -> None:
        """Claims that need no credit."""
        for row in self.tables["orders"]:
            if row["claim"] == "cfp" and self.draw.chance(0.6):
                row["level"] = plain(self.baseline(row))
            elif self.draw.chance(0.3) and row["claim"] != "cfp":
                row["level"] = "0"

    def near_baseline(self) -> None:
        """Claims that need hardly any."""
        for row in self.tables["orders"]:
            need = self.power(-5, -2)
            if self.draw.chance(0.6):
                at_least = max(Decimal(0), self.baseline(row) - need)
                row["level"] = plain(at_least if row["claim"] == "cfp" else need)

    def at_caps(self) -> None:
        """Claims that take all that a cap lets through."""
        for row in self.tables["orders"]:
            product = self.product_of(row)
            scopes = [decimal(product[s]) for s in ("s1", "s2", "s3")]
            shares = [a["max_share"] for a in self.tables["alloys"] if a["alloy"] == product["alloy"]]
            if row["claim"] in SHARE_CLAIMS:
                row["level"] = self.draw.one(shares)
            elif self.draw.chance(0.6):
                most = (*scopes, scopes[0] + scopes[1], sum(scopes, Decimal(0)))
                row["level"] = plain(self.draw.one(scopes if row["claim"] == "cfp" else most))

    def impossible(self) -> None:
        for row in self.tables["orders"]:
            if self.draw.chance(0.6):
                out_of_reach = {"cfp": "0", "reduction": plain(2 * self.baseline(row))}
                row["level"] = out_of_reach.get(row["claim"], "1")

    def all_firm(self) -> None:
        for row in self.tables["orders"]:
            row |= {"firm": "true", "priority": str(self.draw.whole(1, 4))}

    def none_firm(self) -> None:
        for row in self.tables["orders"]:
            row["firm"] = ""

    def zero_orders(self) -> None:
        for row in self.tables["orders"]:
            if self.draw.chance(0.3):
                row["mass_t"] = "0"

    def small_orders(self) -> None:
        for row in self.tables["orders"]:
            row["mass_t"] = on_grid(row["mass_t"], Decimal("0.001"))

    def large_orders(self) -> None:
        factor = self.power(2, 4)
        for row in self.tables["orders"]:
            row["mass_t"] = scaled(row["mass_t"], factor)

    def no_limits(self) -> None:
        self.tables["composition"], self.tables["alloy_limits"], self.elements = [], [], []
        for row in self.tables["alloys"]:
            row["max_share"] = "1"

    def zero_caps(self) -> None:
        for row in self.tables["products"]:
            for name in ("s1", "s2", "s3", "electricity_mwh_per_t", "heat_gj_per_t"):
                if row[name] and self.draw.chance(0.3):
                    row[name] = "0"
        for row in self.tables["alloys"]:
            if self.draw.chance(0.3):
                row["max_share"] = "0"

    def no_orders(self) -> None:
        if self.draw.chance(0.2):
            self.tables["orders"] = []

    # --- lots --------------------------------------------------------------------------------------------

    def negative_costs(self) -> None:
        """Lots that earn money where they are used."""
        for row in self.tables["lots"]:
            row["unit_cost"] = self.draw.one(
                ("0", "-5", "-" + self.draw.number(1, 90), self.draw.number(0, 90))
            )

    def no_costs(self) -> None:
        for row in self.tables["lots"]:
            row["unit_cost"] = ""

    def dear_lots(self) -> None:
        factor = self.power(1, 3)
        for row in self.tables["lots"]:
            row["unit_cost"] = scaled(row["unit_cost"], factor)

    def own_pools(self) -> None:
        for i, row in enumerate(self.tables["lots"]):
            row["unit_cost"] = plain(decimal(row["unit_cost"]) + Decimal(i) / 1000)

    def one_pool(self) -> None:
        own = ("lot", "quantity", "received", "used", "expires")
        for row in self.tables["lots"]:
            row |= {k: v for k, v in self.tables["lots"][0].items() if k not in own}

    def zero_lots(self) -> None:
        for row in self.tables["lots"]:
            if self.draw.chance(0.3):
                row["quantity"] = "0"

    def small_lots(self) -> None:
        factor = self.power(-3, -1)
        for row in self.tables["lots"]:
            if self.draw.chance(0.6):
                row["quantity"] = on_grid(row["quantity"], factor)

    def large_lots(self) -> None:
        factor = self.power(1, 3)
        for row in self.tables["lots"]:
            if self.draw.chance(0.6):
                row["quantity"] = scaled(row["quantity"], factor)

    def weak_lots(self) -> None:
        """A tonne that carries very little of what is claimed."""
        for row in self.tables["lots"]:
            if row.get("green_share") and self.draw.chance(0.5):
                row["green_share"] = scaled(row["green_share"], Decimal("0.001"))

    def no_lots(self) -> None:
        if self.draw.chance(0.3):
            self.tables["lots"] = []


MOODS = {
    "orders": (
        "own_terms", "dear", "cheap", "negative_premiums", "at_baseline", "near_baseline", "at_caps",
        "impossible", "all_firm", "none_firm", "zero_orders", "small_orders", "large_orders", "no_limits",
        "zero_caps", "no_orders",
    ),
    "lots": (
        "negative_costs", "no_costs", "dear_lots", "own_pools", "one_pool", "zero_lots", "small_lots",
        "large_lots", "weak_lots", "no_lots",
    ),
}  # fmt: skip


def write_hard_case(folder: Path, seed: int, size: str = "small") -> tuple[str, ...]:
    """Write the hard case of `seed` to `folder`; its moods. `size`: as `write_random_case`."""
    draw = Draw(f"hard/{seed}/{size}")
    lots, orders = (draw.whole(*span) for span in SIZES[size])
    writer = HardCaseWriter(draw, False, lots, orders)
    writer.write(folder)
    return writer.moods


class PlentyCaseWriter(HardCaseWriter):
    """Margin before shortfalls, and mostly free lots for everyone: goals reach the best that bounds allow.

    Orders that cost money stay out for the margin's sake, whatever their priority asks for.
    """

    def change(self, table: str) -> None:
        super().change(table)
        for row in self.tables[table]:
            if table == "lots":
                row["quantity"] = scaled(row["quantity"], Decimal(1000))
                row["unit_cost"] = row["unit_cost"] if self.draw.chance(0.1) else ""
                continue
            if self.draw.chance(0.6):
                row |= {"firm": "true", "priority": str(self.draw.whole(1, 3))}
            if self.draw.chance(0.2):
                row["premium_per_t"] = self.draw.one(("0", "-" + self.draw.number(1, 50)))

    def settings(self) -> str:
        kept = [line for line in super().settings().splitlines() if not line.startswith(OBJECTIVE)]
        at = kept.index("[issuer]")
        kept[at:at] = ["[objective]", 'order = ["margin", "firm_shortfall"]']
        return "\n".join(kept) + "\n"


OBJECTIVE = ("[objective]", "order =", "strategy =")
"""Beginnings of the lines of case.toml that say which goal comes first."""


def write_plenty_case(folder: Path, seed: int) -> None:
    """Write the case of `seed` to `folder`."""
    draw = Draw(f"plenty/{seed}")
    lots, orders = (draw.whole(*span) for span in SIZES["small"])
    PlentyCaseWriter(draw, False, lots, orders).write(folder)
