"""Trees of states as they are computed: one pass up and down gives all moments, and the logarithms of volumes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from sympy import IndexedBase, Integer

from symem.codegen.lowering.scanned_states import named_link, opaque
from symem.derivation import Definition, GaussianTree
from symem.language.traces import log_det


@dataclass(frozen=True, kw_only=True)
class ScannedStateTree(GaussianTree):
    """A tree of states with what its pass reads, F, b, Q and the mean and the variance of the state of a root, as definitions;
    and with log det S.
    """

    spread: Definition
    offset: Definition
    noise: Definition
    start: Definition
    start_variance: Definition
    volume: Definition

    @property
    def read(self) -> tuple[Definition, ...]:
        """What the pass reads, in its order."""
        return (
            self.precision, self.shift, self.spread, self.offset, self.noise, self.start, self.start_variance,
        )  # fmt: skip

    @property
    def given(self) -> tuple[Definition, ...]:
        """What it gives, in its order."""
        return (
            self.given_parent, self.smoothed_mean, self.smoothed_variance, self.neighbours, self.volume,
        )  # fmt: skip

    @property
    def defining(self) -> tuple[str, ...]:  # type: ignore[override]
        return (
            "precision", "shift", "spread", "offset", "noise", "start", "start_variance", "given_parent", "smoothed_mean",
            "smoothed_variance", "neighbours", "volume", "log_normaliser", "moments",
        )  # fmt: skip


def scanned_state_tree(tree: GaussianTree) -> ScannedStateTree:
    """The tree with the values of its moments as those of a pass."""
    spread, offset, noise = tree.link
    start, variance = tree.first
    size = tree.latent.shape[0] if tree.latent.shape else Integer(1)
    read: dict[str, Any] = {
        "spread": named_link(tree, "spread", spread, (size, size)),
        "offset": named_link(tree, "offset", offset, (size, Integer(1))),
        "noise": named_link(tree, "noise", noise, (size, size), "positive definite"),
        "start": named_link(tree, "start", start, (size, Integer(1))),
        "start_variance": named_link(tree, "start_variance", variance, (size, size), "positive definite"),
    }
    places = tuple(axis.index for axis in tree.axes)
    volume = IndexedBase(f"volume_of_{tree.latent.name}", real=True)[places]
    value = opaque(tree, [tree.precision, tree.shift, *read.values()], tree.parent)
    kept: dict[str, Any] = {each.name: getattr(tree, each.name) for each in fields(tree)}
    moments = ("given_parent", "smoothed_mean", "smoothed_variance", "neighbours")
    kept |= {name: replace(kept[name], value=value) for name in moments}
    told = tree.log_normaliser.value.xreplace({log_det(tree.given_parent.symbol, size): volume})
    kept["log_normaliser"] = replace(tree.log_normaliser, value=told)
    return ScannedStateTree(**kept, **read, volume=Definition(volume, tree.axes, value))
