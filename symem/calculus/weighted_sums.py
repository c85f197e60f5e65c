"""Sums over data as Σ w f: the weight, the function, and the total N = Σ w in terms of other sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, combinations

from sympy import Add, Expr, Indexed, Mul, S, factor

from symem.calculus.common_sums import completed, is_share, named
from symem.calculus.separate import Term, fold, separate
from symem.calculus.vanishing import canonical
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, Iverson, total
from symem.language.traces import words

#: Operations of a summand, and factors of it, beyond which no weight is looked for.
TOO_LONG, MANY = 60, 5

Parts = dict[Term, Expr]


@dataclass(frozen=True)
class Facts:
    """What is known of letters: what needs no statistic, the probabilities, posterior variances, data, and how often rows
    count.
    """

    fixed: frozenset[Expr]
    shares: Mapping[Expr, Axis]
    variances: Mapping[Expr, Expr | None]
    data: frozenset[Expr]
    counting: frozenset[Expr] = frozenset()
    #: Covariances of neighbours along a slot of a mean, or there of a place and its parent.
    neighbours: Mapping[Expr, tuple[Expr, int, Expr | None]] = field(default_factory=dict)
    #: Posterior means of states: the first alone has a mean, about which its variance is no difference.
    states: frozenset[Expr] = frozenset()

    def is_fixed(self, expr: Expr) -> bool:
        return bool(expr.free_symbols <= self.fixed)

    def holds_variance(self, expr: Expr) -> bool:
        return holds(expr, self.variances.keys())

    def sign(self, function: Expr) -> int:
        """-1 if what data add to a function is negative as it stands."""
        terms = [term for term in Add.make_args(function) if holds(term, self.data)]
        return -1 if terms and min(terms, key=str).could_extract_minus_sign() else 1


def holds(expr: Expr, names: AbstractSet[Expr]) -> bool:
    """Whether an array or a scalar of these stands in an expression."""
    return any(entry.base in names for entry in expr.atoms(Indexed)) or bool(expr.free_symbols & names)


@dataclass(frozen=True)
class Total:
    """A sum over data: its value, and the axes of the array that it is."""

    value: Expr
    axes: tuple[Axis, ...]
    facts: Facts = field(compare=False, repr=False)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(named(term) for term in separate(self.value))

    @cached_property
    def parts(self) -> Parts:
        return parts_of(self.terms, self.facts)

    @cached_property
    def summand(self) -> Term | None:
        """What is summed, if all of it is over the same axes."""
        whole = completed(list(self.terms), self.facts.shares)
        if len({frozenset(term.axes) for term in whole}) != 1:
            return None
        return Term(Add(*(term.factor for term in whole)), whole[0].axes)


def parts_of(terms: Iterable[Term], facts: Facts) -> Parts:
    """Products under sums, the names of whose indices do not count, with the constants before them."""
    found: Parts = {}
    for term in chain.from_iterable(map(_reducing(facts), terms)):
        folded = fold(term)
        constant = Mul(*(f for f in folded.factors() if f.is_commutative and facts.is_fixed(f)))
        bare = [f for f in folded.factors() if not (f.is_commutative and facts.is_fixed(f))]
        key = canonical(Term(Mul(*bare), folded.axes))
        found[key] = found.get(key, S.Zero) + constant
    return {key: number for key, number in found.items() if number != 0}


def _reducing(facts: Facts) -> Callable[[Term], tuple[Term, ...]]:
    """Σ_k γ_ik f = f and Σ_l [u_i = l] f = f, where nothing else holds the outcome."""

    def reduced(term: Term) -> tuple[Term, ...]:
        for axis in term.axes:
            held = [f for f in term.factors() if axis.index in f.free_symbols]
            if len(held) == 1 and _is_certain(held[0], axis, facts):
                kept = tuple(other for other in term.axes if other != axis)
                return reduced(Term(Mul(*(f for f in term.factors() if f != held[0])), kept))
        return (term,)

    return reduced


def _is_certain(factor: Expr, axis: Axis, facts: Facts) -> bool:
    if not is_share(factor, axis, facts.shares) or isinstance(factor, Iverson):
        return is_share(factor, axis, ())
    once = [place.has(axis.index) for place in factor.indices].count(True) == 1
    return once and facts.shares[factor.base].size == axis.size


@dataclass(frozen=True)
class First:
    """Σ w f over axes, and N = Σ w in other sums; it is `whole`, up to its sign, once for each of `copies`."""

    whole: Total
    weight: Expr
    function: Expr
    axes: tuple[Axis, ...]
    totals: tuple[tuple[Total, Expr], ...]
    constant: Expr = S.Zero
    sign: int = 1
    copies: Expr = S.One

    @property
    def group(self) -> tuple[Expr, frozenset[Axis]]:
        """What firsts must share to be of one group."""
        return self.weight, frozenset(self.axes)

    def over(self, axes: tuple[Axis, ...]) -> First:
        """The same sum once for each position on axes that it does not have."""
        more = Mul(*(axis.size for axis in axes if axis not in self.axes))
        totals = tuple((each, more * number) for each, number in self.totals)
        return replace(
            self, axes=axes, totals=totals, constant=more * self.constant, copies=more * self.copies
        )


def firsts(sums: Sequence[Total], facts: Facts) -> Iterator[First]:
    """Every way to read a sum as Σ w f such that Σ w is known or a combination of other sums; of one term, no state, there is none."""
    for whole in sums:
        term = whole.summand
        several = term is not None and (term.axes or holds(term.factor, facts.states))
        if term is not None and several and term.factor.count_ops() <= TOO_LONG:
            for weight, function in _readings(term.factor, facts):
                wanted = parts_of(separate(total(weight, term.axes)), facts)
                found = _combination(wanted, [each for each in sums if each != whole])
                if found is not None:
                    sign = facts.sign(function)
                    yield First(whole, weight, (sign * function).expand(), term.axes, *found, sign)


def _readings(body: Expr, facts: Facts) -> Iterator[tuple[Expr, Expr]]:
    """(w, f) with w f = body; constants are in w, and brackets that say which rows count; a sign is in f."""
    constants, rest, left = _factors(body, facts)
    if len(rest) > MANY:
        return
    counting = [f for f in rest if isinstance(f, Iverson) and f.has(Indexed)]
    constants, rest = [*constants, *counting], [f for f in rest if f not in counting]
    for size in range(len(rest) + 1):
        for chosen in combinations(rest, size):
            function = Mul(*(f for f in rest if f not in chosen)) * left
            if function != 1 and not facts.is_fixed(function):
                sign = -1 if Mul(*constants).could_extract_minus_sign() else 1
                yield Mul(sign, *constants, *chosen).expand(), sign * function


def _factors(body: Expr, facts: Facts) -> tuple[list[Expr], list[Expr], Expr]:
    """Constants, other numbers, and the matrix that a summand is a product of."""
    if is_matrix(body):
        parts = words(body)
        shared = set.intersection(*(set(Mul.make_args(number)) for number, _word in parts))
        common = [f for f in Mul.make_args(parts[0][0]) if f in shared]
        left = Add(*(number / Mul(*common) * word for number, word in parts))
    else:
        common, left = list(Mul.make_args(factor(body) if body.is_Add else body)), S.One
    constants = [f for f in common if facts.is_fixed(f)]
    return constants, [f for f in common if f not in constants], left


def _combination(wanted: Parts, sums: Sequence[Total]) -> tuple[tuple[tuple[Total, Expr], ...], Expr] | None:
    """A sum as a combination of others, those of several products first, and a constant."""
    constant = wanted.pop(Term(S.One), S.Zero)
    used = []
    for each in sorted(sums, key=lambda each: -len(each.parts)):
        ratio = _ratio(wanted, each.parts)
        if ratio is not None:
            used.append((each, ratio))
            wanted = {key: number for key, number in wanted.items() if key not in each.parts}
    return None if wanted else (tuple(used), constant)


def _ratio(wanted: Parts, parts: Parts) -> Expr | None:
    some = next(iter(parts), None)
    if some is None or some not in wanted:
        return None
    ratio = wanted[some] / parts[some]
    return ratio if all(wanted.get(key) == ratio * number for key, number in parts.items()) else None
