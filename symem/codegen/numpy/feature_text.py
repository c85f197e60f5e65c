"""Features with entries as lines of NumPy: how they are filled, multiplied and taken apart again.

A chunk's features lie one below the other, each over its entries; of a symmetric one x_a x_b only those with a ≤ b.
"""

from __future__ import annotations

from symem.codegen.ir.features import Features
from symem.codegen.ir.nodes import Apply, Axes, Node
from symem.codegen.lowering.lower import Lowering
from symem.codegen.numpy.spelling import Spelling


class FeatureText:
    """Spells the features of one program; sizes are read by their local names."""

    def __init__(self, features: Features, lower: Lowering, spell: Spelling) -> None:
        self.features, self.lower, self.spell = features, lower, spell

    @property
    def sizes(self) -> list[Node]:
        """The sizes that the places of features depend on."""
        return [self.lower.size(axis) for entries in self.features.entries for axis in entries]

    def width(self, place: int) -> str:
        """How many rows a feature takes."""
        sizes = [self.spell(self.lower.size(axis)) for axis in self.features.entries[place]]
        if self.features.symmetric[place]:
            return f"{sizes[0]} * ({sizes[0]} + 1) // 2"
        return " * ".join(sizes) or "1"

    def total_width(self) -> str:
        return self._sum(range(len(self.features.features)))

    def _sum(self, places: range) -> str:
        widths = [self.width(place) for place in places]
        ones = sum(width == "1" for width in widths)
        return " + ".join([*([str(ones)] if ones else []), *(each for each in widths if each != "1")])

    def span(self, place: int) -> str:
        """Where a feature lies, as an index."""
        start = self._sum(range(place)) or "0"
        if not self.features.entries[place]:
            return start
        last = place == len(self.features.features) - 1
        simple = start.isdigit() and last
        return f"{start}:" if simple else f"{start} :" + ("" if last else f" {self._sum(range(place + 1))}")

    def fill(self, place: int) -> list[str]:
        """The lines that put a feature in its place."""
        node, entries = self.features.features[place], self.features.entries[place]
        target = f"features[{self.span(place)}]"
        if self.features.symmetric[place]:
            vector = _factor(node, entries)
            if vector is not None:
                return [f"_put_pairs({target}, {self.spell(vector)})"]
            pairs = f"np.triu_indices({self.spell(self.lower.size(entries[0]))})"
            return [f"pairs = {self.spell(node)}", f"{target} = pairs[{pairs}]"]
        if len(entries) == 2:
            return [f"{target} = {self.spell.tight(node)}.reshape(-1, rows.length)"]
        return [f"{target} = {self.spell(node)}"]

    def coefficient(self, place: int) -> str:
        """The block of coefficients, over the labels and the entries."""
        node, entries = self.features.coefficients[place], self.features.entries[place]
        axes = (*self.features.labels, *entries)
        text = self.spell.aligned(node, axes)
        if not entries:
            return f"{self._wrapped(text, node)}[..., None]"
        if self.features.symmetric[place]:
            return f"_packed({text})"
        return f"_flat({text})" if len(entries) == 2 else text

    def _wrapped(self, text: str, node: Node) -> str:
        return f"np.asarray({text})" if not node.axes else (text if text.isidentifier() else f"({text})")

    def moment(self, place: int) -> str:
        """The statistic that sums weight times feature, from the product of all."""
        labels = ", ".join(":" for _ in self.features.labels)
        text = f"products[{labels}, {self.span(place)}]"
        entries = self.features.entries[place]
        sizes = [self.spell(self.lower.size(axis)) for axis in entries]
        if self.features.symmetric[place]:
            return f"_unpacked({text}, {sizes[0]})"
        return f"{text}.reshape(*products.shape[:-1], {', '.join(sizes)})" if len(entries) == 2 else text


def _factor(node: Node, entries: Axes) -> Node | None:
    """x of a feature x_a x_b."""
    if isinstance(node, Apply) and node.operation == "*" and len(node.arguments) == 2:
        for each in node.arguments:
            if entries[0] in each.axes and entries[1] not in each.axes:
                other = next(part for part in node.arguments if part is not each)
                return each if entries[1] in other.axes and entries[0] not in other.axes else None
    return None
