"""Letters for what a quadrature is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symem.derivation import Posterior, Quadrature
from symem.language.leaves import name_of
from symem.report.notation.letters import Label


def choices_at_nodes(posterior: Posterior, latent: Label) -> Iterator[tuple[str, tuple[Label, ...]]]:
    """A latent's mode with a hat, its values at nodes with a star; the scale is a σ. Of other posteriors none."""
    if not isinstance(posterior, Quadrature):
        return
    latents = [
        latent,
        *(Label.of(str(getattr(a, "base", a))) for a, _node in posterior.nodes),
    ]
    for mode, label in zip(posterior.modes, latents[1:], strict=False):
        yield name_of(mode.symbol), (replace(label, hat=True),)
    for (_atom, node), label in zip(posterior.nodes, latents[1:], strict=True):
        yield name_of(node.symbol), (replace(label, sup=Label("*")),)
    for number, each in enumerate(posterior.scales):
        sub = () if len(posterior.scales) == 1 else (("11", "21", "22")[number],)
        own = Label("sigma" if not sub else "L", sub, hat=not sub)
        yield name_of(each.symbol), (own, replace(own, sup=latents[0]))
