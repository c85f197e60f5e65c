"""Translations of vectors that a model does not notice, so that vectors far from zero can be centred.

As `shift` for numbers: if the joint log-density stays the same when some data, parameters and latents all move by
a vector t, then the posterior of a latent that moves moves with it, that of any other stays, and an iteration on
centred data gives the centred parameters. Statistics about one centre follow from those about another by
multiplying out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Add, Expr, Indexed, IndexedBase, Integer, Matrix, Mul, Pow, S, Sum, Symbol, diff

from symem.algebra.expansion import monomials
from symem.codegen.ir.centre import Translation
from symem.codegen.lowering.entries import is_entry, place
from symem.codegen.lowering.row_plate import observed
from symem.derivation import Definition, Derivation, GaussianVector
from symem.language.leaves import name_of
from symem.language.matrices import MatrixArray, MatrixEntry, T, word_of
from symem.language.model import Variable
from symem.language.plates import Axis
from symem.language.supports import Reals
from symem.language.traces import Tr, trace

_RATE = Symbol("translation_rate", real=True)
_STEP = "translation"


def vector_translation(
    derivation: Derivation, entries: Derivation, log_prior: Expr, sizes: dict[Symbol, Expr]
) -> Translation | None:
    """The translation that moves the most data, or None if the model notices every one.

    Args:
        derivation: in matrices, which says what moves.
        entries: the same in entries, with the statistics.
        log_prior: of the parameters, in matrices.
        sizes: of every index, extended.
    """
    found = [moving for moving in _directions(derivation, log_prior) if _moves_data(derivation, moving)]
    for moving in sorted(found, key=lambda names: (-len(names), sorted(names))):
        made = _Closure(entries, moving, sizes).translation()
        if made is not None:
            return made
    return None


# -- what moves together -----------------------------------------------------------------------------------


def _directions(derivation: Derivation, log_prior: Expr) -> list[frozenset[str]]:
    model = derivation.model
    seen = {name_of(each.seen[0]) for each in model.latents if each.seen}
    vectors = [
        each
        for each in (*model.data, *model.known, *model.parameters, *model.latents)
        if len(each.shape) == 1 and isinstance(each.support, Reals) and each.name not in seen
    ]
    whole = derivation.complete + log_prior
    return [
        moving
        for size in dict.fromkeys(each.shape[0] for each in vectors)
        for moving in _together(whole, [each for each in vectors if each.shape[0] == size])
    ]


def _together(whole: Expr, candidates: list[Variable]) -> Iterable[frozenset[str]]:
    """The null space of the changes that the candidates make, as far as it is of zeros and ones."""
    columns = [monomials(_change(whole, each)) for each in candidates]
    keys = sorted({key for column in columns for key in column}, key=str)
    rows = [[column.get(key, S.Zero) for column in columns] for key in keys] or [[S.Zero] * len(columns)]
    for vector in Matrix(rows).nullspace():
        if all(entry in (0, 1) for entry in vector):
            yield frozenset(each.name for each, entry in zip(candidates, vector, strict=True) if entry)


def _change(whole: Expr, variable: Variable) -> Expr:
    """The rate at which a log-density changes when a vector moves along t."""
    step = MatrixArray(_STEP, variable.shape[0], 1)()
    forms = {form: _moved_form(form, variable.name, step) for form in whole.atoms(Tr)}
    return diff(whole.xreplace(forms), _RATE).subs(_RATE, 0)


def _moved_form(form: Tr, name: str, step: Expr) -> Expr:
    word = [_moved_letter(letter, name, step) for letter in form.word]
    return trace(word_of(word), 1) if tuple(word) != form.word else form


def _moved_letter(letter: Expr, name: str, step: Expr) -> Expr:
    inner = letter.args[0] if isinstance(letter, T) else letter
    if not isinstance(inner, MatrixEntry) or name_of(inner) != name:
        return letter
    return letter + _RATE * (T(step) if isinstance(letter, T) else step)


def _moves_data(derivation: Derivation, moving: frozenset[str]) -> bool:
    return any(each.sizes for each in _moving_data(derivation, moving))


def _moving_data(derivation: Derivation, moving: frozenset[str]) -> list[Variable]:
    """Data that move, themselves or as the seen entries of a latent that does."""
    seen = {name_of(each.seen[0]) for each in derivation.model.latents if each.seen and each.name in moving}
    return [each for each in derivation.model.data if each.name in moving | seen]


# -- statistics about another centre -----------------------------------------------------------------------

#: A product with the indices that it is summed over and their sizes.
_Flat = tuple[tuple[Expr, ...], tuple[tuple[Symbol, Expr], ...]]


class _Closure:
    def __init__(self, entries: Derivation, moving: frozenset[str], sizes: dict[Symbol, Expr]) -> None:
        self.entries, self.moving, self.sizes = entries, moving, sizes
        data = _moving_data(entries, moving)
        self.data = data
        known = [each.name for each in observed(entries.model) if each.name in moving]
        self.names = tuple(dict.fromkeys([*(each.name for each in data), *known]))
        self.means = {
            name_of(each.mean)
            for each in entries.posteriors
            if each.latent.name in moving and isinstance(each, GaussianVector)
        }
        self.step = IndexedBase(_STEP, real=True)
        self.todo = list(entries.surrogate.statistics)
        self.added: list[Definition] = []
        self.table: dict[Expr, Expr] = {}
        for each in self.todo:
            self._enter(each)

    def translation(self) -> Translation | None:
        if any(each.inline for each in self.entries.posteriors):
            return None
        recentred = {}
        while self.todo:
            definition = self.todo.pop(0)
            recentred[name_of(definition.symbol)] = self._about_new_centre(definition)
        model = self.entries.model
        rates = {
            name_of(d.symbol): (d.symbol, S.One)
            for each in self.entries.posteriors
            for d in each.parameters
            if name_of(d.symbol) in self.means
        }
        return Translation(
            Symbol(_STEP, real=True), next(each for each in self.data if each.sizes), self.names,
            tuple(each.name for each in model.parameters if each.name in self.moving), rates, recentred,
            tuple(self.added),
        )  # fmt: skip

    def _enter(self, definition: Definition) -> None:
        flat = _flattened(definition.value)
        if len(flat) == 1:
            key, names = self._canonical(*flat[0])
            self.table.setdefault(key, definition.symbol.xreplace(names))

    def _about_new_centre(self, definition: Definition) -> Expr:
        """The statistic plus what the terms with t add to it."""
        moved = definition.value.xreplace(
            {
                entry: entry + self.step[entry.indices[-1]]
                for entry in definition.value.atoms(Indexed)
                if self._moves(entry)
            }
        )
        parts = [part for part in _flattened(moved) if any(self._is_step(f) for f in part[0])]
        return definition.symbol + Add(*(self._part(part, definition) for part in parts))

    def _moves(self, entry: Expr) -> bool:
        return name_of(entry) in self.names or name_of(entry) in self.means

    def _is_step(self, factor: Expr) -> bool:
        return bool(factor.has(self.step))

    def _part(self, part: _Flat, like: Definition) -> Expr:
        """Powers of t times a statistic, which is made if there is none."""
        factors, bound = part
        steps = Mul(*(f for f in factors if self._is_step(f)))
        rest = tuple(f for f in factors if not self._is_step(f))
        outer = [(index, size) for index, size in bound if index in steps.free_symbols]
        inner = tuple(pair for pair in bound if pair not in outer)
        number = Mul(*(f for f in rest if f.is_number))
        rest = tuple(f for f in rest if not f.is_number)
        used = {s for f in rest for s in f.free_symbols}
        number *= Mul(*(size for index, size in inner if index not in used))
        inner = tuple(pair for pair in inner if pair[0] in used)
        plain = not inner and all(f.is_Symbol for f in rest)
        value = steps * number * (Mul(*rest) if plain else self._statistic(rest, inner, like))
        return Sum(value, *(Axis(index, size).limits for index, size in outer)) if outer else value

    def _statistic(
        self, factors: tuple[Expr, ...], bound: tuple[tuple[Symbol, Expr], ...], like: Definition
    ) -> Expr:
        key, names = self._canonical(factors, bound)
        if key not in self.table:
            self._make(key, like)
        return self.table[key].xreplace({new: old for old, new in names.items()})

    def _make(self, key: Expr, like: Definition) -> None:
        plates = [axis for axis in like.axes if axis.index in key.free_symbols and not is_entry(axis.index)]
        entries = sorted((s for s in key.free_symbols if s in self.sizes and is_entry(s)), key=str)
        axes = (*plates, *(Axis(index, self.sizes[index]) for index in entries))
        name = f"S_{len(self.entries.surrogate.statistics) + len(self.added)}"
        slots = tuple(axis.index for axis in axes)
        symbol = IndexedBase(name, real=True)[slots] if slots else Symbol(name, real=True)
        made = Definition(symbol, axes, key)
        self.added.append(made)
        self.todo.append(made)
        self.table[key] = symbol

    def _canonical(self, factors: tuple[Expr, ...], bound: Any) -> tuple[Expr, dict[Symbol, Symbol]]:
        """The sum of a product, with its free entries numbered in the order in which they occur."""
        product = Mul(*factors)
        held = {index for index, _ in bound}
        free: list[Symbol] = []
        for entry in sorted(product.atoms(Indexed), key=lambda each: (name_of(each), str(each))):
            free += [
                s
                for s in entry.indices
                if s in self.sizes and is_entry(s) and s not in held and s not in free
            ]
        counts: dict[Expr, int] = {}
        names: dict[Symbol, Symbol] = {}
        for index in free:
            size = self.sizes[index]
            counts[size] = counts.get(size, 0) + 1
            names[index] = place(size, counts[size])
            self.sizes[names[index]] = size
        limits = [Axis(index, size).limits for index, size in bound]
        whole = Sum(product, *limits) if limits else product
        return whole.xreplace(names), names


def _flattened(expr: Expr) -> list[_Flat]:
    """An expression as products, each under all sums that stand around it."""
    if isinstance(expr, Add):
        return [part for each in expr.args for part in _flattened(each)]
    if isinstance(expr, Sum):
        own = tuple((index, upper + 1) for index, _, upper in expr.limits)
        return [(factors, (*bound, *own)) for factors, bound in _flattened(expr.function)]
    if isinstance(expr, Mul):
        return _multiplied([_flattened(each) for each in expr.args])
    if (
        isinstance(expr, Pow)
        and isinstance(expr.exp, Integer)
        and expr.exp > 1
        and isinstance(expr.base, Add | Sum)
    ):
        return _multiplied([_flattened(expr.base)] * int(expr.exp))
    return [((expr,), ())]


def _multiplied(factors: list[list[_Flat]]) -> list[_Flat]:
    products: list[_Flat] = [((), ())]
    for factor in factors:
        products = [_joined(a, b) for a in products for b in factor]
    return products


def _joined(first: _Flat, second: _Flat) -> _Flat:
    """Both products, the first one's summed entries renamed where the second sums over the same."""
    taken = {index for index, _ in (*first[1], *second[1])}
    names: dict[Symbol, Symbol] = {}
    for index, size in first[1]:
        if index in {each for each, _ in second[1]} and is_entry(index):
            fresh = next(each for k in range(31, 50) if (each := place(size, k)) not in taken)
            names[index] = fresh
            taken.add(fresh)
    bound = tuple((names.get(index, index), size) for index, size in first[1])
    return (*(f.xreplace(names) for f in first[0]), *second[0]), (*bound, *second[1])
