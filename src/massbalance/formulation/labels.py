"""The equations by label, name and clauses: what the Pyomo statement and the assembly have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One family of rows: label, name, and the clauses it applies."""

    label: str
    name: str
    clauses: tuple[str, ...]


LABELS = (
    Label("C1", "lot_supply", ("A4.2.1", "A5.1.1", "J5.2.1", "J5.3.1")),
    Label("C2", "origin_once", ("A4.2.3", "J4.4")),
    Label("C3", "pool_balance", ("A4.2.2", "A5.1.3A", "A5.1.3B", "J5.2.3", "J5.2.4")),
    Label("C4", "claim", ("A4.1", "A5.1.1", "B-C")),
    Label("C5", "mass_cap", ("A5.1.1",)),
    Label("C6", "category_cap", ("A5.1.2C",)),
    Label("C7", "element_cap", ("A5.1.2C",)),
    Label("C8", "energy_cap", ("A5.1.2C",)),
    Label("C9", "scope_cap", ("A5.2.2C", "J5.3.2")),
    Label("C10", "recipe_mass", ("A4.1",)),
    Label("C11", "order_mass", ("interface",)),
    Label("C12", "min_fill", ("interface",)),
    Label("C13", "whole", ("interface",)),
    Label("C14", "one_offer", ("A4.2.3",)),
    Label("C16", "minimum_service", ("interface",)),
    Label("C17", "common_share", ("B-B",)),
    Label("C18", "no_more", ("B-B",)),
    Label("C19", "fair_share", ("B-C",)),
)
"""The rows of the model, in order. C15 `goal_hold` is added between solves (solving.lexicographic)."""

EQUATION_NAMES = tuple(one.name for one in LABELS)
"""Names in order: a row's equation code is a position in here."""

OF_A_RECIPE = (
    "claim", "mass_cap", "category_cap", "element_cap", "energy_cap", "scope_cap", "recipe_mass",
)  # fmt: skip
"""Equations C4 to C10: their rows belong to one recipe, which is, or begins, their key."""

LEAST_NEED = 1e-8
"""Least claim per t of claimed mass in the model; booking and proof take the exact one."""
LEAST = 2e-9
"""A coefficient smaller than this is none to the solver: less than a gram in a thousand tonnes."""
