"""Labels whose values may change places: parameters that only they index go along, and all else stays (label switching).

An array that a label indexes, and of which no other place is named, becomes itself when it is permuted as the label's values
are; so does a sum over all of its places. Then neither the complete-data likelihood nor ℓ changes (Redner & Walker 1984;
Stephens 2000).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

from sympy import Expr, Indexed, Integer, Product, S, Sum, Symbol, expand

from symem.calculus.separate import Term, separate
from symem.derivation.identifiability import Exchange
from symem.language.leaves import name_of, places_of
from symem.language.logarithm import expand_logs
from symem.language.plates import Axis
from symem.language.supports import Binary, Labels, UnitInterval

#: Of more numbers than these no exchange is looked for.
_MOST = 4

Slot = tuple[str, int]


@dataclass(frozen=True)
class _Class:
    """Labels that share arrays, and the places of arrays that they index."""

    labels: frozenset[str]
    slots: frozenset[Slot]

    @property
    def arrays(self) -> set[str]:
        return {name for name, _ in self.slots}


def exchanges(model: Any) -> tuple[Exchange, ...]:
    """Of the labels of a model, and of its latents of two values."""
    found = [_of_labels(each, model) for each in _classes(model)]
    pairs = [_of_two(each, model) for each in model.latents if isinstance(each.support, Binary)]
    return tuple(each for each in (*found, *pairs) if each is not None)


# labels -------------------------------------------------------------------------------------------------


def _classes(model: Any) -> list[_Class]:
    """Labels and the places that they index, those that meet together."""
    labels = {each.name for each in model.latents if isinstance(each.support, Labels)}
    parameters = {each.name for each in model.parameters}
    pairs = {
        (name_of(place), (name_of(entry), slot))
        for entry in model.log_likelihood.atoms(Indexed)
        if name_of(entry) in parameters
        for slot, place in enumerate(places_of(entry))
        if isinstance(place, Indexed) and name_of(place) in labels
    }
    found: list[_Class] = []
    for label, slot in sorted(pairs):
        met = [each for each in found if label in each.labels or slot in each.slots]
        joined = _Class(
            frozenset({label}).union(*(each.labels for each in met)),
            frozenset({slot}).union(*(each.slots for each in met)),
        )
        found = [each for each in found if each not in met] + [joined]
    return found


def _of_labels(of: _Class, model: Any) -> Exchange | None:
    sizes = {model.variables[name].sizes[slot] for name, slot in of.slots}
    if len(sizes) != 1 or any(_tells_apart(model.log_likelihood, of, model)):
        return None
    broken = dict.fromkeys(_tells_apart(model.log_prior, of, model))
    order = [each.name for each in model.parameters if each.name in of.arrays]
    return Exchange(tuple(sorted(of.labels)), sizes.pop(), tuple(order), broken_by=tuple(broken))


def _tells_apart(expr: Expr, of: _Class, model: Any) -> Iterator[str]:
    """What does not stay the same under a permutation, by name."""
    sizes = {slot: model.variables[slot[0]].sizes[slot[1]] for slot in of.slots}
    yield from _walk(expr, of, sizes, {}, frozenset(), "")


def _walk(
    node: Any,
    of: _Class,
    sizes: Mapping[Slot, Expr],
    ranges: Mapping[Any, Expr],
    moved: frozenset[Any],
    within: str,
) -> Iterator[str]:
    """`ranges` are the indices that sums run over, `moved` those of them that run over permuted places."""
    if isinstance(node, (Sum, Product)):
        whole = {index: high + 1 for index, low, high in node.limits if low == 0}
        ranges = {**{k: v for k, v in ranges.items() if k not in whole}, **whole}
        here = frozenset(_dummies(node.function, of, whole))
        moved = (moved - frozenset(index for index, *_ in node.limits)) | here
        yield from _walk(node.function, of, sizes, ranges, moved, within)
    elif isinstance(node, Indexed):
        name = name_of(node)
        yield from [within or name] * (name in of.labels)
        for slot, place in enumerate(places_of(node)):
            if (name, slot) not in of.slots:
                yield from _walk(place, of, sizes, ranges, moved, name)
            elif not _moves(place, of, ranges.get(place) == sizes[name, slot]):
                yield name_of(place) if isinstance(place, Indexed) else name
    elif node in moved:
        yield within or str(node)
    else:
        for each in node.args:
            yield from _walk(each, of, sizes, ranges, moved, within)


def _moves(place: Any, of: _Class, whole: bool) -> bool:  # noqa: FBT001  what a place runs over
    """Whether a permutation takes a place along: that of one of the labels, or all places in turn."""
    return name_of(place) in of.labels if isinstance(place, Indexed) else whole


def _dummies(body: Expr, of: _Class, ranges: Mapping[Any, Expr]) -> Iterator[Any]:
    for entry in body.atoms(Indexed):
        for slot, place in enumerate(places_of(entry)):
            if (name_of(entry), slot) in of.slots and place in ranges:
                yield place


# two values ---------------------------------------------------------------------------------------------


def _of_two(latent: Any, model: Any) -> Exchange | None:
    """z and 1 - z may change places if numbers do: in a likelihood that is written out, or of a Bernoulli latent."""
    entries = [each for each in model.log_likelihood.atoms(Indexed) if name_of(each) == latent.name]
    if len(entries) != 1:
        return None
    z, terms = entries[0], separate(model.log_likelihood)
    if any(inner.has(z) for term in terms for inner in term.factor.atoms(Sum, Product)):
        return None
    values = [_by_axes(terms, {z: Integer(value)}) for value in (0, 1)]
    moving = {axes for axes, body in values[1].items() if body != values[0].get(axes)}
    zero, one = (_numbers({axes: body[axes] for axes in moving}, model) for body in values)
    ours, theirs, shared = (sorted(each, key=str) for each in (one - zero, zero - one, one & zero))
    if len(ours) != len(theirs) or not ours or max(len(ours), len(shared)) > _MOST:
        return None
    for swaps in _swaps(ours, theirs, shared, model):
        rules = dict(swaps)
        if _same(values[0], values[1], rules) and _same(values[1], values[0], rules):
            return Exchange((latent.name,), Integer(2), swaps=_once(swaps), broken_by=_broken(rules, model))
    return None


def _broken(rules: Mapping[Any, Expr], model: Any) -> tuple[str, ...]:
    """What of the log-prior an exchange changes."""
    gap = expand(expand_logs(model.log_prior - model.log_prior.xreplace(dict(rules))))
    slots = {
        (name_of(each), slot)
        for each in rules
        for slot, place in enumerate(places_of(each))
        if isinstance(each, Indexed) and place.is_Integer
    }
    told = _tells_apart(model.log_prior, _Class(frozenset(), frozenset(slots)), model)
    return tuple(dict.fromkeys([*(str(each) for each in rules if gap.has(each)), *told]))


def _by_axes(terms: Sequence[Term], at: Mapping[Any, Expr]) -> dict[tuple[Axis, ...], Expr]:
    """Terms at a value of the latent, added up over the same axes."""
    found: dict[tuple[Axis, ...], Expr] = {}
    for term in terms:
        found[term.axes] = found.get(term.axes, S.Zero) + term.factor.xreplace(dict(at))
    return found


def _same(one: Mapping[Any, Expr], other: Mapping[Any, Expr], rules: Mapping[Any, Expr]) -> bool:
    """Whether exchanging numbers in the one gives the other."""
    keys = {*one, *other}
    gaps = (expand_logs(one.get(key, S.Zero).xreplace(dict(rules))) - other.get(key, S.Zero) for key in keys)
    return all(expand(gap) == 0 for gap in gaps)


def _numbers(body: Mapping[Any, Expr], model: Any) -> set[Any]:
    """The scalars and the entries of arrays that are parameters."""
    scalars = {v.symbol for v in model.parameters if not v.sizes and not v.shape}
    names = {v.name for v in model.parameters}
    return {
        each
        for value in body.values()
        for each in value.atoms(Symbol, Indexed)
        if each in scalars or (isinstance(each, Indexed) and name_of(each) in names)
    }


def _swaps(
    ours: Sequence[Any], theirs: Sequence[Any], shared: Sequence[Any], model: Any
) -> Iterator[tuple[tuple[Any, Expr], ...]]:
    """Ways to exchange those of one value with those of the other, the shares among the rest with their complements."""
    support = {each: model.variables[name_of(each)].support for each in (*ours, *theirs, *shared)}
    shares = [each for each in shared if isinstance(support[each], UnitInterval)]
    for order in permutations(theirs):
        if all(support[a] == support[b] for a, b in zip(ours, order, strict=True)):
            pairs = [pair for a, b in zip(ours, order, strict=True) for pair in ((a, b), (b, a))]
            for turned in product((True, False), repeat=len(shares)):
                rest = [(w, 1 - w) for w, one in zip(shares, turned, strict=True) if one]
                yield (*pairs, *rest)


def _once(swaps: Sequence[tuple[Any, Expr]]) -> tuple[tuple[Any, Expr], ...]:
    """Of two that change places one."""
    kept: dict[Any, Expr] = {}
    for one, other in swaps:
        if other not in kept:
            kept[one] = other
    return tuple(kept.items())
