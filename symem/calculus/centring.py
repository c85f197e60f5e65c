"""Sums of squares about their mean: N = Σ w, m = Σ w f / N and C = Σ w (f - m)² in the place of Σ w f and Σ w f².

Whatever f is, Σ w f² = C + N m². Both sides say the same, but a variance is C / N, where the other form is a
difference of large numbers: so Q is written in N, m and C before anything is solved. With posterior variances v beside
the squares, C is Σ w ((f - m)² + v), the mean of a square about m. (Chan, Golub & LeVeque 1983.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from sympy import Expr, S

from symem.budget import look
from symem.calculus.separate import Term, gather, separate
from symem.calculus.weighted_sums import Facts, First, Total, firsts, parts_of
from symem.language.matrices import is_matrix, shape, transpose
from symem.language.plates import Axis, total
from symem.language.traces import Tr


@dataclass(frozen=True)
class Shape:
    """What a second sum is of, about zero and about means, and how the two differ."""

    plain: Callable[[Expr, Expr], Expr]
    about: Callable[[Expr, Expr, Expr, Expr], Expr]
    at_means: Callable[[Expr, Expr], Expr]


def _bilinear(product: Callable[[Expr, Expr], Expr]) -> Shape:
    return Shape(product, lambda f, g, m, h: product(f - m, g - h), product)


#: Σ w f g, Σ w f gᵀ and Σ w fᵀg.
PRODUCT = _bilinear(lambda f, g: f * g)
OUTER = _bilinear(lambda f, g: f * transpose(g))
INNER = _bilinear(lambda f, g: Tr(transpose(f) * g))
#: Σ w / f, of which the part about the mean is Σ w (f - m)² / (f m²) (Tweedie 1957).
RECIPROCAL = Shape(lambda f, _g: 1 / f, lambda f, _g, m, _h: (f - m) ** 2 / (f * m**2), lambda m, _h: 1 / m)


@dataclass(frozen=True)
class Second:
    """number · (Σ w s(f, g) + Σ v) over the axes of the first sums and those within which they are pooled.

    What has no square beside it is taken as it stands: Σ w (f - m) g, about the mean of f alone.
    """

    whole: Total
    number: Expr
    shape: Shape
    first: First
    other: First
    within: tuple[Axis, ...]
    spread: tuple[Term, ...]
    centred: tuple[bool, bool] = (True, True)

    @property
    def ones(self) -> tuple[First, First]:
        return self.first, self.other

    @property
    def is_square(self) -> bool:
        return self.first.whole == self.other.whole

    @property
    def about_means(self) -> tuple[First, ...]:
        """The first sums of what is taken about its mean."""
        return tuple(one for one, about in zip(self.ones, self.centred, strict=True) if about)

    @property
    def as_they_stand(self) -> tuple[First, ...]:
        """The first sums of the rest."""
        return tuple(one for one, about in zip(self.ones, self.centred, strict=True) if not about)

    @property
    def reads(self) -> tuple[Total, ...]:
        """The sums that it takes: its own, the first ones, and the totals."""
        totals = (whole for one in self.ones for whole, _number in one.totals)
        return (self.whole, *(one.whole for one in self.ones), *totals)


def seconds(sums: Sequence[Total], facts: Facts) -> tuple[Second, ...]:
    """Sums read as squares or products of functions whose first sums are there; each sum is read in one way."""
    readings = Readings(facts)
    options = tuple(firsts(sums, facts))
    for pair in (*((each, each) for each in options), *pairs(options)):
        for whole in sums:
            readings.offer(whole, *pair)
    return tuple(readings.seconds.values())


@dataclass
class Readings:
    """What each sum was read as so far: a second sum, a first one under some weight, or a total."""

    facts: Facts
    seconds: dict[Total, Second] = field(default_factory=dict)
    means: dict[Total, tuple[Expr, Expr]] = field(default_factory=dict)
    totals: set[Total] = field(default_factory=set)
    plain: set[Total] = field(default_factory=set)

    def offer(self, whole: Total, first: First, other: First) -> None:
        """Read a sum as one of products of these two, if nothing was read otherwise before.

        A product of two functions is centred beside the square of one of them, not by itself.
        """
        look()
        centred = (first is other or first.whole in self.means, first is other or other.whole in self.means)
        if (
            any(centred)
            and self._is_open(whole)
            and all(self._agrees(each, whole) for each in (first, other))
        ):
            forms = (_matched(whole, form, first, other, self.facts) for form in _forms(whole, first, other))
            found = next(filter(None, forms), None)
            if found is not None:
                found = self.seconds[whole] = replace(found, centred=centred)
                self.means |= {each.whole: (each.weight, each.function) for each in found.about_means}
                self.plain |= {each.whole for each in found.as_they_stand}
                self.totals |= {total for each in (first, other) for total, _number in each.totals}

    def _is_open(self, whole: Total) -> bool:
        return not any(whole in read for read in (self.seconds, self.means, self.totals, self.plain))

    def _agrees(self, each: First, whole: Total) -> bool:
        own = {total for total, _number in each.totals}
        reading = each.weight, each.function
        return (
            whole not in {each.whole, *own}
            and each.whole not in self.totals | self.seconds.keys()
            and self.means.get(each.whole, reading) == reading
            and not own & (self.seconds.keys() | self.means.keys())
        )


def pairs(options: Sequence[First]) -> Iterator[tuple[First, First]]:
    """Two functions under one weight, over the same axes or the one over more."""
    for first, other in permutations(options, 2):
        if first.weight == other.weight and first.whole != other.whole and set(other.axes) <= set(first.axes):
            yield first, other.over(first.axes)


def _forms(whole: Total, first: First, other: First) -> tuple[Shape, ...]:
    """The products that have the shape of a sum."""
    columns = [is_matrix(each.function) for each in (first, other)]
    if any(
        column and shape(each.function)[1] != 1 for column, each in zip(columns, (first, other), strict=True)
    ):
        return ()
    if not any(columns):
        squares = (PRODUCT, RECIPROCAL) if first == other else (PRODUCT,)
        return () if is_matrix(whole.value) else squares
    if not all(columns):
        return (PRODUCT,) if is_matrix(whole.value) else ()
    sides = shape(first.function)[0], shape(other.function)[0]
    if is_matrix(whole.value):
        return (OUTER,) if shape(whole.value) == sides else ()
    return (INNER,) if sides[0] == sides[1] else ()


def _matched(whole: Total, form: Shape, first: First, other: First, facts: Facts) -> Second | None:
    """number · Σ w s(f, g), posterior variances apart."""
    outer = {axis.index for axis in whole.axes}
    within = tuple(
        axis for axis in dict.fromkeys((*first.whole.axes, *other.whole.axes)) if axis.index not in outer
    )
    if not outer <= {axis.index for each in (first, other) for axis in each.whole.axes}:
        return None
    body = first.weight * form.plain(first.function, other.function)
    plain = parts_of(separate(total(body, (*first.axes, *within))), facts)
    lead = next((key for key in plain if key in whole.parts), None)
    if lead is None:
        return None
    number = whole.parts[lead] / plain[lead]
    rest = {
        key: whole.parts.get(key, S.Zero) - number * plain.get(key, S.Zero)
        for key in {**whole.parts, **plain}
    }
    spread = [Term(n / number * key.factor, key.axes) for key, n in rest.items() if n.expand() != 0]
    if not all(facts.holds_variance(term.factor) for term in spread):
        return None
    return Second(whole, number, form, first, other, within, tuple(gather(spread)))
