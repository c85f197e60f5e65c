"""Scatters and means as sums about zero again: C = Σ w f² - N m², and N m = Σ w f.

Not for numbers, which lose their digits so, but for algebra: what a square about any other value is, V + N (m - μ)², is
seen to be Σ w (f - μ)² in this form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Add, Expr, Indexed, Mul, Pow, Sum, Symbol, cancel, expand, fraction, together

from symem.algebra.rewriting import inlined
from symem.derivation import Definition, Moments
from symem.language.leaves import array_of, labels_in
from symem.language.matrices import is_matrix, shape
from symem.language.traces import Element, Tr, element, trace


@dataclass(frozen=True)
class AboutZero:
    """Rewrites expressions in centred statistics as expressions in sums about zero."""

    moments: tuple[Moments, ...]

    def __call__(self, expr: Expr) -> Expr:
        """The same value, wherever the means stand in it once beside their total."""
        names = self._scatters.keys() | self._means.keys()
        if not any(array_of(entry) in names for entry in expr.atoms(Indexed, Symbol)):
            return expr
        return self._linear(expand(multiplied_out(inlined(expr, self._scatters.values()))))

    @cached_property
    def _scatters(self) -> Mapping[Expr, Definition]:
        scatters = (scatter for each in self.moments for scatter in each.scatters)
        plain = (replace(each.definition, value=each.raw - each.excess) for each in scatters)
        return {array_of(each.symbol): each for each in plain}

    @cached_property
    def _means(self) -> Mapping[Expr, Definition]:
        return {array_of(mean.symbol): mean for each in self.moments for mean in each.means}

    def _linear(self, expr: Expr) -> Expr:
        if isinstance(expr, Add):
            return Add(*(self._linear(term) for term in self._collected(expr)))
        return self._product(Mul(*map(self._inside, Mul.make_args(expr))))

    def _collected(self, expr: Add) -> Iterable[Expr]:
        """The terms of a sum, those with one mean m beside the parts of its total N = N₁ + N₂ being one: N m f."""
        rest = list(expr.args)
        for mean in self._means.values():
            symbol, (above, count) = mean.symbol, fraction(mean.value)
            for entry in expr.atoms(type(symbol)) if count.is_Add and not is_matrix(symbol) else ():
                held = (
                    [t for t in rest if entry in Mul.make_args(t)]
                    if array_of(entry) == array_of(symbol)
                    else []
                )
                ratio = cancel(together(Add(*(t / entry for t in held)) / count))
                if held and not ratio.has(*count.free_symbols):
                    rest = [t for t in rest if t not in held]
                    yield ratio * above
        yield from rest

    def _inside(self, factor: Expr) -> Expr:
        """The same within a sum or a power."""
        if isinstance(factor, Sum):
            return Sum(self._linear(expand(factor.function)), *factor.limits)
        if isinstance(factor, Pow) and not is_matrix(factor):
            return Pow(self._linear(expand(factor.base)), factor.exp)
        return factor

    def _product(self, term: Expr) -> Expr:
        """m f as Σ w f / N, where one mean stands once."""
        held = [e for e in term.atoms(Indexed, Symbol) - labels_in(term) if array_of(e) in self._means]
        if len(held) != 1 or expand(multiplied_out(term.xreplace({held[0]: 2 * held[0]})) - 2 * term) != 0:
            return term
        return multiplied_out(inlined(term, [self._means[array_of(held[0])]]))


def multiplied_out(expr: Expr) -> Expr:
    """Traces and entries multiplied out."""
    told = expr.replace(lambda e: isinstance(e, Tr), lambda e: trace(e.args[0], shape(e.args[0])[0]))
    return told.replace(lambda e: isinstance(e, Element), lambda e: element(*e.args))
