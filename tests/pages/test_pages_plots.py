"""Pictures: what stands in them, the same bytes each time, every letter shown, nothing from outside."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from massbalance.pages.ageing import Ageing, ageing
from massbalance.pages.bars import Waterfall, waterfall
from massbalance.pages.documents import Bar, Curve, CurvePoint, Pareto, Point, Tornado
from massbalance.pages.flows import Flow, Flows, flows_of
from massbalance.pages.pictures import Data, picture_of
from massbalance.pages.plots import canvas
from massbalance.pages.run import Reported
from massbalance.pages.texts import LANGUAGES, Words
from tests.pages.conftest import HOSTILE
from tests.pages.svg_text import colours, parts, texts

CURVE = Curve(
    "PL-5052",
    "2026-09",
    "recycled_share",
    Decimal("0.4"),
    "USD",
    Decimal(50),
    Decimal(80),
    Decimal("7.25"),
    Decimal(8),
    tuple(
        CurvePoint(Decimal(m), Decimal(f), Decimal(p))
        for m, f, p in (("0", "5", "5"), ("20", "5", "5"), ("80", "8", "9"))
    ),
)
TORNADO = Tornado(
    "margin",
    "USD",
    Decimal(1000),
    tuple(
        Bar(f"thing {i}", Decimal(1000 - 10 * i), Decimal(1000 + 5 * i), "×0.9", "×1.1") for i in range(1, 19)
    ),
)
FRONT = Pareto(
    "margin",
    "tonnage_t",
    "USD",
    tuple(Point(Decimal(900 - i * i), Decimal(100 + 9 * i), f"p{i}", i == 2) for i in range(5)),
)
EN, JA = Words("en"), Words("ja")


def _data(source: Reported) -> dict[str, Data]:
    return {
        "sankey": flows_of(source),
        "waterfall": waterfall(source, str(source.case.products.text("product")[-1])),
        "ageing": ageing(source),
        "curve": CURVE,
        "tornado": TORNADO,
        "pareto": FRONT,
    }


def test_the_sankey_of_the_tutorial(tutorial: Reported) -> None:
    svg = picture_of(flows_of(tutorial), EN).svg()
    found = texts(svg)
    assert found[:2] == ["Where the credits went, t CO₂e", EN("sankey.subtitle")]
    labels = [t for t in found[2:] if re.search("[a-z]{3}", t)]
    assert labels == [
        "old_scrap",
        "low_carbon_ingot",
        "furnace",
        "windows  Example Windows",
        "car body  Example Car Bodies",
        "appliances  Example Appliances",
        "furniture  Example Furniture",
        "expired",
        "category of lots",
        "customer",
    ]
    assert [t for t in found if t.isdigit()] == ["600", "480", "70", "600", "300", "200", "10", "40"]
    bands, bars = 9, 8
    assert parts(svg)["patch"] == 1 + bands + bars  # and the paper
    assert colours(svg, canvas.BLUE) == 6 + 2
    assert colours(svg, canvas.GREEN) == 3 + 1


def test_the_waterfall_of_the_tutorial(tutorial: Reported) -> None:
    found = texts(picture_of(waterfall(tutorial, "SHEET", "2026Q2"), EN).svg())
    assert "rolled sheet 5052; 2026Q2; t CO₂e per t" in found
    shown = [t for t in found if not re.fullmatch(r"\d+", t)][2:]
    assert shown == [
        "Intensity, t CO₂e per t",
        "100.000 t with credits",
        "before",
        "16.000",
        "scope 1  furnace",
        "−0.200",
        "scope 3  low_carbon_ingot",
        "−3.200",
        "scope 3  old_scrap",
        "−1.600",
        "after",
        "11.000",
        "100.000 t conventional",
        "improvements excluded",
        "16.000",
        "residual, to be declared",
        "16.000",
    ]


def test_the_ageing_of_the_tutorial_in_japanese(tutorial: Reported) -> None:
    found = texts(picture_of(ageing(tutorial), JA).svg())
    assert {
        "クレジット残高の期限別推移",
        "1～3 か月",
        "3～6 か月",
        "6～12 か月",
        "期限切れ（当期）",
        "2026Q2",
        "90",
        "−40",
    } <= set(found)
    assert "期限なし" not in found


def test_the_curve_names_the_quote_and_its_lines() -> None:
    found = texts(picture_of(CURVE, EN).svg())
    for text in (
        "floor premium of the whole mass",
        "of the last tonne",
        "offered USD 8.00",
        "50.000 t: USD 7.25",
        "feasible up to 80.000 t",
        "recycled share of at least 40%; below it the margin falls",
    ):
        assert text in found


def test_the_curve_of_a_quote_that_is_not_feasible_marks_no_point() -> None:
    short = Curve(**{**CURVE.__dict__, "floor": None})
    assert not any(text.startswith("50.000 t:") for text in texts(picture_of(short, EN).svg()))


def test_the_tornado_shows_the_widest_and_counts_the_rest() -> None:
    found = texts(picture_of(TORNADO, EN).svg())
    names = [t for t in found if t.startswith("thing")]
    assert names == [f"thing {i}" for i in range(18, 3, -1)]
    assert "3 more move it less" in found
    assert "×0.9: −180" in found
    assert "×1.1: +90" in found


def test_bars_that_go_one_way_have_both_labels() -> None:
    """The shorter lies on the longer, drawn later, and its label stands on the other side of the base."""
    one_way = Tornado("margin", "", Decimal(100), (Bar("delay", Decimal(90), Decimal(60), "30", "60"),))
    found = texts(picture_of(one_way, EN).svg())
    assert found.index("60: −40") < found.index("30: −10")


def test_the_front_names_its_points() -> None:
    found = texts(picture_of(FRONT, JA).svg())
    assert {"p0", "p1", "p2（採用案）", "p3", "p4", "収益（USD）", "割り当てた質量（t）"} <= set(found)


def test_the_ends_of_a_front_are_named_in_words() -> None:
    points = (Point(Decimal(1), Decimal(2), "best tonnage_t"), Point(Decimal(2), Decimal(1)))
    ends = Pareto("margin", "tonnage_t", "", points, linear=False)
    found = texts(picture_of(ends, JA).svg())
    assert {"割り当てた質量を最優先", JA("pareto.subtitle_points")} <= set(found)


def test_five_hundred_of_each_fit_on_a_page() -> None:
    rows = [
        Flow(
            f"category {i}",
            ("material", "energy", "project")[i % 3],
            f"customer {j}",
            "customer",
            10**6 * (i + j + 1),
        )
        for i in range(500)
        for j in range(i % 7, 500, 53)
    ]
    picture = picture_of(Flows("tCO2e", tuple(rows)), EN)
    found = texts(picture.svg())
    assert {"other materials (163)", "other energy (163)", "other projects (163)", "others (483)"} & set(
        found
    )
    assert sum(t.startswith("category ") for t in found) <= 13
    assert sum(t.startswith("customer ") for t in found) <= 18
    width, height = struct.unpack(">II", picture.png()[16:24])
    assert width == round(canvas.WIDTH * canvas.DPI)
    assert height < 1.3 * width


def test_thirty_periods_fit() -> None:
    from datetime import date

    held = {
        name: tuple(range(30)) if name == "m3" else (0,) * 30
        for name in ("m1", "m3", "m6", "m12", "later", "never")
    }
    many = Ageing(tuple(f"P{i}" for i in range(30)), (date(2026, 1, 31),) * 30, held, (0,) * 30, ())
    found = texts(picture_of(many, EN).svg())
    assert [t for t in found if t.startswith("P")] == [f"P{i}" for i in range(0, 30, 2)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_to_show_says_so(language: str) -> None:
    words = Words(language)
    empty: list[Data] = [
        Flows("tCO2e", ()),
        Waterfall("P", "", "", None, None),
        Ageing((), (), {}, (), ()),
        Curve(**{**CURVE.__dict__, "points": ()}),
        Tornado("margin", "", Decimal(0), ()),
        Pareto("margin", "margin", "", ()),
    ]
    for data in empty:
        picture = picture_of(data, words)
        assert words("plot.nothing") in texts(picture.svg())
        assert picture.alt


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_shown_and_nothing_warns(
    aluminium: Reported, hostile: Reported, language: str
) -> None:
    """A letter without a glyph is a warning of the drawing tool: here it is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in _data(aluminium).values():
            assert picture_of(data, Words(language)).png().startswith(b"\x89PNG")
        for data in (flows_of(hostile), waterfall(hostile, HOSTILE["product"])):
            ElementTree.fromstring(picture_of(data, Words(language)).svg())


def test_harmful_names_are_drawn_as_they_are(hostile: Reported) -> None:
    svg = picture_of(flows_of(hostile), EN).svg()
    assert b"<script" not in svg
    assert any(HOSTILE["customer"] in text for text in texts(svg))
    fall = picture_of(waterfall(hostile, HOSTILE["product"]), EN)
    title = ElementTree.fromstring(fall.svg()).find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == f"Footprint of {HOSTILE['product']}, before and after the credits"


def test_letters_that_cannot_be_shown_are_seen_to_be_missing() -> None:
    assert canvas.plain("a\u202eb\x07c\U000e0001d 髙﨑①㈱ é") == "a\ufffdb\ufffdc\ufffdd 髙﨑①㈱ é"
    assert canvas.clipped("白嶺車体工業株式会社", 11) == "白嶺車体工…"
    assert canvas.clipped("short", 5) == "short"


def test_the_same_data_give_the_same_bytes_in_another_process(tutorial: Reported, tmp_path: Path) -> None:
    """Whatever the user's settings, clock and hash seed."""
    code = (
        "import sys, pathlib\n"
        "from massbalance.pages.run import read_verified\n"
        "from tests.pages.test_pages_plots import _data\n"
        "from massbalance.pages.pictures import picture_of\n"
        "from massbalance.pages.texts import Words\n"
        "for name, data in _data(read_verified(pathlib.Path(sys.argv[1]))).items():\n"
        "    picture = picture_of(data, Words('ja'))\n"
        "    pathlib.Path(sys.argv[2], name + '.svg').write_bytes(picture.svg())\n"
        "    pathlib.Path(sys.argv[2], name + '.png').write_bytes(picture.png())\n"
    )
    settings = tmp_path / "matplotlibrc"
    settings.write_text("font.size: 20\nlines.linewidth: 9\naxes.facecolor: red\nsvg.fonttype: none\n")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "SOURCE_DATE_EPOCH": "1",
        "MATPLOTLIBRC": str(settings),
    }
    command = [sys.executable, "-c", code, str(tutorial.run.folder), str(tmp_path)]
    subprocess.run(command, check=True, env=environment)
    for name, data in _data(tutorial).items():
        picture = picture_of(data, JA)
        assert picture.svg() == (tmp_path / f"{name}.svg").read_bytes(), name
        assert picture.png() == (tmp_path / f"{name}.png").read_bytes(), name


def test_pictures_tell_no_time_no_tool_and_no_address(tutorial: Reported) -> None:
    picture = picture_of(flows_of(tutorial), EN)
    addresses = set(re.findall(rb"https?://[^\"' <>]+", picture.svg()))
    assert addresses == {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}  # names of languages
    assert b"matplotlib" not in picture.svg().lower()
    assert not [chunk for chunk in (b"tEXt", b"iTXt", b"zTXt", b"tIME") if chunk in picture.png()]


def test_drawing_leaves_the_callers_settings_alone(tutorial: Reported) -> None:
    before = dict(mpl.rcParams)
    picture_of(ageing(tutorial), EN).png()
    assert dict(mpl.rcParams) == before
