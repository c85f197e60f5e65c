"""The rules of notation, for any medium.

The rules: numbers, then weights, then parameters, then data, sums last (γ_ik x_i); differences start with
the data ((x_i − μ_k)²); a fraction is one fraction; indices are subscripts and count from 1; parameters
carry their iterate (θ^(t)); a condition stands in a bracket [z_i = k]; digamma is ψ. What names stand for
is looked up in a `Lexicon`; how signs are set is left to a `Markup`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import (
    Add,
    Eq,
    Expr,
    Function,
    Indexed,
    Integer,
    Piecewise,
    Pow,
    Product,
    S,
    Sum,
    Symbol,
    Tuple,
    cos,
    exp,
    log,
    loggamma,
    sin,
    true,
)

from symem.algebra.rewriting import Ratio, flat, is_negative
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.plates import Iverson, LogIverson
from symem.language.traces import Element, LogDet, Tr
from symem.report.notation.function_notation import FunctionNotation
from symem.report.notation.letters import Label, Tex
from symem.report.notation.lexicon import Lexicon, Mean, Rank
from symem.report.notation.markup import Markup
from symem.report.notation.matrix_notation import MatrixNotation


class Textbook(MatrixNotation, FunctionNotation):
    """The rules that both printers share; `self.lexicon` knows the names."""

    lexicon: Lexicon
    markup: Markup
    doprint: Callable[[Any], str]

    # ordering -----------------------------------------------------------------------------------

    def rank(self, expr: Expr) -> Rank:
        if isinstance(expr, Pow):
            return self.rank(expr.base)
        if isinstance(expr, Symbol | Indexed):
            return self.lexicon.rank(name_of(expr))
        for kind, rank in _RANKS:
            if isinstance(expr, kind):
                return rank
        return Rank.NUMBER if expr.is_number else Rank.FUNCTION

    def ratio(self, expr: Expr) -> Ratio:
        """A product as a fraction whose factors are in the order of print, with few minus signs."""
        number, above, below = S.One, [], []
        for factor in flat(expr):
            if factor.is_Rational:
                number *= factor
            elif isinstance(factor, Pow) and is_negative(factor.exp):
                sign, base = _positive(factor.base, factor.exp)
                number *= sign
                below.append(_power(base, -factor.exp))
            else:
                above.append(factor)
        negative = number < 0
        groups = [factor for factor in above if factor.is_Add]
        if negative and len(groups) == 1 and 2 * sum(map(is_negative, groups[0].args)) >= len(groups[0].args):
            above[above.index(groups[0])] = Add(*(-term for term in groups[0].args))
            negative = False
        return Ratio(negative, abs(number), self._sorted(above), self._sorted(below))

    def _sorted(self, factors: list[Expr]) -> tuple[Expr, ...]:
        return tuple(sorted(factors, key=lambda factor: (self.rank(factor), natural(factor))))

    def terms(self, expr: Expr) -> list[Expr]:
        """The terms of a sum in the order of print: what is added first, plain numbers last."""

        def key(term: Expr) -> tuple[Any, ...]:
            bare = term.as_coeff_Mul()[1]
            weighted = any(self.rank(atom) in _SUMMED for atom in term.atoms(Symbol, Indexed))
            of_data = self._deepest(term) > Rank.PARAMETER
            return (
                is_negative(term),
                term.is_Rational,
                not weighted,
                of_data,
                bare.count_ops(),
                natural(bare),
            )

        return sorted(Add.make_args(expr), key=key)

    def centred(self, base: Expr) -> Expr:
        """The base of an even power, or the angle of a cosine, turned so that data come first: (x - mu), not (mu - x), but (1 - mu)."""
        if not base.is_Add:
            return base
        if base.has(MatrixEntry):
            return self._from_the_data(base)
        if any(term.is_Rational and term.is_positive for term in base.args):
            return base
        leading = max(base.args, key=lambda term: (self._deepest(term), not is_negative(term)))
        return Add(*(-term for term in base.args)) if is_negative(leading) else base

    def _deepest(self, term: Expr) -> int:
        if vectors := term.atoms(MatrixEntry):
            return max(Rank.DATA if name_of(v) in self.lexicon.means else self.rank(v) for v in vectors)
        slots = {slot for each in term.atoms(Indexed) for slot in each.indices}
        atoms = term.atoms(Symbol, Indexed) - {atom for slot in slots for atom in slot.atoms(Symbol, Indexed)}
        atoms -= labels_in(term)
        return max((self.rank(atom) for atom in atoms or term.atoms(Indexed)), default=Rank.NUMBER)

    # structure ----------------------------------------------------------------------------------

    def _print_Add(self, expr: Expr, **_: Any) -> str:
        parts: list[str] = []
        ordered = self.terms(expr)
        for term in self.identities(ordered) if is_matrix(expr) else ordered:
            negative = is_negative(term)
            sign = ("-" if negative else "") if not parts else (" - " if negative else " + ")
            parts.append(sign + self.term(-term if negative else term))
        return "".join(parts)

    def _print_Mul(self, expr: Expr, **_: Any) -> str:
        if is_matrix(expr):
            return self.matrix_product(expr)
        ratio = self.ratio(expr)
        sign = "-" if ratio.negative else ""
        if not ratio.below and ratio.number.is_Integer:
            return sign + self.product(_numbered(ratio.number.p, ratio.above))
        outside = tuple(factor for factor in ratio.above if self._stands_out(factor, ratio))
        inside = tuple(factor for factor in ratio.above if factor not in outside)
        fraction = self.fraction(_numbered(ratio.number.p, inside), _numbered(ratio.number.q, ratio.below))
        return sign + self.markup.juxtaposed([fraction, *([self.product(outside)] if outside else [])])

    def _stands_out(self, factor: Expr, ratio: Ratio) -> bool:
        """Whether a factor is set beside the fraction, not above its line."""
        if isinstance(factor, Element | Tr) and factor.has(Sum):
            return True
        if not self.markup.builds_up:
            return False
        rank = self.rank(factor)
        if not ratio.below:
            return rank >= Rank.FUNCTION
        return rank is Rank.EXPONENTIAL or isinstance(factor, Product)

    def fraction(self, above: tuple[Expr, ...], below: tuple[Expr, ...]) -> str:
        compound = (len(above) == 1 and above[0].is_Add, len(below) > 1 or below[0].is_Add or below[0].is_Mul)
        top, bottom = (
            self.term(side[0]) if len(side) == 1 else self.product(side) for side in (above, below)
        )
        return self.markup.fraction(top, bottom, compound=compound)

    def product(self, factors: tuple[Expr, ...]) -> str:
        last = len(factors) - 1
        return self.markup.juxtaposed([self.factor(f, last=place == last) for place, f in enumerate(factors)])

    def factor(self, expr: Expr, *, last: bool) -> str:
        """One factor, in parentheses where it would otherwise run into its neighbours."""
        if isinstance(expr, log | cos | sin) and not last:
            return self.markup.function(expr.func.__name__, self.doprint(expr.args[0]), bare=False)
        body = self.doprint(expr)
        runs_on = isinstance(expr, Sum | Product | loggamma | LogIverson | LogDet | Tr) and not last
        return self.markup.group(body) if expr.is_Add or expr.is_Mul or runs_on else body

    def term(self, expr: Expr) -> str:
        return self.doprint(expr)

    def _print_Pow(self, expr: Expr, **_: Any) -> str:
        if is_matrix(expr):
            return self.matrix_power(expr)
        base, exponent = expr.args
        if exponent == S.Half:
            return self.markup.root(self.doprint(base))
        if is_negative(exponent):
            return self.fraction((S.One,), (_power(base, -exponent),))
        if exponent.is_Integer and exponent.is_even:
            base = self.centred(base)
        body = self.doprint(base)
        return self.markup.power(
            body if self._is_atomic(base) else self.markup.group(body), self.doprint(exponent)
        )

    def _is_atomic(self, base: Expr) -> bool:
        """Whether an exponent may follow directly."""
        if not isinstance(base, Symbol | Indexed):
            return isinstance(base, Iverson) or base.is_Integer or base is S.Pi
        name = name_of(base)
        label = self.lexicon.label(name)
        bare = label.sup is None and label.argument is None and not isinstance(label.head, Tex)
        return bare and not self.lexicon.marks.get(name) and name not in self.lexicon.means

    # names --------------------------------------------------------------------------------------

    def _print_Symbol(self, expr: Expr, **_: Any) -> str:
        name, slots = name_of(expr), places_of(expr)
        lexicon = self.lexicon
        if name in lexicon.means:
            return self._mean(lexicon.means[name], slots)
        if name in lexicon.masks:
            return self.markup.bracket(self.seen(expr, "observed"))
        label, mark = lexicon.label(name), "" if expr.is_Dummy else lexicon.marks.get(name, "")
        printed = self._slots(tuple(reversed(slots)) if name in lexicon.turned else slots)
        if label.argument is not None:
            argument = self.markup.letter(label.argument, printed, "")
            return self.markup.letter(Label(label.head), (), mark) + self.markup.group(argument)
        return self.markup.letter(label, printed, mark)

    _print_Indexed = _print_Symbol
    _print_Dummy = _print_Symbol

    def _print_Idx(self, expr: Expr, **_: Any) -> str:
        return self._print_Symbol(expr.label)

    def seen(self, mask: Expr, how: str) -> str:
        """x_i observed, or x_i missing, for a mask."""
        data = replace(self.lexicon.label(self.lexicon.masks[name_of(mask)]), bold=False)
        return self.markup.letter(data, self._slots(places_of(mask)), "") + self.markup.text(how)

    def _mean(self, mean: Mean, slots: tuple[Expr, ...]) -> str:
        at = dict(zip(mean.indices, slots, strict=True))
        body = self.doprint(mean.statistic.subs(at, simultaneous=True))
        given = [
            slot for index, slot in zip(mean.indices, slots, strict=True) if not mean.statistic.has(index)
        ]
        return self.markup.mean(body, self._slots(tuple(given)))

    def _slots(self, slots: tuple[Expr, ...]) -> list[str]:
        return [self.doprint(slot).replace(" ", "") for slot in slots]

    # sums and products -------------------------------------------------------------------------

    def _print_Sum(self, expr: Expr, **_: Any) -> str:
        return self._over("Sum", expr)

    def _print_Product(self, expr: Expr, **_: Any) -> str:
        return self._over("Product", expr)

    def _over(self, sign: str, expr: Expr) -> str:
        inner, limits = expr.function, outermost_first(expr)
        heads = [self.markup.big(sign, *map(self.doprint, limit)) for limit in limits]
        if (part := _where(expr)) is not None:
            inner, condition = part
            heads[-1] = self.markup.big_where(sign, *map(self.doprint, (limits[-1][0], condition)))
        body = self.markup.group(self.doprint(inner)) if inner.is_Add else self.doprint(inner)
        return self.markup.juxtaposed([*heads, body])


def _where(expr: Expr) -> tuple[Expr, Expr] | None:
    """What is summed or multiplied where a condition holds, and nothing elsewhere."""
    inner, nothing = expr.function, S.Zero if isinstance(expr, Sum) else S.One
    if not isinstance(inner, Piecewise) or len(inner.args) != 2 or inner.args[1] != (nothing, true):
        return None
    value, condition = inner.args[0].args
    if isinstance(condition, Eq) and isinstance(condition.rhs, Indexed):
        condition = Eq(*condition.args[::-1], evaluate=False)
    return value, condition


_SUMMED = frozenset({Rank.WEIGHT, Rank.STATISTIC})
_RANKS: tuple[tuple[Any, Rank], ...] = (
    (Iverson, Rank.WEIGHT),
    (Sum, Rank.SUM),
    (Product, Rank.SUM),
    (exp, Rank.EXPONENTIAL),
    (Add, Rank.GROUP),
    (Function, Rank.FUNCTION),
)


def natural(expr: Expr) -> list[str]:
    """A key under which S_2 comes before S_10, whatever number stands before it."""
    return [
        part.zfill(6) if part.isdecimal() else part
        for part in re.split(r"(\d+)", str(expr.as_coeff_Mul()[1]))
    ]


def outermost_first(expr: Expr) -> list[Any]:
    """Limits as read from the left: those that others need first, else in the order of the slots they stand in."""
    bound = {limit[0] for limit in expr.limits}
    needed = {limit[0]: bound & Tuple(*limit[1:]).free_symbols for limit in expr.limits}
    place = {
        index: min(
            (slots.index(index) for slots in map(places_of, expr.atoms(Indexed)) if index in slots), default=0
        )
        for index in bound
    }
    return sorted(expr.limits, key=lambda limit: (len(needed[limit[0]]), place[limit[0]]))


def _positive(base: Expr, exponent: Expr) -> tuple[int, Expr]:
    """A sign and a base whose product to that power is the same, the base without minus signs throughout."""
    if base.is_Add and all(map(is_negative, base.args)) and exponent.is_Integer:
        return (-1) ** int(exponent % 2), Add(*(-term for term in base.args))
    return 1, base


def _power(base: Expr, exponent: Expr) -> Expr:
    return base if exponent == 1 else Pow(base, exponent, evaluate=False)


def _numbered(number: int, factors: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The factors after a number, which is left out where it is 1 and others stand."""
    return factors if number == 1 and factors else (Integer(number), *factors)
