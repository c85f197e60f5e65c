"""What totals of laws come to: shares sum to one, and fractions of shares are whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Expr, Mul, Pow, S, Sum, cancel, expand, factor, fraction, log, sin, together, trigsimp

from symem.algebra.exponential import readable
from symem.algebra.rewriting import bottom_up
from symem.calculus.brackets import collapse_pinned
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.calculus.simplex_sums import with_whole_shares
from symem.language.matrices import Diagonal, is_matrix, letters
from symem.language.model import Model
from symem.language.plates import Axis, total
from symem.language.traces import Element, LogDet, Tr, log_det

#: Operations beyond which a number is left as it stands.
LONG = 80


@dataclass(frozen=True)
class Ones:
    """Simplifies what totals of laws leave: shares sum to one, and fractions of them are whole."""

    model: Model

    def __call__(self, expr: Expr) -> Expr:
        return bottom_up(readable(bottom_up(expr, self._simpler)), self._simpler)

    def _simpler(self, node: Expr) -> Expr:
        if is_matrix(node):
            return _word(node) if isinstance(node, Mul) else node
        match node:
            case log():
                return log(self._one(node.args[0]))
            case LogDet():
                return log_det(*node.args)
            case Sum():
                return rejoin(with_whole_shares(term, self.model.parameters) for term in separate(node))
            case Add() if sum(isinstance(each, Sum) for each in node.args) > 1:
                return rejoin(separate(node))
            case Pow() if node.exp.is_Rational and node.has(sin):
                return Pow(trigsimp(node.base), node.exp)
            case Pow() if node.base.is_Add and any(p.exp.is_negative for p in node.base.atoms(Pow)):
                return Pow(self._one(node.base), node.exp)
        return node

    def in_short(self, expr: Expr) -> Expr:
        """A mean in short: sums over nothing are numbers, and numbers stand once beside each sum or word."""
        whole, found = self(expr), dict[tuple[tuple[Axis, ...], Expr], Expr]()
        for term in _words(whole) if is_matrix(whole) else map(collapse_pinned, separate(whole)):
            folded = fold(term)
            numbers, word = folded.factor.args_cnc()
            key = folded.axes, Mul(*word)
            found[key] = found.get(key, S.Zero) + Mul(*numbers)
        return Add(*(total(self.shorter(number) * word, axes) for (axes, word), number in found.items()))

    def _one(self, whole: Expr) -> Expr:
        """A total of shares, or what it is over one denominator."""
        if not whole.has(Add) or not _is_short(whole):
            return whole
        above, below = fraction(cancel(whole))
        told = (-above) / (-below) if above.could_extract_minus_sign() else above / below
        return S.One if self.shorter(told) == 1 else told

    def shorter(self, number: Expr) -> Expr:
        """A rational function of shares in its shortest form, a simplex that is a factor being one."""
        if not isinstance(number, Add | Mul) or not _is_short(number):
            return number
        told = _signed(factor(cancel(together(number))).xreplace(dict.fromkeys(self._simplexes, S.One)))
        return min(number, told, key=lambda each: (each.count_ops(), str(each)))

    @property
    def _simplexes(self) -> Iterator[Expr]:
        """The sums of the numbers of a simplex."""
        for names in self.model.simplexes:
            yield Add(*(self.model.variables[name].symbol for name in names))


def _is_short(number: Expr) -> bool:
    """Whether a number is a rational function of few letters."""
    plain = number.count_ops() <= LONG and not number.has(Sum, Tr, LogDet, Element)
    return plain and bool(number.is_rational_function())


def _signed(product: Expr) -> Expr:
    """A product with its minus in a sum, if there is one: n (1 - p), not -n (p - 1)."""
    whole = next((f for f in Mul.make_args(product) if f.is_Add), None)
    if whole is None or not product.as_coeff_Mul()[0].is_negative:
        return product
    return Mul(-product / whole, Add(*(-part for part in whole.args)))


def _word(product: Expr) -> Expr:
    """A word with neighbouring diagonals as one."""
    numbers, sequence = product.args_cnc()
    told: list[Expr] = []
    for letter in letters(Mul(*sequence)):
        joined_one = told and isinstance(letter, Diagonal) and isinstance(told[-1], Diagonal)
        one = Diagonal(told.pop().args[0] * letter.args[0], letter.args[1]) if joined_one else letter
        if one not in (S.One, Pow(1, -1, evaluate=False)):
            told.append(one)
    return Mul(*numbers, *told)


def _words(expr: Expr) -> Iterator[Term]:
    """The words of a matrix expression, sums outside."""
    for part in Add.make_args(expr):
        limits = part.limits if isinstance(part, Sum) else ()
        axes = tuple(Axis(index, high + 1) for index, _low, high in limits)
        yield from (Term(each, axes) for each in Add.make_args(expand(part.function if limits else part)))
