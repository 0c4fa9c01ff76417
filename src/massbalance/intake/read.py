"""Reads a case: every fault of it at once, or the checked case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, in_order
from massbalance.domain.rulemodel import Rules
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.build import build
from massbalance.intake.canonical import digest, table_content
from massbalance.intake.checks import Drafts, check_tables, clashing_offers
from massbalance.intake.checks_case import check_case
from massbalance.intake.demand import demand
from massbalance.intake.displaced import check_displaced
from massbalance.intake.draft import draft, no_rows
from massbalance.intake.evidence import missing_evidence
from massbalance.intake.links import check_links
from massbalance.intake.log import Log
from massbalance.intake.raw import RawTable, trimmed
from massbalance.intake.settings import CaseSettings, read_settings
from massbalance.intake.source import Source, read_source
from massbalance.intake.warnings import case_warnings, table_warnings


def _silent(_: str) -> None:
    pass


def read_case(
    path: Path, *, rule_source: bytes | None = None, progress: Callable[[str], None] | None = None
) -> Case:
    """The checked case of a folder or workbook.

    path: a folder with `case.toml` and tables (CSV or Parquet), or an .xlsx workbook.
    rule_source: a rule model's file to use instead of the packaged one of the same id.
    progress: told in words what is done next.

    Raises:
        CaseRefused: the case has errors; it holds all of them, and the warnings found.
    """
    tell = progress or _silent
    log = Log()
    return checked(read_source(path, log, tell), log, rule_source=rule_source, progress=tell)


def checked(
    source: Source,
    log: Log,
    *,
    rule_source: bytes | None = None,
    progress: Callable[[str], None] | None = None,
) -> Case:
    """The checked case of tables and settings as they were read; `source.tables` is emptied on the way.

    log: holds what reading found. As `read_case` otherwise.
    """
    tell = progress or _silent
    settings = CaseSettings({}, None, 4)
    if source.settings is not None:
        settings = read_settings(source.settings, rule_source, log)
    tell("checking")
    drafts = _drafts(source, log)
    check_tables(drafts, settings.rules, log)
    check_links(drafts, settings.rules, log)
    clashing_offers(drafts["orders"], drafts["offers"], log)
    check_case(drafts, settings.rules, settings.fiscal_year_start, log)
    tell("ordering tables")
    if settings.rules is None:
        raise CaseRefused(log.finish())
    return _finish(drafts, settings, settings.rules, log)


def _drafts(source: Source, log: Log) -> Drafts:
    """Every table of the interface, typed."""
    drafts: Drafts = {}
    for name, spec in TABLE_SPECS.items():
        if name not in source.tables:
            drafts[name] = no_rows(name, known=spec.optional)
            if not spec.optional:
                log.add(name, None, "", "", f"a table `{name}` (it may be without rows)", "missing_table")
            continue
        raw: RawTable | None = source.tables.pop(name)
        if raw is None:
            drafts[name] = no_rows(name, known=False)
        else:
            drafts[name] = draft(name, trimmed(raw, name, log), log)
    return drafts


def _finish(drafts: Drafts, settings: CaseSettings, rules: Rules, log: Log) -> Case:
    """Build the tables of the sound rows, check and warn, and refuse or return the case."""
    built = {name: build(table) for name, table in drafts.items()}
    case = Case(
        name=str(settings.values.get("name", "")),
        currency=str(settings.values.get("currency", "")),
        rules=rules,
        settings=settings.values,
        tables={name: table.table for name, table in built.items()},
        sha256="",
    )
    ordered = demand(built)
    found = check_displaced(case, built, ordered, log)
    found += table_warnings(built, case)
    skipped = {name for name, table in drafts.items() if not table.complete}
    found += missing_evidence(built, settings.values, rules, skipped)
    if log.has_errors:
        raise CaseRefused([*log.finish(), *found])
    found += case_warnings(case, built, ordered)
    content = {name: table_content(built[name]) for name in TABLE_SPECS if drafts[name].present}
    return replace(
        case,
        sha256=digest(settings.values, rules, content),
        warnings=tuple(in_order([*log.finish(), *found])),
        encodings={name: table.encoding for name, table in drafts.items() if table.present},
        content=content,
    )
