"""Spreads of components that take the likelihood to infinity: where a component holds one row alone, and nothing is left over.

A density u⁻ᶜ exp(-G / uᵖ), c and p positive, rises without bound as u goes to 0 where G = 0. In a mixture whose components have
spreads of their own, a component can be put on one row, so that G is 0 there, and the others hold the rest (Kiefer & Wolfowitz
1956, section 6; Day 1969).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sympy import Expr, Indexed, Pow, S, Symbol, diff, expand, log, solve

from symem.calculus.separate import Term, separate
from symem.derivation.identifiability import Unbounded
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix, is_positive_definite
from symem.language.supports import Binary, Labels, Positive, Reals
from symem.language.traces import LogDet


def unbounded(model: Any) -> tuple[Unbounded, ...]:
    """The spreads, by their parameters, that no prior keeps from it."""
    labels = {each.name for each in model.latents if isinstance(each.support, Labels | Binary)}
    entries = {
        each
        for each in model.log_likelihood.atoms(Indexed)
        if any(isinstance(place, Indexed) and name_of(place) in labels for place in places_of(each))
    }
    parameters = {each.name: each.support for each in model.parameters}
    kept = {name_of(each) for each in model.log_prior.atoms(Indexed, Symbol)}
    spreads = {
        each for each in entries if name_of(each) in parameters.keys() - kept and _is_spread(each, parameters)
    }
    terms = separate(model.log_likelihood) if spreads else ()
    by_name = groupby(sorted(spreads, key=str), key=name_of)
    found = (_without_bound(set(own), terms, model) for _name, own in by_name)
    return tuple(each for each in found if each is not None)


def _is_spread(entry: Expr, supports: Any) -> bool:
    return is_positive_definite(entry) if is_matrix(entry) else isinstance(supports[name_of(entry)], Positive)


def _without_bound(spread: set[Any], terms: Sequence[Term], model: Any) -> Unbounded | None:
    """Whether the terms of a spread are c log u and G uᵖ, c and p of one sign, and G is 0 at some value of a location."""
    own = [term for term in terms if term.factor.has(*spread)]
    volumes, left = [_volume(term.factor, spread) for term in own], []
    total = sum((each for each in volumes if each is not None), S.Zero)
    if not (total.is_negative or total.is_positive):
        return None
    for term, volume in zip(own, volumes, strict=True):
        if volume is None:
            if not _goes_on(term.factor, spread, down=bool(total.is_negative)):
                return None
            left.append(term)
    return next(_exact(min(spread, key=str), left, model), None)


def _volume(factor: Expr, spread: set[Any]) -> Expr | None:
    """c of c log u, or of c log det."""
    wholes = [each for each in factor.atoms(log, LogDet) if each.args[0] in spread]
    rest = factor / wholes[0] if wholes else factor
    return None if rest.has(*spread) else rest


def _goes_on(factor: Expr, spread: set[Any], *, down: bool) -> bool:
    """Whether all that stands of a spread is its powers of one sign."""
    powers = [each for each in factor.atoms(Pow) if each.base in spread and each.exp.is_negative]
    bare = factor.xreplace({each: Symbol(f"power_{place}") for place, each in enumerate(powers)})
    if any(is_matrix(each) for each in spread):
        return bool(powers) == down
    return down == (not bare.has(*spread))


def _exact(spread: Expr, left: Sequence[Term], model: Any) -> Iterator[Unbounded]:
    """Values of a location at which nothing is left over of a row."""
    supports = {each.name: each.support for each in model.parameters}
    data = {each.name for each in model.data}
    hidden = {each.name for each in model.latents if not isinstance(each.support, Labels | Binary)}
    scalars = {each.symbol for each in model.variables.values()}
    atoms = {e for t in left for e in t.factor.atoms(Indexed, Symbol)}
    entries = sorted((e for e in atoms if isinstance(e, Indexed) or e in scalars), key=str)
    rows = {axis.index for term in left for axis in term.axes}
    free = {e for e in entries if name_of(e) in supports}
    for location in sorted(free, key=str):
        if location == spread or not rows <= location.free_symbols | _own(spread):
            continue
        loose = {e for e in free - {location} if isinstance(supports[name_of(e)], Reals)}
        for at in _values(location, left, [e for e in entries if name_of(e) in data], supports):
            if not {name_of(e) for e in at.atoms(Indexed, Symbol)} & hidden and _vanish(
                left, {location: at}, loose, hidden
            ):
                yield Unbounded(spread, location, at)


def _own(spread: Expr) -> set[Any]:
    """The indices of the row that a component holds."""
    return {symbol for place in places_of(spread) for symbol in place.free_symbols}


def _values(location: Expr, left: Sequence[Term], data: Sequence[Expr], supports: Any) -> Iterator[Expr]:
    """Data in its place; for a number the root of what is left over."""
    if is_matrix(location):
        yield from (each for each in data if is_matrix(each) and each.dimensions == location.dimensions)
    elif isinstance(supports[name_of(location)], Reals):
        letter = Symbol("location", real=True)
        whole = sum((term.factor for term in left), S.Zero).xreplace({location: letter})
        if whole.is_polynomial(letter):
            yield from solve(diff(whole, letter), letter)[:1]
    else:
        yield from (each for each in data if not is_matrix(each))


def _vanish(left: Sequence[Term], rules: dict[Any, Expr], loose: set[Any], hidden: set[str]) -> bool:
    """Whether terms cancel; what multiplies latents may be 0 too."""
    found: dict[Any, Expr] = {}
    for term in left:
        latent = any(name_of(e) in hidden for e in term.factor.atoms(Indexed))
        factor = (
            S.Zero if latent and loose & term.factor.atoms(Indexed, Symbol) else term.factor.xreplace(rules)
        )
        found[term.axes] = found.get(term.axes, S.Zero) + factor
    return all(expand(each) == 0 for each in found.values())
