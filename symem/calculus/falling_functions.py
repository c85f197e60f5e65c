"""Functions of a positive number that are known to fall, in sums: by bounds on their derivatives; and their limits.

What a digamma or a ratio of Bessel functions does is told here once, for what finds roots and for what checks them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Add, Expr, Mul, S, Sum, besseli, digamma, exp, expand, expand_log, log, oo, polygamma

from symem.calculus.roots import simplified
from symem.language.falling_root import FallingRoot

Parts = Mapping[Expr, Expr]


def parts_of(whole: Expr, unknown: Expr) -> Parts:
    """Σ c·g(u) as {g(u): c}, logarithms of products taken apart; nothing where u stands under a sum or in itself."""
    parts: dict[Expr, Expr] = {}
    for part in Add.make_args(
        expand(expand_log(whole), deep=False, power_base=False, power_exp=False, log=False)
    ):
        g = Mul(*(f for f in Mul.make_args(part) if f.has(unknown)))
        if g.has(Sum):
            return {}
        parts[g] = parts.get(g, S.Zero) + part / g
    found = {g: simplified(c) for g, c in parts.items()}
    return {g: c for g, c in found.items() if c != 0}


def is_multiple(slope: Expr, root: FallingRoot, unknown: Expr) -> tuple[Expr, Expr]:
    """A slope, and what it is if it is a multiple of the equation of a root."""
    own, theirs = parts_of(slope, unknown), parts_of(root.equation(unknown), unknown)
    shared = [g for g in theirs if g != 1 and g in own]
    factor = own[shared[0]] / theirs[shared[0]] if shared else S.Zero
    return Add(*(c * g for g, c in own.items())), Add(*(factor * c * g for g, c in theirs.items()))


# what falls ---------------------------------------------------------------------------------------------------


def is_of_known_functions(parts: Parts, u: Expr) -> bool:
    """Whether `falls` can tell, and an algebraic law cannot."""
    kinds = [_kind(g, u) for g in parts if g != 1]
    return all(kinds) and any(kind not in ("power", "log", "profile") for kind in kinds)


def lead_of(parts: Parts, u: Expr) -> Expr:
    """Less the coefficient of the digamma with the smallest argument, or of a ratio of Bessel functions: it scales."""
    found = {g: c for g, c in parts.items() if g != 1 and _kind(g, u) not in ("power", "log", "profile")}
    first = min(
        found,
        key=lambda g: (
            (_line(g.args[1], u)[1] != 0, _line(g.args[1], u)[0])
            if isinstance(g, polygamma)
            else (False, S.Zero)
        ),
    )
    return -found[first]


def _kind(g: Expr, u: Expr) -> str:
    base, power = g.as_base_exp()
    if base == u and power.is_number:
        return "power"
    if isinstance(g, log) and g.args[0] == u:
        return "log"
    if isinstance(g, polygamma) and g.args[0] == 0 and _line(g.args[1], u):
        return "digamma"
    if isinstance(g, polygamma) and g.args[0] == 0 and _is_profile(g.args[1], u):
        return "profile"
    return "length" if _ratio_order(g, u) is not None else ""


def _is_profile(argument: Expr, u: Expr) -> bool:
    """u and roots that depend on it, added up."""
    parts = [each.as_coeff_Mul() for each in Add.make_args(argument)]
    return all(
        number.is_positive and (each == u or isinstance(each, FallingRoot) or not each.has(u))
        for number, each in parts
    )


def kept_level(g: Expr, u: Expr) -> Expr | None:
    """ψ(r) - ψ(u + r) in a ψ(u + r) whose r keeps that the same for every u; None of any other."""
    roots = [each for each in Add.make_args(g.args[1]) if isinstance(each, FallingRoot)]
    if len(roots) != 1 or g.args[1] != u + roots[0]:
        return None
    (root,) = roots
    moving = dict(parts_of(root.function.expr, root.unknown))
    level = moving.pop(S.One, S.Zero)
    letters = dict(zip(root.function.variables[1:], root.given, strict=True))
    found = {each.xreplace(letters): c for each, c in moving.items()}
    kept = {digamma(root.unknown): -S.One, digamma(root.unknown + u): S.One}
    return level.xreplace(letters) if found == kept else None


def _line(argument: Expr, u: Expr) -> Any:
    """(α, β) of αu + β with a number α > 0; else None."""
    rest, moving = argument.as_independent(u, as_Add=True)
    scale = moving / u
    return (scale, rest) if scale.is_number and scale.is_positive else None


def _ratio_order(g: Expr, u: Expr) -> Expr | None:
    """ν of I_{ν+1}(u)/I_ν(u), the mean length of a direction, which rises (Amos 1974)."""
    factors = {f.as_base_exp() for f in Mul.make_args(g)}
    for base, power in factors:
        if isinstance(base, besseli) and power == -1 and base.args[1] == u:
            order = base.args[0]
            if factors == {(base, power), (besseli(order + 1, u), S.One)} and order.is_nonnegative:
                return order
    return None


def falls(parts: Parts, u: Expr, sign: Callable[[Expr], int | None]) -> bool:
    """Whether Σ c·g(u) falls for u > 0, by bounds on the derivative of each g.

    Of ψ, ψ'(v) ≥ 1/v + 1/(2v²) (Guo & Qi 2013), and ψ' falls itself. Where ψ(u + r) - ψ(r) is kept the same, ψ(u + r) rises
    more slowly than ψ(u), as 1/ψ'(u + r) ≥ 1/ψ'(u) + 1/ψ'(r): log B(u, r) is convex (Wainwright & Jordan 2008, section 3.1).
    """
    powers: dict[Expr, Expr] = {}
    digammas: dict[tuple[Expr, Expr], Expr] = {}
    beside = S.Zero
    for g, c in parts.items():
        kind = _kind(g, u)
        _, power = g.as_base_exp()
        if g == 1:
            continue
        if kind == "power":
            powers[power - 1] = powers.get(power - 1, S.Zero) + power * c
        elif kind == "log":
            powers[-S.One] = powers.get(-S.One, S.Zero) + c
        elif kind == "digamma":
            digammas[_line(g.args[1], u)] = c
        elif kind == "profile" and kept_level(g, u) is not None:
            beside += c
        elif kind != "length" or sign(-c) not in (0, 1):
            return False
    first = (S.One, S.Zero)
    if beside != 0 and (first not in digammas or sign(-simplified(digammas[first] + beside)) not in (0, 1)):
        return False
    digammas |= {first: digammas[first] + beside} if beside != 0 else {}
    return _bounded(digammas, powers, sign) and all(
        sign(-c) in (0, 1) for c in map(simplified, powers.values())
    )


def _bounded(
    digammas: dict[tuple[Expr, Expr], Expr], powers: dict[Expr, Expr], sign: Callable[[Expr], int | None]
) -> bool:
    """Take the digammas for what their derivatives are at most, as powers; False where nothing bounds one."""
    rising = {line: c for line, c in digammas.items() if sign(-c) not in (0, 1)}
    for (scale, shift), c in rising.items():
        over = next(
            (
                line for line, other in digammas.items()
                if line not in rising and _is_steeper(line, (scale, shift), sign)
                and sign(-simplified(c + other)) in (0, 1)
            ),
            None,
        )  # fmt: skip
        if over is None:
            return False
        digammas[over] += c
    for (scale, shift), c in digammas.items():
        if (scale, shift) not in rising and shift == 0:
            powers[-S.One] = powers.get(-S.One, S.Zero) + c
            powers[S(-2)] = powers.get(S(-2), S.Zero) + c / (2 * scale)
    return True


def _is_steeper(
    line: tuple[Expr, Expr], other: tuple[Expr, Expr], sign: Callable[[Expr], int | None]
) -> bool:
    """Whether αψ'(αu + β) is nowhere less than that of the other line, as ψ' and v ψ'(v) fall."""
    if line[0] == other[0]:
        return sign(other[1] - line[1]) in (0, 1)
    return bool(line[1] == 0 and other[0] > line[0] and sign(other[1]) in (0, 1))


# far away ---------------------------------------------------------------------------------------------


def near_zero(parts: Parts, u: Expr) -> Expr:
    """The limit at 0, where digammas fall beyond all bounds and a length is 0."""
    return oo if any(_grows_at_zero(g, u) for g in parts) else parts.get(S.One, S.Zero)


def _grows_at_zero(g: Expr, u: Expr) -> bool:
    base, power = g.as_base_exp()
    return isinstance(g, log | polygamma) or (base == u and power.is_negative)


def far_away(parts: Parts, u: Expr) -> Expr:
    """The limit for large u, where ψ(αu + β) is log α + log u and a length is 1; -∞ if it falls for ever.

    Where ψ(r) - ψ(u + r) is kept at k, r/(u + r) goes to exp k, and u/(u + r) to 1 - exp k.
    """
    level, logs = parts.get(S.One, S.Zero), S.Zero
    for g, c in parts.items():
        if _kind(g, u) == "profile":
            kept = kept_level(g, u)
            if kept is None:
                return -oo
            logs, level = logs + c, level - c * log(1 - exp(kept))
        elif isinstance(g, polygamma):
            scale, _shift = _line(g.args[1], u)
            logs, level = logs + c, level + c * log(scale)
        elif isinstance(g, log):
            logs += c
        elif _ratio_order(g, u) is not None:
            level += c
        elif g != 1 and not g.as_base_exp()[1].is_negative:
            return -oo
    return level if simplified(logs) == 0 else -oo
