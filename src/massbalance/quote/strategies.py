"""Which cases can be quoted: those whose orders are decided by firm orders and margin."""

from __future__ import annotations

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault

WHY = {
    "tonnage": "the quote's own tonnes would count in it",
    "weighted": "the quote's own tonnes would count in it",
    "expiry": "the credits that the quote takes would count in it",
    "chosen": "what the quote may take from chosen products is for the strategy to say",
    "common_share": "the quote would have the share of all others, whatever it asks for",
    "fair_share": "the quote would change the shares of all groups",
}
"""Goals under which a floor premium would answer another question than the one asked."""


def refuse_strategies(case: Case) -> None:
    """CaseRefused where goals other than firm orders and margin decide: no premium tells whether to take an
    order then. Minimum services are kept as in a run.
    """
    found = [
        Fault(
            "case",
            None,
            "objective.order",
            goal,
            f"`firm_shortfall` and `margin` only, for a quote: {WHY[goal]} (ask it of the case under "
            "strategy `firm-then-margin`)",
            "setting",
        )
        for goal in case.objective.order
        if goal in WHY
    ]
    if found:
        raise CaseRefused(found)
