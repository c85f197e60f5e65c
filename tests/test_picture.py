"""Drawings set by TeX: the operators of each shape, arcs on their circles, and words that stay words."""

from __future__ import annotations

import math
import re

import pytest

from symem.report.media.drawing import UnsafeDrawingError
from symem.report.media.paths import operators
from symem.report.media.picture import picture
from tests.sample import DRAWING


def drawn(inside: str) -> str:
    return picture(f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="80">{inside}</svg>')


@pytest.mark.parametrize(
    ("shape", "operators_"),
    [
        ('<line x1="1" y1="2" x2="3" y2="4" fill="none" stroke="currentColor"/>', "1 2 m 3 4 l S"),
        ('<polyline points="0,1 2,3 4,5" stroke="#ff0000"/>', "0 1 m 2 3 l 4 5 l B"),
        ('<polygon points="0,1 2,3 4,5" fill="#00ff00"/>', "0 1 m 2 3 l 4 5 l h f"),
        ('<rect x="1" y="2" width="3" height="4" fill="none" stroke="#000"/>', "1 2 3 4 re S"),
        ('<path d="M1 2H5V6Z" fill="none" stroke="#000"/>', "1 2 m 5 2 l 5 6 l h S"),
    ],
)
def test_a_shape(shape: str, operators_: str) -> None:
    assert operators_ in drawn(shape)


def test_thinned_ink_is_mixed_with_the_paper() -> None:
    assert "0.75 0.75 0.75 rg" in drawn(
        '<rect width="1" height="1" fill="currentColor" fill-opacity="0.25"/>'
    )
    assert "1 0.5 0.5 rg" in drawn('<rect width="1" height="1" fill="#ff0000" fill-opacity="0.5"/>')


def test_groups_move_what_is_in_them() -> None:
    told = drawn(
        '<g transform="translate(10 20)"><circle cx="1" cy="1" r="1" fill="#000"/><text x="2" y="3">a</text></g>'
    )
    assert "q 1 0 0 1 10 20 cm" in told
    assert r"\put(12,57){\makebox[0pt][l]" in told


def test_what_draws_nothing_is_left_out() -> None:
    assert drawn('<rect width="1" height="1" fill="none"/>').count("cm") == 1


@pytest.mark.parametrize("sweep", [0, 1])
@pytest.mark.parametrize("large", [0, 1])
def test_an_arc_stays_on_its_circle(large: int, sweep: int) -> None:
    """Every point of every curve is at the radius from one centre, on the side that the flags say."""
    x = y = 0.0
    points = []
    for operator in operators(f"M 0 0 A 5 5 0 {large} {sweep} 6 2"):
        *values, name = operator.split()
        if name == "c":
            a = [float(value) for value in values]
            for t in (0.25, 0.5, 0.75, 1.0):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                points.append(
                    tuple(
                        sum(w * p for w, p in zip(weights, (s, *a[k::2]), strict=True))
                        for k, s in ((0, x), (1, y))
                    )
                )
        x, y = map(float, values[-2:])
    assert (x, y) == (6.0, 2.0)
    across = math.sqrt(25 - 10) / math.hypot(6, 2)
    side = 1 if large == sweep else -1
    centre = (3 + side * across * 2, 1 - side * across * 6)
    assert all(math.dist(centre, point) == pytest.approx(5, abs=5e-3) for point in points)


def test_only_numbers_reach_the_engine() -> None:
    told = drawn(
        '<path d="M 1 2 L 3 4" stroke="}\\input{x}" stroke-dasharray="2 \\write18" stroke-width="1"/>'
    )
    code = re.search(r"\\symemdraw\{(.*)\}\}", told)
    assert code is not None
    assert re.fullmatch(r"[-0-9a-zA-Z.\[\] ]*", code[1])
    with pytest.raises(UnsafeDrawingError):
        drawn('<script>alert("1")</script>')


def test_words_of_a_drawing_are_words() -> None:
    told = picture(DRAWING.replace("iteration", r"\input{x} $y$ m&#x302;"))
    assert r"\textbackslash{}input\{x\}~\$y\$" in told
    assert r"\hat{\mbox{m}}" in told
