"""Q(θ | θ⁽ᵗ⁾) and the expected sufficient statistics on which it depends.

Each term of E[log p(x, z; θ)] splits into a part in the parameters and a part in data and posterior means;
the latter, summed over all axes the parameters do not carry, is a statistic. (Dempster, Laird & Rubin 1977,
section 2.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Add, Eq, Expr, Indexed, Mul, Pow, S, Sum, Symbol

from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.gathering import atoms_of, places_of
from symem.calculus.matrix_terms import fill, is_hole, matrix_scalars
from symem.calculus.names import Names
from symem.calculus.separate import Term, fold, gather, inner_indices, rejoin, separate, tidy
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.matrices import ENTRY, is_matrix, is_symmetric, shape
from symem.language.model import Model, Variable
from symem.language.plates import Axis, Expectation, Iverson, LogIverson, index_symbol, reindex
from symem.language.supports import PositiveDefinite

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


@dataclass
class Statistics:
    """Names every distinct sum over data once."""

    model: Model
    names: Names
    splits: list[SplitTerm] = field(default_factory=list)

    def take(self, plain: Term) -> None:
        """Split a term that holds parameters at plain indices."""
        held = [f for f in plain.factors() if self._has(f, self.model.parameters)]
        rest = [f for f in plain.factors() if f not in held]
        mixed = [f for f in matrix_scalars(held) if self._mixes(f)]
        filled = fill(mixed, self._holds_parameters) if mixed else None
        if filled:
            held = [*(f for f in held if f not in mixed), filled.around]
            rest = [*rest, filled.data]
        if any(self._has(f, self._varying) for f in held) or (mixed and not filled):
            self.splits.append(SplitTerm(S.One, plain.factor, plain.axes, S.One))
            return
        carried = {a for f in held for a in f.free_symbols}
        outer = tuple(axis for axis in plain.axes if axis.index in carried)
        inner = fold(Term(Mul(*rest), tuple(axis for axis in plain.axes if axis.index not in carried)))
        number, bare = self._constant_factor(inner.factors())
        self.splits.append(SplitTerm(number, Mul(*held), outer, Term(bare, inner.axes).expr))

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
        held = [f for f in factors if f.free_symbols <= self._fixed and not f.has(Iverson)]
        number, bare = Mul(*(f for f in factors if f not in held)).as_coeff_Mul()
        return Mul(number, *held), bare

    @property
    def _fixed(self) -> set[Expr]:
        """Sizes and known scalars, which need no statistic."""
        scalars = {v.symbol for v in (*self.model.sizes, *self.model.known) if not v.sizes}
        return scalars | {extent.symbol for extent in self.model.extents}

    @property
    def _varying(self) -> tuple[Variable, ...]:
        return tuple(v for v in (*self.model.data, *self.model.known, *self.model.masks) if v.sizes)

    @staticmethod
    def _has(expr: Expr, variables: Iterable[Variable]) -> bool:
        return any(atoms_of(expr, v) for v in variables)

    def named(self) -> tuple[list[Term], tuple[Definition, ...]]:
        """The terms of Q in statistic symbols, and the statistics, the simplest first."""
        canonical = merge([canonical_axes(split, self.names) for split in self.splits], self._is_statistic)
        needed = sorted(
            {split.data for split in canonical if self._is_statistic(split.data)}, key=_simplicity
        )
        table: dict[Expr, Definition] = {}
        for number, value in enumerate(needed):
            axes = tuple(a for a in _axes_of(canonical, value) if a.index in value.free_symbols)
            places = tuple(axis.index for axis in axes)
            table[value] = Definition(self._symbol(f"S_{number}", places, value), axes, value)
        symbols = {value: definition.symbol for value, definition in table.items()}
        terms = [_with_statistic(split, symbols.get(split.data, split.data)) for split in canonical]
        return list(gather(part for term in terms for part in term)), tuple(table.values())

    def _symbol(self, name: str, places: tuple[Expr, ...], value: Expr) -> Expr:
        if is_matrix(value):
            kind = "symmetric" if is_symmetric(value) else ""
            return self.names.matrix(name, places, shape(value), kind)
        sign = {"positive": True} if value.is_nonnegative else {"real": True}
        return self.names.entry(name, places, **sign)

    def _is_statistic(self, data: Expr) -> bool:
        return bool(data.free_symbols - self._fixed)


def _with_statistic(split: SplitTerm, statistic: Expr) -> tuple[Term, ...]:
    """The term of Q with its statistic beside the parameters, or in the hole of a word of them."""
    if not is_matrix(statistic):
        return (Term(split.number * split.parameter * statistic, split.axes),)
    hole = next(letter for letter in split.parameter.atoms(Indexed) if is_hole(letter))
    whole = split.number * split.parameter.xreplace({hole: statistic})
    return tuple(Term(part.factor, part.axes + split.axes) for part in separate(whole))


def merge(splits: list[SplitTerm], is_statistic: Callable[[Expr], bool]) -> list[SplitTerm]:
    """Add up data that enter Q in one proportion everywhere: they are one statistic."""
    uses: dict[Expr, dict[Place, Expr]] = {}
    for split in splits:
        if is_statistic(split.data):
            numbers = uses.setdefault(split.data, {})
            numbers[split.place] = numbers.get(split.place, S.Zero) + split.number
    groups: dict[tuple[Pattern, frozenset[Symbol]], list[tuple[Expr, Expr]]] = {}
    for data, numbers in uses.items():
        if any(number != 0 for number in numbers.values()):
            pattern, scale = _proportion(numbers)
            indices: frozenset[Symbol] = frozenset(
                a.index for _p, axes in numbers for a in axes if a.index in data.free_symbols
            )
            groups.setdefault((pattern, indices), []).append((scale, data))
    merged = [split for split in splits if not is_statistic(split.data)]
    for (pattern, _indices), members in groups.items():
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


def running_slots(terms: Iterable[Term], parameters: Iterable[Variable]) -> set[tuple[str, int]]:
    """The slots of parameters in which something other than a literal stands somewhere."""
    return {
        (variable.name, slot)
        for term in terms
        for variable in parameters
        for atom in atoms_of(term.factor, variable)
        for slot, place in enumerate(places_of(atom))
        if not place.is_Integer
    }


def plain_indices(term: Term, parameters: Iterable[Variable], running: set[tuple[str, int]]) -> Term:
    """Give every parameter plain indices: θ[x_i] becomes Σ_v [x_i = v] θ[v].

    A literal stays where only literals stand in that slot; next to θ[k], θ[0] is Σ_v [0 = v] θ[v].
    """
    factor, axes = term.factor, term.axes
    for variable in parameters:
        for atom in atoms_of(factor, variable):
            for slot, place in enumerate(places_of(atom)):
                literal = place.is_Integer and (variable.name, slot) not in running
                bound = {axis.index for axis in axes} | inner_indices(factor) | {ENTRY}
                if literal or place in bound:
                    continue
                axis = _category_axis(variable, slot, factor, axes)
                factor = _at_category(factor, place, axis, tuple(parameters)) * Iverson(Eq(place, axis.index))
                axes = (*axes, axis)
    return tidy(Term(factor, axes))


def _category_axis(variable: Variable, slot: int, factor: Expr, axes: tuple[Axis, ...]) -> Axis:
    taken = factor.free_symbols | {a.index for a in axes}
    names = ("v", "u", *(f"v_{number}" for number in range(2, 99)))
    return Axis(next(index_symbol(n) for n in names if index_symbol(n) not in taken), variable.sizes[slot])


def _at_category(factor: Expr, place: Expr, axis: Axis, parameters: tuple[Variable, ...]) -> Expr:
    rules: dict[Expr, Expr] = {}
    for variable in parameters:
        for slot, size in enumerate(variable.sizes):
            for atom in atoms_of(factor, variable):
                if atom.indices[slot] == place and size == axis.size:
                    places = list(rules.get(atom, atom).indices)
                    places[slot] = axis.index
                    rules[atom] = atom.base[tuple(places)]
    return factor.xreplace(rules)


def canonical_axes(split: SplitTerm, names: Names) -> SplitTerm:
    """The same term with axis names that depend on sizes and order only, so that equal statistics look equal."""
    ordered = sorted(split.axes, key=lambda axis: _first_place(split.parameter, axis.index))
    rules, taken = {}, {s for s in split.data.free_symbols if s not in {a.index for a in split.axes}}
    for axis in ordered:
        new = names.axis(axis.size, "m", taken).index
        rules[axis.index] = new
        taken.add(new)
    axes = tuple(Axis(rules[axis.index], axis.size) for axis in ordered)
    return SplitTerm(split.number, reindex(split.parameter, rules), axes, reindex(split.data, rules))


def _first_place(parameter: Expr, index: Symbol) -> tuple[int, str]:
    text = str(parameter)
    return text.find(str(index)), str(index)


def _axes_of(splits: list[SplitTerm], value: Expr) -> tuple[Axis, ...]:
    return next(split.axes for split in splits if split.data == value)


def _simplicity(value: Expr) -> tuple[int, str]:
    return value.count_ops(), str(value)


@dataclass(frozen=True)
class Expected:
    """E[log p(x, z; θ) | x, θ⁽ᵗ⁾] as terms in statistics, and its part without parameters."""

    terms: tuple[Term, ...]
    statistics: tuple[Definition, ...]
    constant: Expr


def expected(
    model: Model,
    complete: tuple[Term, ...],
    prior: tuple[Term, ...],
    expectations: Expectations,
    names: Names,
) -> Expected:
    """Take the posterior mean of every term, and gather the statistics."""
    statistics, constants = Statistics(model, names), []
    means: list[Term] = []
    for term in complete:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            means += expectations.of(term)
        elif not term.factor.has(LogIverson):
            constants.append(_constant(term, expectations, model))
    for term in prior:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            means.append(term)
        else:
            constants.append(fold(term).expr)
    running = running_slots(means, model.parameters)
    for term in means:
        statistics.take(plain_indices(term, model.parameters, running))
    terms, named = statistics.named()
    return Expected(tuple(terms), named, Add(*constants))


def _constant(term: Term, expectations: Expectations, model: Model) -> Expr:
    """A term without parameters: its mean if it has one, else the unevaluated mean."""
    if not any(atoms_of(term.factor, latent) for latent in model.latents):
        return fold(term).expr
    try:
        return rejoin(fold(mean) for mean in expectations.of(term))
    except NotDerivedError:
        return Term(Expectation(term.factor), term.axes).expr


class Reach:
    """Whether an expression can be had from statistics, parameters and constants alone."""

    def __init__(self, model: Model, eliminated: Iterable[Eliminated]) -> None:
        arrays = [v for v in (*model.data, *model.known, *model.masks) if v.sizes or v.shape]
        fixed = Statistics(model, Names(model)).fixed_matrices
        self._beyond = {v.symbol for v in arrays} - fixed
        for one in eliminated:
            named = (
                *one.parameters,
                one.log_normaliser,
                *(d for d in (one.log_weight, one.probability) if d),
            )
            self._beyond |= {getattr(d.symbol, "base", d.symbol) for d in named}

    def __call__(self, expr: Expr) -> bool:
        bases = {getattr(atom, "base", atom) for atom in expr.atoms(Indexed, Symbol)}
        return not (bases | expr.atoms(Indexed)) & self._beyond
