r"""A drawing set by TeX itself: its shapes as PDF operators, its letters in TeX's own fonts, on a `picture`.

No package draws here: `\symemdraw` hands the operators to whatever engine runs (`\pdfliteral` and its kin). Only
numbers go into them; words go through `escape`. Thinned ink is ink mixed with the white of the paper.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symem.report.media.drawing import checked
from symem.report.media.paths import Point, numbers, operators
from symem.report.notation.letters import escape

SCALE = 0.8  # of a CSS pixel in big points: drawings are made for screens
WIDEST = 440.0  # big points: what fits a page
ROUND = 0.5523  # a quarter of a circle as a Bézier curve
SIZES = ((6.5, r"\tiny"), (8.5, r"\scriptsize"), (9.5, r"\footnotesize"), (10.5, r"\small"))
ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde"}
SIGNS = {
    " ": "~",
    "−": "$-$",
    "\u2009": r"\,",
    "ϑ": r"$\vartheta$",
    "′": r"$'$",
    "|": r"$|$",
    "=": r"$=$",
    "≈": r"$\approx$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "±": r"$\pm$",
}
GREEK = re.compile(r"\\ensuremath\{(\\[A-Za-z]+)\}")
SIDES = {"start": "l", "middle": "c", "end": "r"}
INHERITED = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "fill-opacity",
    "stroke-dasharray",
    "font-size",
)
INHERITED_BY_WORDS = ("font-style", "font-weight", "text-anchor")


@dataclass(frozen=True)
class Place:
    """What an element inherits: presentation attributes, and how far its group is moved."""

    style: Mapping[str, str]
    x: float = 0.0
    y: float = 0.0
    scale: float = SCALE

    def inside(self, element: ET.Element) -> Place:
        own = {k: v for k, v in element.attrib.items() if k in (*INHERITED, *INHERITED_BY_WORDS)}
        moved = re.fullmatch(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", element.get("transform", ""))
        dx, dy = map(float, moved.groups()) if moved else (0.0, 0.0)
        return Place({**self.style, **own}, self.x + dx, self.y + dy, self.scale)


def picture(svg: str) -> str:
    """The drawing as a LaTeX picture.

    Raises:
        UnsafeDrawingError: it holds more than shapes and words.
    """
    root = checked(svg)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    shapes: list[str] = []
    words: list[str] = []
    scale = min(SCALE, WIDEST / width) if width else SCALE
    style = {"fill": "black", "stroke": "none", "font-size": "16"}
    for element, place in placed(root, Place(style, scale=scale)):
        if element.tag == "text":
            words.append(_words(element, place, height))
        else:
            shapes += _drawn(element, place)
    code = " ".join(["q", f"{scale:.3g} 0 0 -{scale:.3g} 0 0 cm", *shapes, "Q"])
    lines = [
        rf"\setlength{{\unitlength}}{{{scale:.3g}bp}}\begin{{picture}}({width:g},{height:g})",
        rf"\put(0,{height:g}){{\symemdraw{{{code}}}}}",
        *words,
        r"\end{picture}",
    ]
    return "\n".join(lines)


def placed(element: ET.Element, place: Place) -> Iterator[tuple[ET.Element, Place]]:
    """Every shape and every text, with what it inherits."""
    own = place.inside(element)
    if element.tag in {"svg", "g"}:
        for child in element:
            yield from placed(child, own)
    elif element.tag not in {"title", "desc"}:
        yield element, own


# shapes ----------------------------------------------------------------------------------------------


def _drawn(element: ET.Element, place: Place) -> Iterator[str]:
    """The operators of one shape: state, path, and what is done with it."""
    style = place.style
    filled, stroked = (style.get(kind, "none") != "none" for kind in ("fill", "stroke"))
    if not (filled or stroked):
        return
    dashes = " ".join(f"{each:g}" for each in numbers(style.get("stroke-dasharray", "")))
    yield f"q 1 0 0 1 {place.x:g} {place.y:g} cm 1 j"
    yield f"{numbers(style.get('stroke-width', '1'))[0]:g} w [{dashes}] 0 d"
    yield f"{_ink(style, 'fill')} rg {_ink(style, 'stroke')} RG"
    yield from PATHS[element.tag](element)
    yield {(True, True): "B", (True, False): "f", (False, True): "S"}[filled, stroked] + " Q"


def _ink(style: Mapping[str, str], kind: str) -> str:
    """Red, green and blue, thinned into the paper."""
    colour = style.get(kind, "none")
    digits = (
        colour[1:]
        if re.fullmatch(r"#[0-9a-fA-F]{6}", colour)
        else "ffffff"
        if colour == "white"
        else "000000"
    )
    if re.fullmatch(r"#[0-9a-fA-F]{3}", colour):
        digits = "".join(2 * digit for digit in colour[1:])
    opacity = float(style.get(f"{kind}-opacity", "1"))
    channels = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return " ".join(f"{1 - opacity * (1 - channel):.3g}" for channel in channels)


def _at(element: ET.Element, *names: str) -> list[float]:
    return [float(element.get(name, "0")) for name in names]


def _line(element: ET.Element) -> Iterator[str]:
    x1, y1, x2, y2 = _at(element, "x1", "y1", "x2", "y2")
    yield f"{x1:g} {y1:g} m {x2:g} {y2:g} l"


def _open(element: ET.Element) -> Iterator[str]:
    flat = numbers(element.get("points", ""))
    for place, (x, y) in enumerate(zip(flat[::2], flat[1::2], strict=True)):
        yield f"{x:g} {y:g} {'l' if place else 'm'}"


def _closed(element: ET.Element) -> Iterator[str]:
    yield from _open(element)
    yield "h"


def _rect(element: ET.Element) -> Iterator[str]:
    x, y, width, height, rx = _at(element, "x", "y", "width", "height", "rx")
    yield from _oval(x, y, width, height, (rx, float(element.get("ry", rx))))


def _round(element: ET.Element) -> Iterator[str]:
    cx, cy, r = _at(element, "cx", "cy", "r")
    rx, ry = (float(element.get(name, r)) for name in ("rx", "ry"))
    yield from _oval(cx - rx, cy - ry, 2 * rx, 2 * ry, (rx, ry))


def _oval(x: float, y: float, width: float, height: float, radii: Point) -> Iterator[str]:
    """A rectangle with round corners."""
    rx, ry = min(radii[0], width / 2), min(radii[1], height / 2)
    if rx <= 0 or ry <= 0:
        yield f"{x:g} {y:g} {width:g} {height:g} re"
        return
    corners = (  # where the side ends, the corner, where the next side begins
        ((x + width - rx, y), (x + width, y), (x + width, y + ry)),
        ((x + width, y + height - ry), (x + width, y + height), (x + width - rx, y + height)),
        ((x + rx, y + height), (x, y + height), (x, y + height - ry)),
        ((x, y + ry), (x, y), (x + rx, y)),
    )
    yield f"{x + rx:g} {y:g} m"
    for before, corner, after in corners:
        first, second = (_toward(end, corner) for end in (before, after))
        yield f"{before[0]:g} {before[1]:g} l {_pairs(first, second, after)} c"
    yield "h"


def _toward(end: Point, corner: Point) -> Point:
    return end[0] + ROUND * (corner[0] - end[0]), end[1] + ROUND * (corner[1] - end[1])


def _pairs(*points: Point) -> str:
    return " ".join(f"{x:.4g} {y:.4g}" for x, y in points)


def _path(element: ET.Element) -> Iterator[str]:
    yield from operators(element.get("d", ""))


PATHS = {
    "line": _line, "polyline": _open, "polygon": _closed, "rect": _rect, "circle": _round, "ellipse": _round,
    "path": _path,
}  # fmt: skip


# words -----------------------------------------------------------------------------------------------


def _words(element: ET.Element, place: Place, height: float) -> str:
    x, y = _at(element, "x", "y")
    side = SIDES[place.style.get("text-anchor", "start")]
    set_ = "".join(_runs(element, place))
    box = rf"\makebox[0pt][{side}]{{{set_}}}"
    return rf"\put({place.x + x:g},{height - place.y - y:g}){{{box}}}"


def _runs(element: ET.Element, place: Place) -> Iterator[str]:
    """The letters of a text, span by span; `dy` moves what follows."""
    if element.text and element.text.strip():
        yield _set(element.text, place)
    risen = 0.0
    for span in element:
        risen -= float(span.get("dy", "0"))
        yield rf"\raisebox{{{place.scale * risen:.3g}bp}}{{{_set(span.text or '', place.inside(span))}}}"


def _set(text: str, place: Place) -> str:
    points = place.scale * float(place.style["font-size"].removesuffix("px"))
    size = next((command for limit, command in SIZES if points <= limit), r"\normalsize")
    italic, bold = place.style.get("font-style") == "italic", place.style.get("font-weight") == "bold"
    told = "".join(_letters(text))
    told = GREEK.sub(r"\\ensuremath{\\boldsymbol{\1}}", told) if bold else told
    told = rf"\textit{{{told}}}" if italic else told
    return f"{{{size} " + (rf"\textbf{{{told}}}" if bold else told) + "}"


def _letters(text: str) -> Iterator[str]:
    """Characters escaped; an accent goes over the letter before it."""
    for letter, accent in re.findall(f"(.)([{''.join(ACCENTS)}]?)", text, flags=re.DOTALL):
        told = SIGNS.get(letter) or escape(letter)
        yield rf"$\displaystyle{ACCENTS[accent]}{{\mbox{{{told}}}}}$" if accent else told
