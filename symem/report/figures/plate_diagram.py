"""A model drawn as a plate diagram: who depends on whom, and what is repeated how often.

Observed nodes are shaded, latent ones open, parameters dots, known constants squares; a node of which some
entries are missing is half shaded. Plates are rounded rectangles with their range at the corner (Buntine 1994;
Bishop 2006, section 8.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import hypot, sqrt
from typing import Any

from sympy import Indexed, Symbol

from symem.derivation import Derivation
from symem.report.figures.plate_graph import Graph, Kind, Node, Plate, graph
from symem.report.figures.plate_layout import placed
from symem.report.figures.plate_loops import SIDES, Box, Loop, cuts, overlap
from symem.report.figures.svg import breadth, drawing, formula, tag
from symem.report.notation.letters import index_names
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_sets import counted

RADIUS = 21.0
DOT = 4.5
SIDE = (24.0, 13.0)  # from a node's middle to the side of a plate: at first, and for each plate within
FOOT = (24.0, 18.0)  # the same at its foot, where its range is written
SIZE = 18.0
SMALL = 13.0


def plate_diagram(derivation: Derivation, lexicon: Lexicon | None = None) -> str:
    """The plate diagram of a model as SVG; `lexicon` gives the letters of a report."""
    return Diagram(graph(derivation), lexicon or Lexicon.of(derivation), derivation).svg()


@dataclass(frozen=True)
class Diagram:
    """A graph with a place for each node."""

    graph: Graph
    lexicon: Lexicon
    derivation: Derivation

    # places -------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> tuple[tuple[float, float], ...]:
        """The middles of the nodes."""
        deep = max((len(node.plates) for node in self.graph.nodes), default=0)
        widest = max((2 * self.reach(node) for node in self.graph.nodes), default=0.0)
        across, down = max(78.0 + 16.0 * deep, widest + 24), 80.0 + 16.0 * deep
        return tuple((across * x, down * y) for x, y in placed(self.graph))

    def reach(self, node: Node) -> float:
        """Half the breadth of a node."""
        if not node.kind.random:
            return DOT
        return max(RADIUS, breadth(self.name(node), SIZE) / 2 + 9)

    def height(self, node: Node) -> float:
        return RADIUS if node.kind.random else DOT

    @cached_property
    def levels(self) -> dict[Plate, int]:
        """How many plates lie within each, or cross it: no two that share a node have the same sides."""
        levels: dict[Plate, int] = {}

        plates = self.graph.plates  # of x[j, t] those of t lie in that of j

        def size(plate: Plate) -> tuple[int, int, int]:
            return len(self.graph.inside(plate)), plate.turn, -plates.index(plate)

        for plate in sorted(plates, key=size):
            inside = self.graph.inside(plate)
            levels[plate] = 1 + max(
                (n for q, n in levels.items() if self.graph.inside(q) & inside), default=0
            )
        return levels

    def box(self, plate: Plate) -> Box:
        """Left, top, right and bottom of a plate."""
        level = self.levels[plate]
        nodes = [(self.graph.nodes[place], *self.places[place]) for place in sorted(self.graph.inside(plate))]
        side = SIDE[0] - RADIUS + SIDE[1] * level
        left = min(x - max(RADIUS, self.reach(node), self._labelled(node)[0]) - side for node, x, _ in nodes)
        right = max(x + max(RADIUS, self.reach(node), self._labelled(node)[1]) + side for node, x, _ in nodes)
        top = min(y for _, _, y in nodes) - RADIUS - side
        bottom = max(y for _, _, y in nodes) + FOOT[0] + FOOT[1] * level
        loops = [self._loops[place].box for place in self.graph.inside(plate) if place in self._loops]
        more = 2 + SIDE[1] * (level - 1)
        return (
            min([left, *(box[0] - more for box in loops)]),
            min([top, *(box[1] - more for box in loops)]),
            max([right, *(box[2] + more for box in loops)]),
            max([bottom, *(box[3] + FOOT[1] * level for box in loops)]),
        )

    def _labelled(self, node: Node) -> tuple[float, float]:
        """How far the name beside a dot reaches to the left and to the right, less what the plate leaves anyway."""
        if node.kind.random:
            return DOT, DOT
        wide = breadth(self.name(node), SIZE) + DOT - SIDE[0] / 2
        anchor = self._beside[self.graph.nodes.index(node)][2]
        return {"start": (DOT, wide), "end": (wide, DOT), "middle": (wide / 2, wide / 2)}[anchor]

    @cached_property
    def _loops(self) -> dict[int, Loop]:
        """Of each node that has one, its loop."""
        return {a: self._loop(a) for a, b in self.graph.arrows if a == b}

    def _loop(self, place: int) -> Loop:
        """On the side where it meets the fewest arrows and nodes."""
        node = self.graph.nodes[place]
        flat = self.reach(node) - RADIUS
        tried = [Loop(self.places[place], RADIUS, flat, self._back(node), *side) for side in SIDES]
        return min(tried, key=lambda loop: self._met(place, loop.box))

    def _met(self, place: int, box: Box) -> int:
        arrows = [(a, b) for a, b in self.graph.arrows if a != b]
        nodes = [
            (x - self.reach(n), y - self.height(n), x + self.reach(n), y + self.height(n))
            for at, (n, (x, y)) in enumerate(zip(self.graph.nodes, self.places, strict=True))
            if at != place
        ]
        return sum(cuts(self.places[a], self.places[b], box) for a, b in arrows) + 3 * sum(
            overlap(box, each) for each in nodes
        )

    def _back(self, node: Node) -> str:
        """From which entry its arrow goes to which: t - 1 → t."""
        for back in self.graph.back:
            if back.name in node.names:
                variable = next(each for each in node.variables if each.name == back.name)
                index = index_names(variable.sizes, self.lexicon.axes)[back.slot]
                at = letter(index, self.lexicon)
                if back.parent is not None:
                    return rf"{letter(back.parent, self.lexicon)} \to {at}"
                return rf"{', '.join(f'{at} - {lag}' for lag in back.lags)} \to {at}"
        return ""

    @cached_property
    def _beside(self) -> dict[int, tuple[float, float, str]]:
        """Where the name of a dot stands: right, left or above, where the fewest arrows are."""
        spots = ((DOT + 5, -2.0, "start"), (-DOT - 5, -2.0, "end"), (0.0, -DOT - 11, "middle"))
        return {place: min(spots, key=lambda spot: self._covered(place, spot)) for place in self._dots}

    @property
    def _dots(self) -> list[int]:
        return [place for place, node in enumerate(self.graph.nodes) if not node.kind.random]

    def _covered(self, place: int, spot: tuple[float, float, str]) -> float:
        """How many arrows leave or meet a dot on the side of its name."""
        x, y = self.places[place]
        ends = [self.places[b if a == place else a] for a, b in self.graph.arrows if place in (a, b)]
        wide = breadth(self.name(self.graph.nodes[place]), SIZE)
        left = x + spot[0] - {"start": 0.0, "middle": wide / 2, "end": wide}[spot[2]]
        box = (left, y + spot[1] - SIZE / 2, left + wide, y + spot[1] + SIZE / 2)
        return float(sum(cuts((x, y), end, box) for end in ends))

    # words --------------------------------------------------------------------------------------

    def name(self, node: Node) -> str:
        return ", ".join(
            letter(each.symbol.label if each.sizes else each.symbol, self.lexicon) for each in node.variables
        )

    @cached_property
    def ranges(self) -> dict[Plate, str]:
        """The range of each plate, i = 1, …, n; or the sizes alone, if one would stand on an arrow or too wide."""
        whole = {plate: self._range(plate) for plate in self.graph.plates}
        return whole if all(map(self._fits, whole, whole.values())) else {p: self._size(p) for p in whole}

    def _range(self, plate: Plate) -> str:
        index, name, place = self._index(plate)
        size = self._size(plate)
        if size != latex(plate.size, self.lexicon):
            return rf"{letter(index, self.lexicon)} = 1, \dots, {size}"
        return counted(index, plate.size, self.lexicon, name=name, place=place)

    def _size(self, plate: Plate) -> str:
        """The size of a plate; of one that data show, what shows it."""
        shown = {extent.symbol: extent.value for extent in self.derivation.extents}
        value = shown.get(plate.size, plate.size)
        return latex(value if isinstance(value, Indexed) else plate.size, self.lexicon)

    def _fits(self, plate: Plate, text: str) -> bool:
        left, _, right, _ = self.box(plate)
        return breadth(text, SMALL) + 12 <= right - left and not self._crossed(plate, text, "end")

    def _crossed(self, plate: Plate, text: str, anchor: str) -> bool:
        """Whether an arrow runs through the range of a plate in a corner at its foot."""
        left, _, right, bottom = self.box(plate)
        wide = breadth(text, SMALL) + 12
        across = (right - wide, right) if anchor == "end" else (left, left + wide)
        label = (across[0], bottom - 20, across[1], bottom - 2)
        return any(cuts(self.places[a], self.places[b], label) for a, b in self.graph.arrows)

    def _index(self, plate: Plate) -> tuple[Symbol, str, int]:
        """The index of a plate, and a variable and slot in which it stands."""
        variable = next(v for node in self.graph.nodes if plate in node.plates for v in node.variables)
        place = [k for k, size in enumerate(variable.sizes) if size == plate.size][plate.turn]
        return index_names(variable.sizes, self.lexicon.axes)[place], variable.name, place

    def description(self) -> str:
        """The drawing in words."""
        names = [", ".join(node.names) for node in self.graph.nodes]
        parts = [
            f"{names[place]} ({node.kind.value}) depends on "
            + ", ".join(names[a] for a, b in self.graph.arrows if b == place)
            for place, node in enumerate(self.graph.nodes)
            if any(b == place for _, b in self.graph.arrows)
        ]
        plates = [
            f"plate of size {plate.size}: "
            + ", ".join(names[node] for node in sorted(self.graph.inside(plate)))
            for plate in self.graph.plates
        ]
        return "; ".join([*parts, *plates]) + "."

    # drawing ------------------------------------------------------------------------------------

    def svg(self) -> str:
        boxes = {plate: self.box(plate) for plate in self.graph.plates}
        left, top, right, bottom = self._bounds(list(boxes.values()))
        parts = [*self._plates(boxes), *self._arrows(), *self._nodes()]
        moved = tag("g", "\n".join(parts), transform=f"translate({-left:.1f} {-top:.1f})")
        return drawing(
            right - left,
            bottom - top,
            [moved],
            title="Plate diagram",
            description=self.description(),
            of="plates",
        )

    def _bounds(self, boxes: list[Box]) -> Box:
        nodes = []
        for place, (node, (x, y)) in enumerate(zip(self.graph.nodes, self.places, strict=True)):
            left = right = self.reach(node)
            if not node.kind.random:
                wide, anchor = DOT + 6 + breadth(self.name(node), SIZE), self._beside[place][2]
                left = wide if anchor == "end" else wide / 2 if anchor == "middle" else left
                right = wide if anchor == "start" else wide / 2 if anchor == "middle" else right
            nodes.append((x - left, y - RADIUS, x + right, y + RADIUS))
        every = [*boxes, *nodes, *(loop.box for loop in self._loops.values())]
        return (
            min(box[0] for box in every) - 6,
            min(box[1] for box in every) - 6,
            max(box[2] for box in every) + 6,
            max(box[3] for box in every) + 6,
        )

    def _plates(self, boxes: dict[Plate, Box]) -> Iterator[str]:
        for plate, (left, top, right, bottom) in boxes.items():
            yield tag(
                "rect",
                x=left,
                y=top,
                width=right - left,
                height=bottom - top,
                rx=9.0,
                stroke="currentColor",
                stroke_opacity=0.55,
                stroke_width=1.1,
            )
            text = self.ranges[plate]
            turned = self._crossed(plate, text, "end") and not self._crossed(plate, text, "start")
            x, anchor = (left + 8, "start") if turned else (right - 8, "end")
            yield formula(text, x, bottom - 10, SMALL, anchor)

    def _arrows(self) -> Iterator[str]:
        for a, b in self.graph.arrows:
            yield from self._loops[a].drawn() if a == b else self._arrow(a, b)

    def _arrow(self, a: int, b: int) -> Iterator[str]:
        (x1, y1), (x2, y2) = self.places[a], self.places[b]
        away = hypot(x2 - x1, y2 - y1)
        across, down = (x2 - x1) / away, (y2 - y1) / away
        start = self._edge(a, across, down) + 1.5
        end = self._edge(b, across, down) + 1.5
        tip = (x2 - end * across, y2 - end * down)
        foot = (tip[0] - 8 * across, tip[1] - 8 * down)
        yield tag(
            "line",
            x1=x1 + start * across,
            y1=y1 + start * down,
            x2=foot[0],
            y2=foot[1],
            stroke="currentColor",
            stroke_width=1.3,
        )
        wings = [(foot[0] + s * 3.4 * down, foot[1] - s * 3.4 * across) for s in (1, -1)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, *wings))
        yield tag("polygon", points=points, fill="currentColor")

    def _edge(self, node: int, across: float, down: float) -> float:
        """How far the edge of a node is from its middle in a direction: pills are circles with a middle piece."""
        reach, high = self.reach(self.graph.nodes[node]), self.height(self.graph.nodes[node])
        flat = reach - high
        if flat <= 0:
            return high
        if abs(across) * high <= flat * abs(down):
            return high / abs(down)
        middle = flat * abs(across)
        return middle + sqrt(middle**2 - flat**2 + high**2)

    def _nodes(self) -> Iterator[str]:
        for node, (x, y) in zip(self.graph.nodes, self.places, strict=True):
            yield from self._random(node, x, y) if node.kind.random else self._fixed(node, x, y)

    def _random(self, node: Node, x: float, y: float) -> Iterator[str]:
        reach = self.reach(node)
        box: dict[str, Any] = {
            "x": x - reach,
            "y": y - RADIUS,
            "width": 2 * reach,
            "height": 2 * RADIUS,
            "rx": RADIUS,
        }
        if node.kind is Kind.OBSERVED:
            yield tag("rect", **box, fill="currentColor", fill_opacity=0.17)
        if node.kind is Kind.PARTLY:
            half = f"M {x:.1f} {y - RADIUS:.1f} a {RADIUS} {RADIUS} 0 0 1 0 {2 * RADIUS} z"
            yield tag("path", d=half, fill="currentColor", fill_opacity=0.17)
        yield tag("rect", **box, stroke="currentColor", stroke_width=1.4)
        yield formula(self.name(node), x, y, SIZE)

    def _fixed(self, node: Node, x: float, y: float) -> Iterator[str]:
        if node.kind is Kind.PARAMETER:
            yield tag("circle", cx=x, cy=y, r=DOT, fill="currentColor")
        else:
            yield tag("rect", x=x - 4, y=y - 4, width=8.0, height=8.0, fill="currentColor")
        across, down, anchor = self._beside[self.graph.nodes.index(node)]
        yield formula(self.name(node), x + across, y + down, SIZE, anchor)
