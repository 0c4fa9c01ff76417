"""The parts of a page, each from a document in one language; figures to 0.001, exact ones are in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from massbalance.certificates.exact import shown
from massbalance.certificates.texts import Words
from massbalance.domain.schema import SHARE_CLAIMS

Document = Mapping[str, Any]
Part = dict[str, Any]
SCOPES = ("scope1", "scope2", "scope3", "total")
_BODY, _FINE = "8.4", "6.8"


def _fields(title: str, rows: Sequence[tuple[str, str]], note: str = "") -> Part:
    return {"kind": "fields", "title": title, "rows": [list(r) for r in rows if r[1]], "note": note}


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widths: Sequence[int],
    words: int = 1,
    total: Sequence[str] = (),
    size: str = _BODY,
    note: str = "",
) -> Part:
    """words: how many columns from the left hold words; the others hold figures."""
    align = ["l" if i < words else "r" for i in range(len(head))]
    return {
        "kind": "table", "title": title, "head": list(head), "rows": [list(r) for r in rows],
        "widths": list(widths), "align": align, "total": list(total), "size": size, "note": note,
    }  # fmt: skip


# ---- who and what ------------------------------------------------------------------------------------


def issuer(document: Document, words: Words) -> Part:
    """The issuer, and who there can confirm the document (A6.1 c, e)."""
    who = document["issuer"]
    rows = [[words("party.address"), who["address"]], [words("party.issuer_contact"), who["contact"]]]
    return {"label": words("party.issuer"), "name": who["name"], "rows": rows}


def recipient(document: Document, words: Words) -> Part:
    """The recipient (A6.1 d), or the public."""
    who = document["recipient"]
    if not who["customer"]:
        return {"label": words("party.recipient"), "name": words("party.public"), "rows": []}
    rows = [
        [words("party.address"), who["address"]],
        [words("party.contact"), who["contact"]],
        [words("party.customer"), who["customer"]],
    ]
    return {"label": words("party.recipient"), "name": who["name"], "rows": [r for r in rows if r[1]]}


def _figure(label: str, value: str, unit: str, width: int, note: str = "") -> Part:
    return {"label": label, "value": value, "unit": unit, "width": width, "note": note}


def headline(document: Document, words: Words) -> list[Part]:
    """The three figures to be seen first."""
    per_t = words("figure.per_t")
    if document["kind"] == "certificate":
        cfp = document["cfp_tco2e_per_t"]
        change = f"{shown(cfp['before']['total'], 'up')} → {shown(cfp['after']['total'], 'up')}"
        reduction = shown(document["reduction_tco2e"]["total"], "down")
        return [
            _figure(words("figure.mass"), shown(document["mass_t"], "down"), words("figure.t"), 9),
            _figure(words("figure.cfp"), change, per_t, 13),
            _figure(words("figure.deduct"), reduction, words("figure.t_co2e"), 10),
        ]
    figures = document["figures"]
    correction = figures["correction_tco2e_per_t"]
    return [
        _figure(words("figure.mass_residual"), shown(document["mass_t"], "down"), words("figure.t"), 10),
        _figure(words("figure.residual"), shown(figures["cfp_residual"], "up"), per_t, 10),
        _figure(words("figure.correction"), _signed(correction), per_t, 10)
        if correction
        else _figure(words("figure.correction"), "–", "", 10, words("figure.no_correction")),
    ]


def _signed(text: str) -> str:
    figure = shown(text, "up")
    return figure if figure.startswith("-") else f"+{figure}"


def _material(document: Document, words: Words) -> str:
    material = document["material"]
    kind = words(f"value.material_{material['kind']}") if material["kind"] else ""
    alloy = words("value.alloy", alloy=material["alloy"]) if material["alloy"] else ""
    return " · ".join(x for x in (kind, material["name"], alloy) if x)


def _rules(document: Document, words: Words) -> str:
    rules = document["rule_model"]
    return words(
        "value.rules",
        title=rules["title"], version=rules["version"], id=rules["id"], sha256=rules["sha256"][:16],
    )  # fmt: skip


def _verified(product: Mapping[str, str], words: Words) -> str:
    if not product["verified_by"]:
        return words("value.none")
    return words("value.verified", by=product["verified_by"], on=product["verified_on"] or "–")


def subject(document: Document, words: Words) -> Part:
    """Material, mass, period, claim, gases, rule model, validity (A6.1 f, g and what the claim rests on)."""
    kind, product, period = document["kind"], document["product"], document["period"]
    dates = {"start": period["start"], "end": period["end"]}
    overrides = ", ".join(f"{k} = {v}" for k, v in document["rule_model"]["overrides"].items())
    claim = _claim(document, words) if kind == "certificate" else ""
    mass = f"{shown(document['mass_t'], 'down')} t"
    rows = [
        (words("field.material"), _material(document, words)),
        (words("field.product"), product["product"]),
        (words("field.site"), product["site"]),
        (words("field.order"), document.get("order", "")),
        (words("field.mass"), mass),
        (words("field.period"), words("value.period", period=period["period"], **dates)),
        (words("field.claim"), claim),
        (words("field.gas"), words.known("value", f"gas_{document['gas']}")),
        (words("field.intensity_source"), product["source"]),
        (words("field.intensity_verified"), _verified(product, words)),
        (words("field.rules"), _rules(document, words)),
        (words("field.overrides"), overrides),
        (words("field.validity"), words(f"value.validity_{kind}", **dates)),
    ]
    return _fields(words("section.subject"), rows)


def _claim(document: Document, words: Words) -> str:
    claim = document["claim"]
    share = claim["claim"] in SHARE_CLAIMS
    way = "up" if claim["claim"] == "cfp" else "down"
    figures = {name: shown(claim[name], way, percent=share) for name in ("level", "achieved")}
    return words(f"claim.{claim['claim']}", **figures)


# ---- figures -----------------------------------------------------------------------------------------


def intensity(document: Document, words: Words) -> Part:
    """Intensity before and after by scope, and the reduction (A4.1, A6.1S)."""
    cfp, reduction = document["cfp_tco2e_per_t"], document["reduction_tco2e"]
    rows = [
        [words("table.before"), *(shown(cfp["before"][s], "up") for s in SCOPES)],
        [words("table.after"), *(shown(cfp["after"][s], "up") for s in SCOPES)],
        [words("table.reduction"), *(shown(reduction[s], "down") for s in SCOPES)],
    ]
    head = ["", *(words(f"table.{s}") for s in SCOPES)]
    return _table(
        words("section.intensity"), head, rows, widths=(16, 9, 9, 9, 10), note=words("note.rounding")
    )


def _quantity(item: Mapping[str, str], words: Words) -> str:
    return f"{shown(item['quantity'], 'down')} {words.known('uom', item['uom'])}"


def _or_dash(text: str) -> str:
    return "–" if text == "0" else shown(text, "down")


def credits_by_kind(document: Document, words: Words) -> Part:
    """What was assigned, by kind and unit."""
    head = ["kind", "lots", "quantity", "credited", "reduction"]
    rows = [
        [
            words.known("kind", item["kind"]), str(item["lots"]), _quantity(item, words),
            _or_dash(item["credited_t"]), _or_dash(item["reduction_tco2e"]["total"]),
        ]
        for item in document["credits_by_kind"]
    ]  # fmt: skip
    names = [words(f"table.{name}") for name in head]
    return _table(words("section.credits"), names, rows, widths=(14, 8, 12, 11, 12))


def annex(document: Document, words: Words) -> Part:
    """Every lot that serves the claim."""
    rows = []
    for item in document["credits"]:
        where = " · ".join((words.known("kind", item["kind"]), item["category"], item["site"]))
        proofs = (
            item["scheme"],
            item["certificate"],
            item["evidence"],
            item["verified_by"],
            item["verified_on"],
        )
        shares = " / ".join(
            shown(item[s], "down", percent=True).removesuffix(".000") if item[s] else "–"
            for s in ("green_share", "recycled_pre", "recycled_post")
        )
        rows.append(
            [
                item["lot"],
                where,
                " · ".join(p for p in proofs if p) or words("value.none"),
                _quantity(item, words),
                _or_dash(item["credited_t"]),
                *(_or_dash(item["reduction_tco2e"][s]) for s in SCOPES[:3]),
                shares,
            ]
        )
    names = ["lot", "category", "evidence", "quantity", "credited", "s1", "s2", "s3", "shares"]
    return _table(
        words("section.annex"), [words(f"table.{name}") for name in names], rows,
        widths=(15, 14, 23, 13, 9, 9, 9, 9, 13), words=3, size=_FINE, note=words("note.annex"),
    )  # fmt: skip


def residual(document: Document, words: Words) -> Part:
    """A product's row of residual.csv (A4.2.4), with the measured figure and its correction (J5.3.3)."""
    figures = document["figures"]

    def mass(name: str) -> str:
        return f"{shown(figures[name], 'down')} t"

    def per_t(text: str) -> str:
        return f"{shown(text, 'up')} {words('figure.per_t')}" if text else ""

    correction = figures["correction_tco2e_per_t"]
    rows = [
        (words("field.produced"), mass("produced_t")),
        (words("field.claimed"), mass("claimed_t")),
        (words("field.conventional"), mass("conventional_t")),
        (words("field.cfp_before"), per_t(figures["cfp_before"])),
        (words("field.cfp_residual"), per_t(figures["cfp_residual"])),
        (words("field.measured"), per_t(document["measured_tco2e_per_t"]) or words("value.none")),
        (words("field.correction"), f"{_signed(correction)} {words('figure.per_t')}" if correction else ""),
        *(
            (words(f"field.{name}"), f"{shown(figures[f'{name}_residual'], 'down', percent=True)} %")
            for name in ("green_share", "recycled_share")
            if figures[f"{name}_residual"]
        ),
    ]
    return _fields(words("section.residual"), rows, words("note.rounding"))


def corrections(document: Document, words: Words) -> list[Part]:
    """Corrections on the ledger that touch this product and period, if any."""
    if not document["corrections"]:
        return []
    rows = [
        [item["declared_in"], item["corrects"], item["posted_on"], shown(item["tco2e"], "up")]
        for item in document["corrections"]
    ]
    names = ["correction_period", "correction_of", "correction_on", "correction_amount"]
    head = [words(f"table.{name}") for name in names]
    return [_table(words("section.corrections"), head, rows, widths=(10, 10, 10, 12), words=3)]


# ---- statements, assurance, seal ---------------------------------------------------------------------


def _figures(document: Document) -> dict[str, str]:
    """What the statements quote."""
    if document["kind"] == "certificate":
        cfp = document["cfp_tco2e_per_t"]
        found = {
            "before": shown(cfp["before"]["total"], "up"),
            "after": shown(cfp["after"]["total"], "up"),
            "deduct": shown(document["scope3"]["deduct_tco2e"], "down"),
        }
    else:
        figures = document["figures"]
        correction = figures["correction_tco2e_per_t"]
        found = {
            "residual": shown(figures["cfp_residual"], "up"),
            "correction": shown(correction, "up") if correction else "",
        }
    measured = document["measured_tco2e_per_t"]
    return {**found, "measured": shown(measured, "up") if measured else ""}


def statements(document: Document, words: Words) -> Part:
    """What the reader must know, each with the clauses that ask for it."""
    figures = _figures(document)
    items = [
        {"text": words(f"statement.{item['key']}", **figures), "codes": item["code"]}
        for item in document["statements"]
    ]
    return {"kind": "statements", "title": words("section.statements"), "items": items, "note": ""}


def assurance(document: Document, words: Words) -> Part:
    """Who assured what, or that nobody did (A6.2, J5.4)."""
    title = words("section.assurance")
    if not document["assurance"]:
        return {"kind": "fields", "title": title, "rows": [], "note": words("note.no_assurance")}
    names = ("subject", "body", "level", "date")
    rows = [[item[name] for name in names] for item in document["assurance"]]
    head = [words(f"table.{name}") for name in names]
    return _table(title, head, rows, widths=(14, 16, 14, 8), words=4)


def _groups(text: str, size: int = 8) -> str:
    return " ".join(text[i : i + size] for i in range(0, len(text), size))


def seal(document: Document, words: Words, sha256: str, key_id: str) -> Part:
    """Ledger, hashes, key and signature, beside the QR code."""
    ledger = document["ledger"]
    row = ledger.get("claim_row", ledger.get("residual_row"))
    rows = [
        [words("seal.ledger"), f"{ledger['ledger']}, {row}"],
        [words("seal.run"), _groups(ledger["run"])],
        [words("seal.document"), _groups(sha256)],
        [words("seal.key_id"), key_id],
        [words("seal.key"), _groups(document["key"])],
        [words("seal.signature"), _groups(document["signature"])],
    ]
    return {
        "title": words("seal.title"), "rows": rows, "note": words("seal.note"),
        "alt": words("seal.alt", text=document["serial"]),
    }  # fmt: skip
