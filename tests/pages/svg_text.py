"""What an SVG says and holds: its texts (which stand in comments beside the outlines) and its parts."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> list[str]:
    """The texts that are drawn, in order."""
    found = re.findall(r"<!-- (.*?) -->", svg.decode("utf-8"), flags=re.DOTALL)
    return [
        text.replace("- -", "--").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        for text in found
    ]


def parts(svg: bytes) -> Counter[str]:
    """How many groups of each kind there are: patch, line2d, text ..."""
    root = ElementTree.fromstring(svg)
    ids = (group.get("id", "") for group in root.iter(f"{_SVG}g"))
    return Counter(re.sub(r"_\d+$", "", one) for one in ids)


def colours(svg: bytes, colour: str) -> int:
    """How many parts are filled with a colour."""
    return svg.decode("utf-8").lower().count(f"fill: {colour.lower()}")
