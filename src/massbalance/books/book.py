"""The residual book as data, and the identities that it must keep to the last unit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Scopes = tuple[int, int, int]
UNIT_FIELDS = (
    "baseline", "realised", "allocated", "released", "sent", "received", "held", "retired",
    "declared", "accounted",
)  # fmt: skip


@dataclass(frozen=True)
class ResidualRow:
    """One product and period with production; masses in g, effects in g CO2e per scope 1, 2, 3.

    product, period: positions. baseline, claimed_baseline: of all mass, of the claimed mass;
    allocated: reductions of the claimed mass; released: given to the conventional mass; green,
    recycled: share mass given to the conventional mass. cfp_before: s1 + s2 + s3, t per t.
    """

    product: int
    period: int
    produced: int
    claimed: int
    baseline: Scopes
    claimed_baseline: Scopes
    allocated: Scopes
    released: Scopes
    green: int
    recycled: int
    cfp_before: Fraction

    @property
    def conventional(self) -> int:
        """Mass without a claim, g."""
        return self.produced - self.claimed

    @property
    def conventional_baseline(self) -> int:
        """What the mass without a claim carries before releases, g CO2e."""
        return sum(self.baseline) - sum(self.claimed_baseline)

    @property
    def cfp_residual(self) -> Fraction | None:
        """What conventional mass must be declared at, t per t, exact; None without such mass."""
        if not self.conventional:
            return None
        return Fraction(self.conventional_baseline - sum(self.released), self.conventional)

    def share_residual(self, name: str) -> Fraction | None:
        """Share (`green`, `recycled`) of the conventional mass, exact; None without such mass."""
        given = {"green": self.green, "recycled": self.recycled}[name]
        return Fraction(given, self.conventional) if self.conventional else None


@dataclass(frozen=True)
class ResidualBook:
    """The residual of a run, all integers.

    rows: products by key, periods in time order. tco2e: g CO2e (baseline, realised, allocated,
    forgone, expired, released, retired, held, claimed_products, conventional_products, accounted);
    retired_at_origin: part of `retired`. credits: uom -> millionths of the uom (opening, received,
    allocated, blocked, expired, held). shares: green, recycled -> g (see `shares`). units:
    accounting unit -> g CO2e (UNIT_FIELDS).
    """

    rows: tuple[ResidualRow, ...]
    tco2e: dict[str, int]
    retired_at_origin: int
    credits: dict[str, dict[str, int]]
    shares: dict[str, dict[str, int]]
    units: dict[str, dict[str, int]]


def imbalances(book: ResidualBook) -> list[str]:
    """Every identity that the book breaks, as `name: what was found` (empty: it balances)."""
    t, units = book.tco2e, book.units.values()
    declared = t["claimed_products"] + t["conventional_products"]
    expected = [
        ("accounted", t["accounted"], t["baseline"] - t["realised"]),
        ("declared", declared - t["held"] - t["retired"], t["accounted"]),
        (
            "realised",
            t["realised"],
            t["allocated"] + t["forgone"] + t["expired"] + t["held"] + book.retired_at_origin,
        ),
        (
            "loose",
            t["forgone"] + t["expired"],
            t["released"] + t["retired"] - book.retired_at_origin,
        ),
        ("sent and received", sum(u["sent"] for u in units), sum(u["received"] for u in units)),
        *((key, sum(u[key] for u in units), t[key]) for key in ("baseline", "realised", "retired", "held")),
    ]
    out = [f"emissions_identity: {name}: {a} is not {b} g" for name, a, b in expected if a != b]
    out += [
        f"emissions_identity: unit {name!r} does not balance"
        for name, u in book.units.items()
        if u["declared"] - u["held"] - u["retired"] - u["sent"] + u["received"] != u["accounted"]
    ]
    out += [
        f"account_balance: {uom} does not balance"
        for uom, c in book.credits.items()
        if c["opening"] + c["received"] != c["allocated"] + c["blocked"] + c["expired"] + c["held"]
    ]
    out += [
        f"shares_identity: {name} does not balance"
        for name, s in book.shares.items()
        if s["realised"] != s["allocated"] + s["lost"] + s["released"] + s["retired"] + s["held"]
    ]
    amounts = [("tco2e", t), *book.shares.items(), *book.units.items(), *book.credits.items()]
    out += [
        f"emissions_identity: {where}: {key} is {value}, below zero"
        for where, values in amounts
        for key, value in values.items()
        if value < 0 and key != "accounted"
    ]
    return out + [
        f"emissions_identity: row {r.product}, {r.period} below zero" for r in book.rows if _below(r)
    ]


def _below(row: ResidualRow) -> bool:
    """Whether a product declares less than nothing in a scope, or a share beyond its mass."""
    claimed = (a - b for a, b in zip(row.claimed_baseline, row.allocated, strict=True))
    other = (a - b - c for a, b, c in zip(row.baseline, row.claimed_baseline, row.released, strict=True))
    return min(*claimed, *other, row.conventional - row.green, row.conventional - row.recycled) < 0
