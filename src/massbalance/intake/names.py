"""Names of intake's checks, and the clauses that a rule model lets them stand for.

A clause of a rule model lists the checks that meet it (treatment `intake`); a fault of such a
check cites the clause, any other fault cites the check's own name.
"""

from __future__ import annotations

from massbalance.domain.rulemodel import Rules

RULE_CHECKS = {
    "kind_taken": "every lot is of a kind that the rule model takes",
    "orders_within_production": "orders of a product and period stay within its production",
    "periods_without_gaps": "periods are in time order, without gaps or overlaps",
    "expiry_after_receipt": "no lot expires before it was received",
    "expiry_given": "every lot says when it expires (else a warning)",
    "used_after_receipt": "no lot was used before it was received (else a warning)",
    "base_metal_within_limits": "no base metal breaks the limits of its alloy",
    "displaced_known": "what a lot displaces is known wherever a GHG claim could be served",
    "unit_in_one_organisation": "an accounting unit's name stands in one organisation (else a warning)",
    "project_row_required": "every project lot has its row in `projects`",
    "project_start_not_before_2013": "no project starts before the rule model's earliest start",
    "project_computation_at_most_12_months": "no computation is longer than the rule model allows",
    "project_ends_before_verification_year": "computations end before the financial year of the verification",
}
"""Checks that a clause may name, each with what it asks for."""

FORM_CHECKS = {
    "file": "the file is what its name says, and can be read",
    "missing_table": "no table is missing",
    "unknown_table": "every table is known, and there once",
    "missing_column": "no required column is missing",
    "unknown_column": "every column is known",
    "duplicate_column": "every column stands once",
    "unnamed_column": "no value stands in a column without a name",
    "column_type": "columns hold text, numbers, dates or true/false",
    "row_length": "every row is as long as its header",
    "cell_error": "no cell of a workbook holds an error or a formula without a value",
    "empty_cell": "no required value is empty",
    "text": "texts hold no control characters",
    "not_a_number": "numbers are finite and written as such",
    "not_whole": "whole numbers are whole",
    "out_of_range": "numbers lie within their range",
    "not_a_date": "dates exist and are ISO",
    "not_a_flag": "flags are true or false",
    "unknown_word": "words are among the listed ones",
    "duplicate_key": "every key is used once",
    "unknown_reference": "references refer to something",
    "reserved_name": "names that mean something else are not used",
    "ambiguous_name": "joined names stay distinct",
    "unit_of_kind": "a lot's unit and scopes fit its kind",
    "period_dates": "no period ends before it starts",
    "limits_in_order": "no lower limit is above its upper limit",
    "setting": "settings are of their type",
    "unknown_setting": "every setting is known",
    "rules": "the rule model exists, and overrides only what is free",
    "quantity_floored": "quantities lie on the grid of a millionth (else a warning)",
    "no_composition": "lots have a composition where alloys have limits (else a warning)",
    "unknown_composition_key": "a composition's key names a lot or category (else a warning)",
    "composition_over_100": "a composition stays within 100 % (else a warning)",
    "base_composition": "the base metal has a composition where alloys have limits (else a warning)",
    "lot_without_use": "some order can use each lot (else a warning)",
    "nothing_displaced": "what a lot with an intensity displaces is known (else a warning)",
    "claim_needs_no_credit": "a CFP claim lies below the baseline (else a warning)",
}
"""Checks of form, whatever the rule model."""


def code(check: str, rules: Rules | None) -> str:
    """The clauses that name the check, joined by a comma; the check's name where none does."""
    if rules is None:
        return check
    clauses = [c.code for c in rules.model.clauses if "intake" in c.treatment and check in c.by]
    return ", ".join(clauses) or check
