"""Rule models: one guideline each, as data with a closed vocabulary (`models/*.toml`).

A rule model says which equations, intake checks and evidence each clause of its guideline
switches on, and holds the guideline's parameters. There is no expression language: a word that
is not listed here is an error. A case may override a parameter only where `free` lists it.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["material", "energy", "project"]
Boundary = Literal["site", "accounting_unit", "organisation"]
CarryOver = Literal["until_expiry", "none"]
Residual = Literal["inventory", "baseline"]
Approval = Literal["one_person", "four_eyes"]
Strength = Literal["must", "should", "may", "ours"]
Treatment = Literal["equation", "intake", "evidence", "books", "statement", "scope"]
Unlimited = Literal["unlimited"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProjectRules(_Strict):
    """Conditions on projects; "unlimited"/"any" are written, never implied."""

    row_required: bool
    earliest_start: str = Field(description="ISO date, or 'any'")
    max_computation_months: int | Unlimited
    ends_before_fiscal_year_of_verification: bool


class Parameters(_Strict):
    """What a guideline sets. Every value is written in the model; nothing has a default."""

    kinds: tuple[Kind, ...]
    boundary_material: Boundary
    boundary_energy: Boundary
    boundary_project: Boundary
    expiry_months: int | Unlimited
    carry_over: CarryOver
    residual: Residual
    approval: Approval


class Freedom(_Strict):
    """A parameter that a case may override, and the values it may take ('any' = its type's)."""

    parameter: str
    values: tuple[str, ...]
    clause: str


class Clause(_Strict):
    """One clause: what it demands and how the software meets it.

    treatment: `equation` (by = equation labels of models/FORMULATION.md), `intake` (by = names
    of intake checks), `books` (by = names of checks of the account and residual), `evidence`
    (by = what is recorded, missing evidence is a warning), `statement` (by = the output that
    carries it), `scope` (why nothing is to be computed).
    """

    code: str
    title: str
    strength: Strength
    treatment: tuple[Treatment, ...]
    by: tuple[str, ...]
    note: str


class RuleModel(_Strict):
    """A guideline as data."""

    id: str
    title: str
    version: str
    source: str
    parameters: Parameters
    projects: ProjectRules
    free: tuple[Freedom, ...]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Rules:
    """A rule model as one case uses it: parameters after the case's overrides."""

    model: RuleModel
    parameters: Parameters
    overrides: tuple[tuple[str, str], ...]
    sha256: str
    source_bytes: bytes

    @property
    def id(self) -> str:
        """The rule model's id."""
        return self.model.id

    def boundary(self, kind: str) -> Boundary:
        """How far a credit of this kind may travel."""
        boundaries: dict[str, Boundary] = {
            "material": self.parameters.boundary_material,
            "energy": self.parameters.boundary_energy,
            "project": self.parameters.boundary_project,
        }
        return boundaries[kind]


def available() -> list[str]:
    """Ids of the rule models that come with the package."""
    files = resources.files("massbalance.models").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def read_bytes(rule_id: str) -> bytes:
    """The rule model's file, as it is hashed. KeyError when there is none of that name."""
    if rule_id not in available():
        raise KeyError(rule_id)
    return resources.files("massbalance.models").joinpath(f"{rule_id}.toml").read_bytes()


def parse(source: bytes) -> RuleModel:
    """A rule model from its file (pydantic's ValidationError where it breaks the vocabulary)."""
    return RuleModel.model_validate(tomllib.loads(source.decode("utf-8")))


def resolve(source: bytes, overrides: dict[str, object]) -> Rules:
    """The rules of a case. `overrides` must have passed `intake` (free, and of a listed value)."""
    model = parse(source)
    parameters = Parameters.model_validate({**model.parameters.model_dump(), **overrides})
    return Rules(
        model=model,
        parameters=parameters,
        overrides=tuple(sorted((k, str(v)) for k, v in overrides.items())),
        sha256=hashlib.sha256(source).hexdigest(),
        source_bytes=source,
    )
