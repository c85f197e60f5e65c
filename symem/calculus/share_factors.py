"""Factors of a mean field for labels, by their probabilities, and for shares, by a Dirichlet law."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sympy import Expr, S, Sum, digamma, exp, log, loggamma

from symem.calculus.expectation import selected
from symem.calculus.means_of_factors import Letter, Mean, entry_at
from symem.calculus.separate import Term, separate
from symem.derivation import Definition, Factor
from symem.language.counting_families import Bernoulli
from symem.language.leaves import places_of
from symem.language.model import Variable
from symem.language.plates import Axis, fresh_index
from symem.language.support import Support
from symem.language.supports import Binary, Positive, Simplex, UnitInterval


class OfLabel(Mean):
    """Probabilities of the outcomes of a label, or of 1 of what is 0 or 1."""

    @property
    def family(self) -> str:  # type: ignore[override]
        return Bernoulli.name if self._binary else "Categorical"

    @property
    def _binary(self) -> bool:
        return isinstance(self.latent.support, Binary)

    @cached_property
    def outcome(self) -> Axis:
        taken = {*self.places, *(axis.index for term in self.conditional.terms for axis in term.axes)}
        return self.names.axis(self.latent.support.number, self.latent.name, taken)

    @property
    def _supports(self) -> dict[str, Support]:
        return {"gamma": UnitInterval() if self._binary else Simplex()}

    @cached_property
    def _named(self) -> dict[str, Variable]:
        ((name, support),) = self._supports.items()
        more = () if self._binary else (self.latent.support.number,)
        return {name: self._array(f"{name}_{self.latent.name}", support, more)}

    @cached_property
    def arguments(self) -> dict[str, Expr]:
        own = () if self._binary else (self.outcome.index,)
        return {name: entry_at(each.symbol, (*self.places, *own)) for name, each in self._named.items()}

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        (probability,) = self.arguments.values()
        more = () if self._binary else (self.outcome,)
        return (self._letter(f"q_{self.latent.name}", self.atom, probability, more),)

    def _mean(self, term: Term, atom: Expr) -> list[Term]:
        (letter,), places = self.letters, places_of(atom)
        if self._binary:
            values = ((S.One, letter.at(places)), (S.Zero, 1 - letter.at(places)))
            parts = (term.factor.xreplace({atom: value}) * share for value, share in values)
            return [Term(p.factor, p.axes + term.axes) for part in parts for p in separate(part)]
        one_of = selected(term.factor, atom, binary=False)
        if one_of is not None:
            return [Term(letter.at((*places, one_of[0])) * one_of[1], term.axes)]
        index, taken = self.outcome.index, {*term.indices, *term.factor.free_symbols}
        index = fresh_index(index, taken) if index in taken else index
        factor = term.factor.xreplace({atom: index}) * letter.at((*places, index))
        return [Term(factor, (*term.axes, Axis(index, self.outcome.size)))]

    @property
    def natural(self) -> tuple[Expr, ...]:
        (p,) = self.arguments.values()
        return (log(p) - log(1 - p) if self._binary else log(p),)

    def partition(self) -> list[Term]:
        (p,) = self.arguments.values()
        return [Term(-log(1 - p), self.position)] if self._binary else []

    def expected(self, natural: Sequence[Expr]) -> Expr:
        (weight,) = natural
        return weight * self.atom if self._binary else weight.xreplace({self.outcome.index: self.atom})

    def log_law(self) -> Expr:
        (p,) = self.arguments.values()
        if self._binary:
            return self.atom * log(p) + (1 - self.atom) * log(1 - p)
        return log(p.xreplace({self.outcome.index: self.atom}))

    def best(self, natural: Sequence[Expr]) -> dict[str, Expr]:
        (weight,) = natural
        if self._binary:
            return {"gamma": 1 / (1 + exp(-weight))}
        self.beside = self._softmax(weight)
        return {"gamma": exp(self.beside[0].symbol - self.beside[1].symbol)}

    def record(self, natural: Sequence[Expr], **of_table: Any) -> Factor:
        return super().record(natural, outcome=None if self._binary else self.outcome)

    def _softmax(self, weight: Expr) -> tuple[Definition, Definition]:
        """The log-weights and their log-sum, in which no exponential is lost."""
        name, axes = self.latent.name, (*self.position, self.outcome)
        eta = Definition(
            self.names.entry(f"eta_{name}", tuple(a.index for a in axes), real=True), axes, weight
        )
        whole = log(Sum(exp(eta.symbol), self.outcome.limits))
        return eta, Definition(self.names.entry(f"A_{name}", self.places, real=True), self.position, whole)


class OfShares(Mean):
    """A Dirichlet law of the shares along the last index of the latent."""

    family = "Dirichlet"

    @property
    def _supports(self) -> dict[str, Support]:
        return {"alpha": Positive()}

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        (alpha,) = self.arguments.values()
        value = digamma(alpha) - digamma(self._over_cells(alpha))
        return (self._letter(f"E_log_{self.latent.name}", log(self.atom), value),)

    def _over_cells(self, value: Expr) -> Expr:
        cell = self.position[-1]
        index = fresh_index(cell.index, value.free_symbols)
        return Sum(value.xreplace({cell.index: index}), (index, 0, cell.size - 1))

    @property
    def natural(self) -> tuple[Expr, ...]:
        (alpha,) = self.arguments.values()
        return (alpha - 1,)

    def partition(self) -> list[Term]:
        (alpha,) = self.arguments.values()
        together = Term(-loggamma(self._over_cells(alpha)), self.position[:-1])
        return [Term(loggamma(alpha), self.position), together]

    def log_law(self) -> Expr:
        (alpha,) = self.arguments.values()
        return (alpha - 1) * log(self.atom)

    def best(self, natural: Sequence[Expr]) -> dict[str, Expr]:
        return {"alpha": 1 + natural[0]}
