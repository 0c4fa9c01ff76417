"""A tiny posted case, written row by row: every figure of its documents can be checked by pencil."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from massbalance.domain.rulemodel import read_bytes
from massbalance.ledger.checkpoint import sign
from massbalance.ledger.store import Ledger
from massbalance.ledger.writer import Writer

G = 1_000_000
RUN = hashlib.sha256(b"the tiny run").hexdigest()
Made = Callable[..., Any]
"""Issues the certificate of a tiny run: made(Tiny(...), language="en")."""
KEY = bytes(range(32))
"""The private key of the tests."""


def clock() -> datetime:
    """A clock that stands still."""
    return datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


def signer() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from massbalance.ledger.signing import Signer

    return Signer(Ed25519PrivateKey.from_private_bytes(KEY))


@dataclass(frozen=True)
class Lot:
    row: Mapping[str, str]
    quantity: int
    credited_g: int
    scopes_g: tuple[int, int, int]
    projects: Sequence[Mapping[str, str]] = ()


METAL = Lot(
    {
        "lot": "INGOT-1", "kind": "material", "category": "hydro_primary", "site": "WORKS", "uom": "t",
        "received": "2026-04-02", "scheme": "asi_coc", "certificate": "HK-1", "evidence": "delivery note 1",
        "green_share": "1", "recycled_pre": "0", "recycled_post": "0", "gas": "GHG",
    },
    quantity=5_250_000, credited_g=5 * G, scopes_g=(0, 0, 30_000_001),
)  # fmt: skip
SAVING = Lot(
    {
        "lot": "SAVING-1", "kind": "project", "category": "furnace", "site": "WORKS", "uom": "tCO2e",
        "received": "2026-04-01", "project": "FURNACE", "evidence": "report 7", "gas": "GHG",
    },
    quantity=12_345_678, credited_g=0, scopes_g=(12_000_000, 345_678, 0),
    projects=(
        {"project": "FURNACE", "computation_start": "2025-04-01", "computation_end": "2026-03-31",
         "verified_by": "Example Assurance", "verified_on": "2026-05-01"},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Tiny:
    """What the ledger is to hold; tests change a part of it."""

    rules: str = "jaa-2026"
    issuer: Mapping[str, str] = field(
        default_factory=lambda: {
            "name": "Example Rolling",
            "address": "1 Works Road",
            "contact": "mb@example.com",
        }
    )
    customer: Mapping[str, str] = field(
        default_factory=lambda: {
            "customer": "windows",
            "name": "㈱髙﨑 Windows",
            "address": "2 Frame Street ①",
            "contact": "b@example.com",
        }
    )
    product: Mapping[str, str] = field(
        default_factory=lambda: {
            "product": "PROFILE",
            "name": "profile",
            "alloy": "6063",
            "site": "WORKS",
            "s1": "1.5",
            "s2": "0.25",
            "s3": "11.25",
            "measured_tco2e_per_t": "12.5",
            "verified_by": "Example Assurance",
            "verified_on": "2026-03-15",
            "source": "CFP report",
            "data_year": "2025",
            "gas": "GHG",
        }
    )
    lots: Sequence[Lot] = (METAL, SAVING)
    order: str = "O1"
    claimed_g: int = 10 * G
    claim: str = "reduction"
    level: str = "4"
    assurance: bool = True

    def with_names(self, **names: str) -> Tiny:
        return replace(self, customer={**self.customer, **names})


def table(rows: Sequence[Mapping[str, str]]) -> bytes:
    out = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def case_toml(tiny: Tiny) -> bytes:
    import tomli_w

    case: dict[str, Any] = {"name": "tiny", "rules": tiny.rules, "issuer": dict(tiny.issuer)}
    if tiny.assurance:
        case["assurance"] = [
            {"subject": "management and allocation", "body": "Example Assurance", "level": "validation",
             "date": "2026-03-20"},
        ]  # fmt: skip
    return tomli_w.dumps(case).encode()


def figures(tiny: Tiny) -> tuple[str, str]:
    """cfp_before and cfp_after, by another way than the code under test: floor of what is taken away."""
    from decimal import ROUND_CEILING, Decimal

    before = sum((Decimal(tiny.product[s]) for s in ("s1", "s2", "s3")), Decimal(0))
    less = sum(sum(lot.scopes_g) for lot in tiny.lots)
    after = before - Decimal(less) / Decimal(tiny.claimed_g)
    return plain(before), plain(after.quantize(Decimal("0.000001"), ROUND_CEILING))


def plain(value: Any) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def write(ledger: Ledger, tiny: Tiny, run: str = RUN) -> None:
    """Posts the tiny run by hand, ending with a checkpoint."""
    with ledger.writing(clock) as writer:
        post(writer, tiny, run)
        sign(writer, signer(), "test")


def post(writer: Writer, tiny: Tiny, run: str) -> None:
    rules = read_bytes(tiny.rules)
    contents = {
        "case/case.toml": case_toml(tiny),
        "case/customers.csv": table([tiny.customer]),
        "case/products.csv": table([tiny.product]),
        "rules.toml": rules,
    }
    files = {name: writer.archive(content) for name, content in contents.items()}
    told = {"id": tiny.rules, "version": "1.0", "sha256": hashlib.sha256(rules).hexdigest(), "overrides": {}}
    details = {"run": run, "name": "tiny", "files": files, "rules": told}
    writer.journal("post", key=f"run:{run}", details=details)
    if writer.find("period:2026Q2") is None:
        dates = {"start": "2026-04-01", "end": "2026-06-30"}
        writer.state("period", period="2026Q2", key="period:2026Q2", details=dates)
    for lot in tiny.lots:
        _lot(writer, lot, tiny.order)
    before, after = figures(tiny)
    claim = {
        "run": run, "customer": tiny.customer["customer"], "product": tiny.product["product"], "offer": "",
        "claim": tiny.claim, "level": tiny.level, "claimed_g": tiny.claimed_g, "cfp_before": before,
        "cfp_after": after, "premium": "0",
    }  # fmt: skip
    count = 1
    while writer.find(f"withdrawn:{tiny.order}:{count}") is not None:
        count += 1
    key = f"claim:{tiny.order}:{count}"
    writer.state("claim", period="2026Q2", subject=tiny.order, key=key, details=claim)
    residual = {
        "produced_t": "120", "claimed_t": plain_g(tiny.claimed_g),
        "conventional_t": plain_g(120 * G - tiny.claimed_g),
        "cfp_before": before, "cfp_residual": "12.9", "green_share_residual": "0",
        "recycled_share_residual": "0.01",
        "correction_tco2e_per_t": "0.4" if tiny.product.get("measured_tco2e_per_t") else "",
    }  # fmt: skip
    product = tiny.product["product"]
    key = f"residual:{product}:2026Q2:{count}"
    if writer.find(key) is None:
        writer.state("residual", period="2026Q2", subject=product, key=key, details=residual)


def plain_g(value: int) -> str:
    from decimal import Decimal

    return plain(Decimal(value) / G)


def _lot(writer: Writer, lot: Lot, order: str) -> None:
    name = lot.row["lot"]
    if writer.find(f"lot:{name}") is None:
        facts = {
            "row": dict(lot.row),
            "projects": [dict(p) for p in lot.projects],
            "quantity": 10 * lot.quantity,
        }
        writer.state("lot", subject=name, key=f"lot:{name}", details=facts)
        writer.move(
            "received", period="2026Q2", commodity=f"lot:{name}", debit="source", credit="held",
            quantity=10 * lot.quantity,
        )  # fmt: skip
    s1, s2, s3 = lot.scopes_g
    details = {"offer": "", "credited_g": lot.credited_g, "scope1_g": s1, "scope2_g": s2, "scope3_g": s3}
    writer.move(
        "allocated", period="2026Q2", commodity=f"lot:{name}", debit="held", credit="allocated",
        quantity=lot.quantity, subject=order, details=details,
    )  # fmt: skip


def withdraw(ledger: Ledger, key: str, subject: str) -> None:
    """Reverses a claim (ORDER:1) or a residual (residual:PRODUCT:PERIOD:1), as far as documents care."""
    with ledger.writing(clock) as writer:
        writer.journal("reversal", subject=subject)
        writer.state("withdrawn", subject=subject, key=f"withdrawn:{key}")


def correct(ledger: Ledger, product: str, of_period: str, declared_in: str, grams: int) -> None:
    """A late correction."""
    with ledger.writing(clock) as writer:
        writer.journal("reversal")
        details = {"of_period": of_period, "declared_gco2e": grams, "mass_g": G}
        writer.state("correction", period=declared_in, subject=product, details=details)


def new_ledger(path: Path, tiny: Tiny) -> Ledger:
    ledger = Ledger.open(path, name="test", clock=clock)
    write(ledger, tiny)
    return ledger
