"""Entries of arrays as NumPy expressions: what is read at computed places, and what is added up at them."""

from __future__ import annotations

from sympy import Symbol

from symem.codegen.ir.nodes import Apply, Axes, Load, Node, Number, Range, Scatter, Take, union
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.speller import ATOM, Speller
from symem.codegen.numpy.wrapping import tupled


def take(spell: Speller, node: Take) -> tuple[str, int]:
    """Entries at computed places: slices where NumPy leaves the axes as they are, else an index for every slot."""
    if _slices(spell, node) == node.axes:
        inner = union(spell.rank, [place for place in node.places if isinstance(place, Node)])
        alone = sum(isinstance(place, Node) for place in node.places) == 1
        places = [
            ":"
            if isinstance(place, Symbol)
            else (alone and _run(spell, place)) or _place(spell, place, inner)
            for place in node.places
        ]
        while places[-1] == ":":
            places.pop()
        return f"{node.base.name}[{', '.join(places)}]", ATOM
    sliced = _slices(spell, node)
    if sliced is not None and len(sliced) == len(node.axes) and set(sliced) == set(node.axes):
        return (
            f"{take(spell, Take(sliced, node.base, node.places))[0]}{transposed(sliced, node.axes)}",
            ATOM,
        )
    if all(isinstance(place, Symbol | Number) for place in node.places):
        places = [":" if isinstance(place, Symbol) else spell(place) for place in node.places]
        return f"{node.base.name}[{', '.join(places)}]{transposed(_kept(node), node.axes)}", ATOM
    shape = [f"{node.base.name}.shape[{d}]" for d in range(len(node.places))]
    places = [
        spell.tight(_range(size)) + _expanded((place,), node.axes)
        if isinstance(place, Symbol)
        else _place(spell, place, node.axes)
        for place, size in zip(node.places, shape, strict=True)
    ]
    return f"{node.base.name}[{', '.join(places)}]", ATOM


def _run(spell: Speller, place: Node) -> str:
    """Places one after the other as a slice: i as :n, i + 1 as 1 : n + 1; of others nothing."""
    shift = 0
    if isinstance(place, Apply) and place.operation == "+" and len(place.arguments) == 2:
        numbers = [
            int(each.value) for each in place.arguments if isinstance(each, Number) and is_integer(each)
        ]
        ranges = [each for each in place.arguments if isinstance(each, Range)]
        if len(numbers) == len(ranges) == 1 and numbers[0] > 0:
            place, shift = ranges[0], numbers[0]
    if not isinstance(place, Range):
        return ""
    size = spell(place.size)
    if not shift:
        return f": {size}" if " " in size else f":{size}"
    less = f" - {shift}"
    end = size.removesuffix(less) if size.endswith(less) else f"{size} + {shift}"
    return f"{shift} : {end}" if " " in end else f"{shift}:{end}"


def _kept(node: Take) -> Axes:
    return tuple(place for place in node.places if isinstance(place, Symbol))


def _slices(spell: Speller, node: Take) -> Axes | None:
    """The axes that NumPy gives if whole slots are slices, or None if it would move them."""
    computed = [d for d, place in enumerate(node.places) if isinstance(place, Node)]
    if all(isinstance(node.places[d], Number) for d in computed):
        return _kept(node)
    if computed != list(range(computed[0], computed[-1] + 1)):
        return None
    inner = union(spell.rank, [place for place in node.places if isinstance(place, Node)])
    before, after = node.places[: computed[0]], node.places[computed[-1] + 1 :]
    return (*before, *inner, *after)


def _place(spell: Speller, place: Node, axes: Axes) -> str:
    text = spell.aligned(place, axes)
    if isinstance(place, Number) or is_integer(place):
        return text
    return f"np.asarray({text}, dtype=int)"


def scatter(spell: Speller, node: Scatter) -> tuple[str, int]:
    """What is added up at computed places."""
    spell.helpers.add("_scatter")
    keys = dict(node.keys)
    full = union(spell.rank, [node.value, *keys.values(), *(_axis(a) for a in node.axes if a not in keys)])
    places, shape = [], []
    for axis, size in zip(node.axes, node.sizes, strict=True):
        shape.append(spell(size))
        place = (
            _place(spell, keys[axis], full)
            if axis in keys
            else f"np.arange({shape[-1]}){_expanded((axis,), full)}"
        )
        places.append(place)
    value = spell.aligned(node.value, full)
    return f"_scatter({value}, {tupled(places)}, {tupled(shape)})", ATOM


def is_integer(node: Node) -> bool:
    """Whether the array holds integers in memory."""
    if isinstance(node, Load):
        return node.integer
    if isinstance(node, Take):
        return node.base.integer
    if isinstance(node, Number):
        return bool(node.value.is_Integer)
    if isinstance(node, Apply):
        return node.operation in ("+", "*", "neg", "maximum", "minimum") and all(
            map(is_integer, node.arguments)
        )
    return isinstance(node, Range)


def _axis(axis: Symbol) -> Node:
    return Number((axis,), axis)


def _range(size: str) -> Node:
    return Load((), f"np.arange({size})", (), frozenset())


def _expanded(held: Axes, axes: Axes) -> str:
    places = [axis in held for axis in axes]
    tail = places[places.index(True) :]
    return "" if all(tail) else f"[{', '.join(':' if each else 'None' for each in tail)}]"
