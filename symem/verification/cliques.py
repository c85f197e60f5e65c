"""Sums over many coupled labels, one at a time: a forward recursion where they stand in a row, from leaves to root in a tree.

A label is summed out of the tables that hold it, which leaves a message to the labels beside it; the order in which that is done
takes the label with the fewest others beside it first. On the way back each label has, given those that were beside it when it
was summed out, the share of its table in the message: so the posteriors of all cliques (Lauritzen & Spiegelhalter 1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symem.evaluation.stacks import Array

#: Places of labels.
Scope = tuple[int, ...]


@dataclass(frozen=True)
class Clique:
    """A label with those beside it when it is summed out; tables have the axes of `scope`, the label's own first."""

    scope: Scope

    @property
    def label(self) -> int:
        return self.scope[0]

    @property
    def beside(self) -> Scope:
        return self.scope[1:]


def cliques_of(scopes: Iterable[Scope]) -> tuple[Clique, ...]:
    """In the order in which labels are summed out."""
    near: dict[int, set[int]] = {}
    for scope in scopes:
        for label in scope:
            near.setdefault(label, set()).update(scope)
    found = []
    while near:
        label = min(near, key=lambda each: (len(near[each]), each))
        beside = near.pop(label) - {label}
        for each in beside:
            near[each] = (near[each] | beside) - {label}
        found.append(Clique((label, *sorted(beside))))
    return tuple(found)


@dataclass(frozen=True)
class Summation:
    """Labels that take so many values each, and the scopes of the tables that hold them."""

    counts: tuple[int, ...]
    scopes: tuple[Scope, ...]

    @cached_property
    def cliques(self) -> tuple[Clique, ...]:
        return cliques_of([*self.scopes, *((label,) for label in range(len(self.counts)))])

    @cached_property
    def size(self) -> int:
        """Numbers in all tables of cliques."""
        return sum(int(np.prod(self._shape(each.scope), dtype=float)) for each in self.cliques)

    @cached_property
    def _home(self) -> Mapping[int, int]:
        """The clique in which a label is summed out."""
        return {clique.label: place for place, clique in enumerate(self.cliques)}

    def _shape(self, scope: Scope) -> tuple[int, ...]:
        return tuple(self.counts[label] for label in scope)

    def _first(self, scope: Scope) -> int:
        """The first clique in which a label of a scope is summed out: it holds them all."""
        return min(self._home[label] for label in scope)

    def holds(self, scope: Scope) -> bool:
        """Whether labels stand in one clique."""
        return not scope or set(scope) <= set(self.cliques[self._first(scope)].scope)

    def within(self, scope: Scope) -> int:
        """The place of a clique that holds labels."""
        return self._first(scope) if scope else 0

    def up(self, tables: Sequence[Array]) -> tuple[Array, list[Array], list[Array]]:
        """The logarithm of the total, and of each clique the log-table and the message that it leaves.

        Args:
            tables: log-weights for each scope, of shape (..., its labels).
        """
        lead = np.broadcast_shapes(
            *(t.shape[: t.ndim - len(s)] for t, s in zip(tables, self.scopes, strict=True))
        )
        wholes = [np.zeros((*lead, *self._shape(each.scope))) for each in self.cliques]
        for table, scope in zip(tables, self.scopes, strict=True):
            place = self._first(scope)
            wholes[place] += _aligned(table, scope, self.cliques[place].scope)
        total, messages = np.zeros(lead), []
        for clique, whole in zip(self.cliques, wholes, strict=True):
            message = _log_sum(whole, whole.ndim - len(clique.scope))
            messages.append(message)
            if clique.beside:
                place = self._first(clique.beside)
                wholes[place] += _aligned(message, clique.beside, self.cliques[place].scope)
            else:
                total = total + message
        return total, wholes, messages

    def down(self, wholes: Sequence[Array], messages: Sequence[Array]) -> Marginals:
        """The posteriors of all cliques."""
        shares: dict[int, Array] = {}
        for place in range(len(self.cliques))[::-1]:
            clique = self.cliques[place]
            axis = wholes[place].ndim - len(clique.scope)
            given = _share(wholes[place], messages[place], axis)
            if clique.beside:
                other = self._first(clique.beside)
                beside = _marginal(shares[other], self.cliques[other].scope, clique.beside)
                given = given * np.expand_dims(beside, axis)
            shares[place] = given
        return Marginals(self, tuple(shares[place] for place in range(len(self.cliques))))

    def drawn(
        self, wholes: Sequence[Array], messages: Sequence[Array], rng: np.random.Generator
    ) -> dict[int, int]:
        """The place of the value of each label in one draw of all; tables have no further axes."""
        taken: dict[int, int] = {}
        for clique, whole, message in reversed(list(zip(self.cliques, wholes, messages, strict=True))):
            chances = _share(whole, message, 0)
            for label in clique.beside[::-1]:
                chances = chances[..., taken[label]]
            taken[clique.label] = int(rng.choice(len(chances), p=chances / chances.sum()))
        return taken


@dataclass(frozen=True)
class Marginals:
    """The posteriors of cliques, of shape (..., labels of the clique)."""

    summation: Summation
    shares: tuple[Array, ...]

    def of(self, scope: Scope) -> Array:
        """The posterior of labels that stand in one clique, on axes in their order."""
        place = self.summation.within(scope)
        return _marginal(self.shares[place], self.summation.cliques[place].scope, scope)


def _aligned(table: Array, scope: Scope, whole: Scope) -> Array:
    """A table with an axis for each label of a larger scope."""
    lead = table.ndim - len(scope)
    order = sorted(range(len(scope)), key=lambda place: whole.index(scope[place]))
    turned = np.transpose(table, (*range(lead), *(lead + place for place in order)))
    lengths = dict(zip(scope, table.shape[lead:], strict=True))
    return turned.reshape(*table.shape[:lead], *(lengths.get(label, 1) for label in whole))


def _marginal(shares: Array, whole: Scope, scope: Scope) -> Array:
    lead = shares.ndim - len(whole)
    others = tuple(lead + place for place, label in enumerate(whole) if label not in scope)
    kept = [label for label in whole if label in scope]
    order = (*range(lead), *(lead + kept.index(label) for label in scope))
    return np.transpose(shares.sum(axis=others), order)


def _log_sum(values: Array, axis: int) -> Array:
    """log Σ exp along an axis; of nothing but -∞ that."""
    highest = values.max(axis=axis, keepdims=True)
    anchor = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - anchor).sum(axis=axis)) + anchor.squeeze(axis))


def _share(values: Array, message: Array, axis: int) -> Array:
    """exp(values) over their sum along an axis; 0 where the sum is."""
    below = np.expand_dims(np.where(np.isfinite(message), message, 0.0), axis)
    return np.asarray(np.exp(values - below))
