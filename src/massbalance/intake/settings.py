"""`case.toml`, or the sheet `case`: settings, and the rule model with the case's overrides."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
import typing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from massbalance.domain import rulemodel
from massbalance.domain.objective import (
    MinimumService,
    ObjectiveSettings,
    Weights,
    number_of_text,
    plain_number,
)
from massbalance.domain.rulemodel import Freedom, Parameters, RuleModel, Rules
from massbalance.domain.schema import Assurance, Issuer, Settings
from massbalance.intake.log import Log, nearest, one_of

DEFAULT_RULES = "jaa-2026"
LONGEST_EXPIRY = 1200
_SECTIONS: dict[str, type[BaseModel]] = {
    "issuer": Issuer,
    "assurance": Assurance,
    "objective": ObjectiveSettings,
    "objective.weights": Weights,
    "objective.minimum_service": MinimumService,
}
_LISTS = ("objective.order", "objective.products")
_EXACT = re.compile(r"objective\.(weights\.\w+|minimum_service\.[0-9]+\.share)")
_WHOLE = ("fiscal_year_start", "rules.expiry_months")

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "list_type": "a list",
    "missing": "a value",
    "model_type": "a section",
    "greater_than_equal": "a month, 1 to 12",
    "less_than_equal": "a month, 1 to 12",
}


@dataclass(frozen=True)
class SettingsSource:
    """data: settings as nested dicts and lists, dates as text; rows: dotted key -> row in the sheet."""

    data: dict[str, Any]
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseSettings:
    """values: the settings as given, without empty ones and without `rules`; rules: None, with a
    fault, where there is no such rule model.
    """

    values: dict[str, Any]
    rules: Rules | None
    fiscal_year_start: int


def from_toml(data: bytes, log: Log) -> SettingsSource | None:
    """Parsed `case.toml`; None, with a fault, where it is no TOML."""
    try:
        return SettingsSource(_plain(tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)))
    except UnicodeDecodeError:
        log.add("case", None, "", "case.toml", "UTF-8", "file")
    except (ValueError, RecursionError) as error:
        log.add("case", None, "", error, "a TOML file", "file")
    return None


def _plain(value: Any) -> Any:
    """Dates as ISO text, all else as it is."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def from_sheet(cells: list[tuple[int, str, str]], log: Log) -> SettingsSource:
    """Settings from rows of (row, dotted key, value): `issuer.name`, `assurance.0.subject`,
    `rules` and `rules.PARAMETER`; `;` between the goals of `objective.order` and between products.
    """
    data: dict[str, Any] = {}
    rows: dict[str, int] = {}
    for row, key, value in cells:
        if value == "":
            continue
        if key in rows:
            log.add("case", row, key, value, f"each key once (also in row {rows[key]})", "duplicate_key")
            continue
        rows[key] = row
        if key == "rules":
            key = "rules.id"
        if not _place(data, key.split("."), _typed(key, value)):
            log.add("case", row, key, value, "a setting, not both a setting and a section", "setting")
    _listed(data, "assurance")
    if isinstance(data.get("objective"), dict):
        _listed(data["objective"], "minimum_service")
    return SettingsSource(data, rows)


def _listed(data: dict[str, Any], key: str) -> None:
    """A section of numbered blocks becomes a list of them."""
    blocks = data.get(key)
    if isinstance(blocks, dict):
        data[key] = [block for _, block in sorted(blocks.items(), key=_by_number)]


def _by_number(item: tuple[str, Any]) -> tuple[int, str]:
    return (int(item[0]) if item[0].isdecimal() and len(item[0]) < 10 else -1, item[0])


def _typed(key: str, value: str) -> Any:
    if key in _LISTS:
        return [word.strip() for word in value.split(";")]
    if _EXACT.fullmatch(key):
        return number_of_text(value)
    if key in _WHOLE and value.isdecimal() and len(value) < 10:
        return int(value)
    return value


def _place(data: dict[str, Any], path: list[str], value: Any) -> bool:
    """Put a value at a path; False where something else stands in the way."""
    for part in path[:-1]:
        inner: Any = data.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
        data = inner
    if path[-1] in data:
        return False
    data[path[-1]] = value
    return True


def read_settings(source: SettingsSource, rule_source: bytes | None, log: Log) -> CaseSettings:
    """Checked settings and rules; every fault is logged.

    rule_source: the rule model's bytes to use instead of the packaged model; its id must be the
    one that the case names.
    """
    data = dict(source.data)
    rules = _Rules(source, log).read(data.pop("rules", None), rule_source)
    month = log_errors(SettingsSource(data, source.rows), log)
    return CaseSettings(canonical_values(data), rules, month)


def log_errors(source: SettingsSource, log: Log) -> int:
    """Every fault of form of settings without `rules`; the month in which the fiscal year starts."""
    try:
        return Settings.model_validate(source.data).fiscal_year_start
    except ValidationError as error:
        for item in error.errors():
            _log_setting(item, source, log)
    return 4


def canonical_values(data: dict[str, Any]) -> dict[str, Any]:
    """Settings in one spelling: without what is empty, numbers as short as they can be."""
    found = _without_empty(data)
    return dict(found)


def _log_setting(item: Any, source: SettingsSource, log: Log) -> None:
    """One of pydantic's errors as a fault of table `case`, column = the dotted key."""
    place = [str(part) for part in item["loc"]]
    key, kind, code = ".".join(place), item["type"], "setting"
    if kind == "extra_forbidden":
        known: list[str] = [*Settings.model_fields, "rules"]
        section = _SECTIONS.get(".".join(p for p in place[:-1] if not p.isdecimal()))
        if section is not None:
            known = list(section.model_fields)
        expected, code = f"a known setting (nearest: `{nearest(place[-1], known)}`)", "unknown_setting"
    elif kind == "literal_error":
        expected = item["ctx"]["expected"].replace("'", "`") + _nearest_word(item)
    elif kind == "value_error":
        expected = str(item["ctx"]["error"])
    else:
        expected = _EXPECTED.get(kind, item["msg"])
    row = source.rows.get(key, source.rows.get(place[0]))
    log.add("case", row, key, _shown(item["input"]), expected, code)


def _nearest_word(item: Any) -> str:
    """The listed word most like what was written."""
    words = re.findall("'([^']+)'", item["ctx"]["expected"])
    return f" (nearest: `{nearest(item['input'], words)}`)" if isinstance(item["input"], str) else ""


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _without_empty(value: Any) -> Any:
    """Without empty texts, sections and lists: empty means not given."""
    if isinstance(value, dict):
        kept = {key: _without_empty(v) for key, v in value.items()}
        return {key: v for key, v in kept.items() if v not in ("", {}, [])}
    if isinstance(value, list):
        return [v for v in map(_without_empty, value) if v not in ("", {}, [])]
    return plain_number(value)


class _Rules:
    """Reads `rules = "id"`, or `[rules]` with id and overrides."""

    def __init__(self, source: SettingsSource, log: Log) -> None:
        self.rows = source.rows
        self.log = log

    def fault(self, column: str, value: Any, expected: str, code: str = "rules") -> None:
        row = self.rows.get("rules" if column == "rules.id" else column)
        self.log.add("case", row, column, _shown(value), expected, code)

    def read(self, given: Any, rule_source: bytes | None) -> Rules | None:
        """The rule model with its overrides; None, with a fault, where there is none."""
        if isinstance(given, dict):
            identity, overrides = given.get("id", ""), {k: v for k, v in given.items() if k != "id"}
            column = "rules.id"
        else:
            identity, overrides, column = given, {}, "rules"
        if identity in ("", None):
            identity = DEFAULT_RULES
        if not isinstance(identity, str):
            self.fault(column, identity, "the id of a rule model, as text")
            return None
        found = self.load(identity, column, rule_source)
        if found is None:
            return None
        source, model = found
        before = len(self.log.faults)
        for name, value in overrides.items():
            self.check(model, name, value)
        return rulemodel.resolve(source, overrides if len(self.log.faults) == before else {})

    def load(self, identity: str, column: str, rule_source: bytes | None) -> tuple[bytes, RuleModel] | None:
        if rule_source is None:
            known = rulemodel.available()
            if identity not in known:
                expected = f"a rule model: {one_of(known)} (nearest: `{nearest(identity, known)}`)"
                self.fault(column, identity, expected)
                return None
            rule_source = rulemodel.read_bytes(identity)
        try:
            model = rulemodel.parse(rule_source)
        except ValueError as error:
            self.fault(column, str(error).split("\n")[0], f"a rule model that can be read, for `{identity}`")
            return None
        if model.id != identity:
            self.fault(column, identity, f"`{model.id}`, the id of the rule model given")
            return None
        return rule_source, model

    def check(self, model: RuleModel, name: str, value: Any) -> None:
        """Is the override of a parameter that the rule model leaves free, and of a value it allows."""
        column = f"rules.{name}"
        if name not in Parameters.model_fields:
            known = [f.parameter for f in model.free]
            expected = f"a parameter that `{model.id}` leaves free (nearest: `{nearest(name, known)}`)"
            self.fault(column, value, expected, "unknown_setting")
            return
        free = next((f for f in model.free if f.parameter == name), None)
        if free is None:
            self.fault(column, value, f"no override: `{model.id}` fixes it")
        elif not _allowed(free, value):
            self.fault(column, value, _allowed_text(free))


def _allowed(free: Freedom, value: Any) -> bool:
    """Is it one of the listed values; `any`: one of its type's."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    if free.values != ("any",):
        return str(value) in free.values
    if free.parameter == "expiry_months":
        return value == "unlimited" or (isinstance(value, int) and 1 <= value <= LONGEST_EXPIRY)
    return value in typing.get_args(Parameters.model_fields[free.parameter].annotation)


def _allowed_text(free: Freedom) -> str:
    if free.values != ("any",):
        return one_of(free.values)
    if free.parameter == "expiry_months":
        return f"months, 1 to {LONGEST_EXPIRY}, or `unlimited`"
    return one_of(map(str, typing.get_args(Parameters.model_fields[free.parameter].annotation)))
