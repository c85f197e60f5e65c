"""Log weights that separate: a sum of (parameters) times (data) is coefficients @ features.

The natural-parameter form of an exponential family, found from the algebra. An E-step is then one matrix
product, and so are the statistics of the same features. A feature may have entries of its own: x_a, or x_a x_b, of
which a symmetric one is kept for a ≤ b alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, Pow, S, Sum, Symbol

from symem.codegen.ir.features import Features
from symem.codegen.ir.nodes import ONE, Axes, Node
from symem.codegen.lowering.contraction import level
from symem.codegen.lowering.entry_places import is_entry, place
from symem.codegen.lowering.lower import Lowering
from symem.language.plates import Axis


@dataclass(frozen=True)
class Product:
    """A term: factors of data, factors of parameters, and the entries summed over."""

    data: tuple[Expr, ...] = ()
    other: tuple[Expr, ...] = ()
    bound: tuple[tuple[Symbol, Expr], ...] = ()

    def __mul__(self, other: Product) -> Product:
        return Product(self.data + other.data, self.other + other.other, self.bound + other.bound)


@dataclass(frozen=True)
class Part:
    """A term of a log weight: a coefficient of parameters times a feature of data."""

    feature: Node
    coefficient: Expr
    symmetric: bool
    product: Product


def separated(
    lower: Lowering, weight: str, value: Expr, axes: Axes, row: Symbol, count: Expr = S.One
) -> Features | None:
    """The features of a log weight over `axes`, if it has at least two and `row`, which counts so often, is its only plate."""
    labels = tuple(axis for axis in axes if axis != row)
    found: dict[Node, list[Part]] = {}
    rest: list[Expr] = []
    for term in Add.make_args(value):
        parts = _split(lower, term, labels, row)
        rest += [] if parts else [term]
        for part in parts or ():
            found.setdefault(part.feature, []).append(part)
    shared = [
        node
        for node, parts in found.items()
        if node != ONE and not any(set(lower(part.coefficient).axes) & set(labels) for part in parts)
    ]
    own = sorted((node for node in found if node not in shared), key=lambda node: _rank(node, row))
    if len(own) < 2 or not labels:
        return None
    coefficients = tuple(lower(Add(*(part.coefficient for part in found[node]))) for node in own)
    return Features(
        weight, labels, row, tuple(own), coefficients, tuple(found[node][0].symmetric for node in own),
        lower(Add(*rest)) if rest else None,
        *_beside_labels(lower, [part for node in shared for part in found[node]], row, count),
    )  # fmt: skip


def _beside_labels(
    lower: Lowering, parts: Sequence[Part], row: Symbol, count: Expr
) -> tuple[Node | None, Node | None]:
    """Coefficient times feature for features that have no label, summed over rows, and for each row."""
    limits = Axis(row, lower.sizes[row]).limits
    products = [part.product for part in parts]
    sums = [nested([*each.other, Sum(Mul(count, *each.data), limits)], each.bound) for each in products]
    rows = [nested([*each.other, Mul(count, *each.data)], each.bound) for each in products]
    return (lower(Add(*sums)), lower.over(Add(*rows), (row,))) if sums else (None, None)


def _rank(node: Node, row: Symbol) -> tuple[bool, int, int, str]:
    return (node != ONE, len(set(node.axes) - {row}), sum(1 for _ in node.walk()), repr(node))


def _split(lower: Lowering, term: Expr, labels: Axes, row: Symbol) -> list[Part] | None:
    """The parts of a term, or None if one mixes parameters and data."""
    found = products(lower, term)
    if found is None:
        return None
    parts = [_part(lower, product) for product in found]
    for part in parts:
        feature, coefficient = part.feature, lower(part.coefficient)
        entries = tuple(axis for axis in feature.axes if axis != row)
        allowed = {*labels, *entries}
        if level(coefficient) != 0 or len(entries) > 2 or not set(coefficient.axes) <= allowed:
            return None
        if not all(map(is_entry, entries)) or (entries and row not in feature.axes):
            return None
    return parts


def products(lower: Lowering, expr: Expr) -> list[Product] | None:
    """An expression as products of data and of parameters, sums over entries taken apart; None where they mix."""
    if isinstance(expr, Mul):
        return _multiplied([products(lower, each) for each in expr.args])
    if isinstance(expr, Add) and level(lower(expr)) > 0 and _is_mixed(lower, expr):
        parts = [products(lower, each) for each in _gathered(lower, expr)]
        return None if any(part is None for part in parts) else [p for part in parts for p in part or ()]
    if not isinstance(expr, Pow | Sum) or level(lower(expr)) < 2:
        return _whole(lower, expr)
    if isinstance(expr, Pow):
        copies = isinstance(expr.exp, Integer) and expr.exp > 1
        return _multiplied([products(lower, expr.base)] * int(expr.exp)) if copies else None
    if not all(is_entry(limit[0]) for limit in expr.limits):
        return None
    bound = tuple((limit[0], limit[2] + 1) for limit in expr.limits)
    inner = products(lower, expr.function)
    return None if inner is None else [each * Product(bound=bound) for each in inner]


def _is_mixed(lower: Lowering, expr: Add) -> bool:
    """Whether some terms of a sum are not of data alone."""
    return any(not each.is_number and level(lower(each)) != 1 for each in expr.args)


def _gathered(lower: Lowering, expr: Add) -> list[Expr]:
    """The terms of a sum, what is free of data as one: the difference of a point and a mean is taken first."""
    free = [each for each in expr.args if level(lower(each)) == 0]
    return [*(each for each in expr.args if each not in free), *([Add(*free)] if free else [])]


def _whole(lower: Lowering, expr: Expr) -> list[Product] | None:
    found = level(lower(expr))
    if found == 2:
        return None
    return [Product(data=(expr,)) if found == 1 else Product(other=(expr,))]


def _multiplied(factors: Sequence[list[Product] | None]) -> list[Product] | None:
    found = [Product()]
    for factor in factors:
        if factor is None:
            return None
        found = [_apart(a, b) * b for a in found for b in factor]
    return found


def _apart(product: Product, other: Product) -> Product:
    """The product with its summed entries renamed where another one sums over the same."""
    taken = {index for index, _ in (*product.bound, *other.bound)}
    taken |= {
        s for each in (*product.data, *other.data, *product.other, *other.other) for s in each.free_symbols
    }
    names: dict[Symbol, Symbol] = {}
    for index, size in product.bound:
        if index in {each for each, _ in other.bound}:
            number = next(k for k in range(3, 99) if place(size, k) not in taken | set(names.values()))
            names[index] = place(size, number)
    return _renamed(product, names)


def _renamed(product: Product, names: dict[Symbol, Symbol]) -> Product:
    return Product(
        tuple(each.xreplace(names) for each in product.data),
        tuple(each.xreplace(names) for each in product.other),
        tuple((names.get(index, index), size) for index, size in product.bound),
    )


def _part(lower: Lowering, product: Product) -> Part:
    """A product as feature and coefficient; entries that only one of them has are summed there."""
    data, other = Mul(*product.data), Mul(*product.other)
    held = data.free_symbols | other.free_symbols
    other *= Mul(*(size for index, size in product.bound if index not in held))
    shared = [b for b in product.bound if b[0] in data.free_symbols & other.free_symbols]
    count: dict[Expr, int] = {}
    names: dict[Symbol, Symbol] = {}
    for index, size in shared:
        count[size] = count.get(size, 0) + 1
        names[index] = place(size, count[size])
    lower.sizes.update({names[index]: size for index, size in shared})
    lower.sizes.update(dict(product.bound))
    own = [b for b in product.bound if b not in shared]
    feature = _summed(data, own).xreplace(names)
    inner = [b for b in own if b[0] in other.free_symbols and b[0] not in data.free_symbols]
    coefficient = nested(Mul.make_args(other), inner).xreplace(names)
    summed = {index: place(size, 71 + number) for number, (index, size) in enumerate(inner)}
    lower.sizes.update({summed[index]: size for index, size in inner})
    node = lower(feature) if product.data else ONE
    return Part(node, _with_bound(coefficient, summed), _is_symmetric(feature, names), product)


def _with_bound(value: Expr, names: dict[Symbol, Symbol]) -> Expr:
    """The value with what it sums over called by these names, so that equal sums look equal."""
    return value.xreplace(names) if not set(names.values()) & value.atoms(Symbol) else value


def _summed(value: Expr, bound: Iterable[tuple[Symbol, Expr]]) -> Expr:
    limits = [(index, Integer(0), size - 1) for index, size in bound if index in value.free_symbols]
    return Sum(value, *limits) if limits else value


def _is_symmetric(feature: Expr, names: dict[Symbol, Symbol]) -> bool:
    if len(names) != 2:
        return False
    first, second = names.values()
    return bool(feature.xreplace({first: second, second: first}) == feature)


def nested(factors: Iterable[Expr], bound: Iterable[tuple[Symbol, Expr]]) -> Expr:
    """The sum of a product, an index at a time: the one that fewest factors have first."""
    left, todo = list(factors), list(bound)
    while todo:
        index, size = min(todo, key=lambda pair: (sum(each.has(pair[0]) for each in left), str(pair[0])))
        todo.remove((index, size))
        held = [each for each in left if index in each.free_symbols]
        left = [each for each in left if each not in held]
        left.append(Sum(Mul(*held), Axis(index, size).limits) if held else size)
    return Mul(*left) if left else S.One
