"""More of what an insider may try: rows against files, the ledger itself, documents, tables and pages."""

from __future__ import annotations

import json
from typing import Any

from forge import Entry, Forgery
from frauds import FRAUDS, fraud, use

__all__ = ["FRAUDS"]


# ---- rows against files ------------------------------------------------------------------------------


@fraud("allocation.csv has")
def an_allocation_left_out_of_the_ledger(f: Forgery) -> None:
    f.rows.remove(use(f, kind="material"))


@fraud("allocation.csv has")
def an_allocation_put_into_the_ledger(f: Forgery) -> None:
    row = use(f, kind="energy")
    f.rows.insert(
        f.rows.index(row) + 1, {**row, "n": 0, "subject": "A-9999", "details": dict(row["details"])}
    )


@fraud("account.csv")
def another_account(f: Forgery) -> None:
    row = next(r for r in f.table("account.csv") if r["closing"] != "0")
    f.change("account.csv", lambda r: r == row, closing="12345")


@fraud("is booked")
def another_effect_booked(f: Forgery) -> None:
    f.first("allocated", lambda r: r["commodity"].startswith("effect:"))["quantity"] -= 1


@fraud("where what its lot holds is worth")
def an_effect_forgone_that_is_held(f: Forgery) -> None:
    row = f.first("forgone", lambda r: not r["commodity"].startswith("effect:origin"))
    row["quantity"] -= 1


@fraud("cfp_residual")
def a_lower_residual(f: Forgery) -> None:
    row = f.first("residual", lambda r: r["details"]["cfp_residual"])
    row["details"]["cfp_residual"] = "1"
    place = (row["subject"], row["period"])
    f.change("residual.csv", lambda r: (r["product"], r["period"]) == place, cfp_residual="1")


@fraud("released")
def more_released_than_there_was(f: Forgery) -> None:
    row = f.first("residual", lambda r: r["details"]["cfp_residual"])
    row["details"]["released_g"][2] += 1000


@fraud("baseline_g")
def a_lower_baseline(f: Forgery) -> None:
    f.first("residual")["details"]["baseline_g"][0] -= 1


@fraud("accounted = baseline - realised fails")
def an_identity_that_does_not_hold(f: Forgery) -> None:
    f.post["details"]["tco2e_g"]["accounted"] -= 1


@fraud("realised = allocated + held + released + retired fails")
def effects_that_are_nowhere(f: Forgery) -> None:
    f.post["details"]["tco2e_g"]["held"] += 1
    f.post["details"]["tco2e_g"]["conventional_products"] += 1


@fraud("the ledger states no residual")
def a_residual_left_out(f: Forgery) -> None:
    f.rows.remove(list(f.of("residual"))[-1])


@fraud("has other days")
def a_longer_period(f: Forgery) -> None:
    f.change("case/periods.csv", lambda r: r["period"] == "2026-09", end="2026-10-31")


@fraud("in its case")
def other_rules_than_the_ledgers(f: Forgery) -> None:
    f.first("rules")["details"]["parameters"]["boundary_material"] = "organisation"


@fraud("rule model is not that of row")
def another_rule_model(f: Forgery) -> None:
    f.first("rules")["details"]["id"] = "jisf-2.0"


@fraud("is not in the pack")
def a_file_of_the_run_left_out(f: Forgery) -> None:
    f.rename = False
    del f.run["prices.csv"]


@fraud("is not the file that row")
def a_file_of_the_run_changed(f: Forgery) -> None:
    f.rename = False
    f.run["prices.csv"] += b"\n"


@fraud("its key is not that of its decision")
def another_key_for_the_decision(f: Forgery) -> None:
    f.rename = False
    f.post["details"]["case_sha256"] = "0" * 64


# ---- the ledger itself -------------------------------------------------------------------------------


@fraud("where")
def a_balance_that_does_not_follow(f: Forgery) -> None:
    f.balance = False
    f.first("received")["held"] += 1


@fraud("carries")
def less_carried_over(f: Forgery) -> None:
    f.balance = False
    f.first("carried_over")["quantity"] -= 1


@fraud("drawn below zero")
def a_balance_below_zero(f: Forgery) -> None:
    f.rows.remove(f.first("opening"))


@fraud("moves from")
def out_of_the_wrong_account(f: Forgery) -> None:
    f.first("allocated")["debit"] = "source"


@fraud("its key")
def the_same_claim_twice(f: Forgery) -> None:
    row = f.first("claim")
    f.rows.insert(f.rows.index(row) + 1, {**row, "n": 0, "details": dict(row["details"])})


@fraud("where claim")
def a_second_claim_without_withdrawal(f: Forgery) -> None:
    row = f.first("claim")
    row["key"] = row["key"][:-1] + "2"


@fraud("locked")
def a_claim_in_a_locked_period(f: Forgery) -> None:
    row = f.post
    lock = {
        **row,
        "n": -1,
        "journal": -1,
        "kind": "lock",
        "period": "2026-05",
        "key": "lock:2026-05",
        "details": {},
    }
    f.rows.insert(f.rows.index(row), lock)


@fraud("before the row before it")
def a_clock_set_back(f: Forgery) -> None:
    f.rows[-1]["at"] = "2020-01-01T00:00:00Z"


@fraud("after it moved in a later period")
def a_lot_that_goes_back_in_time(f: Forgery) -> None:
    rows = list(f.of("allocated", lambda r: r["commodity"].startswith("lot:") and r["period"] == "2026-06"))
    rows[0]["period"] = "2026-04"


@fraud("is no period of the ledger")
def a_movement_in_no_period(f: Forgery) -> None:
    f.first("expired")["period"] = "2031-01"


@fraud("overlaps")
def periods_that_overlap(f: Forgery) -> None:
    f.first("period")["details"]["end"] = "2026-05-15"


@fraud("it asserts")
def a_false_assertion(f: Forgery) -> None:
    row, some = f.post, f.first("received")
    told = {"commodity": some["commodity"], "quantity": 1}
    f.rows.append(
        {
            **row,
            "n": -1,
            "journal": -1,
            "kind": "assertion",
            "key": "",
            "details": told,
            "at": f.rows[-1]["at"],
        }
    )


@fraud("hash")
def a_checkpoint_of_another_chain(f: Forgery) -> None:
    original = f.checkpoint
    f.checkpoint = lambda told: f.signed({**original(told), "hash": "0" * 64})  # type: ignore[method-assign]


@fraud("outside a posted run")
def an_allocation_outside_any_run(f: Forgery) -> None:
    row = use(f, kind="material", period="2026-06")
    header = {
        **f.post,
        "n": -1,
        "journal": -1,
        "kind": "adjustment",
        "key": "",
        "details": {},
        "at": f.rows[-1]["at"],
    }
    f.rows.append(header)
    last = list(f.of("carried_over", lambda r: r["period"] == "2026-06"))[-1]
    f.rows.append(
        {**row, "n": -2, "journal": -1, "commodity": last["commodity"], "quantity": 1, "at": f.rows[-1]["at"]}
    )


# ---- documents ---------------------------------------------------------------------------------------


def document(f: Forgery, kind: str = "certificate") -> dict[str, Any]:
    """The last document of a kind."""
    return [d for _, d in sorted(f.documents.items()) if d["kind"] == kind][-1]


@fraud("mass_t")
def a_certificate_for_more_metal(f: Forgery) -> None:
    document(f)["mass_t"] = "1000"


@fraud("reduction_tco2e")
def a_certificate_for_more_reduction(f: Forgery) -> None:
    document(f)["reduction_tco2e"]["total"] = "1000"


@fraud("scope3")
def a_certificate_with_another_figure_to_deduct(f: Forgery) -> None:
    document(f)["scope3"]["deduct_tco2e"] = "1000"


@fraud("cfp_tco2e_per_t")
def a_certificate_with_a_lower_footprint(f: Forgery) -> None:
    document(f)["cfp_tco2e_per_t"]["after"]["total"] = "0"


@fraud("claim is")
def a_certificate_with_a_better_claim(f: Forgery) -> None:
    document(f)["claim"]["achieved"] = "1"


@fraud("credits")
def a_certificate_with_other_lots(f: Forgery) -> None:
    document(f)["credits"][0]["lot"] = "HY-X99"


@fraud("recipient")
def a_certificate_for_somebody_else(f: Forgery) -> None:
    document(f)["recipient"]["name"] = "Somebody Else"


@fraud("issuer")
def a_certificate_of_another_issuer(f: Forgery) -> None:
    document(f)["issuer"]["name"] = "Somebody Else"


@fraud("assurance")
def a_better_assurance(f: Forgery) -> None:
    document(f)["assurance"][0]["level"] = "reasonable assurance"


@fraud("figures")
def a_lower_residual_statement(f: Forgery) -> None:
    document(f, "residual_statement")["figures"]["cfp_residual"] = "0.1"


@fraud("certifies the same, and stands")
def a_cancellation_left_out(f: Forgery) -> None:
    row = f.first("cancelled", lambda r: r["details"]["replaced_by"])
    f.rows.remove(row)


@fraud("no row of the ledger certifies it")
def a_certificate_that_was_never_issued(f: Forgery) -> None:
    f.kept["certificates/MB-00000000-000099.json"] = json.dumps(document(f)).encode()


@fraud("is not the file that row")
def another_pdf(f: Forgery) -> None:
    name = next(name for name in f.files if name.endswith(".pdf"))
    original = f._document

    def swapped(row: Entry) -> None:
        original(row)
        if name in f.written:
            f.written[name] += b"%"

    f._document = swapped  # type: ignore[method-assign]


@fraud("recorded as")
def a_certificate_under_another_serial(f: Forgery) -> None:
    document(f)["serial"] = "MB-00000000-000098"


@fraud("rests on row")
def a_certificate_on_no_claim(f: Forgery) -> None:
    document(f)["ledger"]["claim_row"] = 3


@fraud("its period is")
def a_certificate_for_another_period(f: Forgery) -> None:
    document(f)["period"]["period"] = "2026-09"


@fraud("rule model's")
def a_certificate_under_other_rules(f: Forgery) -> None:
    document(f)["rule_model"]["id"] = "jisf-2.0"


# ---- tables and pages --------------------------------------------------------------------------------


@fraud("offset")
def missing_evidence_called_present(f: Forgery) -> None:
    f.kept["evidence.csv"] = f.files["evidence.csv"].replace(b",missing\n", b",present\n", 1)


@fraud("offset")
def another_balance_in_the_table(f: Forgery) -> None:
    f.kept["balances.csv"] = f.files["balances.csv"].replace(b",0\n", b",1\n", 1)


@fraud("offset")
def another_walk(f: Forgery) -> None:
    f.kept["walks.csv"] = f.files["walks.csv"].replace(b"HK-", b"HX-", 1)


@fraud("offset")
def another_word_in_the_report(f: Forgery) -> None:
    f.kept["report.html"] = f.files["report.html"].replace(b"optimal", b"perfect", 1)


@fraud("offset")
def another_key_in_the_readme(f: Forgery) -> None:
    f.kept["README.txt"] = f.files["README.txt"].replace(b"--key ", b"--kex ", 1)


@fraud("its head is")
def another_head_in_pack_json(f: Forgery) -> None:
    told = json.loads(f.files["pack.json"])
    f.kept["pack.json"] = json.dumps({**told, "head": {"n": 1, "hash": "0" * 64}}).encode()
