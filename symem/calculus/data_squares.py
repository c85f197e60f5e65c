"""Squares that data make among themselves: Σ ⟨(y - t)²⟩ for Σ y², Σ t y and Σ ⟨t²⟩ where these stand beside one parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Add, And, Expr, Indexed, Mul, Pow, Symbol

from symem.calculus.separate import Term, conditions_of, fold
from symem.calculus.weighted_sums import TOO_LONG, Facts, Total, holds
from symem.language.leaves import array_of
from symem.language.parents import says_of_parent
from symem.language.plates import Iverson, total
from symem.language.traces import Tr


def squares_of(whole: Total, facts: Facts) -> list[tuple[Expr, Expr]]:
    """(number, sum) for each square Σ w (f² + v) in a sum, v being posterior variances, and for all else in it.

    Empty if there is no square of a difference.
    """
    if whole.summand is None or whole.summand.factor.count_ops() > TOO_LONG or whole.summand.factor.has(Tr):
        return []
    found, left = [], []
    for bracket, terms in _by_parents(Add.make_args(whole.summand.factor.expand())).items():
        for scale, root, own in _squares_among(terms, facts):
            number, weight = scale.as_coeff_Mul()
            inside = Add((facts.sign(root) * root) ** 2, *(term / scale for term in own))
            found.append((number, total(bracket * weight * inside, whole.summand.axes)))
        left += [bracket * term for term in terms]
    rest = [fold(Term(term, whole.summand.axes)).expr.as_coeff_Mul() for term in left] if found else []
    return [*found, *rest]


def _by_parents(terms: Iterable[Expr]) -> dict[Expr, set[Expr]]:
    """Terms by the bracket that says whether a place has a parent, each without it."""
    groups: dict[Expr, set[Expr]] = {}
    for term in terms:
        held = conditions_of(term)
        there = {condition for condition in held if says_of_parent(condition)}
        plain = Mul(*(f for f in Mul.make_args(term) if not isinstance(f, Iverson))) if there else term
        rest = Iverson(And(*(held - there))) if there else 1
        groups.setdefault(Iverson(And(*there)), set()).add(rest * plain)
    return groups


def _squares_among(terms: set[Expr], facts: Facts) -> Iterator[tuple[Expr, Expr, set[Expr]]]:
    """(a, u, variances) of each a u² with the posterior variances that go with it, which are taken out of the terms."""
    for letter in sorted(_squared(terms), key=lambda letter: (holds(letter, facts.data), str(letter))):
        completed_square = _completed(terms, letter)
        if completed_square is not None:
            scale, root = completed_square
            own = {term for term in terms if _is_variance_of(term, scale, root, facts)}
            terms -= set(Add.make_args((scale * root**2).expand())) | own
            yield scale, root, own


def _squared(terms: Iterable[Expr]) -> set[Expr]:
    """What occurs squared."""
    powers = (f for term in terms for f in Mul.make_args(term) if isinstance(f, Pow) and f.exp == 2)
    return {power.base for power in powers}


def _completed(terms: set[Expr], letter: Expr) -> tuple[Expr, Expr] | None:
    """(a, u + b/2a) of a u² + b u + b²/4a, if b is not zero and all of it is there; c² (u + b/c)² is (c u + b)²."""
    parts = {
        degree: Add(*(t / letter**degree for t in terms if _degree(t, letter) == degree)) for degree in (1, 2)
    }
    if 0 in parts.values() or any(part.has(letter) for part in parts.values()) or parts[2].has(Iverson):
        return None
    root = letter + (parts[1] / (2 * parts[2])).expand()
    if any(power.exp.is_negative and power.has(Iverson) for power in root.atoms(Pow)):  # where it is 0
        return None
    whole = (parts[2] * root**2).expand()
    if not set(Add.make_args(whole)) <= terms:
        return None
    inner = _divisors(root, parts[2])
    return parts[2] / inner**2, (inner * root).expand()


def _divisors(root: Expr, scale: Expr) -> Expr:
    """What a root is divided by and a scale holds the square of: where it is 0, their product has no value."""
    below = {power.base for power in root.atoms(Pow) if power.exp.is_negative}
    powers = scale.as_powers_dict()
    return Mul(*(base ** (powers[base] / 2) for base in sorted(below, key=str) if _is_even(powers.get(base))))


def _is_even(exponent: Expr | None) -> bool:
    return exponent is not None and bool(exponent.is_even)


def _degree(term: Expr, letter: Expr) -> int:
    return next(
        (int(e) for b, e in (f.as_base_exp() for f in Mul.make_args(term)) if b == letter and e.is_Integer), 0
    )


def _is_variance_of(term: Expr, scale: Expr, root: Expr, facts: Facts) -> bool:
    """Whether a term is scale · a² Var u, where a u stands in the root, or scale · 2ab Cov(u, v), where a u + b v does."""
    for entry in term.atoms(Indexed, Symbol):
        if array_of(entry) in facts.neighbours:
            one, other = (root.coeff(letter) for letter in _of_neighbours(entry, facts))
            return bool((2 * scale * one * other * entry - term).expand() == 0)
        mean = facts.variances.get(array_of(entry))
        if mean is not None:
            letter = mean[entry.indices] if isinstance(entry, Indexed) else mean
            return bool((scale * root.coeff(letter) ** 2 * entry - term).expand() == 0)
    return False


def _of_neighbours(covariance: Expr, facts: Facts) -> tuple[Expr, Expr]:
    """The means of two neighbours, the one before first."""
    mean, slot, parent = facts.neighbours[array_of(covariance)]
    places = list(covariance.indices)
    if parent is not None:
        places[slot] = parent.base[places[slot]]
        return mean[tuple(places)], mean[covariance.indices]
    places[slot] += 1
    return mean[covariance.indices], mean[tuple(places)]
