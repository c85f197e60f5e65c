"""How a rule of reading is applied, and the nodes that exist in print alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sympy import Expr, Indexed, Mul, Pow, Rational, Symbol, atan2
from sympy.core.relational import Relational

from symem.algebra.counting import rebuilt
from symem.derivation import Definition
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.matrices import is_matrix, shape
from symem.language.traces import Tr


class Identity(Expr):  # type: ignore[misc]
    """I: what a number that stands for a matrix is multiplied by."""

    is_commutative = False


def matrix_valued(value: Expr, symbol: Expr) -> Expr:
    """A number as the multiple of I that it is where a matrix is defined."""
    if not is_matrix(symbol) or is_matrix(value):
        return value
    return Mul(value, Identity(), evaluate=False) if value != 1 else Identity()


class Det(Expr):  # type: ignore[misc]
    """|M| of a positive definite matrix."""

    is_commutative = True
    is_positive = True


class MatrixMean(Expr):  # type: ignore[misc]
    """⟨M⟩, the posterior mean of a matrix: args (M, the labels given)."""

    is_commutative = False

    @property
    def dimensions(self) -> tuple[Expr, Expr]:
        return shape(self.args[0])


class ScalarMean(Expr):  # type: ignore[misc]
    """⟨f⟩, the posterior mean of a number: args as of `MatrixMean`."""

    is_commutative = True


def shape_of(expr: Expr) -> tuple[Expr, Expr]:
    """(rows, columns) of a matrix expression that may hold means."""
    return shape(expr.replace(lambda e: isinstance(e, MatrixMean), lambda e: e.args[0]))


def bottom_up(expr: Expr, rule: Callable[[Expr], Expr]) -> Expr:
    """The rule at every node, leaves first; slots of arrays and relations are left alone."""
    if not expr.args or isinstance(expr, Indexed | Relational):
        return rule(expr)
    told = rebuilt(expr, [bottom_up(argument, rule) for argument in expr.args])
    return rule(form(told.args[0]) if isinstance(told, Tr) and told is not expr else told)


def form(word: Expr) -> Expr:
    """The trace, or form, of a word that is not multiplied out, numbers before it."""
    commuting, letters = word.args_cnc()
    return Mul(*commuting, Tr(Mul(*letters)), evaluate=False) if commuting else Tr(word)


@dataclass(frozen=True)
class Ratio:
    """A product taken apart: sign, numerator and denominator in the order of print."""

    negative: bool
    number: Rational
    above: tuple[Expr, ...]
    below: tuple[Expr, ...]


def is_negative(expr: Expr) -> bool:
    """Whether a term prints with a minus in front."""
    return sum(bool(factor.is_Rational and factor.is_negative) for factor in flat(expr)) % 2 == 1


def flat(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product, also of one left unevaluated, and of one below a fraction line."""
    if expr.is_Mul:
        return tuple(inner for factor in expr.args for inner in flat(factor))
    if isinstance(expr, Pow) and expr.base.is_Mul and expr.is_commutative and expr.exp.is_Integer:
        return tuple(_raised(factor, expr.exp) for factor in flat(expr.base))
    return (expr,)


def _raised(factor: Expr, exponent: Expr) -> Expr:
    return factor**exponent if factor.is_Rational else Pow(factor, exponent, evaluate=False)


def inlined(expr: Expr, definitions: Iterable[Definition]) -> Expr:
    """An expression with the names that `definitions` define replaced by what they stand for."""
    meaning = {name_of(each.symbol): each for each in definitions}
    entries = expr.atoms(Indexed, Symbol) - labels_in(expr)
    named = {e: meaning[name_of(e)] for e in entries if name_of(e) in meaning}
    # An index may have the letter of an array.
    return expr.xreplace({e: d.at(e) for e, d in named.items() if len(places_of(e)) == len(d.axes)})


def angle(sine: Expr, cosine: Expr) -> Expr:
    """The angle of (cosine, sine), positive factors that both share left out.

    >>> from sympy import symbols
    >>> (x, y), c = symbols("x y", real=True), symbols("c", positive=True)
    >>> angle(-c * y, -c * x)
    atan2(-y, -x)
    """
    others = Mul.make_args(cosine)
    shared = Mul(*(factor for factor in Mul.make_args(sine) if factor in others and factor.is_positive))
    return atan2(sine / shared, cosine / shared)
