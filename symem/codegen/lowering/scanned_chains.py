"""Chains and trees as they are computed: ξ of a pair as a product of what is known up to it, of its step, and of what comes after.

φ, the filtered probabilities, and ω are arrays over places and labels, so that sums of ξ over places are matrix
products, and no array has an entry for each place and pair of labels. (Bishop 2006, equation 13.43.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from sympy import Expr, Indexed, IndexedBase, Sum, exp, log

from symem.codegen.lowering.scanned_states import scanned_states
from symem.derivation import (
    Chain,
    Definition,
    Derivation,
    GaussianStates,
    Linked,
    Moments,
    Posterior,
    Scatter,
    Tree,
)
from symem.language.leaves import name_of


@dataclass(frozen=True, kw_only=True)
class Scanned(Linked):
    """Labels with φ, π and ω of their pairs."""

    filtered: Definition
    moved: Definition
    coming: Definition

    @property
    def defining_fields(self) -> tuple[str, ...]:
        return (*(name for name in super().defining_fields if name != "pair"), "filtered", "moved", "coming")

    @property
    def share(self) -> Expr:
        """ξ."""
        return self.filtered.symbol * self.moved.symbol * self.coming.symbol

    def of_pair(self, entry: Expr) -> Expr:
        """ξ at the places of an entry."""
        places = zip((axis.index for axis in self.pair.axes), entry.indices, strict=True)
        return self.share.xreplace({own: place for own, place in places if own != place})


@dataclass(frozen=True, kw_only=True)
class ScannedChain(Scanned, Chain):
    """A chain with them."""


@dataclass(frozen=True, kw_only=True)
class ScannedTree(Scanned, Tree):
    """A tree with them."""


def with_scans(derivation: Derivation) -> Derivation:
    """The derivation with such products in the place of ξ."""
    with_states = tuple(
        scanned_states(each) if isinstance(each, GaussianStates) else each for each in derivation.posteriors
    )
    derivation = replace(derivation, posteriors=with_states)
    chains = [each for each in derivation.posteriors if isinstance(each, Chain | Tree)]
    if not chains:
        return derivation
    scanned = {id(each): _scanned(each) for each in chains}
    pairs = {name_of(each.pair.symbol): each for each in scanned.values()}

    def put(value: Any) -> Any:
        entries = {entry for entry in value.atoms(Indexed) if name_of(entry) in pairs}
        return value.xreplace({entry: pairs[name_of(entry)].of_pair(entry) for entry in entries})

    def written(definition: Definition) -> Definition:
        return replace(definition, value=put(definition.value))

    def with_scan(posterior: Posterior) -> Posterior:
        return scanned.get(id(posterior), posterior)

    surrogate = derivation.surrogate
    moments = tuple(_moments(each, put, written) for each in surrogate.moments)
    statistics = tuple(map(written, surrogate.statistics))
    return replace(
        derivation,
        posteriors=tuple(map(with_scan, derivation.posteriors)),
        updates=tuple(update.rewritten(put, written) for update in derivation.updates),
        surrogate=replace(surrogate, statistics=statistics, moments=moments),
    )


def _moments(
    moments: Moments, put: Callable[[Any], Any], written: Callable[[Definition], Definition]
) -> Moments:
    return Moments(
        put(moments.weight),
        moments.summed,
        put(moments.total),
        tuple(map(put, moments.functions)),
        tuple(map(written, moments.means)),
        tuple(map(put, moments.parts)),
        tuple(
            Scatter(written(each.definition), *map(put, (each.raw, each.excess, each.between)))
            for each in moments.scatters
        ),
    )


def _scanned(posterior: Chain | Tree) -> Scanned:
    up_to, whole, after = _of_chain(posterior) if isinstance(posterior, Chain) else _of_tree(posterior)
    k, m, axes = posterior.outcome.index, posterior.following.index, posterior.pair.axes
    own = {each.name: getattr(posterior, each.name) for each in fields(posterior)}
    own["filtered"] = _named(posterior, "phi", tuple(a for a in axes if a.index != m), exp(up_to - whole))
    own["coming"] = _named(posterior, "omega", tuple(a for a in axes if a.index != k), exp(after))
    own["moved"] = _named(posterior, "pi", posterior.log_step.axes, exp(posterior.log_step.symbol))
    return ScannedChain(**own) if isinstance(posterior, Chain) else ScannedTree(**own)


def _of_chain(chain: Chain) -> tuple[Expr, Expr, Expr]:
    """The logarithms of φ, up to what it is relative to, of that, and of ω."""
    k, m, t, s = (axis.index for axis in (chain.outcome, chain.following, chain.along, chain.steps))
    up_to = chain.forward.symbol.xreplace({t: s})
    whole = log(Sum(exp(up_to), chain.outcome.limits))
    after = (chain.log_weight.symbol + chain.backward.symbol).xreplace({t: s + 1, k: m})
    return up_to, whole, after + whole - chain.log_normaliser.symbol


def _of_tree(tree: Tree) -> tuple[Expr, Expr, Expr]:
    """The same of a parent and its child."""
    above = log(tree.probability.symbol.xreplace({tree.along.index: tree.parent}))
    below = tree.upward.symbol.xreplace({tree.outcome.index: tree.following.index})
    return above, tree.message.symbol, below


def _named(chain: Linked, stem: str, axes: tuple[Any, ...], value: Expr) -> Definition:
    places = tuple(axis.index for axis in axes)
    return Definition(IndexedBase(f"{stem}_{chain.latent.name}", nonnegative=True)[places], axes, value)
