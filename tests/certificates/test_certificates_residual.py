"""Residual statements: conventional products, the correction to measured figures, and later corrections."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from massbalance.certificates.issue import Wanted, cancel, issue
from massbalance.certificates.register import entry, status
from massbalance.ledger.problems import Conflict, Refused
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from pdf_text import same, text_of
from posted_by_hand import RUN, Tiny, clock, correct, new_ledger, withdraw

WANTED = Wanted(RUN, product="PROFILE", period="2026Q2")


def test_to_the_public(ledger: Ledger, key: Signer) -> None:
    issued = issue(ledger, WANTED, key, clock=clock)
    document = json.loads(issued.document)
    assert document["kind"] == "residual_statement"
    assert document["mass_t"] == "110"
    assert document["recipient"]["customer"] == ""
    assert document["figures"]["correction_tco2e_per_t"] == "0.4"
    assert document["scope3"]["use_tco2e_per_t"] == "12.9"
    text = text_of(issued.pdf)
    for words in (
        "Residual Statement", "従来製品", "The public", "一般", "110.000 t", "12.900 t CO2e/t", "+0.400",
        "measured figure of 12.500 t CO2e/t", "Add the correction of 0.400", "mb@example.com", "1 Works Road",
    ):  # fmt: skip
        assert same(words) in text, words
    assert issue(ledger, WANTED, key, clock=clock).files() == issued.files()


def test_to_a_customer(ledger: Ledger, key: Signer) -> None:
    public = issue(ledger, WANTED, key, clock=clock)
    mine = Wanted(RUN, product="PROFILE", period="2026Q2", customer="windows")
    issued = issue(ledger, mine, key, clock=clock)
    assert issued.serial != public.serial
    assert json.loads(issued.document)["recipient"]["address"] == "2 Frame Street ①"
    with pytest.raises(Refused) as refused:
        issue(ledger, Wanted(RUN, product="PROFILE", period="2026Q2", customer="nobody"), key, clock=clock)
    assert [fault.code for fault in refused.value.faults] == ["A6.1 d", "A6.1 d"]


def test_steel_without_a_measured_figure(tmp_path: Path, key: Signer) -> None:
    tiny = Tiny(rules="jisf-2.0", product={**Tiny().product, "measured_tco2e_per_t": ""})
    with new_ledger(tmp_path / "ledger.db", tiny) as book:
        document = json.loads(issue(book, WANTED, key, clock=clock).document)
    codes = {item["key"]: item["code"] for item in document["statements"]}
    assert codes["residual_not_epd"] == "J5.3.3"
    assert codes["residual_use"] == "J6"
    assert document["scope3"]["do_not_use"][0]["figure"] == ""


def test_corrections(ledger: Ledger, key: Signer) -> None:
    """What was posted since makes the statement stale: the one that replaces it carries them."""
    first = issue(ledger, WANTED, key, clock=clock)
    correct(ledger, "PROFILE", "2026Q1", "2026Q2", 1_500_000)
    correct(ledger, "PROFILE", "2026Q2", "2026Q4", 7)
    correct(ledger, "OTHER", "2026Q1", "2026Q2", 9)
    with pytest.raises(Conflict, match=r"2 correction"):
        issue(ledger, WANTED, key, clock=clock)
    second = issue(ledger, WANTED, key, replace="correction", clock=clock)
    document = json.loads(second.document)
    assert [(c["corrects"], c["declared_in"], c["tco2e"]) for c in document["corrections"]] == [
        ("2026Q1", "2026Q2", "1.5"), ("2026Q2", "2026Q4", "0.000007"),
    ]  # fmt: skip
    assert document["scope3"]["corrections_tco2e"] == "1.5"
    assert "residual_corrected" in {item["key"] for item in document["statements"]}
    assert same("1.500") in text_of(second.pdf)
    assert status(ledger, entry(ledger, first.serial)).replaced_by == second.serial
    assert issue(ledger, WANTED, key, clock=clock).files() == second.files()


def test_withdrawn(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    withdraw(ledger, "residual:PROFILE:2026Q2:1", "PROFILE")
    assert status(ledger, entry(ledger, first.serial)).state == "withdrawn"
    with pytest.raises(Conflict, match="withdrawn"):
        issue(ledger, WANTED, key, clock=clock)
    assert cancel(ledger, WANTED, "reversed", key, clock=clock) == (first.serial, True)


@pytest.mark.parametrize(("product", "period"), [("SHEET", "2026Q2"), ("PROFILE", "2026Q3")])
def test_only_what_is_posted(ledger: Ledger, key: Signer, product: str, period: str) -> None:
    with pytest.raises(Conflict):
        issue(ledger, Wanted(RUN, product=product, period=period), key, clock=clock)


def test_every_tonne_claimed(tmp_path: Path, key: Signer) -> None:
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        with book.writing(clock) as writer:
            header = writer.find(f"run:{RUN}").facts()
            writer.journal("post", key="run:all", details={**header, "run": "all"})
            facts = {
                **writer.find("residual:PROFILE:2026Q2:1").facts(), "conventional_t": "0", "cfp_residual": "",
                "correction_tco2e_per_t": "",
            }  # fmt: skip
            key2 = "residual:PROFILE:2026Q2:2"
            writer.state("residual", period="2026Q2", subject="PROFILE", key=key2, details=facts)
        with pytest.raises(Refused, match="every tonne"):
            issue(book, Wanted("all", product="PROFILE", period="2026Q2"), key, clock=clock)
