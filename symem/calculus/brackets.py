"""Σ_k [z_i = k] f(k) = f(z_i): a bracket that fixes a summed index takes the sum away (Knuth 1992)."""

from __future__ import annotations

from collections.abc import Callable

from sympy import And, Eq, Expr, Mul, Symbol

from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, conditions_of, gather
from symem.language.leaves import array_of
from symem.language.model import Model
from symem.language.plates import Iverson
from symem.language.supports import Binary, Labels


def collapse_brackets(terms: tuple[Term, ...], model: Model) -> tuple[Term, ...]:
    """Write label latents as indices wherever a bracket pins an index to them; what was seen to be 0 or 1 has no powers."""
    labels = [v for v in model.latents if isinstance(v.support, Labels)]
    either = {v.symbol for v in (*model.data, *model.known) if isinstance(v.support, Binary)}
    return gather(
        _collapsed(_once(term, either), lambda side: any(side in atoms_of(side, v) for v in labels))
        for term in terms
    )


def _once(term: Term, either: set[Expr]) -> Term:
    """e² = e where e is 0 or 1."""
    powers = [f for f in term.factors() if f.is_Pow and f.exp.is_Integer and f.exp > 1] if either else []
    return term.replace({f: f.base for f in powers if array_of(f.base) in either})


def collapse_to_index(term: Term, outcome: Symbol) -> Term:
    """The same for an outcome's index."""
    return _collapsed(term, lambda side: side == outcome)


def collapse_pinned(term: Term) -> Term:
    """The same wherever a bracket pins a summed index to anything."""
    return _collapsed(term, lambda _side: True)


def _collapsed(term: Term, keeps: Callable[[Expr], bool]) -> Term:
    for condition in sorted(conditions_of(term.factor), key=str):
        if not isinstance(condition, Eq):
            continue
        for index, other in ((condition.lhs, condition.rhs), (condition.rhs, condition.lhs)):
            if index in term.indices and keeps(other) and not other.has(index):
                rest = conditions_of(term.factor) - {condition}
                plain = Mul(*(f for f in term.factors() if not isinstance(f, Iverson)))
                factor = (plain * Iverson(And(*rest))).xreplace({index: other})
                axes = tuple(axis for axis in term.axes if axis.index != index)
                return _collapsed(Term(factor, axes), keeps)
    return term
