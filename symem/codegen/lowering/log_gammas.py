"""Log-probabilities of counts in one piece, where a sum of log-gammas and powers would be a small difference of large ones.

x log λ - λ - log Γ(x + 1) at x = 10¹⁵ has terms of 10¹⁶ and the value -18. The pieces are recognised in the sums that an
E-step computes, and each stands for a function that keeps its digits (Loader 2000, Fast and accurate computation of
binomial probabilities).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from sympy import Add, Expr, Function, Mul, S, Sum, exp, expand, expand_mul, log, loggamma, simplify

from symem.language.special import LogGammaRatio


class LogPoisson(Function):  # type: ignore[misc]
    """x log λ - λ - log x!: args (x, λ)."""

    nargs = 2
    is_real = True


class LogBinomial(Function):  # type: ignore[misc]
    """log (n over x) + x log p + (n - x) log q: args (x, n, p, q)."""

    nargs = 4
    is_real = True


class LogNegativeBinomial(Function):  # type: ignore[misc]
    """log Γ(x + r) - log x! - log Γ(r) + r log p + x log q: args (x, r, p, q)."""

    nargs = 4
    is_real = True


class LogOnePlus(Function):  # type: ignore[misc]
    """log(1 + u), which keeps the digits of a small u."""

    nargs = 1
    is_real = True


def with_whole_probabilities(value: Expr) -> Expr:
    """The value with the log-probabilities of counts in its sums in one piece."""
    if not value.has(loggamma):
        return value
    if isinstance(value, Add):
        return _Terms(value).gathered()
    if isinstance(value, Sum | Mul):
        return value.func(*(with_whole_probabilities(each) for each in value.args))
    return value


def is_separable(value: Expr) -> bool:
    """Whether what is in one piece still is a sum of functions of data times functions of parameters."""
    return value.has(LogGammaRatio) and not value.has(LogPoisson, LogBinomial, LogNegativeBinomial)


class _Terms:
    """The terms of a sum, of which some are taken together."""

    def __init__(self, value: Expr) -> None:
        self.value = value
        self.left: list[Expr] = [part for each in value.args for part in _multiplied(each)]
        self.found: list[Expr] = []

    def gathered(self) -> Expr:
        """The value, in its own form where none of it is taken together."""
        while any(self._taken(way) for way in (self._binomials, self._negative_binomials, self._poissons)):
            pass
        if self._taken(self._ratios):
            self.left = [
                each.replace(_is_of_one_plus, lambda e: LogOnePlus(e.args[0] - 1)) for each in self.left
            ]
        return Add(*self.left, *self.found) if self.found else self.value

    def _taken(self, way: object) -> bool:
        for parts, piece in way():  # type: ignore[operator]
            if all(self.left.count(each) >= parts.count(each) for each in parts):
                for each in parts:
                    self.left.remove(each)
                self.found.append(piece)
                return True
        return False

    def _log_gammas(self) -> list[tuple[Expr, Expr, Expr]]:
        """The terms c log Γ(a), as (term, c, a)."""
        found = []
        for term in self.left:
            functions = [each for each in Mul.make_args(term) if isinstance(each, loggamma)]
            if len(functions) == 1:
                found.append((term, term / functions[0], functions[0].args[0]))
        return found

    def _ratios(self) -> Iterator[tuple[list[Expr], Expr]]:
        """Of a Student t of many degrees of freedom, say."""
        for above, below in permutations(self._log_gammas(), 2):
            apart = expand(above[2] - below[2])
            if above[1] == -below[1] and apart.is_number and apart.is_positive and below[2].is_positive:
                yield [above[0], below[0]], above[1] * LogGammaRatio(below[2], apart)

    def _poissons(self) -> Iterator[tuple[list[Expr], Expr]]:
        for term, times, inside in self._log_gammas():
            parts, (rate,) = self._powers(-times, (inside - 1,))
            mean = [-each for each in Add.make_args(expand(-times * rate))]
            if parts:
                yield [term, *parts, *mean], -times * LogPoisson(inside - 1, rate)

    def _binomials(self) -> Iterator[tuple[list[Expr], Expr]]:
        for whole, one, other in self._triples():
            n, x, left = (each[2] - 1 for each in (whole, one, other))
            if expand(n - x - left) != 0 or one[1] != -whole[1] or other[1] != -whole[1]:
                continue
            parts, (odds, q) = self._powers(whole[1], (x, n))
            p = simplify(odds * q)
            if parts and simplify(p + q - 1) == 0:
                yield [whole[0], one[0], other[0], *parts], whole[1] * LogBinomial(x, n, p, q)

    def _negative_binomials(self) -> Iterator[tuple[list[Expr], Expr]]:
        for whole, one, other in self._triples():
            x, r = one[2] - 1, other[2]
            if expand(whole[2] - x - r) != 0 or one[1] != -whole[1] or other[1] != -whole[1]:
                continue
            parts, (q, p) = self._powers(whole[1], (x, r))
            if parts and simplify(p + q - 1) == 0:
                yield [whole[0], one[0], other[0], *parts], whole[1] * LogNegativeBinomial(x, r, p, q)

    def _triples(self) -> Iterable[Sequence[tuple[Expr, Expr, Expr]]]:
        return permutations(self._log_gammas(), 3)

    def _powers(self, times: Expr, exponents: Sequence[Expr]) -> tuple[list[Expr], list[Expr]]:
        """The terms that are `times` a sum of logarithms times combinations of the exponents, and for each exponent the
        base that it has in all.
        """
        parts: list[Expr] = []
        logarithms = [S.Zero] * len(exponents)
        for term in self.left:
            shares = _shares(term / times, exponents)
            if shares is not None:
                parts.append(term)
                logarithms = [a + b for a, b in zip(logarithms, shares, strict=True)]
        return parts, [exp(each) for each in logarithms]


def _is_of_one_plus(expr: Expr) -> bool:
    """Whether it is log(1 + u), u being a sum of what cannot be negative."""
    if not isinstance(expr, log) or not isinstance(expr.args[0], Add):
        return False
    number, rest = expr.args[0].as_coeff_Add()
    return number == 1 and bool(rest.is_nonnegative)


def _multiplied(term: Expr) -> Sequence[Expr]:
    """The terms of c (log a + log b)."""
    if isinstance(term, Sum):
        return (with_whole_probabilities(term),)
    return Add.make_args(expand_mul(term, deep=False)) if term.has(log) else (term,)


def _shares(term: Expr, exponents: Sequence[Expr]) -> list[Expr] | None:
    """The factors of the exponents in a term that is linear in them, with numbers and one logarithm as factors."""
    functions = [each for each in Mul.make_args(term) if isinstance(each, log)]
    if len(functions) != 1 or functions[0].has(*exponents):
        return None
    linear = expand(term / functions[0])
    shares = []
    for each in exponents:
        share = linear.coeff(each, 1)
        if not share.is_number:
            return None
        shares.append(share * functions[0])
        linear = expand(linear - share * each)
    return shares if linear == 0 else None
