"""Expected sufficient statistics: each term of Q as parameters beside data, and every sum over data named once.

Data that enter Q in one proportion everywhere are one statistic. (Dempster, Laird & Rubin 1977, section 2.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from sympy import Add, Expr, Indexed, Mul, Pow, S, Sum, Symbol

from symem.calculus.centring import Second, seconds
from symem.calculus.data_squares import squares_of
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.matrix_terms import Filled, fill, is_hole, matrix_scalars
from symem.calculus.scatters import Centred
from symem.calculus.separate import Term, fold, gather, rename_apart, separate
from symem.calculus.weighted_sums import Facts, Total
from symem.derivation import NUMBERED, Definition, Moments
from symem.language.matrices import is_matrix, is_symmetric, shape
from symem.language.matrix_supports import PositiveDefinite
from symem.language.model import Model, Variable
from symem.language.plates import Axis, Iverson, reindex
from symem.language.traces import words

#: Where in Q data stand: the part in parameters, and its axes.
Place = tuple[Expr, tuple[Axis, ...]]


#: Coefficients at several places, as ratios to the first.
Pattern = tuple[tuple[Place, Expr], ...]


@dataclass(frozen=True)
class SplitTerm:
    """number · parameter · data, over axes: `parameter` holds the parameters, `data` is summed within."""

    number: Expr
    parameter: Expr
    axes: tuple[Axis, ...]
    data: Expr

    @property
    def place(self) -> Place:
        """Where in Q the data stand."""
        return self.parameter, self.axes


@dataclass(frozen=True)
class Named:
    """The terms of Q in statistic symbols, the statistics, and those of them that belong together."""

    terms: tuple[Term, ...]
    statistics: tuple[Definition, ...]
    moments: tuple[Moments, ...]


@dataclass
class Statistics:
    """Names every distinct sum over data once."""

    model: Model
    names: Names
    #: The arrays of what latents are at nodes, which vary as data do.
    nodes: frozenset[Expr] = frozenset()
    splits: list[SplitTerm] = field(default_factory=list)

    def take(self, plain: Term) -> None:
        """Split a term that holds parameters at plain indices."""
        held = [f for f in plain.factors() if self._has(f, self.model.parameters)]
        rest = [f for f in plain.factors() if f not in held]
        mixed = [f for f in matrix_scalars(held) if self._mixes(f)]
        filled = self._filled(mixed) if mixed else None
        if mixed and not filled:
            mixed = [f for f in mixed if not self._is_constant_word(f)]
        around = filled.around if filled else None
        if filled:
            held = [*(f for f in held if f not in mixed), filled.around]
            rest = [*rest, filled.data]
        if any(self._varies(f) for f in held if f is not around) or (mixed and not filled):
            self.splits.append(SplitTerm(S.One, plain.factor, plain.axes, S.One))
            return
        carried = {a for f in held for a in f.free_symbols}
        outer = tuple(axis for axis in plain.axes if axis.index in carried)
        inner = fold(Term(Mul(*rest), tuple(axis for axis in plain.axes if axis.index not in carried)))
        number, bare = self._constant_factor(inner.factors())
        self.splits.append(SplitTerm(number, Mul(*held), outer, Term(bare, inner.axes).expr))

    def _filled(self, mixed: list[Expr]) -> Filled | None:
        """Split at the data; known matrices count as data, or else as constants among the parameters."""
        found = fill(mixed, self._holds_parameters)
        rest = [f for f in mixed if not self._is_constant_word(f)]
        return found or (fill(rest, self._holds_constants) if rest == mixed else None)

    def _is_constant_word(self, scalar: Expr) -> bool:
        word = (scalar.base if isinstance(scalar, Pow) else scalar).word
        return all(self._holds_constants(letter) for letter in word)

    def _holds_constants(self, letter: Expr) -> bool:
        constants = {v.symbol for v in self.model.known if v.shape and not v.sizes}
        return self._holds_parameters(letter) or letter.atoms(Indexed) <= constants

    def _mixes(self, scalar: Expr) -> bool:
        """Whether parameters and something else stand in one word."""
        word = (scalar.base if isinstance(scalar, Pow) else scalar).word
        return not all(self._holds_parameters(letter) for letter in word)

    def _holds_parameters(self, letter: Expr) -> bool:
        """Whether a letter is one of parameters, or a fixed matrix of the prior's."""
        if self._has(letter, self.model.parameters):
            return True
        return bool(self.fixed_matrices) and letter.atoms(Indexed) <= self.fixed_matrices

    @property
    def fixed_matrices(self) -> set[Expr]:
        """Known matrices that are constants: scatters, and what stands in the prior alone."""
        return {v.symbol for v in self.model.known if v.shape and not v.sizes and self._is_constant(v)}

    def _is_constant(self, variable: Variable) -> bool:
        scatter = isinstance(variable.support, PositiveDefinite)
        return scatter or not self.model.log_likelihood.has(variable.symbol)

    def _constant_factor(self, factors: Iterable[Expr]) -> tuple[Expr, Expr]:
        """(numbers, sizes and known scalars; the rest) of a product."""
        held = [f for f in factors if f.free_symbols <= self.fixed and not f.has(Iverson)]
        number, bare = Mul(*(f for f in factors if f not in held)).as_coeff_Mul()
        return Mul(number, *held), bare

    @property
    def fixed(self) -> set[Expr]:
        """Sizes and known scalars, which need no statistic."""
        scalars = {v.symbol for v in (*self.model.sizes, *self.model.known) if not v.sizes}
        return scalars | {extent.symbol for extent in self.model.extents}

    def _varies(self, expr: Expr) -> bool:
        return self._has(expr, self._varying) or any(each.base in self.nodes for each in expr.atoms(Indexed))

    @property
    def _varying(self) -> tuple[Variable, ...]:
        return tuple(v for v in (*self.model.data, *self.model.known, *self.model.masks) if v.sizes)

    @staticmethod
    def _has(expr: Expr, variables: Iterable[Variable]) -> bool:
        return any(atoms_of(expr, v) for v in variables)

    def named(self, facts: Facts) -> Named:
        """The terms of Q in statistic symbols, and the statistics, the simplest first."""
        splits, sums, found = self._read(facts)
        centred = Centred(self.names, facts)
        centred.take(found, sums)
        pieces = {whole.value: ((d.symbol, ()),) for whole, d in centred.totals.items()} | centred.pieces
        plain: list[Definition] = []
        for each in sums:
            if each.value not in pieces:
                symbol = self._symbol(f"{NUMBERED}{len(plain)}", each)
                plain.append(Definition(symbol, each.axes, centred.lettered(each.value, each.axes)))
                pieces[each.value] = ((symbol, ()),)
        terms = [
            term
            for split in splits
            for piece in pieces.get(split.data, ((split.data, ()),))
            for term in _with_statistic(split, *piece)
        ]
        return Named(tuple(gather(terms)), (*centred.definitions, *plain), tuple(centred.moments))

    def _read(self, facts: Facts) -> tuple[list[SplitTerm], list[Total], tuple[Second, ...]]:
        """Split terms, their sums, and what is read as scatters; what added up cannot be read so is not added up."""
        splits = whole_squares(canonical_axes(self.splits, self.names), facts)
        merged = merge(splits, self._is_statistic)
        sums = self._sums(merged, facts)
        found = seconds(sums, facts)
        read = {each.value for second in found for each in second.reads}
        values = {each.value for each in sums}
        own = {e: Total(e, (), facts).parts.keys() for e in {*values, *(s.data for s in splits)}}
        added = {e: {w for w in values if w != e and own[e] and own[e] <= own[w]} for e in own}
        kept = {data for data, wholes in added.items() if data not in values and wholes and not wholes & read}
        if not kept:
            return merged, sums, found
        apart = merge(splits, self._is_statistic, kept)
        alone = self._sums(apart, facts)
        more = seconds(alone, facts)
        return (apart, alone, more) if len(more) > len(found) else (merged, sums, found)

    def _sums(self, splits: list[SplitTerm], facts: Facts) -> list[Total]:
        needed = {split.data for split in splits if self._is_statistic(split.data)}
        return [Total(value, _axes_of(splits, value), facts) for value in sorted(needed, key=_simplicity)]

    def _symbol(self, name: str, whole: Total) -> Expr:
        value, places = whole.value, tuple(axis.index for axis in whole.axes)
        if is_matrix(value):
            kind = "symmetric" if is_symmetric(value) else ""
            return self.names.matrix(name, places, shape(value), kind)
        sign = {"positive": True} if value.is_nonnegative else {"real": True}
        return self.names.entry(name, places, **sign)

    def _is_statistic(self, data: Expr) -> bool:
        return bool(data.free_symbols - self.fixed)


def _with_statistic(split: SplitTerm, statistic: Expr, within: tuple[Axis, ...]) -> tuple[Term, ...]:
    """The term of Q with its statistic beside the parameters, or in the hole of a word of them."""
    hole = next((letter for letter in split.parameter.atoms(Indexed) if is_hole(letter)), None)
    inner = rename_apart(
        Term(statistic, within), {axis.index for axis in split.axes} | split.parameter.free_symbols
    )
    filling = [(S.One, inner.factor)] if hole is None else words(inner.factor)
    wholes = [
        n * (split.parameter * f if hole is None else split.parameter.xreplace({hole: f})) for n, f in filling
    ]
    parts = (part for whole in wholes for part in separate(split.number * whole))
    return tuple(Term(part.factor, part.axes + inner.axes + split.axes) for part in parts)


def whole_squares(splits: list[SplitTerm], facts: Facts) -> list[SplitTerm]:
    """Data that make up a square at one place, or the mean of one, as one datum: Σ ⟨(y - t)²⟩, not ⟨t²⟩, ty and y²."""
    places: dict[Place, list[SplitTerm]] = {}
    for split in splits:
        places.setdefault(split.place, []).append(split)
    return [split for alike in places.values() for split in _whole(_over_one_grid(alike, facts), facts)]


def _whole(alike: list[SplitTerm], facts: Facts) -> list[SplitTerm]:
    """Split terms at one place, those of its data that are a square being one."""
    held = [split for split in alike if split.data.free_symbols - facts.fixed]
    value = joined(split.number * split.data for split in held)
    if len(held) < 2 or is_matrix(value):
        return alike
    first, found = held[0], squares_of(Total(value, alike[0].axes, facts), facts)
    if not found:
        return alike
    told = [SplitTerm(number, first.parameter, first.axes, datum) for number, datum in found]
    return [*(split for split in alike if split not in held), *told]


def _over_one_grid(alike: list[SplitTerm], facts: Facts) -> list[SplitTerm]:
    """Sums over the sides of a grid, K Σ_j f, as sums over all of it, Σ_jk f, where there are such over two of its sides."""
    sums = [split for split in alike if isinstance(split.data, Sum)]
    spans = [frozenset(split.data.limits) for split in sums]
    whole = max(spans, key=len, default=frozenset())
    sides = [span for span in spans if span < whole]
    data = [split for split in alike if split.data.free_symbols - facts.fixed]
    if len(sums) < len(data) or all(a <= b or b <= a for a, b in combinations(sides, 2)):
        return alike
    limits = next(split.data.limits for split in sums if frozenset(split.data.limits) == whole)
    told = {split: _over(split, limits) for split in sums}
    return alike if None in told.values() else [told.get(split) or split for split in alike]


def _over(split: SplitTerm, limits: Sequence[tuple[Expr, ...]]) -> SplitTerm | None:
    """A split term with its sum over more axes, which its number counts."""
    counts = [limit[2] + 1 for limit in limits if limit not in split.data.limits]
    if not set(split.data.limits) <= set(limits):
        return None
    if any(split.number.as_powers_dict().get(count, S.Zero) < 1 for count in counts):
        return None
    return replace(split, number=split.number / Mul(*counts), data=Sum(split.data.function, *limits))


def merge(
    splits: list[SplitTerm], is_statistic: Callable[[Expr], bool], apart: Container[Expr] = ()
) -> list[SplitTerm]:
    """Add up data that enter Q in one proportion everywhere: they are one statistic, but for those to be kept apart."""
    uses: dict[Expr, dict[Place, Expr]] = {}
    for split in splits:
        if is_statistic(split.data):
            numbers = uses.setdefault(split.data, {})
            numbers[split.place] = numbers.get(split.place, S.Zero) + split.number
    groups: dict[tuple[Pattern, frozenset[Symbol], Expr | None], list[tuple[Expr, Expr]]] = {}
    for data, numbers in uses.items():
        if any(number != 0 for number in numbers.values()):
            pattern, scale = _proportion(numbers)
            indices: frozenset[Symbol] = frozenset(
                a.index for _p, axes in numbers for a in axes if a.index in data.free_symbols
            )
            alone = data if data in apart else None
            groups.setdefault((pattern, indices, alone), []).append((scale, data))
    merged = [split for split in splits if not is_statistic(split.data)]
    for (pattern, _indices, _alone), members in groups.items():
        scale = min(
            (weight for weight, _data in members), key=lambda weight: (weight.count_ops(), str(weight))
        )
        value = joined([weight / scale * data for weight, data in members])
        merged += [SplitTerm(scale * ratio, parameter, axes, value) for (parameter, axes), ratio in pattern]
    return merged


def _proportion(numbers: Mapping[Place, Expr]) -> tuple[Pattern, Expr]:
    """Coefficients as ratios to one of them, and that one."""
    live = sorted((place for place, number in numbers.items() if number != 0), key=str)
    scale = numbers[live[0]]
    return tuple((place, numbers[place] / scale) for place in live), scale


def joined(parts: Iterable[Expr]) -> Expr:
    """A sum in which sums over the same axes are one."""
    sums: dict[tuple[object, ...], Expr] = {}
    rest = []
    for part in parts:
        inner = [f for f in Mul.make_args(part) if isinstance(f, Sum)]
        if len(inner) == 1 and not (part / inner[0]).has(Sum):
            key = inner[0].limits
            sums[key] = sums.get(key, S.Zero) + part / inner[0] * inner[0].function
        else:
            rest.append(part)
    return Add(*rest, *(Sum(function, *limits) for limits, function in sums.items()))


def canonical_axes(splits: Sequence[SplitTerm], names: Names) -> list[SplitTerm]:
    """The same terms with axis names that depend on sizes and order only, so that equal statistics look equal: where an
    axis stands beside most others it is named first, and keeps its letter elsewhere.
    """
    letters: dict[Expr, list[Symbol]] = {}
    found = {
        split: _with_letters(split, names, letters) for split in sorted(splits, key=lambda s: -len(s.axes))
    }
    return [found[split] for split in splits]


def _with_letters(split: SplitTerm, names: Names, letters: dict[Expr, list[Symbol]]) -> SplitTerm:
    ordered = sorted(split.axes, key=lambda axis: _first_place(split.parameter, axis.index))
    rules, taken = {}, {s for s in split.data.free_symbols if s not in {a.index for a in split.axes}}
    for axis in ordered:
        own = letters.setdefault(axis.size, [])
        fresh = names.axis(axis.size, "m", taken).index
        new = next((letter for letter in own if letter not in taken), fresh)
        if new not in own:
            own.append(new)
        rules[axis.index] = new
        taken.add(new)
    axes = tuple(Axis(rules[axis.index], axis.size) for axis in ordered)
    return SplitTerm(split.number, reindex(split.parameter, rules), axes, reindex(split.data, rules))


def _first_place(parameter: Expr, index: Symbol) -> tuple[int, str]:
    found = re.search(rf"\b{index}\b", str(parameter))
    return found.start() if found else -1, str(index)


def _axes_of(splits: list[SplitTerm], value: Expr) -> tuple[Axis, ...]:
    axes = next(split.axes for split in splits if split.data == value)
    return tuple(axis for axis in axes if axis.index in value.free_symbols)


def _simplicity(value: Expr) -> tuple[int, str]:
    return value.count_ops(), str(value)
