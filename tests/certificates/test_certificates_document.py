"""The document: a golden one, every field, sums against the ledger, refusals."""

from __future__ import annotations

import json
import secrets
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massbalance.certificates.issue import Wanted, issue
from massbalance.ledger.problems import Refused, Tampered
from massbalance.ledger.signing import Signer, verify
from massbalance.ledger.store import Ledger
from posted_by_hand import METAL, RUN, SAVING, G, Lot, Made, Tiny, clock, new_ledger

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("kind", ["certificate", "residual_statement"])
def test_golden(kind: str, tmp_path: Path, key: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its identity, clock and key held still, a ledger issues these very bytes."""
    monkeypatch.setattr(secrets, "token_hex", lambda n: "0123456789abcdef" * (n // 8))
    subject: dict[str, Any] = (
        {"order": "O1"} if kind == "certificate" else {"product": "PROFILE", "period": "2026Q2"}
    )
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        content = issue(book, Wanted(RUN, **subject), key, clock=clock).document
    document = json.loads(content)
    golden = json.loads((GOLDEN / f"{kind}.json").read_bytes())
    # the rule model's file may be worded anew; what follows from its bytes is checked apart
    for told in (document, golden):
        for moving in ("signature", "ledger"):
            del told[moving]
        del told["rule_model"]["sha256"]
    assert document == golden


def test_by_pencil(made: Made) -> None:
    """10 t of 13 t CO2e per t, less 42.345679 t CO2e."""
    document = json.loads(made(Tiny()).document)
    assert document["mass_t"] == "10"
    assert document["reduction_tco2e"] == {
        "scope1": "12", "scope2": "0.345678", "scope3": "30.000001", "total": "42.345679",
    }  # fmt: skip
    assert document["cfp_tco2e_per_t"] == {
        "before": {"scope1": "1.5", "scope2": "0.25", "scope3": "11.25", "total": "13"},
        # 0.25 - 0.0345678 = 0.2154322; 11.25 - 3.0000001 = 8.2499999; 13 - 4.2345679 = 8.7654321; each up
        "after": {"scope1": "0.3", "scope2": "0.215433", "scope3": "8.25", "total": "8.765433"},
    }
    assert document["claim"] == {"claim": "reduction", "level": "4", "achieved": "4.234567"}
    assert document["scope3"]["use_tco2e_per_t"] == "8.765433"
    assert document["scope3"]["deduct_tco2e"] == "42.345679"
    assert document["scope3"]["do_not_use"][0]["figure"] == "12.5"
    assert [credit["lot"] for credit in document["credits"]] == ["INGOT-1", "SAVING-1"]
    assert document["credits"][1]["verified_by"] == "Example Assurance"
    assert document["material"] == {"kind": "aluminium", "name": "profile", "alloy": "6063"}


def test_place_in_the_ledger(ledger: Ledger, key: Signer) -> None:
    document = json.loads(issue(ledger, Wanted(RUN, order="O1"), key, clock=clock).document)
    place = document["ledger"]
    hashes = {row.n: text for row, text in ledger.hashed_rows()}
    row = next(iter(ledger.rows(after=place["claim_row"] - 1, upto=place["claim_row"])))
    assert (row.kind, row.subject) == ("claim", "O1")
    assert place["claim_hash"] == hashes[row.n]
    assert place["checkpoint"]["hash"] == hashes[place["checkpoint"]["n"]]
    assert place["checkpoint"]["n"] < next(iter(ledger.rows(kind="certificate"))).n
    assert place["run"] == RUN
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    text = json.dumps(unsigned, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert verify(key.public_hex, text.encode(), document["signature"])


@pytest.mark.parametrize(
    ("claim", "level", "achieved"),
    [
        ("green_share", "0.5", "0.5"),
        ("recycled_share", "0.1", "0.0625"),
        ("post_consumer_share", "0.05", "0.05"),
        ("cfp", "9", "8.765433"),
    ],
)
def test_achieved(made: Made, claim: str, level: str, achieved: str) -> None:
    row = {**METAL.row, "recycled_pre": "0.025", "recycled_post": "0.1"}
    lot = Lot(row, METAL.quantity, METAL.credited_g, METAL.scopes_g)
    document = json.loads(made(Tiny(lots=(lot, SAVING), claim=claim, level=level)).document)
    assert document["claim"] == {"claim": claim, "level": level, "achieved": achieved}


def test_steel_cites_its_own_clauses(made: Made) -> None:
    document = json.loads(made(Tiny(rules="jisf-2.0", lots=(SAVING,))).document)
    codes = {item["key"]: item["code"] for item in document["statements"]}
    assert codes["with_the_metal"] == "J5.1"
    assert codes["which_figure"] == "J6"
    assert codes["not_measured"] == "J6"
    assert document["material"]["kind"] == "steel"


def test_without_assurance_it_says_so(made: Made) -> None:
    document = json.loads(made(Tiny(assurance=False)).document)
    assert document["assurance"] == []
    assert "not_assured" in {item["key"] for item in document["statements"]}


def test_everything_missing_is_told_at_once(tmp_path: Path, key: Signer) -> None:
    issuer = {"name": "", "address": " ", "contact": ""}
    tiny = Tiny(issuer=issuer).with_names(name="", address="", contact="")
    with new_ledger(tmp_path / "ledger.db", tiny) as book:
        head = book.head()
        with pytest.raises(Refused) as refused:
            issue(book, Wanted(RUN, order="O1"), key, clock=clock)
        assert book.head() == head
        assert not list(book.rows(kind="certified"))
    told = {(fault.table, fault.column, fault.code) for fault in refused.value.faults}
    assert told == {
        ("case", "issuer.name", "A6.1 c"), ("case", "issuer.address", "A6.1 c"),
        ("case", "issuer.contact", "A6.1 e"),
        ("customers", "name", "A6.1 d"), ("customers", "address", "A6.1 d"),
    }  # fmt: skip
    assert refused.value.exit_code == 3


def test_a_customer_that_no_table_knows(tmp_path: Path, key: Signer) -> None:
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        with book.writing(clock) as writer:
            header = next(iter(book.rows(kind="post")))
            writer.journal("post", key="run:other", details={**header.facts(), "run": "other"})
            facts = {**writer.find("claim:O1:1").facts(), "customer": "?", "cfp_after": "13"}
            writer.state("claim", period="2026Q2", subject="O2", key="claim:O2:1", details=facts)
        with pytest.raises(Refused) as refused:
            issue(book, Wanted("other", order="O2"), key, clock=clock)
    assert {fault.column for fault in refused.value.faults} >= {"name", "address"}


def test_customers_given_beside(tmp_path: Path, key: Signer) -> None:
    """An address that the posted case lacks, or that has changed since."""
    beside = "customer,name,address,contact\nwindows,New Name,New Street 3,\n".encode("utf-8-sig")
    with new_ledger(tmp_path / "ledger.db", Tiny().with_names(address="")) as book:
        issued = issue(book, Wanted(RUN, order="O1", customers=beside), key, clock=clock)
        facts = next(iter(book.rows(kind="certified"))).facts()
        assert book.document(facts["customers"]) == beside
    assert json.loads(issued.document)["recipient"]["address"] == "New Street 3"


@pytest.mark.parametrize("content", [b"name,address\nA,B\n", b"\xff\xfe\x00", b'customer,name\n"a,b\n'])
def test_customers_that_are_no_table(ledger: Ledger, key: Signer, content: bytes) -> None:
    with pytest.raises(Refused):
        issue(ledger, Wanted(RUN, order="O1", customers=content), key, clock=clock)


def test_rows_that_contradict_the_claim(tmp_path: Path, key: Signer) -> None:
    """The claim's figure must follow from the movements; what was posted otherwise is not certified."""
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        with book.writing(clock) as writer:
            header = next(iter(book.rows(kind="post")))
            writer.journal("post", key="run:other", details={**header.facts(), "run": "other"})
            facts = {**writer.find("claim:O1:1").facts(), "run": "other"}
            writer.state("claim", period="2026Q2", subject="O9", key="claim:O9:1", details=facts)
        with pytest.raises(Tampered):
            issue(book, Wanted("other", order="O9"), key, clock=clock)


# ---- sums --------------------------------------------------------------------------------------------

_GRAMS = st.integers(0, 10**15)


@st.composite
def lots(draw: st.DrawFn) -> tuple[Lot, ...]:
    found = []
    for i in range(draw(st.integers(1, 6))):
        base = draw(st.sampled_from([METAL, SAVING]))
        scopes = (draw(_GRAMS), draw(_GRAMS), draw(_GRAMS))
        row = {**base.row, "lot": f"L{i}"}
        found.append(Lot(row, draw(st.integers(0, 10**11)), draw(_GRAMS), scopes, base.projects))
    return tuple(found)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_lots=lots(), claimed=st.integers(1, 10**12))
def test_sums(tmp_path: Path, key: Signer, given_lots: tuple[Lot, ...], claimed: int) -> None:
    """Figures sum to what the ledger's rows say, by kind and in all; intensities are rounded up."""
    from massbalance.certificates.certificate import certificate
    from massbalance.certificates.posted import live_claim, posted_run

    path = tmp_path / f"{secrets.token_hex(8)}.db"
    with new_ledger(path, Tiny(lots=given_lots, claimed_g=claimed)) as book:
        rows = list(book.rows(kind="allocated", subject="O1"))
        document = certificate(live_claim(posted_run(book, RUN), "O1"), book.id, {})
    reduced = [sum(row.facts()[f"scope{s}_g"] for row in rows) for s in (1, 2, 3)]
    told = document["reduction_tco2e"]
    assert [Decimal(told[f"scope{s}"]) * G for s in (1, 2, 3)] == reduced
    assert Decimal(told["total"]) * G == sum(reduced)
    for name, column in (("credited_t", "credited_g"),):
        total = sum(row.facts()[column] for row in rows)
        assert sum(Decimal(credit[name]) * G for credit in document["credits"]) == total
        assert sum(Decimal(kind[name]) * G for kind in document["credits_by_kind"]) == total
    assert sum(Decimal(k["quantity"]) * G for k in document["credits_by_kind"]) == sum(
        r.quantity for r in rows
    )
    assert sum(k["lots"] for k in document["credits_by_kind"]) == len(rows)
    after = Fraction(13) - Fraction(sum(reduced), claimed)
    shown = Fraction(document["cfp_tco2e_per_t"]["after"]["total"])
    assert 0 <= shown - after < Fraction(1, G)
