"""Whether an expression with sums is zero, for sums of any length.

Every sum is multiplied out, its constant factors are pulled out, its bound indices get canonical names, and
what is left of it becomes one letter; so linearity is all that is used of a sum. A probability summed over
all its outcomes is one. The rest is a rational function in letters, radicals being reduced by r^q = base.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations

from sympy import (
    Add,
    And,
    Dummy,
    Eq,
    Expr,
    Function,
    Indexed,
    Integer,
    Mul,
    Pow,
    Sum,
    Symbol,
    expand,
    fraction,
    prem,
    together,
)

from symem.budget import look
from symem.calculus.along import scalars_of_matrices
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.derivation import Definition, Derivation, Tabulated
from symem.language.leaves import array_of
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix, letters, shape, word_of
from symem.language.plates import Axis, Iverson, index_symbol, reindex
from symem.language.traces import Element, LogDet, Tr, trace, words

#: Operations beyond which a zero is not sought by algebra: multiplying out would take seconds.
TOO_LONG = 1000
#: The same before sums have letters: to name them, each is multiplied out by itself.
TOO_LONG_TO_NAME = 3000
#: The same where inverses of sums over plates stand in it.
TOO_LONG_WITH_TOTALS = 300


@cache
def _letter(_key: object) -> Expr:
    return Dummy("sum", real=True)


class Vanishing:
    """Zero tests that know which arrays are probabilities and what the statistics stand for."""

    def __init__(self, derivation: Derivation) -> None:
        self._outcome = {
            array_of(p.probability.symbol): (p.probability, p.outcome)
            for p in derivation.posteriors
            if isinstance(p, Tabulated)
        } | {
            array_of(each): (Definition(each, (*factor.axes, factor.outcome), each), factor.outcome)
            for factor in derivation.mean_field
            for each in factor.arguments.values()
            if factor.outcome is not None
        }
        self._written = {array_of(s.symbol): s for s in derivation.surrogate.statistics}
        self._judged: dict[Expr, bool] = {}
        self._lettered: dict[Expr, Expr] = {}
        self._statistics = {array_of(s.symbol): s for s in derivation.surrogate.statistics if s.axes}

    def __call__(self, expr: Expr) -> bool:
        """Whether the expression is identically zero; False where that was not shown."""
        if expr not in self._judged:
            look()
            self._judged[expr] = self._judge(expr)
        return self._judged[expr]

    def _judge(self, expr: Expr) -> bool:
        length = expr.count_ops()
        if length > _longest(expr):
            return False
        expr = with_inverses_cancelled(expr) if expr.has(Tr, Element) else expr
        named = self.named(expr)
        if named == 0:
            return True
        if min(length, named.count_ops()) > TOO_LONG:
            return False
        if rational_zero(named):
            return True
        written = self._complemented(expr)
        return written != expr and rational_zero(self.named(written))

    def _complemented(self, expr: Expr) -> Expr:
        """Statistics of a few outcomes written out, the probability of the first being 1 less the others'."""
        held = [a for a in expr.atoms(Indexed, Symbol) if array_of(a) in self._written]
        expr = expr.xreplace({a: self._written[array_of(a)].at(a) for a in held})
        expr = rejoin(separate(expr)) if held and expr.has(Tr, Element) else expr
        rules: dict[Expr, Expr] = {}
        for entry in expr.atoms(Indexed):
            definition, outcome = self._outcome.get(entry.base, (None, None))
            if definition is not None and outcome is not None and outcome.size.is_Integer:
                slot = definition.symbol.indices.index(outcome.index)
                if entry.indices[slot] == 0:
                    others = (_with_place(entry, slot, place) for place in range(1, int(outcome.size)))
                    rules[entry] = 1 - Add(*others)
        return expr.xreplace(rules) if rules else expr

    def named(self, expr: Expr) -> Expr:
        """The same expression with a letter for each kind of sum."""
        if not expr.args or not expr.has(Sum) or isinstance(expr, (Tr, Element, LogDet)):
            return expr
        if isinstance(expr, Sum):
            if expr not in self._lettered:
                terms = (term for part in separate(expr) for term in self.reduced(part))
                self._lettered[expr] = Add(*map(self._name, terms))
            return self._lettered[expr]
        return expr.func(*(self.named(argument) for argument in expr.args))

    def reduced(self, term: Term) -> tuple[Term, ...]:
        """The same term with brackets that pin an index and sums of probabilities carried out."""
        for axis in term.axes:
            for rule in (self._pinned, self._certain, self._regrouped):
                found = rule(term, axis)
                if found is not None:
                    return gather(new for part in found for new in self.reduced(part))
        return (fold(term),)

    def _name(self, term: Term) -> Expr:
        outer = [f for f in term.factors() if not f.free_symbols & term.indices]
        inner = Mul(*(f for f in term.factors() if f.free_symbols & term.indices))
        return Mul(*map(self.named, outer)) * (
            _letter(canonical(Term(inner, term.axes))) if term.axes else inner
        )

    def _pinned(self, term: Term, axis: Axis) -> list[Term] | None:
        """Σ_k [k = j] f(k) = f(j)."""
        for bracket in (f for f in term.factors() if isinstance(f, Iverson)):
            for condition in And.make_args(bracket.args[0]):
                if isinstance(condition, Eq) and axis.index in condition.args:
                    other = condition.rhs if condition.lhs == axis.index else condition.lhs
                    rest = And(*(c for c in And.make_args(bracket.args[0]) if c != condition))
                    left = term.factor / bracket * Iverson(rest)
                    return [Term(reindex(left, {axis.index: other}), _without(term.axes, axis))]
        return None

    def _certain(self, term: Term, axis: Axis) -> list[Term] | None:
        """Σ_k γ_k = 1."""
        held = [f for f in term.factors() if axis.index in f.free_symbols]
        if len(held) != 1 or not isinstance(held[0], Indexed) or held[0].base not in self._outcome:
            return None
        definition, outcome = self._outcome[held[0].base]
        places = zip(definition.symbol.indices, held[0].indices, strict=True)
        if (
            any(place.has(axis.index) != (own == outcome.index) for own, place in places)
            or axis.size != outcome.size
        ):
            return None
        return [Term(term.factor / held[0], _without(term.axes, axis))]

    def _regrouped(self, term: Term, axis: Axis) -> list[Term] | None:
        """Σ_k Σ_i γ_ik x_i = Σ_i x_i: a statistic that sums probabilities."""
        held = [f for f in term.factors() if axis.index in f.free_symbols]
        if len(held) != 1 or not isinstance(held[0], Indexed) or held[0].base not in self._statistics:
            return None
        parts = separate(self._statistics[held[0].base].at(held[0]))
        certain = [self._certain(Term(p.factor, (*p.axes, axis)), axis) for p in parts]
        if any(each is None for each in certain):
            return None
        left, rest = term.factor / held[0], _without(term.axes, axis)
        return [Term(left * each.factor, each.axes + rest) for found in certain for each in found or ()]


def canonical(term: Term) -> Term:
    """The same sum with bound indices named by their sizes, whatever they were called."""
    options = []
    for order in (
        permutations(sorted(term.axes, key=lambda axis: str(axis.size)))
        if len(term.axes) < 4
        else [term.axes]
    ):
        if [str(a.size) for a in order] == sorted(str(a.size) for a in order):
            names = [index_symbol(f"bound_{position}") for position in range(len(order))]
            rules = {axis.index: name for axis, name in zip(order, names, strict=True)}
            axes = tuple(Axis(name, axis.size) for axis, name in zip(order, names, strict=True))
            options.append(Term(reindex(term.factor, rules), axes))
    return (
        min(options, key=lambda option: str(option.factor))
        if len(options) > 1
        else options[0]
        if options
        else term
    )


def _longest(expr: Expr) -> int:
    """Operations beyond which an expression is left alone as it stands."""
    if not expr.has(Tr, Element):
        return TOO_LONG_TO_NAME
    return TOO_LONG_WITH_TOTALS if has_inverses_of_totals(expr) else TOO_LONG


def rational_zero(expr: Expr) -> bool:
    """Whether a function of letters, radicals and whole function values is zero."""
    letters, radicals = _letters(expr)
    numerator = expand(fraction(together(expr.xreplace(letters)))[0])
    for radical, (degree, base) in radicals.items():
        above, below = fraction(together(base.xreplace(letters)))
        if numerator != 0 and numerator.has(radical):
            numerator = expand(prem(numerator, expand(radical**degree * below - above), radical))
    return bool(numerator == 0)


def _letters(expr: Expr) -> tuple[dict[Expr, Expr], dict[Expr, tuple[int, Expr]]]:
    """A letter for every entry, function value and radical; radicals with what they are a root of."""
    matrices = {e: Dummy("scalar", real=True) for e in scalars_of_matrices(expr)}
    expr = expr.xreplace(matrices)
    opaque = {e: Dummy(positive=e.is_positive) for e in expr.atoms(Indexed, Function)}
    rules: dict[Expr, Expr] = matrices | opaque
    radicals: dict[Expr, tuple[int, Expr]] = {}
    roots: dict[tuple[Expr, int], Expr] = {}
    for power in sorted(expr.atoms(Pow), key=str):
        if power.exp.is_Rational and not power.exp.is_Integer:
            letter = roots.setdefault((power.base, power.exp.q), Dummy("root", positive=True))
            radicals[letter] = (power.exp.q, power.base)
            rules[power] = letter**power.exp.p
    return rules, radicals


def _with_place(entry: Expr, slot: int, place: int) -> Expr:
    return entry.base[(*entry.indices[:slot], Integer(place), *entry.indices[slot + 1 :])]


def _without(axes: tuple[Axis, ...], axis: Axis) -> tuple[Axis, ...]:
    return tuple(each for each in axes if each != axis)


# inverses ---------------------------------------------------------------------------------------------


def has_inverses_of_totals(expr: Expr) -> bool:
    """Whether the inverse of a matrix that sums over plates stands in an expression."""
    return any(power.exp == -1 and is_matrix(power.base) and power.has(Sum) for power in expr.atoms(Pow))


def with_inverses_cancelled(expr: Expr) -> Expr:
    """The same expression with each inverse of a sum as one letter, and the sum's own words by that letter."""
    expr = rejoin(separate(expr))
    for number in range(8):
        expr = _with_totals_named(expr, number)
        inverses = sorted((p for p in expr.atoms(Pow) if _is_inverse_of_sum(p)), key=str)
        rules = next(filter(None, (_named(p, number) for p in inverses)), None)
        if rules is None:
            return expr
        expr = rejoin(separate(expr.xreplace(rules[0]).xreplace(rules[1])))
    return expr


def _with_totals_named(expr: Expr, number: int) -> Expr:
    """(Σ_k c_k M_k)⁻¹ → b⁻¹, and Σ_k c_k uᵀM_k v → uᵀbv."""
    powers = (p for p in expr.atoms(Pow) if p.exp == -1 and is_matrix(p.base) and isinstance(p.base, Sum))
    power = next(iter(sorted(powers, key=str)), None)
    if power is None or len(power.base.limits) != 1:
        return expr
    rows, cols = shape(power.base)
    letter = MatrixArray(f"_total{number}", rows, cols, "symmetric")()
    terms = separate(expr.xreplace({power: Pow(letter, -1)}))
    return rejoin(_drawn_together(term, power.base, letter) for term in terms)


def _drawn_together(term: Term, whole: Expr, letter: Expr) -> Term:
    index, _low, high = whole.limits[0]
    commuting, word = whole.function.args_cnc()
    for axis in (a for a in term.axes if a.size == high + 1):
        here = {index: axis.index}
        inner = letters(word_of(word).xreplace(here))
        rest = term.factor / Mul(*commuting).xreplace(here)
        scalar = next((f for f in Mul.make_args(rest) if isinstance(f, Tr) and f.has(axis.index)), None)
        if scalar is None or (rest / scalar).has(axis.index):
            continue
        for place in range(len(scalar.word) - len(inner) + 1):
            around = (*scalar.word[:place], letter, *scalar.word[place + len(inner) :])
            if scalar.word[place : place + len(inner)] == inner and not word_of(around).has(axis.index):
                value = trace(word_of(around), shape(around[0])[0])
                return Term(rest / scalar * value, tuple(a for a in term.axes if a != axis))
    return term


def _is_inverse_of_sum(power: Expr) -> bool:
    return power.exp == -1 and is_matrix(power.base) and isinstance(power.base, Add)


def _named(power: Expr, number: int) -> tuple[dict[Expr, Expr], dict[Expr, Expr]] | None:
    """B⁻¹ → b⁻¹ and L → (b - rest)/c, where B = cL + rest."""
    parts = words(power.base)
    single = next(((c, w) for c, w in parts if isinstance(w, MatrixEntry) and not c.has(w)), None)
    if single is None or any(w != single[1] and (w.has(single[1]) or c.has(single[1])) for c, w in parts):
        return None
    coefficient, letter = single
    whole = MatrixArray(f"_sum{number}", *letter.dimensions, "symmetric")[tuple(letter.indices)]
    rest = Add(*(c * w for c, w in parts if w != letter))
    return {power: Pow(whole, -1)}, {letter: (whole - rest) / coefficient}
