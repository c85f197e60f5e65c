"""Totals that are known: Σ of the expected counts of a multinomial is its number of trials, and is told as that.

Of counts with a known total the expectations sum to it, and what was observed stands beside them; so where all of a
multinomial's counts stand in a sum with one weight, the sum is known before any E-step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

from sympy import Add, Expr, Integer, Mul, Sum, Symbol, expand

from symem.algebra.rewriting import bottom_up
from symem.calculus.conditioning import Group
from symem.derivation import Certificate, Definition, Derivation, Tabulated
from symem.language.matrices import is_matrix
from symem.language.model import Model
from symem.language.plates import total
from symem.language.supports import Counts
from symem.language.symbol_names import stated_name
from symem.language.variables import Role


def with_known_totals(model: Model, groups: Sequence[Group]) -> Model:
    """The model, in which the total of a multinomial must be the sum of what was observed of its counts."""
    seen = {member: group for group in groups if not group.plates for member in group.members}
    latent = {latent.symbol for latent in model.latents}
    made = copy(model)
    made.variables = dict(model.variables)
    for whole, counts in _multinomials(model):
        known = model.variables.get(str(whole))
        told = all(count in seen for count in counts if count in latent)
        if known is None or known.role is not Role.KNOWN or not told:
            continue
        held = dict.fromkeys(seen[count] for count in counts if count in latent)
        if {member for group in held for member in group.members} <= set(counts):
            value = Add(*(count for count in counts if count not in latent), *(group.total for group in held))
            made.variables[known.name] = replace(known, support=Counts(value, value))
    return made


def _multinomials(model: Model) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """(total, counts) of every multinomial whose counts are numbers by name."""
    for declaration in model.declarations:
        entries = declaration.entries
        if len(entries) > 1 and not declaration.own:
            whole = declaration.distribution.arguments[0]
            known = model.variables.get(str(whole))
            counts = tuple(model.variables[stated_name(entry)].symbol for entry in entries)
            yield known.symbol if known else whole, counts


def as_known_totals(derivation: Derivation) -> Derivation:
    """The record with sums over all counts of a multinomial as its total, in updates and in what they need."""
    told = _Told.of(derivation)
    if not told.totals:
        return derivation
    return replace(
        derivation,
        updates=tuple(each.rewritten(told, partial(_defined, told=told)) for each in derivation.updates),
        certificates=tuple(_certified(each, told) for each in derivation.certificates),
    )


def _defined(definition: Definition, told: _Told) -> Definition:
    return replace(definition, value=told(definition.value))


def _certified(certificate: Certificate, told: _Told) -> Certificate:
    """What is needed, without that there are trials."""
    conditions = (each.func(told(each.lhs), each.rhs, evaluate=False) for each in certificate.conditions)
    kept = tuple(each for each in conditions if not each.lhs.free_symbols <= told.wholes)
    return replace(certificate, conditions=kept)


@dataclass(frozen=True)
class _Told:
    """Writes sums of statistics as known totals; `totals` are pairs of one and the means and data that it sums."""

    totals: tuple[tuple[Expr, tuple[Expr, ...]], ...]
    statistics: Mapping[Expr, Expr]

    @classmethod
    def of(cls, derivation: Derivation) -> _Told:
        means = {p.atom: p.expectations[p.atom] for p in derivation.posteriors if p.atom in p.expectations}
        latent = {latent.symbol for latent in derivation.model.latents}
        totals = [
            (whole, tuple(means.get(count, count) for count in counts))
            for whole, counts in _multinomials(derivation.model)
        ]
        totals = [(whole, parts) for whole, parts in totals if not latent & set(parts)]
        return cls(
            (*totals, *_outcomes(derivation)),
            {s.symbol: s.value for s in derivation.surrogate.statistics if isinstance(s.symbol, Symbol)},
        )

    @property
    def wholes(self) -> set[Expr]:
        return {symbol for whole, _parts in self.totals for symbol in whole.free_symbols}

    def __call__(self, expr: Expr) -> Expr:
        return bottom_up(expr, self._sum)

    def _sum(self, node: Expr) -> Expr:
        if not node.is_Add or is_matrix(node) or not node.free_symbols & self.statistics.keys():
            return node
        rest, found = expand(node.xreplace(self.statistics)), []
        for whole, parts in self.totals:
            weights = {rest.coeff(part) for part in parts}
            if len(weights) == 1 and 0 not in weights:
                weight = weights.pop()
                rest = expand(rest - weight * Add(*parts))
                found.append(weight * whole)
        held = rest.atoms(Sum) | rest.free_symbols
        return Add(rest, *found) if found and not held & self._parts else node

    @property
    def _parts(self) -> set[Expr]:
        """What may not be left of a sum that is told by totals."""
        parts = {part for _whole, group in self.totals for part in group}
        return parts.union(*(value.free_symbols | value.atoms(Sum) for value in self.statistics.values()))


def _outcomes(derivation: Derivation) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """(how often a label is drawn, the sums of the probability of each of its few outcomes)."""
    for posterior in derivation.posteriors:
        if isinstance(posterior, Tabulated) and posterior.outcome.size.is_Integer:
            *axes, outcome = posterior.probability.axes
            cells = map(Integer, range(int(outcome.size)))
            if axes and outcome == posterior.outcome:
                entry = posterior.probability.symbol
                sums = tuple(total(entry.xreplace({outcome.index: cell}), tuple(axes)) for cell in cells)
                yield Mul(*(axis.size for axis in axes)), sums
