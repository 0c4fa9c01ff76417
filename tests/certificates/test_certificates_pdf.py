"""The PDF: what A6.1 asks for can be read, names are never markup, and PDF/A as far as seen here."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from massbalance.certificates.glyphs import LATIN, font, font_folder, glyph_faults, unshown
from massbalance.certificates.issue import Wanted, issue
from massbalance.certificates.render import STANDARDS
from massbalance.ledger.problems import Refused
from massbalance.ledger.signing import Signer
from pdf_text import reader, same, text_of
from posted_by_hand import METAL, RUN, SAVING, Lot, Made, Tiny, clock, new_ledger

TRICKY = [
    "株式会社髙﨑①㈱", "#set text(red)", "$x^2$ @label <mark>", "\\ \\\\ `raw` *b* _i_ ~",
    "\"quoted\" 'single'",
    "= heading", "- item", "// comment /* x */", "#eval(\"1\") #{panic()}", "{brace} [bracket] %s %(x)s {0}",
    "<b>&amp;</b>", "A" * 300, "あ" * 200, "CO₂ Handel", "葛\U000e0100城", "Ünïcödé ŁŐř ĞİŞ",
    "https://example.com/#a?b=$c",
    "﨑" * 3, "１２３　全角", "a\u0301", "N/A—–…", "x" * 40 + " " + "y" * 40, "Ж" * 90,
]  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "en", "both"])
def test_all_of_a61_can_be_read(made: Made, language: str) -> None:
    issued = made(Tiny(), language=language)
    text = text_of(issued.pdf)
    for needed in (
        "2026-07-01",  # a) issue date
        issued.serial,  # b) reference number
        "Example Rolling", "1 Works Road",  # c) issuer
        "㈱髙﨑 Windows", "2 Frame Street ①",  # d) recipient
        "mb@example.com",  # e) who can confirm it
        "6063",  # f) material
        "10.000 t",  # g) mass
        "13.000 → 8.766", "42.345", "8.250", "jaa-2026",
        hashlib.sha256(issued.document).hexdigest(),
    ):  # fmt: skip
        assert same(needed) in text, needed
    japanese, english = ("アルミニウム", "マスバランス証明書"), ("Aluminium", "Mass Balance Certificate")
    for word in japanese if language != "en" else ():
        assert same(word) in text
    for word in english if language != "ja" else ():
        assert same(word) in text
    assert (same(japanese[1]) in text, same(english[1]) in text) == (language != "en", language != "ja")


def test_statements_are_read(made: Made) -> None:
    text = text_of(made(Tiny(), language="en").pdf)
    for words in (
        "never be sold, passed on or traded apart", "deduct the certified 42.345 t CO2e",
        "Doing both would count",
        "measured figure of 12.500 t CO2e/t", "Nothing is implied about what the metal physically contains",
    ):  # fmt: skip
        assert same(words) in text


@pytest.mark.parametrize("name", TRICKY)
def test_names_are_never_markup(made: Made, name: str) -> None:
    tiny = Tiny().with_names(name=name, address=name, contact=name)
    lot = Lot(
        {**METAL.row, "certificate": name, "evidence": name}, METAL.quantity, METAL.credited_g, METAL.scopes_g
    )
    issued = made(Tiny(customer=tiny.customer, lots=(lot, SAVING)), language="en")
    # a selector chooses a letter's form and is no letter of its own
    assert text_of(issued.pdf).replace("\U000e0100", "").count(same(name).replace("\U000e0100", "")) >= 3
    assert json.loads(issued.document)["recipient"]["name"] == name.strip()


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("😀", "U+1F600 GRINNING FACE"), ("ش", "U+0634"), ("א", "U+05D0"), ("\u202e", "U+202E"),
        ("\u200b", "U+200B"),
        ("\ufeff", "U+FEFF"), ("\x07", "U+0007"), ("\ue000", "U+E000"),
        ("\U0001f468\u200d\U0001f469", "U+200D"),
        ("x\U000e0100", "U+E0100"), ("ก", "U+0E01"), ("\t", "U+0009"), ("x\u0301", "U+0301"),
    ],
)  # fmt: skip
def test_what_the_font_cannot_show_is_refused_by_name(
    tmp_path: Any, key: Signer, character: str, name: str
) -> None:
    with new_ledger(tmp_path / "ledger.db", Tiny().with_names(name=f"A{character}B")) as book:
        with pytest.raises(Refused) as refused:
            issue(book, Wanted(RUN, order="O1"), key, clock=clock)
        assert not list(book.rows(kind="certified"))
    assert {fault.column for fault in refused.value.faults} == {"recipient.name"}
    assert any(name in fault.expected for fault in refused.value.faults)


def test_glyphs() -> None:
    assert unshown("髙﨑①㈱→≥…–—₀₉") == []
    assert unshown("a😀b😀\u200f") == ["😀", "\u200f"]
    assert glyph_faults({"x": "fine"}) == []
    assert len(font().characters) > 40_000
    assert [path.name for path in font_folder().glob("*.otf")] == ["NotoSansCJKjp-Regular.otf"]


def test_the_second_font_has_what_is_left_to_it(made: Made) -> None:
    """PDF/A has no boxes for missing letters: what does not show fails here."""
    letters = "".join(sorted(LATIN))
    assert letters in text_of(made(Tiny().with_names(name=letters), language="en").pdf)


def test_a_line_break_in_an_address(made: Made) -> None:
    issued = made(Tiny().with_names(address="1 Road\n2 Town"), language="en")
    assert same("1 Road 2 Town") in text_of(issued.pdf)


def test_a_hundred_lots_over_pages(made: Made) -> None:
    lots = tuple(
        Lot({**METAL.row, "lot": f"LOT-{i:03d}-{'x' * (i % 30)}"}, 1000 + i, 1000, (1, 2, 3))
        for i in range(100)
    )
    issued = made(Tiny(lots=lots), language="en")
    pages = [page.extract_text() for page in reader(issued.pdf).pages]
    assert len(pages) > 3
    text = text_of(issued.pdf)
    assert all(f"LOT-{i:03d}-{'x' * (i % 30)}" in text for i in range(100))
    assert (
        sum("S1" in page and "Lot" in page for page in pages[1:]) >= 3
    )  # the head of the table, on every page
    assert all(issued.serial in page for page in pages)


def test_pdf_a(made: Made) -> None:
    """What can be seen without a validator; typst itself refuses what breaks the standards it is told."""
    assert STANDARDS == ["a-3a", "ua-1"]
    issued = made(Tiny())
    pdf = reader(issued.pdf)
    root: Any = pdf.trailer["/Root"]
    told = root["/Metadata"].get_object().get_data().decode()
    for words in (
        "<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>", "2026-07-01T00:00:00",
    ):  # fmt: skip
        assert words in told
    assert root["/MarkInfo"]["/Marked"]
    assert root["/OutputIntents"]
    assert root["/Lang"].startswith("ja")
    assert pdf.metadata is not None
    assert pdf.metadata["/CreationDate"].startswith("D:20260701000000")
    assert issued.serial in str(pdf.metadata.title)
    assert not pdf.is_encrypted
    _fonts_are_embedded(pdf)


def _fonts_are_embedded(pdf: Any) -> None:
    names = set()
    for page in pdf.pages:
        for found in page["/Resources"]["/Font"].values():
            outer = found.get_object()
            inner = outer["/DescendantFonts"][0].get_object()
            assert "/FontFile3" in inner["/FontDescriptor"].get_object()
            assert "/ToUnicode" in outer
            names.add(str(outer["/BaseFont"]))
    assert names
    assert all("NotoSansCJKjp" in name for name in names)  # the second one only where it is needed


def test_the_document_is_attached(made: Made) -> None:
    issued = made(Tiny())
    pdf = reader(issued.pdf)
    assert pdf.attachments == {f"{issued.serial}.json": [issued.document]}
    root: Any = pdf.trailer["/Root"]
    (attached,) = root["/AF"]
    assert attached.get_object()["/AFRelationship"] == "/Source"


def test_the_qr_code_names_the_document(made: Made, monkeypatch: pytest.MonkeyPatch, key: Signer) -> None:
    import segno

    told: list[str] = []
    make = segno.make
    monkeypatch.setattr(segno, "make", lambda text, **how: told.append(text) or make(text, **how))
    issued = made(Tiny())
    sha256 = hashlib.sha256(issued.document).hexdigest()
    assert told == [f"massbalance:1:{issued.serial}:{sha256}:{key.key_id}"]
