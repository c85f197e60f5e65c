"""The steps of the E-step of chains and trees: what is said of labels and pairs, the messages, the posteriors they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symem.calculus.laws import step
from symem.derivation import Chain, GaussianChain, GaussianTree, Step, Tree
from symem.language.model import Variable

STAGE = "E-step"


def chain_steps(chain: Chain) -> Iterator[Step]:
    """The steps after the terms have been gathered."""
    about, plates = (chain.atom,), tuple(axis for axis in chain.axes if axis != chain.along)
    said = (chain.log_first, chain.log_last, chain.log_step, chain.log_weight)
    links = tuple(each for each in said if each is not None)
    value = chain.log_weight.value
    yield step(
        STAGE, "links", value, chain.log_weight.symbol, about, links, axes=plates, along=chain.along.index
    )
    told = (
        ("forward messages", chain.forward),
        ("end of a chain", chain.log_normaliser),
        ("backward messages", chain.backward),
        ("labels of a chain", chain.probability),
        ("pairs of a chain", chain.pair),
    )
    for law, definition in told:
        yield step(
            STAGE, law, definition.value, definition.symbol, about, (definition,), axes=definition.axes
        )
    whole = chain.log_normaliser
    yield step(STAGE, "scaled messages", whole.symbol, whole.symbol, about, axes=whole.axes)


def tree_steps(tree: Tree) -> Iterator[Step]:
    """The steps after the terms have been gathered."""
    about, plates = (tree.atom,), tuple(axis for axis in tree.axes if axis != tree.along)
    said = (tree.log_first, tree.log_step, tree.log_weight)
    links = tuple(each for each in said if each is not None)
    value, index = tree.log_weight.value, tree.along.index
    yield step(
        STAGE,
        "branches",
        value,
        tree.log_weight.symbol,
        about,
        links,
        axes=plates,
        along=index,
        parent=tree.parent,
    )
    told = (
        ("upward messages", (tree.upward,)),
        ("messages to parents", (tree.message,)),
        ("roots of a tree", (tree.whole, tree.log_normaliser)),
        ("labels of a tree", (tree.probability,)),
        ("pairs of a tree", (tree.pair,)),
    )
    for law, defined in told:
        last = defined[-1]
        yield step(STAGE, law, last.value, last.symbol, about, defined, axes=last.axes)


def state_steps(chain: GaussianChain, parameters: Iterable[Variable]) -> Iterator[Step]:
    """The same of a chain of states: what is said of them, forward and back."""
    about, (spread, offset, noise), (start, variance) = (chain.atom,), chain.link, chain.first
    law = "vectors of states and links" if chain.latent.shape else "states and links"
    told = {"mean": spread * chain.atom + offset, "variance": noise, "start": start, "spread": variance}
    said = (chain.precision, chain.shift)
    along = chain.along.index
    yield step(STAGE, law, said[0].value, said[0].symbol, about, said, axes=chain.axes, along=along, **told)
    unknown = [any(each.has(parameter.symbol) for parameter in parameters) for each in (start, variance)]
    if all(unknown) and len(chain.axes) == 1:
        yield step(STAGE, "first state of one sequence", variance, variance, about, spread=variance)
    for name, definition in (
        ("predicted variances", chain.predicted_variance),
        ("filtered variances", chain.filtered_variance),
        ("predicted means", chain.predicted_mean),
        ("filtered means", chain.filtered_mean),
        ("innovations", chain.log_normaliser),
        ("smoothed means", chain.smoothed_mean),
        ("smoothed variances", chain.smoothed_variance),
        ("neighbours of a chain", chain.neighbours),
    ):
        yield step(
            STAGE, name, definition.value, definition.symbol, about, (definition,), axes=definition.axes
        )


def state_tree_steps(tree: GaussianTree) -> Iterator[Step]:
    """The same of trees of states: what is said of them, up and down."""
    about, (spread, offset, noise), (start, variance) = (tree.atom,), tree.link, tree.first
    law = "vectors on trees" if tree.latent.shape else "states on trees"
    above = tree.atom.xreplace({tree.along.index: tree.parent})
    told = {"mean": spread * above + offset, "variance": noise, "start": start, "spread": variance}
    said = (tree.precision, tree.shift)
    places = {"along": tree.along.index, "parent": tree.parent}
    yield step(STAGE, law, said[0].value, said[0].symbol, about, said, axes=tree.axes, **places, **told)
    for name, definition in (
        ("gathered precisions", tree.gathered),
        ("variances given parents", tree.given_parent),
        ("gathered shifts", tree.pull),
        ("means of a tree", tree.smoothed_mean),
        ("variances of a tree", tree.smoothed_variance),
        ("parents and children", tree.neighbours),
        ("volume of a tree", tree.log_normaliser),
    ):
        yield step(
            STAGE, name, definition.value, definition.symbol, about, (definition,), axes=definition.axes
        )
