"""The observed-data log-likelihood, posterior means, Q and entropy by brute force.

The declared complete-data log-likelihood is written out for concrete data, its terms are grouped by the
latents that they couple, and every such component is summed over its discrete latents, all configurations of a few, one label after
another of many, and integrated over its continuous ones; the logarithm of that counts as often as its row does. No engine code takes
part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symem.evaluation.compiled import compiled, template
from symem.evaluation.gamma_ratios import with_gamma_ratios
from symem.evaluation.points import Lookup, Moving
from symem.evaluation.specialise import Specialiser, Unseen
from symem.evaluation.stacks import Array
from symem.evaluation.trees import Apply, Atom, Constant, Node, atoms_of, split_terms
from symem.language.leaves import name_of
from symem.language.supports import Simplex
from symem.language.weights import once
from symem.verification.beliefs import Group, GroupBelief
from symem.verification.components import Domains, components_of
from symem.verification.enumeration import TooLargeError
from symem.verification.recursions import Recursion, RecursiveBelief, groups_of

Theta = Mapping[str, Any]


@dataclass(frozen=True)
class Belief:
    """The posterior p(latents | data, theta) of everything."""

    oracle: Oracle
    lookup: Lookup
    groups: tuple[GroupBelief | RecursiveBelief, ...]

    @property
    def log_likelihood(self) -> float:
        """The observed-data log-likelihood, all constants included."""
        observed = self.oracle.observed_parts(self.lookup)[0] + self.oracle.volume
        return float(observed + sum(g.log_mass for g in self.groups))

    def log_likelihoods(self, thetas: Theta) -> Array:
        """The observed-data log-likelihood at each θ near by, on the nodes of this posterior."""
        lookup = self.oracle.lookup(thetas)
        with np.errstate(all="ignore"):
            observed = self.oracle.observed_parts(lookup) + self.oracle.volume
            return observed + sum(g.log_masses(lookup) for g in self.groups)

    def log_posteriors(self, thetas: Theta) -> Array:
        """The same with the log-prior."""
        return self.log_likelihoods(thetas) + self.oracle.log_priors(thetas)

    def surrogates(self, thetas: Theta) -> Array:
        """Q(θ | θ⁽ᵗ⁾) at each θ, without the prior."""
        return self._surrogates(self.oracle.lookup(thetas))

    def surrogate(self, theta: Theta) -> float:
        """Q(θ | θ⁽ᵗ⁾) at one θ."""
        return float(self.surrogates(alone(theta))[0])

    def size(self, theta: Theta) -> float:
        """The expected sizes of the terms of which Q is the sum: what rounding is to be measured by, since they may cancel."""
        return float(self._surrogates(self.oracle.lookup(alone(theta)), np.abs)[0])

    def _surrogates(self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray) -> Array:
        with np.errstate(all="ignore"):
            return self.oracle.observed_parts(lookup, of) + sum(g.mean(lookup, of) for g in self.groups)

    @property
    def entropy(self) -> float:
        """Entropy of the posterior."""
        return self.log_likelihood - float(self._surrogates(self.lookup)[0])

    def mean(self, value: Node, given: Node | None = None) -> float:
        """E[value | data, given]; value and given hold latents of one component.

        Raises:
        ------
        TooLargeError
            The latents belong to different components.
        """
        if isinstance(value, Constant):
            return float(value.value)
        event = Constant(1) if given is None else given
        group, place = self.oracle.home((*atoms_of(value), *atoms_of(event)))
        top, bottom = self.groups[group].means_of(place, (_product(value, event), event), self.lookup)
        return float(top / bottom)

    @property
    def error(self) -> float:
        """The largest change that the last halving of a quadrature step made."""
        return max((group.error for group in self.groups), default=0.0)


def _vectors(latents: Iterable[Any]) -> dict[str, Unseen]:
    """The latents that are vectors or matrices."""
    shaped = [each for each in latents if getattr(each, "shape", ())]
    return {
        each.name: Unseen(each.shape, *(name_of(symbol) for symbol in each.seen or ())) for each in shaped
    }


@dataclass(frozen=True)
class Closed:
    """A sum of terms without latents; those that have the same tree are evaluated together."""

    trees: Mapping[Any, Sequence[Sequence[Any]]]

    @classmethod
    def of(cls, terms: Iterable[Node]) -> Closed:
        trees: dict[Any, list[Sequence[Any]]] = {}
        for shape in (template(term, {}) for term in terms):
            trees.setdefault(shape.tree, []).append(shape.constants)
        return cls(trees)

    @cached_property
    def _columns(self) -> list[tuple[Any, int, tuple[Any, ...]]]:
        """Tree, number of terms, and per number of the tree one value for each term."""
        return [
            (tree, len(rows), tuple(np.array(each) for each in zip(*rows, strict=True)))
            for tree, rows in self.trees.items()
        ]

    def __call__(self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray) -> Array:
        """The sum of (a function of) the terms at each point."""
        total = np.zeros(lookup.points or 1)
        with np.errstate(all="ignore"):
            for tree, count, constants in self._columns:
                values = of(compiled(tree)(constants, (), Lookup(lookup.arrays, axes=1)))
                total += np.broadcast_to(values, (len(total), count)).sum(axis=1)
        return total


def _product(value: Node, event: Node) -> Node:
    return Apply("Mul", (value, event))


def alone(theta: Theta) -> Theta:
    """One θ as a table of one."""
    return {name: np.asarray(value, dtype=float)[None] for name, value in theta.items()}


class Oracle:
    """The declared model with its data.

    Args:
        model: what was declared; only `log_likelihood`, `log_prior`, `latents`, `parameters` and `weights` are read.
        arrays: data, masks, sizes and extents by name (see `symem.evaluation.situation`).
        accuracy: to which the logarithm of each integral must settle.
    """

    def __init__(self, model: Any, arrays: Mapping[str, Any], accuracy: float = 1e-8) -> None:
        parameters = frozenset(each.name for each in model.parameters)
        latents = frozenset(each.name for each in model.latents)
        shares = {each.name: each.sizes[-1] for each in model.latents if isinstance(each.support, Simplex)}
        self.scope = Specialiser(arrays, parameters, latents, _vectors(model.latents), shares)
        self._model, self._arrays, self._accuracy = model, dict(arrays), accuracy

    @cached_property
    def _prior(self) -> Closed:
        return Closed.of(split_terms(self.scope(self._model.log_prior)))

    @cached_property
    def _observed(self) -> Closed:
        terms = with_gamma_ratios(split_terms(self.scope(self._model.log_likelihood)))
        return Closed.of(term for term in terms if not atoms_of(term))

    @cached_property
    def _domains(self) -> Domains:
        return Domains(self._model, self.scope)

    @cached_property
    def volume(self) -> float:
        """The logarithm of the volume of the simplexes on which latents lie, each as often as its row counts."""
        total = 0.0
        for each in self._model.latents:
            if isinstance(each.support, Simplex):
                *rows, cells = map(self.scope.integer, each.sizes)
                counts = (self._domains.how_often(Atom(each.name, (*row, 0))) for row in np.ndindex(*rows))
                total -= math.lgamma(cells) * sum(counts)
        return total

    @cached_property
    def groups(self) -> tuple[Group | Recursion, ...]:
        """The latents, in groups of components that have the same trees."""
        domains = self._domains
        stated = once(self._model.log_likelihood, getattr(self._model, "weights", ()))
        terms = with_gamma_ratios(split_terms(self.scope(stated)))
        latent = components_of([term for term in terms if atoms_of(term)], domains)
        return groups_of(latent, domains, self._accuracy)

    def lookup(self, thetas: Theta) -> Lookup:
        """The data beside parameters that differ from point to point: the first axis of each array."""
        moving = {name: Moving(np.asarray(values, dtype=float)) for name, values in thetas.items()}
        return Lookup({**self._arrays, **moving}, axes=2)

    def observed_parts(self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray) -> Array:
        """The sum of (a function of) the terms of the log-likelihood that hold no latent, at each point."""
        return self._observed(lookup, of)

    def log_prior(self, theta: Theta) -> float:
        return float(self.log_priors(alone(theta))[0])

    def log_priors(self, thetas: Theta) -> Array:
        return self._prior(self.lookup(thetas))

    def at(self, theta: Theta) -> Belief:
        """The posterior at theta.

        Raises:
        ------
        TooLargeError
            Some component has too many configurations or coupled continuous latents.
        """
        lookup = self.lookup(alone(theta))
        with np.errstate(all="ignore"):
            return Belief(self, lookup, tuple(group.belief(lookup) for group in self.groups))

    def log_likelihoods(self, thetas: Theta) -> Array:
        """The observed-data log-likelihood at each θ.

        Raises:
        ------
        TooLargeError
            Some component has too many configurations or coupled continuous latents.
        """
        lookup = self.lookup(thetas)
        with np.errstate(all="ignore"):
            return self._observed(lookup) + self.volume + sum(g.log_masses(lookup) for g in self.groups)

    def log_likelihood(self, theta: Theta) -> float:
        return float(self.log_likelihoods(alone(theta))[0])

    def log_posteriors(self, thetas: Theta) -> Array:
        """What EM raises: the log-likelihood, with the log-prior in MAP-EM."""
        return self.log_likelihoods(thetas) + self.log_priors(thetas)

    def log_posterior(self, theta: Theta) -> float:
        return float(self.log_posteriors(alone(theta))[0])

    def home(self, atoms: Iterable[Atom]) -> tuple[int, int]:
        """Group and component that hold all these latents."""
        homes = {self._homes.get(atom) for atom in atoms}
        if len(homes) != 1 or None in homes:
            raise TooLargeError("a mean over latents that share no component")
        return homes.pop()  # type: ignore[return-value]

    @cached_property
    def _homes(self) -> Mapping[Atom, tuple[int, int]]:
        return {
            atom: (g, c)
            for g, group in enumerate(self.groups)
            for c, component in enumerate(group.components)
            for atom in component.atoms
        }
