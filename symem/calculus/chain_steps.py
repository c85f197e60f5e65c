"""The steps of the E-step of chains and trees: what is said of latents and pairs, the messages, the posteriors they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Expr

from symem.calculus.laws import step
from symem.derivation import GaussianChain, GaussianStates, Linked, Neighbours, OnTree, Step
from symem.language.model import Variable

STAGE = "E-step"


def steps_along(posterior: Neighbours, parameters: Iterable[Variable]) -> Iterator[Step]:
    """The steps after the terms have been gathered."""
    about = (posterior.atom,)
    if isinstance(posterior, Linked):
        yield _of_labels(posterior)
    elif isinstance(posterior, GaussianStates):
        yield _of_states(posterior)
    if isinstance(posterior, GaussianChain):
        yield from _first_state(posterior, parameters)
    for law, names in posterior.told:
        defined = tuple(getattr(posterior, name) for name in names)
        last = defined[-1] if defined else posterior.log_normaliser
        value = last.value if defined else last.symbol
        yield step(STAGE, law, value, last.symbol, about, defined, axes=last.axes)


def _of_labels(labels: Linked) -> Step:
    """What is said of labels and of pairs of them."""
    plates = tuple(axis for axis in labels.axes if axis != labels.along)
    law, weight = "branches" if isinstance(labels, OnTree) else "links", labels.log_weight
    return step(
        STAGE, law, weight.value, weight.symbol, (labels.atom,), labels.said, axes=plates, **_places(labels)
    )


def _of_states(states: GaussianStates) -> Step:
    """The same of states, and the laws of the first or of roots, and of one given the one before."""
    (spread, offset, noise), (start, variance) = states.link, states.first
    kind = "vectors" if states.latent.shape else "states"
    if isinstance(states, OnTree):
        law, before = f"{kind} on trees", states.atom.xreplace({states.along.index: states.parent})
    else:
        law, before = (
            "vectors of states and links" if states.latent.shape else "states and links",
            states.atom,
        )
    told = {"mean": spread * before + offset, "variance": noise, "start": start, "spread": variance}
    first = states.said[0]
    return step(
        STAGE, law, first.value, first.symbol, (states.atom,), states.said, axes=states.axes, **_places(states), **told
    )  # fmt: skip


def _places(posterior: Neighbours) -> dict[str, Expr]:
    """Along what latents stand, and who is whose parent."""
    along = {"along": posterior.along.index}
    return {**along, "parent": posterior.parent} if isinstance(posterior, OnTree) else along


def _first_state(chain: GaussianChain, parameters: Iterable[Variable]) -> Iterator[Step]:
    """Of one sequence with unknown mean and variance of its first state."""
    start, variance = chain.first
    unknown = [any(each.has(parameter.symbol) for parameter in parameters) for each in (start, variance)]
    if all(unknown) and len(chain.axes) == 1:
        law = "first state of one sequence"
        yield step(STAGE, law, variance, variance, (chain.atom,), spread=variance)
