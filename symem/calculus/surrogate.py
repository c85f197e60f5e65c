"""Q(θ | θ⁽ᵗ⁾) and the expected sufficient statistics on which it depends.

Each term of E[log p(x, z; θ)] splits into a part in the parameters and a part in data and posterior means;
the latter, summed over all axes the parameters do not carry, is a statistic. (Dempster, Laird & Rubin 1977,
section 2.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import Add, Eq, Expr, Indexed, Integer, Mul, S, Symbol

from symem.calculus.expectation import Expectations
from symem.calculus.gathering import atoms_of
from symem.calculus.names import Names
from symem.calculus.separate import Term, fold, gather, rejoin, tidy
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import Axis, Expectation, Iverson, LogIverson, index_symbol, reindex


@dataclass(frozen=True)
class SplitTerm:
    """A term of Q: its part in parameters over `axes`, and its part in data, summed over `inner` axes."""

    parameter: Expr
    axes: tuple[Axis, ...]
    data: Expr


@dataclass
class Statistics:
    """Names every distinct sum over data once."""

    model: Model
    names: Names
    splits: list[SplitTerm] = field(default_factory=list)
    constants: list[Expr] = field(default_factory=list)

    def take(self, term: Term) -> None:
        """Split a term that holds parameters."""
        plain = plain_indices(term, self.model.parameters)
        held = [f for f in plain.factors() if self._has(f, self.model.parameters)]
        rest = [f for f in plain.factors() if f not in held]
        carried = {a for f in held for a in f.free_symbols}
        outer = tuple(axis for axis in plain.axes if axis.index in carried)
        inner = tuple(axis for axis in plain.axes if axis.index not in carried)
        unsplit = any(self._has(f, self._varying) for f in held)
        number, bare = self._constant_factor(rest)
        parameter, data = Mul(*held), fold(Term(bare, inner)).expr
        if unsplit:
            number, parameter, data, outer = S.One, plain.expr, S.One, ()
        self.splits.append(SplitTerm(number * parameter, outer, data))

    def _constant_factor(self, factors: list[Expr]) -> tuple[Expr, Expr]:
        """(numbers, sizes and known scalars; the rest) of a product."""
        fixed = {v.symbol for v in (*self.model.sizes, *self.model.known) if not v.sizes}
        held = [f for f in factors if f.free_symbols <= fixed and not f.has(Iverson)]
        number, bare = Mul(*(f for f in factors if f not in held)).as_coeff_Mul()
        return Mul(number, *held), bare

    @property
    def _varying(self) -> tuple[Variable, ...]:
        return tuple(v for v in (*self.model.data, *self.model.known, *self.model.masks) if v.sizes)

    @staticmethod
    def _has(expr: Expr, variables: Iterable[Variable]) -> bool:
        return any(atoms_of(expr, v) for v in variables)

    def named(self) -> tuple[list[Term], tuple[Definition, ...]]:
        """The terms of Q in statistic symbols, and the statistics, the simplest first."""
        canonical = [canonical_axes(split, self.names) for split in self.splits]
        needed = sorted({split.data for split in canonical if self._is_statistic(split.data)}, key=_simplicity)
        table: dict[Expr, Definition] = {}
        for number, value in enumerate(needed):
            axes = tuple(a for a in _axes_of(canonical, value) if a.index in value.free_symbols)
            places = tuple(axis.index for axis in axes)
            sign = {"positive": True} if value.is_nonnegative else {"real": True}
            table[value] = Definition(self.names.entry(f"S_{number}", places, **sign), axes, value)
        terms = [Term(s.parameter * (table[s.data].symbol if s.data in table else s.data), s.axes) for s in canonical]
        return list(gather(terms)), tuple(table.values())

    def _is_statistic(self, data: Expr) -> bool:
        sizes = {v.symbol for v in (*self.model.sizes,)} | {e.symbol for e in self.model.extents}
        scalars = {v.symbol for v in self.model.known if not v.sizes}
        return bool(data.free_symbols - sizes - scalars)


def plain_indices(term: Term, parameters: Iterable[Variable]) -> Term:
    """Give every parameter plain indices: θ[x_i] becomes Σ_v [x_i = v] θ[v]."""
    factor, axes = term.factor, term.axes
    for variable in parameters:
        for atom in atoms_of(factor, variable):
            for slot, place in enumerate(atom.indices if isinstance(atom, Indexed) else ()):
                if isinstance(place, (Symbol, Integer)) and (place.is_Integer or place in {a.index for a in axes}):
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
    rules = {}
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
    return SplitTerm(reindex(split.parameter, rules), axes, reindex(split.data, rules))


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
    model: Model, complete: tuple[Term, ...], prior: tuple[Term, ...], expectations: Expectations, names: Names
) -> Expected:
    """Take the posterior mean of every term, and gather the statistics."""
    statistics, constants = Statistics(model, names), []
    for term in complete:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            for mean in expectations.of(term):
                statistics.take(mean)
        elif not term.factor.has(LogIverson):
            constants.append(_constant(term, expectations, model))
    for term in prior:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            statistics.take(term)
        else:
            constants.append(fold(term).expr)
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

