"""A drawing of ours on axes of matplotlib: its shapes as patches, its formulas as mathtext."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from symem.report.media.drawing import checked
from symem.report.media.paths import numbers
from symem.report.media.picture import ACCENTS, PATHS, Place, placed

#: Inches of a unit of a drawing.
_INCH = 1 / 72

_SIDES = {"start": "left", "middle": "center", "end": "right"}
_STYLES = {
    (True, False): "mathit",
    (False, True): "mathbf",
    (True, True): "mathbfit",
    (False, False): "mathrm",
}
_LETTER = re.compile(f"(.)([{''.join(ACCENTS)}]?)", flags=re.DOTALL)


def size_of(svg: str) -> tuple[float, float]:
    """Width and height in inches."""
    width, height = (float(checked(svg).get(name, "72")) for name in ("width", "height"))
    return width * _INCH, height * _INCH


def draw(svg: str, ax: Any) -> Any:
    """Fill the axes with a drawing, whatever their size.

    Raises:
        UnsafeDrawingError: it holds more than shapes and words.
    """
    root = checked(svg)
    width, height = float(root.get("width", "72")), float(root.get("height", "72"))
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.axis("off")
    room = ax.get_position()
    inches = ax.figure.get_size_inches()
    scale = min(room.width * inches[0] / width, room.height * inches[1] / height) / _INCH
    style = {"fill": "none", "stroke": "none", "font-size": "16"}
    for element, place in placed(root, Place(style, scale=scale)):
        if element.tag == "text":
            _write(ax, element, place)
        else:
            _shape(ax, element, place)
    return ax


def _shape(ax: Any, element: ET.Element, place: Place) -> None:
    from matplotlib.patches import PathPatch  # noqa: PLC0415  an optional extra

    style = place.style
    filled, stroked = (style.get(kind, "none") != "none" for kind in ("fill", "stroke"))
    ax.add_patch(
        PathPatch(
            _path(element, place),
            facecolor=_colour(style, "fill") if filled else "none",
            edgecolor=_colour(style, "stroke") if stroked else "none",
            linewidth=place.scale * numbers(style.get("stroke-width", "1"))[0],
            linestyle=(0, tuple(numbers(style["stroke-dasharray"]))) if "stroke-dasharray" in style else "-",
        )
    )


def _colour(style: Any, kind: str) -> tuple[str, float]:
    colour = style[kind]
    return ("black" if colour == "currentColor" else colour, float(style.get(f"{kind}-opacity", "1")))


def _path(element: ET.Element, place: Place) -> Any:
    """The outline, from the operators by which TeX draws it."""
    from matplotlib.path import Path  # noqa: PLC0415  an optional extra

    vertices: list[tuple[float, float]] = []
    codes: list[int] = []
    kinds: dict[str, Any] = {"m": Path.MOVETO, "l": Path.LINETO, "c": Path.CURVE4, "h": Path.CLOSEPOLY}
    for points, operator in _operations(element):
        shifted = [(place.x + x, place.y + y) for x, y in points] or vertices[-1:]
        vertices += shifted
        codes += [kinds[operator]] * len(shifted)
    return Path(vertices, codes)


def _operations(element: ET.Element) -> Iterator[tuple[list[tuple[float, float]], str]]:
    """Points and what is done with them: m, l, c or h."""
    for text in PATHS[element.tag](element):
        waiting: list[float] = []
        for word in text.split():
            if not word.isalpha():
                waiting.append(float(word))
                continue
            if word == "re":
                x, y, width, height = waiting
                corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
                yield from (([corner], "l" if k else "m") for k, corner in enumerate(corners))
                yield [], "h"
            else:
                yield list(zip(waiting[::2], waiting[1::2], strict=True)), word
            waiting = []


def _write(ax: Any, element: ET.Element, place: Place) -> None:
    x, y = (float(element.get(name, "0")) for name in ("x", "y"))
    spans = [place.inside(span) for span in element] or [place]
    points = max(float(span.style["font-size"].removesuffix("px")) for span in spans)
    text = ax.text(
        place.x + x,
        place.y + y,
        f"${_mathtext(element, place)}$",
        ha=_SIDES[place.style.get("text-anchor", "start")],
        va="baseline",
        fontsize=place.scale * points,
    )
    text.set_math_fontfamily("cm")


def _mathtext(element: ET.Element, place: Place) -> str:
    """The spans of a text: what is set higher or lower stands as a script."""
    parts, risen = [("", _set(element.text or "", place))], 0.0
    for span in element:
        risen -= float(span.get("dy", "0"))
        height = "" if abs(risen) < 0.5 else "^" if risen > 0 else "_"
        parts.append((height, _set(span.text or "", place.inside(span))))
    told = ((height, "".join(letters for _, letters in run)) for height, run in groupby(parts, itemgetter(0)))
    return "".join(f"{height}{{{letters}}}" if height else letters for height, letters in told)


def _set(text: str, place: Place) -> str:
    if not text.strip("\n"):
        return ""
    style = place.style
    font = _STYLES[style.get("font-style") == "italic", style.get("font-weight") == "bold"]
    return "".join(rf"\{font}{{{letter}}}" if letter.isalpha() else letter for letter in _letters(text))


def _letters(text: str) -> Iterator[str]:
    for letter, accent in _LETTER.findall(text):
        shown = {
            " ": r"\ ",
            "$": r"\$",
            "_": r"\_",
            "{": r"\{",
            "}": r"\}",
            "%": r"\%",
            "#": r"\#",
            "^": r"\^{}",
            "\\": "",
            "−": "{-}",
            "→": r"{\to}",
            "=": "{=}",
        }
        yield f"{ACCENTS[accent]}{{{letter}}}" if accent else shown.get(letter, letter)
