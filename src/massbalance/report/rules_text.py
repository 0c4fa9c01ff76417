"""Rule models as people and programs read them: `massbalance rules` and `massbalance rules ID`.

Text is plain ASCII, at most 100 columns wide, so that it survives every console and pipe.
"""

from __future__ import annotations

import hashlib
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping

from massbalance.domain.rulemodel import Clause, RuleModel, available, parse, read_bytes

WIDTH = 100


def rules_list() -> list[dict[str, object]]:
    """Every rule model that comes with the package, sorted by id.

    Keys of each: id, version, title, parameters (as in the model).
    """
    models = (parse(read_bytes(rule_id)) for rule_id in available())
    return [m.model_dump(mode="json", include={"id", "version", "title", "parameters"}) for m in models]


def rules_detail(rule_id: str) -> dict[str, object]:
    """One rule model, clause by clause, ready for JSON. KeyError when there is none of that id.

    Keys: id, version, title, source, sha256 (of the file, as runs cite it), parameters, projects,
    free (parameter, values, clause), clauses (code, title, strength, treatment, by, note).
    """
    source = read_bytes(rule_id)
    return {"sha256": hashlib.sha256(source).hexdigest(), **parse(source).model_dump(mode="json")}


def list_text() -> str:
    """All rule models: id, version and title, then the parameters, one a line."""
    blocks = []
    for rule_id in available():
        model = parse(read_bytes(rule_id))
        lines = _wrapped(f"{model.id}  (version {model.version})  {model.title}")
        blocks.append("\n".join([*lines, *_parameter_lines(model)]))
    return "\n\n".join(blocks) + "\n"


def detail_text(rule_id: str) -> str:
    """One rule model in full. KeyError when there is none of that id."""
    source = read_bytes(rule_id)
    model = parse(source)
    head = [
        *_wrapped(f"{model.id}: {model.title}, version {model.version}"),
        *_wrapped(f"Source: {model.source}"),
        f"SHA-256: {hashlib.sha256(source).hexdigest()}",
    ]
    projects = [f"  {key} = {_plain(value)}" for key, value in model.projects.model_dump().items()]
    sections = [
        head,
        ["Parameters (a case may override those marked free)", *_parameter_lines(model)],
        ["Conditions on projects", *projects],
        [f"Clauses ({len(model.clauses)}; {_strengths(model.clauses)})"],
        *[_clause_lines(clause) for clause in model.clauses],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _parameter_lines(model: RuleModel) -> list[str]:
    """`name = value`, and for free ones the values that a case may choose and the clause."""
    free = {f.parameter: f for f in model.free}
    parameters: Mapping[str, object] = model.parameters.model_dump()
    lines: list[str] = []
    for name, value in parameters.items():
        line = f"{name} = {_plain(value)}"
        if name in free:
            line += f"  (free: {' | '.join(free[name].values)}; {free[name].clause})"
        lines += _wrapped(line, indent=2)
    return lines


def _clause_lines(clause: Clause) -> list[str]:
    """A clause: code, strength, title; how it is met and by what; the note."""
    met = ", ".join(clause.treatment)
    if clause.by:
        met += f": {', '.join(clause.by)}"
    return [
        *_wrapped(f"{clause.code}  [{clause.strength}]  {clause.title}"),
        *_wrapped(met, indent=4),
        *_wrapped(clause.note, indent=4),
    ]


def _strengths(clauses: Iterable[Clause]) -> str:
    """'17 must, 3 may, 1 should'."""
    counts: dict[str, int] = {}
    for clause in clauses:
        counts[clause.strength] = counts.get(clause.strength, 0) + 1
    return ", ".join(f"{n} {strength}" for strength, n in counts.items())


def _plain(value: object) -> str:
    """Lists with commas, true/false as in the file."""
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ascii(text: str) -> str:
    """Only ASCII: compatible forms where there are any, else escapes."""
    return unicodedata.normalize("NFKC", text).encode("ascii", "backslashreplace").decode("ascii")


def _wrapped(text: str, indent: int = 0) -> list[str]:
    """Lines of at most WIDTH columns; continuation lines stand two further in."""
    return textwrap.wrap(
        _ascii(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )
