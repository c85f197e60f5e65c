"""The steps of an E-step by quadrature: the mode, the scale, the nodes, their weights."""

from __future__ import annotations

from collections.abc import Iterator

from symem.calculus.laws import step
from symem.derivation import Definition, Quadrature, Step

STAGE = "E-step"


def quadrature_steps(posterior: Quadrature) -> Iterator[Step]:
    """The steps after the terms have been gathered, for the first latent of those that are integrated together."""
    about = tuple(atom for atom, _node in posterior.nodes)
    if about[0] != posterior.atom:
        return
    told: list[tuple[str, Definition]] = [("mode", each) for each in posterior.modes]
    told += [("curvature at the mode", each) for each in posterior.scales]
    told += [("window" if posterior.window else "nodes", each) for _atom, each in posterior.nodes]
    told += [("weights at nodes", posterior.log_weight)]
    for law, each in told:
        yield step(STAGE, law, each.value, each.symbol, about, (each,), axes=each.axes)


def shares_of_nodes(posterior: Quadrature) -> Iterator[Step]:
    """The shares of the nodes, once the normaliser is known, and the mean and variance."""
    for each in (posterior.probability, posterior.mean, posterior.variance):
        yield step(
            STAGE, "shares of nodes", each.value, each.symbol, (posterior.atom,), (each,), axes=each.axes
        )
