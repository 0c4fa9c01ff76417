"""The page: what stands in it, in both languages, to the byte; nothing runs or is fetched; names are text."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from massbalance.api import run_case
from massbalance.domain.faults import CaseRefused
from massbalance.pages import sections, texts
from massbalance.pages.reasons import kind_of_reason, reason
from massbalance.pages.report import Extras, report_html
from massbalance.pages.run import Reported, read_verified
from massbalance.pages.tables import Table
from massbalance.pages.texts import LANGUAGES, Words
from tests.pages.conftest import DATA, HOSTILE
from tests.pages.test_pages_plots import CURVE, FRONT, TORNADO

VOID = {"meta", "img", "br", "link"}


@dataclass
class Page(HTMLParser):
    """A page taken apart: elements that opened, tables by caption, texts; elements must close in order."""

    open_: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._caption, self._cell = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open_.append(tag)
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables[self._caption].append([])
        elif tag in ("td", "th"):
            self._cell = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open_.pop() == tag
        if tag == "caption":
            self.tables[self._caption] = []
        elif tag in ("td", "th"):
            self.tables[self._caption][-1].append(self._cell)

    def handle_data(self, data: str) -> None:
        if "style" in self.open_:
            return
        if data.strip():
            self.words.append(data.strip())
        if "caption" in self.open_:
            self._caption += data
        elif self.open_ and self.open_[-1] in ("td", "th"):
            self._cell += data

    def named(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def read(html: bytes) -> Page:
    """The page, which must be well formed."""
    page = Page()
    page.feed(html.decode("utf-8"))
    page.close()
    assert page.open_ == []
    return page


@pytest.fixture(scope="module")
def pages(tutorial: Reported) -> dict[str, Page]:
    """The tutorial's report in each language."""
    return {language: read(report_html(tutorial, language)) for language in LANGUAGES}


def test_the_tutorials_figures_stand_in_the_page(pages: dict[str, Page]) -> None:
    """The figures of data/tutorial/README.md."""
    tables = pages["en"].tables
    assert tables["Goals: booked, certified bound, gap"][1][:2] == ["firm shortfall, priority 1 (t)", "0.000"]
    assert tables["Goals: booked, certified bound, gap"][2][:2] == ["margin (USD)", "8,420.00"]
    assert tables["Orders and claims by customer"][1] == [
        "windows",
        "Example Windows",
        "2",
        "120.000",
        "110.000",
        "91.7%",
        "0.000",
        "600.000",
        "USD 2,600.00",
    ]
    assert tables["Orders and claims by customer"][-1][2:5] == ["5", "320.000", "230.000"]
    assert tables["The balance of effects"][1:3] == [
        ["all products without any improvement", "11,210.000"],
        ["realised: value of the credits available so far", "1,150.000"],
    ]
    assert tables["Residual intensity by product and period"] == [
        ["product", "2026Q2", "2026Q3"],
        ["PROFILE", "13.000", "12.900"],
        ["SHEET", "16.000", "15.900"],
    ]
    assert ["old_scrap", "Material", "560.000", "40.000", "600.000"] in tables[
        "Where the credits went, t CO₂e"
    ]
    assert ["1 t of low_carbon_ingot", "USD 80.00"] in tables["Credits, the dearest of each category: margin"]
    assert ["1 t CO₂e of furnace", "USD 10.00"] in tables["Credits, the dearest of each category: margin"]


def test_both_languages_say_the_same(pages: dict[str, Page]) -> None:
    """Table by table the same figures; only the words differ."""

    def figures(page: Page) -> list[list[list[str]]]:
        numbers = re.compile(r"[−+]?[\d,]+(\.\d+)?%?|–")
        return [[[c for c in row if numbers.fullmatch(c)] for row in rows] for rows in page.tables.values()]

    assert figures(pages["ja"]) == figures(pages["en"])
    assert [len(pages[language].named("img")) for language in LANGUAGES] == [4, 4]


def test_japanese_pages_are_japanese(pages: dict[str, Page]) -> None:
    page = pages["ja"]
    assert page.named("html") == [{"lang": "ja"}]
    assert {
        "クレジット割り当て報告書",
        "最適（証明済み）",
        "目標とその証明",
        "2026年4月1日 ～ 2026年9月30日",
    } <= set(page.words)
    for caption in page.tables:
        assert re.search("[ぁ-んァ-ヶ一-龠]", caption), caption
    heads = {cell for rows in page.tables.values() for cell in rows[0]} - {
        "2026Q2",
        "2026Q3",
        "t CO₂e",
        "t CO₂e/t",
    }
    for head in heads:
        assert re.search("[ぁ-んァ-ヶ一-龠]", head), head


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_run_gives_the_same_bytes(tutorial: Reported, tmp_path: Path, language: str) -> None:
    """Also a run that was made again, at another time and elsewhere."""
    again = read_verified(run_case(DATA / "tutorial", tmp_path / "again").out)
    assert again.run.files["summary.json"] != tutorial.run.files["summary.json"]  # other seconds
    assert report_html(again, language) == report_html(tutorial, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_fetches_nothing_and_runs_nothing(aluminium: Reported, language: str) -> None:
    html = report_html(aluminium, language, Extras(documents=(CURVE, TORNADO, FRONT)), ("ja", "en"))
    page = read(html)
    assert not {tag for tag, _ in page.elements} & {
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
    }
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "action", "srcset", "data"):
            if name in attributes:
                assert attributes[name].startswith(("data:image/svg+xml;base64,", "#")) or attributes[
                    name
                ] in (
                    "report.ja.html",
                    "report.en.html",
                )
    text = re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", html)
    assert b"://" not in text
    assert b"url(" not in text
    assert b"@import" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_have_words_beside_them(aluminium: Reported, language: str) -> None:
    page = read(report_html(aluminium, language, Extras(documents=(CURVE, TORNADO, FRONT))))
    images = page.named("img")
    assert len(images) == 1 + 3 + 1 + 3
    assert all(len(image["alt"]) > 12 for image in images)
    assert len(page.named("figcaption")) == len(images)
    assert all("scope" in attributes for attributes in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.named("a")} <= set(ids)
    for image in images:
        assert base64.b64decode(image["src"].split(",", 1)[1]).startswith(b"<?xml")


def test_every_caption_is_there_once(aluminium: Reported) -> None:
    """So no table of a page is taken for another."""
    html = report_html(aluminium, "ja", Extras(documents=(CURVE, TORNADO, FRONT)))
    captions = re.findall("<caption>(.*?)</caption>", html.decode("utf-8"))
    assert len(captions) == len(set(captions)) == html.count(b"<table")


@pytest.mark.parametrize("language", LANGUAGES)
def test_harmful_names_stay_text(hostile: Reported, language: str) -> None:
    html = report_html(hostile, language)
    page = read(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "b"}
    assert len([a for a in page.named("img") if not a["src"].startswith("data:image/svg+xml;base64,")]) == 0
    cells = {cell for rows in page.tables.values() for row in rows for cell in row}
    assert {HOSTILE[name] for name in ("customer", "product", "category")} <= cells
    assert HOSTILE["name"].replace("\u202e", "\ufffd") in cells
    assert "\u202e" not in html.decode("utf-8")
    assert b"{{ 7*7 }}" in html


def test_large_tables_are_cut_and_say_so(aluminium: Reported) -> None:
    """25 customers and the 35 others as one row, whose sum is the total's rest."""
    rows = read(report_html(aluminium, "en")).tables["Orders and claims by customer"]
    assert len(rows) == 1 + 25 + 1 + 1
    assert rows[-2][0] == "others (35)"
    claimed = [Decimal(row[4].replace(",", "")) for row in rows[1:]]
    assert abs(sum(claimed[:-1]) - claimed[-1]) <= Decimal("0.001") * 14
    assert rows[-1][4] == "18,121.016"


def test_chosen_products_and_documents_are_shown(tutorial: Reported) -> None:
    extras = Extras(("SHEET",), (CURVE, TORNADO, FRONT), {"quote.json": "ab" * 32})
    page = read(report_html(tutorial, "en", extras))
    assert "Steps of SHEET" in page.tables
    assert "Steps of PROFILE" not in page.tables
    assert page.tables["Points of the curve"][2] == ["20.000", "USD 5.00", "USD 5.00"]
    assert page.tables["Points of the front"][3][0] == "p2 (chosen)"
    assert page.tables["Values"][1] == ["thing 18", "×0.9", "820.000", "×1.1", "1,090.000"]
    assert ["SHA-256 of quote.json", "ab" * 32] in page.tables["Identification"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_without_lots_and_orders_has_a_report(empty: Reported, language: str) -> None:
    words = Words(language)
    page = read(report_html(empty, language, Extras(("SHEET",))))
    assert {words("intro.prices_none"), words("intro.short_none")} <= set(page.words)
    assert words("plot.nothing") in [image["alt"] for image in page.named("img")]
    assert page.tables[words("caption.waterfall", product="SHEET")][-1][1] == "16.000"


def test_an_unknown_product_is_refused(tutorial: Reported) -> None:
    with pytest.raises(CaseRefused, match="SHEETS"):
        report_html(tutorial, "en", Extras(("SHEETS",)))


# ---- words ---------------------------------------------------------------------------------------------


def test_every_word_is_there_in_both_languages_with_the_same_figures() -> None:
    for table, entries in texts.words().items():
        for key, both in entries.items():
            assert set(both) == {"ja", "en"}, (table, key)
            if isinstance(both["ja"], str):
                fields = [set(re.findall(r"\{(\w+)\}", both[language])) for language in LANGUAGES]
                assert fields[0] == fields[1], (table, key)


def test_every_word_is_used() -> None:
    """Words that nobody says are left behind by changes."""
    folder = Path(texts.__file__).parent
    code = "\n".join(p.read_text(encoding="utf-8") for p in [*folder.rglob("*.py"), *folder.glob("*.j2")])
    by_name = {
        "currency",
        "unit",
        "kind",
        "other",
        "fate",
        "claim",
        "goal",
        "goal_unit",
        "effect",
        "age",
        "status",
        "price",
        "month",
        "carrier",
        "group_kind",
        "rank",
        "column",
    }
    for table, entries in texts.words().items():
        if table not in by_name:
            unused = [k for k in entries if f"{table}.{k}" not in code and not _composed(table, k, code)]
            assert unused == [], table
    columns = [k for k in texts.words()["column"] if f'"{k}"' not in code and f"column.{k}" not in code]
    assert columns == []


def _composed(table: str, key: str, code: str) -> bool:
    """Is the key made of parts, as in f"waterfall.{kind}_before"?"""
    parts = re.findall(rf"{table}\.\{{\w+\}}(\w*)", code)
    return any(key.endswith(end) for end in parts)


@pytest.mark.parametrize("name", ["aluminium", "steel", "tutorial"])
def test_every_reason_of_the_examples_has_japanese_words(run_of: Callable[[str], Path], name: str) -> None:
    source = read_verified(run_of(name))
    for order in source.run.orders:
        if order["why"]:
            said, known = reason(order["why"], "ja")
            assert known, order["why"]
            assert "{" not in said
            assert not re.search(r"\d", kind_of_reason(order["why"], "ja").replace("1 t", ""))


def test_reasons_of_all_kinds() -> None:
    why = (
        "no credit left in its window at this price (premium 12.00 per t); also binding: "
        "alloy limit for scrap_ubc, scope 1+2 cap; or claim out of reach: at most 0.4 of 0.6 per t, "
        "by electricity use of the product"
    )
    assert reason(why, "ja")[0] == (
        "この価格（プレミアム 12.00/t）では、使用できる期間のクレジットが残っていません。"
        "ほかに効いている制約：scrap_ubc に対する合金の上限、スコープ 1+2 の上限。又は、"
        "届かない水準：1 t 当たり 0.6 に対し最大 0.4。制約は 製品の電力使用量"
    )
    less = "more would leave less to a group that has no more"
    fair = reason(f"the fair share of product CB-3104, 81.1% of its orders: {less}", "ja")
    assert fair[0].startswith("CB-3104 の公平な比率（注文の 81.1%）")
    assert reason("something new", "ja") == ("something new", False)
    assert reason(why, "en") == (why, True)
    assert kind_of_reason("price 3.5 of A-1", "en") == "price … of A-…"


def test_figures_of_sweeps_and_goals_have_names() -> None:
    en, ja = Words("en"), Words("ja")
    assert en.axis("margin", "USD") == "margin (USD)"
    assert en.axis("firm_shortfall_t:2") == "firm shortfall, priority 2 (t)"
    assert en.goal("firm_shortfall:2") == "firm shortfall, priority 2"
    assert ja.goal("fair_share:1") == "最も少ない集団の割り当て比率・第 1 段階"
    assert en.goal("chosen:PL-5052") == "claimed mass of chosen products, PL-5052"
    assert en.goal("expiry") == "expired value"
    assert (en.axis("MWh_expired"), ja.axis("effect_held")) == ("expired (MWh)", "繰越残高（t CO₂e）")
    assert en.axis("something") == "something"


def test_what_a_strategys_groups_got_is_told(tutorial: Reported) -> None:
    groups = [
        {
            "by": "customer",
            "group": "windows",
            "ordered_t": 120,
            "claimed_t": 60,
            "service": Decimal("0.5"),
            "minimum": Decimal("0.25"),
            "stage": 1,
        },
        {
            "by": "segment",
            "group": "cars",
            "ordered_t": 10,
            "claimed_t": 10,
            "service": 1,
            "minimum": None,
            "stage": None,
        },
    ]
    goal = {
        "name": "fair_share",
        "priority": 1,
        "value": Decimal("0.5"),
        "certified_bound": Decimal("0.5"),
        "certified_gap": 0,
    }
    summary = {**tutorial.run.summary, "strategy": {"groups": groups}, "objectives": [goal]}
    told = sections.goals(replace(tutorial, run=replace(tutorial.run, summary=summary)), Words("en"))
    first, second = told.parts
    assert isinstance(first, Table)
    assert isinstance(second, Table)
    assert first.rows == (("least share of any group, stage 1", "0.500", "0.500", "0.000000"),)
    assert second.rows == (
        ("customer windows", "120.000", "60.000", "50.0%", "25.0%"),
        ("segment cars", "10.000", "10.000", "100.0%", "–"),
    )


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("1234567.0005", 3, "1,234,567.001"),
        ("-0.0004", 3, "0.000"),
        ("-1.5", 0, "−2"),
        (None, 3, "–"),
        ("", 3, "–"),
        (Decimal("2.5"), 0, "3"),
        (0.1, 3, "0.100"),
    ],
)
def test_numbers(value: object, decimals: int, expected: str) -> None:
    assert Words("en").number(value, decimals) == expected


def test_numbers_rounded_up_money_days_and_shares() -> None:
    en, ja = Words("en"), Words("ja")
    assert en.number("9.2271", up=True) == "9.228"
    assert en.number("9.227", up=True) == "9.227"
    assert (en.money("1234.567", "JPY"), ja.money("1234.567", "JPY")) == ("JPY 1,235", "1,235 円")
    assert (en.money(2, "USD"), ja.money(2, "USD"), ja.money(2, "")) == ("USD 2.00", "2.00 USD", "2.00")
    assert (en.day("2026-09-30"), ja.day("2026-09-30")) == ("30 September 2026", "2026年9月30日")
    assert (en.share(1, 3), en.share(0, 0)) == ("33.3%", "–")
    with pytest.raises(ValueError, match="none of ja, en"):
        Words("fr")
