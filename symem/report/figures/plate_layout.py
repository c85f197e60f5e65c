"""Places for the nodes of a graph, so that plates can be drawn as rectangles around them.

Nodes stand on a grid of half steps. What makes a picture bad is counted: a stranger inside a plate's rectangle,
plates that touch without sharing a node, arrows through nodes, arrows that cross or climb, length, breadth. From
a few starts in layers, single nodes are moved and pairs exchanged while the count falls; nothing is random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, product

from symem.report.figures.plate_graph import Graph

Place = tuple[float, float]
Places = tuple[Place, ...]
MOST_COLUMNS = 5


@dataclass(frozen=True)
class Cost:
    """What is wrong with places for a graph; smaller is better."""

    graph: Graph

    @cached_property
    def insides(self) -> tuple[frozenset[int], ...]:
        return tuple(dict.fromkeys(self.graph.inside(plate) for plate in self.graph.plates))

    @cached_property
    def level(self) -> list[float]:
        """What an arrow costs that does not fall: little between random nodes."""
        nodes, arrows = self.graph.nodes, self.graph.arrows
        return [4.0 if nodes[a].kind.random else 12.0 for a, b in arrows if a != b]

    @cached_property
    def parents(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for parent, child in self.graph.arrows:
            found.setdefault(child, []).append(parent)
        return found

    def __call__(self, places: Places, limit: float = float("inf")) -> float:
        """The count, or infinity where it is beyond the limit."""
        total = 0.0
        for part in (self._size, self._balance, self._arrows, self._plates):
            total += part(places)
            if total >= limit:
                return float("inf")
        return total

    def _plates(self, places: Places) -> float:
        boxes = [_box([places[node] for node in inside]) for inside in self.insides]
        strangers = sum(
            _holds(box, place)
            for box, inside in zip(boxes, self.insides, strict=True)
            for node, place in enumerate(places)
            if node not in inside
        )
        touching = sum(
            _meet(one, other)
            for (one, a), (other, b) in combinations(zip(boxes, self.insides, strict=True), 2)
            if not a & b
        )
        crossed = sum(
            _runs_through(places[a], places[b], box)
            for a, b in self.graph.arrows
            for box, inside in zip(boxes, self.insides, strict=True)
            if a not in inside and b not in inside
        )
        spread = sum((box[2] - box[0]) + (box[3] - box[1]) for box in boxes)
        return 200.0 * (strangers + touching) + 6.0 * crossed + 0.8 * spread

    def _arrows(self, places: Places) -> float:
        ends = [(places[a], places[b]) for a, b in self.graph.arrows if a != b]
        total = 0.0
        for (start, end), level in zip(ends, self.level, strict=True):
            across, down = abs(end[0] - start[0]), end[1] - start[1]
            total += (
                across**2 + abs(down) ** 2 + (12 * (1 - down) if down < 0 else level if down == 0 else 0.0)
            )
            total += sum(60 for place in places if place not in (start, end) and _near(place, start, end))
        return total + sum(8 for one, other in combinations(ends, 2) if _cross(one, other))

    def _balance(self, places: Places) -> float:
        """Children below the middle of their parents."""
        return sum(
            (places[child][0] - sum(places[p][0] for p in parents) / len(parents)) ** 2
            for child, parents in self.parents.items()
        )

    def _size(self, places: Places) -> float:
        left, top, right, bottom = _box(list(places))
        wide, high = right - left + 1, bottom - top + 1
        return 0.5 * wide + 0.3 * high + 15 * max(0.0, wide - MOST_COLUMNS)


def _box(places: list[Place]) -> tuple[float, float, float, float]:
    across, down = [place[0] for place in places], [place[1] for place in places]
    return min(across), min(down), max(across), max(down)


def _holds(box: tuple[float, float, float, float], place: Place) -> bool:
    return box[0] - 1 < place[0] < box[2] + 1 and box[1] - 1 < place[1] < box[3] + 1


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    across = one[0] - 1 < other[2] and other[0] - 1 < one[2]
    return across and one[1] - 1 < other[3] and other[1] - 1 < one[3]


def _runs_through(start: Place, end: Place, box: tuple[float, float, float, float]) -> bool:
    """Whether a point of the arrow lies near the box."""
    steps = (0.2, 0.35, 0.5, 0.65, 0.8)
    points = [(start[0] + s * (end[0] - start[0]), start[1] + s * (end[1] - start[1])) for s in steps]
    return any(box[0] - 0.5 < x < box[2] + 0.5 and box[1] - 0.5 < y < box[3] + 0.5 for x, y in points)


def _near(place: Place, start: Place, end: Place) -> bool:
    """Whether an arrow would touch a node."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = across**2 + down**2
    share = ((place[0] - start[0]) * across + (place[1] - start[1]) * down) / length
    if not 0 < share < 1:
        return False
    away = (start[0] + share * across - place[0]) ** 2 + (start[1] + share * down - place[1]) ** 2
    return away < 0.42**2


def _cross(one: tuple[Place, Place], other: tuple[Place, Place]) -> bool:
    (a, b), (c, d) = one, other
    if {a, b} & {c, d}:
        return False
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Place, b: Place, c: Place) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@lru_cache(maxsize=32)
def placed(graph: Graph) -> Places:
    """A place (across, down) for each node, in steps of the grid from (0, 0)."""
    cost = Cost(graph)
    found = [_improved(start, cost) for start in _starts(graph)]
    best = min(found, key=cost)
    left, top, *_ = _box(list(best))
    return tuple((x - left, y - top) for x, y in best)


def _improved(places: Places, cost: Cost) -> Places:
    """Each node in turn to its best place, then exchanges, until nothing helps."""
    value = cost(places)
    while True:
        before = value
        for node in range(len(places)):
            places, value = _best(_moves(places, node), places, value, cost)
        places, value = _best(_exchanges(places), places, value, cost)
        if value > before - 1e-9:
            return places


def _best(tried: Iterator[Places], places: Places, value: float, cost: Cost) -> tuple[Places, float]:
    for each in tried:
        lower = cost(each, value - 1e-9)
        if lower < value:
            places, value = each, lower
    return places, value


def _moves(places: Places, node: int) -> Iterator[Places]:
    """The node at every spot of the grid that is not too near another."""
    others = (*places[:node], *places[node + 1 :])
    left, top, right, bottom = _box(list(places))
    columns = [left - 1 + 0.5 * step for step in range(int(2 * (right - left)) + 5)]
    rows = [top - 1 + step for step in range(int(bottom - top) + 3)]
    for across, down in product(columns, rows):
        if not any(abs(across - x) < 1 and abs(down - y) < 1 for x, y in others):
            yield (*places[:node], (across, down), *places[node + 1 :])


def _exchanges(places: Places) -> Iterator[Places]:
    for a, b in combinations(range(len(places)), 2):
        swapped = list(places)
        swapped[a], swapped[b] = places[b], places[a]
        yield tuple(swapped)


def _starts(graph: Graph) -> Iterator[Places]:
    """Layers by the longest way from the top, in the order of the nodes, its reverse, and by plates."""
    depths = [_depth(node, graph, frozenset()) for node in range(len(graph.nodes))]
    orders = (
        list(range(len(graph.nodes))),
        list(reversed(range(len(graph.nodes)))),
        sorted(range(len(graph.nodes)), key=lambda node: [str(p.size) for p in graph.nodes[node].plates]),
    )
    for order in orders:
        filled: dict[int, int] = {}
        places: dict[int, Place] = {}
        for node in order:
            column = filled.get(depths[node], 0)
            filled[depths[node]] = column + 1
            places[node] = (float(column), float(depths[node]))
        yield tuple(places[node] for node in range(len(graph.nodes)))


def _depth(node: int, graph: Graph, seen: frozenset[int]) -> int:
    parents = [a for a, b in graph.arrows if b == node and a not in seen and a != node]
    return 1 + max((_depth(parent, graph, seen | {node}) for parent in parents), default=-1)
