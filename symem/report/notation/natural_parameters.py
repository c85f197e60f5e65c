"""A recognised posterior in natural form: which functions of the latent the gathered terms are linear in.

The coefficients are read off the recorded log-density, term by term; nothing is solved for.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, Sum, expand, expand_mul

from symem.derivation import Recognised
from symem.language.families import FAMILIES


@dataclass(frozen=True)
class Natural:
    """log p = Σ ηᵣ Tᵣ(u) + log h(u): the Tᵣ, their coefficients, and log h."""

    statistics: tuple[Expr, ...]
    coefficients: tuple[Expr, ...]
    base: Expr


def family_of(posterior: Recognised) -> str:
    """The family without its truncation."""
    return posterior.family.removeprefix("Truncated")


def natural(posterior: Recognised) -> Natural | None:
    """The natural form, or None where the family has none or the terms do not show it as they stand."""
    family, atom = FAMILIES.get(family_of(posterior)), posterior.atom
    if family is None or family.face is None:
        return None
    statistics = family.face.statistics(atom)
    base = family.face.base_measure(atom, posterior.bounds)
    coefficients = dict.fromkeys(statistics, Integer(0))
    for term in Add.make_args(expand(posterior.log_density - base)):
        found = next(
            (s for s in sorted(statistics, key=_size, reverse=True) if not _over(term, s).has(atom)), None
        )
        if found is None:
            return None
        coefficients[found] += _over(term, found)
    return Natural(statistics, tuple(coefficients.values()), base)


def _size(statistic: Expr) -> int:
    return int(statistic.count_ops())


def _over(term: Expr, statistic: Expr) -> Expr:
    """A term divided by a statistic, inside a sum if it is one."""
    if isinstance(term, Sum):
        parts = [_over(part, statistic) for part in Add.make_args(expand_mul(term.function))]
        return Add(*(_summed(part, term) for part in parts))
    return term / statistic


def _summed(part: Expr, whole: Sum) -> Expr:
    """The sum of a part; of one that is free of the index, so many times it."""
    if len(whole.limits) == 1 and not part.has(whole.limits[0][0]):
        return part * (whole.limits[0][2] + 1)
    return Sum(part, *whole.limits)
