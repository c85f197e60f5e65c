"""A drawing let into a page: only shapes and words pass, everything that could act is refused."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markupsafe import Markup

SPACE = "http://www.w3.org/2000/svg"
SHAPES = frozenset(
    {
        "svg",
        "g",
        "path",
        "line",
        "polyline",
        "polygon",
        "rect",
        "circle",
        "ellipse",
        "text",
        "tspan",
        "title",
        "desc",
    }
)
GEOMETRY = (
    "x y x1 x2 y1 y2 dx dy cx cy r rx ry d points width height viewBox transform fill stroke stroke-width "
    "stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity fill-opacity fill-rule opacity class "
    "text-anchor dominant-baseline font-size font-family font-style font-weight baseline-shift "
    "preserveAspectRatio role aria-label aria-hidden"
)
ATTRIBUTES = frozenset(GEOMETRY.split())


class UnsafeDrawingError(ValueError):
    """The SVG holds an element or an attribute that is not a shape's: a mistake of who drew it."""


def inert(svg: str, name: str, *, ground: str | None = None) -> Markup:
    """The drawing, named for those who cannot see it, on a ground of that colour if it is to stand alone.

    Raises:
        UnsafeDrawingError: it holds a script, a style, a link, or anything else that does more than draw.
    """
    root = checked(svg)
    root.set("role", "img")
    root.set("aria-label", name)
    if ground:
        root.insert(0, ET.Element("rect", {"width": "100%", "height": "100%", "fill": ground}))
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  parsed and checked


def checked(svg: str) -> ET.Element:
    """The drawing as a tree of shapes and words.

    Raises:
        UnsafeDrawingError: it holds anything else.
    """
    root = _parsed(svg)
    for surplus in ("style", "color"):  # the page says how a drawing fits in
        root.attrib.pop(surplus, None)
    for element in root.iter():
        _check(element)
    return root


def _parsed(svg: str) -> ET.Element:
    """The tree, without a name space in its tags; an entity or a document type has no place in a drawing."""
    if re.search(r"<[!?]", svg):
        raise UnsafeDrawingError("a drawing has no declarations, comments or entities")
    root = ET.fromstring(svg)  # noqa: S314  no entities
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SPACE}}}")
    if root.tag != "svg":
        raise UnsafeDrawingError(f"a drawing is an <svg>, not a <{root.tag}>")
    root.set("xmlns", SPACE)
    return root


def _check(element: ET.Element) -> None:
    if element.tag not in SHAPES:
        raise UnsafeDrawingError(f"<{element.tag}> does more than draw")
    for attribute, value in element.attrib.items():
        if attribute not in ATTRIBUTES | {"xmlns"} or "url(" in value.lower():
            raise UnsafeDrawingError(f"{attribute}={value!r} on <{element.tag}> does more than draw")
