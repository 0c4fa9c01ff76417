"""report.html: the pack for reading. One page, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import html
from collections import defaultdict
from fractions import Fraction
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from massbalance.audit.alone.case import Table, on_grid, read_table
from massbalance.audit.alone.entries import Entry
from massbalance.audit.alone.view import View
from massbalance.audit.alone.words import STYLE, words

MOST_CLAIMS = 2000
"""A page with more claims than these is no page; walks.csv has them all."""
SECTIONS = ("summary", "approval", "account", "claims", "lots", "evidence", "changes", "residual", "verify")
JOURNALS = ("post", "intake", "reversal", "adjustment", "expiry", "lock", "assertion", "adoption")
EVENTS = (
    "reversal",
    "withdrawn",
    "correction",
    "adjustment",
    "adjusted",
    "returned",
    "unblocked",
    "cancelled",
    "lock",
)
OF_PROJECT = ("project", "project_verified_by", "project_verified_on")
Cell = Tuple[str, bool]
"""HTML, and whether it is a figure."""


def report_html(view: View) -> bytes:
    """The page, from the pack's rows and tables."""
    report = _Report(view)
    sections = "\n".join(
        f'<section id="{name}"><h2>{words(name)}</h2>\n{"".join(getattr(report, name)())}</section>'
        for name in SECTIONS
    )
    links = "".join(f'<a href="#{name}">{words(name)}</a>' for name in SECTIONS)
    periods = html.escape(", ".join(view.periods))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Audit report, {periods}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body>\n"
        '<input class="lang" type="radio" name="lang" id="en" checked>'
        '<input class="lang" type="radio" name="lang" id="ja">\n'
        f'<header><label class="pick" for="ja">日本語</label><label class="pick" for="en">English</label>\n'
        f'<h1>{words("title")} {periods}</h1><p class="soft">{words("lead")}</p><nav>{links}</nav></header>\n'
        f"<main>\n{sections}\n</main></body></html>\n"
    ).encode()


def text(value: Any) -> Cell:
    """A cell of text."""
    return html.escape(str(value)), False


def figure(decimal: str) -> Cell:
    """A decimal as people read it: to 0.001, with groups of three digits; empty stays empty."""
    if not decimal:
        return "", True
    thousandths = round(Fraction(decimal) * 1000)
    sign, whole = ("-" if thousandths < 0 else ""), abs(thousandths)
    fraction = f".{whole % 1000:03d}".rstrip("0").rstrip(".")
    return f"{sign}{whole // 1000:,}{fraction}", True


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A table; heads: keys of words. Without rows it says so."""
    rows = list(rows)
    lines = [
        "<tr>"
        + "".join(f'<td class="n">{c}</td>' if number else f"<td>{c}</td>" for c, number in row)
        + "</tr>\n"
        for row in rows
    ]
    if not lines:
        yield f'<p class="soft">{words("none")}</p>'
        return
    marks = [' class="n"' if number else "" for _, number in rows[0]]
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f"<th{mark}>{words(head)}</th>" for head, mark in zip(heads, marks))
    yield "</tr></thead><tbody>\n" + "".join(lines) + "</tbody></table></div>\n"


def folded(title: str, inner: Iterable[str], shown: bool = False) -> Iterator[str]:
    """Something that opens; title: HTML."""
    yield f"<details{' open' if shown else ''}><summary>{title}</summary>"
    yield from inner
    yield "</details>\n"


class _Report:
    """The sections of one report; the tables are those of the pack, made before."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.walks: Table = read_table(view.files["walks.csv"])
        self.evidences: Table = read_table(view.files["evidence.csv"])
        self.balances: Table = read_table(view.files["balances.csv"])
        self.gone = view.cancelled()
        self.by_claim: Dict[str, Table] = defaultdict(list)
        for row in self.walks:
            self.by_claim[row["claim_row"]].append(row)

    def summary(self) -> Iterator[str]:
        """What the pack is about, in a few figures."""
        pack, posts = self.view.pack, self.view.posts()
        firsts = [rows[0] for rows in self.by_claim.values()]
        claimed = sum(on_grid(row["claimed_t"]) for row in firsts if not row["withdrawn_row"])
        moved = [row for row in self.balances if row["commodity"].startswith("lot:")]
        reduced = sum(
            on_grid(row[f"scope{s}"]) for row in self.walks if not row["withdrawn_row"] for s in (1, 2, 3)
        )
        missing = sum(row["status"] == "missing" for row in self.evidences)
        tiles = (
            ("claim_count", str(len(firsts))),
            ("claimed", f"{_grams(claimed)} t"),
            ("reduced", f"{_grams(reduced)} t CO2e"),
            ("lot_count", str(len({row["commodity"] for row in moved}))),
            ("certificate_count", str(len(self.view.certificates()))),
            ("missing_count", str(missing)),
        )
        yield '<div class="tiles">'
        for key, value in tiles:
            yield f'<div class="tile"><b>{html.escape(value)}</b>{words(key)}</div>'
        yield "</div>"
        makers = [str(self.view.case(post).settings.get("issuer", {}).get("name", "")) for post in posts]
        rules = [f"{p.details['rules']['id']} {p.details['rules'].get('version', '')}" for p in posts]
        yield from table(
            ("figure", "details"),
            [
                ((words("issuer"), False), text("; ".join(dict.fromkeys(makers)))),
                ((words("ledger"), False), (f"<code>{html.escape(pack['ledger'])}</code>", False)),
                ((words("periods"), False), text(self._days())),
                ((words("head"), False), text(f"{pack['head']['n']}, {pack['at']}")),
                ((words("hash"), False), (f"<code>{html.escape(pack['head']['hash'])}</code>", False)),
                ((words("rules"), False), text("; ".join(dict.fromkeys(rules)))),
            ],
        )

    def _days(self) -> str:
        days = self.view.extract.periods()
        return "; ".join(f"{name} ({days[name][0]} - {days[name][1]})" for name in self.view.periods)

    def approval(self) -> Iterator[str]:
        """Journals that touch the periods."""
        rows = [
            row
            for row in self.view.extract.rows
            if row.kind in JOURNALS and row.n == row.journal in self.view.complete
        ]
        names = ("name", "proposer", "approver", "note", "status")
        yield from table(
            ("row", "kind", "at", *names),
            (
                (text(r.n), text(r.kind), text(r.at), *(text(r.details.get(name) or "") for name in names))
                for r in rows
            ),
        )

    def account(self) -> Iterator[str]:
        """Totals by unit, then every lot and effect."""
        columns = (
            [name for name in self.balances[0] if name not in ("commodity", "unit", "period")]
            if self.balances
            else []
        )
        sums: Dict[Tuple[str, str], List[int]] = {}
        for row in self.balances:
            if row["commodity"].startswith("lot:"):
                place = (row["period"], row["unit"])
                before = sums.get(place, [0] * len(columns))
                sums[place] = [a + on_grid(row[c]) for a, c in zip(before, columns)]
        yield f'<p class="soft">{words("rounded")}</p><h3>{words("totals")}</h3>'
        yield from table(
            ("period", "unit", *columns),
            (
                (text(period), text(unit), *((_grams(value), True) for value in values))
                for (period, unit), values in sorted(sums.items())
            ),
        )
        inner = table(
            ("commodity", "unit", "period", *columns),
            (
                (
                    text(row["commodity"]),
                    text(row["unit"]),
                    text(row["period"]),
                    *(figure(row[c]) for c in columns),
                )
                for row in self.balances
            ),
        )
        yield from folded(words("every_lot"), inner)

    def claims(self) -> Iterator[str]:
        """Each claim with its lots, their papers and projects."""
        if len(self.by_claim) > MOST_CLAIMS:
            yield f"<p>{words('more')}</p>"
        for rows in list(self.by_claim.values())[:MOST_CLAIMS]:
            yield from folded(self._claim_title(rows[0]), self._claim_lots(rows))

    def _claim_title(self, row: Dict[str, str]) -> str:
        said = f"{row['order']} · {row['customer']} · {row['product']} · {row['claim']} {row['level']}"
        mass, before, after = (figure(row[name])[0] for name in ("claimed_t", "cfp_before", "cfp_after"))
        back = (
            f' <span class="bad">{words("withdrawn")} ({row["withdrawn_row"]})</span>'
            if row["withdrawn_row"]
            else ""
        )
        return f"{html.escape(said)} · {mass} t · CFP {before} → {after}{back}"

    def _claim_lots(self, rows: Table) -> Iterator[str]:
        first = rows[0]
        yield f"<p>{words('row')} {first['claim_row']} · {words('period')} {html.escape(first['period'])} · "
        yield f"{words('certificates')}: {self._serials(first['certificates'])}</p>"
        yield from table(
            ("lot", "row", "quantity", "credited", "scopes", "kind", "site", "expires", "proof", "project"),
            (
                (
                    (f'<a href="#lot-{html.escape(r["lot"])}">{html.escape(r["lot"])}</a>', False),
                    text(f"{r['allocated_row']}, {r['lot_row']}"),
                    (f"{figure(r['quantity'])[0]} {html.escape(r['uom'])}", True), figure(r["credited_t"]),
                    (" / ".join(figure(r[f"scope{s}"])[0] for s in (1, 2, 3)), True),
                    text(f"{r['kind']}, {r['category']}"), text(r["site"]),
                    text(f"{r['received']}, {r['expires'] or '-'}"), _proof(r),
                    text(", ".join(r[c] for c in OF_PROJECT if r[c])),
                )
                for r in rows
                if r["lot"]
            ),
        )  # fmt: skip

    def _serials(self, told: str) -> str:
        if not told:
            return words("none")
        return ", ".join(
            f'<a href="certificates/{html.escape(serial)}.pdf">{html.escape(serial)}</a>'
            + (f' <span class="bad">{words("cancelled")}</span>' if serial in self.gone else "")
            for serial in told.split(";")
        )

    def lots(self) -> Iterator[str]:
        """Each lot with the orders that it served."""
        by_lot: Dict[str, Table] = defaultdict(list)
        for rows in list(self.by_claim.values())[:MOST_CLAIMS]:
            for row in rows:
                if row["lot"]:
                    by_lot[row["lot"]].append(row)
        for lot, rows in sorted(by_lot.items()):
            total = sum(on_grid(row["quantity"]) for row in rows if not row["withdrawn_row"])
            title = html.escape(f"{lot} · {rows[0]['category']} · {_grams(total)} {rows[0]['uom']}")
            yield f'<div id="lot-{html.escape(lot)}">'
            yield from folded(
                title,
                table(
                    ("order", "customer", "product", "period", "quantity", "claim", "certificates"),
                    (
                        (
                            text(r["order"]), text(r["customer"]), text(r["product"]), text(r["period"]),
                            figure(r["quantity"]), text(f"{r['claim']} {r['level']}"),
                            (self._serials(r["certificates"]), False),
                        )
                        for r in rows
                    ),
                ),
            )  # fmt: skip
            yield "</div>"

    def evidence(self) -> Iterator[str]:
        """What is missing first, then everything clause by clause."""
        yield from self._evidence_table(row for row in self.evidences if row["status"] == "missing")
        by_clause: Dict[str, Table] = defaultdict(list)
        for row in self.evidences:
            by_clause[row["clause"]].append(row)
        yield f"<h3>{words('all_lines')}</h3>"
        for clause, rows in by_clause.items():
            missing = sum(row["status"] == "missing" for row in rows)
            mark = f' <span class="bad">{missing} {words("missing")}</span>' if missing else ""
            title = f"{html.escape(clause)} {html.escape(rows[0]['title'])} ({len(rows)}){mark}"
            yield from folded(title, self._evidence_table(rows))

    def _evidence_table(self, rows: Iterable[Dict[str, str]]) -> Iterator[str]:
        yield from table(
            ("clause", "subject", "needed", "found", "who", "proof", "status"),
            (
                (
                    text(r["clause"]), text(f"{r['table']} {r['subject']}".strip()), text(r["needed"]),
                    text(r["found"]), text(", ".join(c for c in (r["who"], r["when"], r["level"]) if c)),
                    text(r["document"]),
                    _status(r["status"]),
                )
                for r in rows
            ),
        )  # fmt: skip

    def changes(self) -> Iterator[str]:
        """Everything that was taken back, corrected or closed."""
        rows = [row for row in self.view.extract.rows if row.kind in EVENTS]
        yield from table(
            ("row", "at", "kind", "period", "subject", "quantity", "details"),
            (
                (
                    text(r.n), text(r.at), text(r.kind), text(r.period),
                    text(r.commodity or r.subject or r.key),
                    (_grams(r.quantity) if r.moves else "", True), text(_said(r)),
                )
                for r in rows
            ),
        )  # fmt: skip

    def residual(self) -> Iterator[str]:
        """Residuals of the periods, and the identity of each run."""
        columns = (
            "produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual", "green_share_residual",
            "recycled_share_residual", "correction_tco2e_per_t",
        )  # fmt: skip
        heads = (
            "produced",
            "claimed_t",
            "conventional",
            "before",
            "cfp_residual",
            "green",
            "recycled",
            "correction",
        )
        rows = [row for row in self.view.extract.by_kind["residual"] if row.period in self.view.periods]
        yield from table(
            ("product", "period", *heads),
            (
                (text(r.subject), text(r.period), *(figure(str(r.details.get(name, ""))) for name in columns))
                for r in rows
            ),
        )
        yield f"<p>{words('identity')}</p>"
        for post in self.view.posts():
            tonnes: Dict[str, int] = post.details["tco2e_g"]
            title = f"{html.escape(str(post.details.get('name', '')))}: t CO2e"
            inner = table(
                ("figure", "quantity"), ((text(k), (_grams(v), True)) for k, v in sorted(tonnes.items()))
            )
            yield from folded(title, inner, shown=True)

    def verify(self) -> Iterator[str]:
        """How to repeat it."""
        yield f"<p>{words('how')}</p>"


def _grams(millionths: int) -> str:
    return figure(f"{millionths}e-6" if millionths else "0")[0]


def _proof(row: Dict[str, str]) -> Cell:
    """Scheme, certificate and evidence of a lot; what is not there is shown as missing."""
    told = [row[name] for name in ("scheme", "certificate", "evidence") if row[name]]
    return text(", ".join(told)) if told else (f'<span class="bad">{words("missing")}</span>', False)


def _status(word: str) -> Cell:
    return f'<span class="{"bad" if word == "missing" else "soft"}">{words(word)}</span>', False


def _said(row: Entry) -> str:
    """The details of a row, short."""
    told = {name: value for name, value in row.details.items() if not isinstance(value, (dict, list))}
    return ", ".join(f"{name} {value}" for name, value in sorted(told.items()) if value not in ("", None))
