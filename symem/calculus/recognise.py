"""A log-density in one latent → its family and natural parameters.

The log-density is a list of coefficient · g(u). A family is matched when its base measure is there and
every other g(u) is one of its sufficient statistics; the coefficients are the natural parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Max, Min, Piecewise, S, expand, loggamma, oo

from symem.calculus.reach import on_branches
from symem.errors import NormalisationError
from symem.language.exponential_face import Arguments, Bounds, ExponentialFace
from symem.language.families import FAMILIES
from symem.language.family import Family
from symem.language.supports import Positive


@dataclass(frozen=True)
class Match:
    """A family with its arguments and natural parameters as expressions."""

    row: Family
    face: ExponentialFace
    arguments: Arguments
    natural: tuple[Expr, ...]


def recognise(
    density: Mapping[Expr, Expr],
    u: Expr,
    bounds: Bounds,
    families: Iterable[Family] = (),
    *,
    counting: bool = False,
) -> Match | None:
    """The first family on that range whose statistics span the log-density; a user's own `families` come first.

    The bounds of a count are those of `counting_bounds`.

    Raises:
        NormalisationError: it has the form of a family with an argument that is not positive.
    """
    for row in (*families, *FAMILIES.values()):
        home = row.home if row.face is not None else None
        if home is None or home.discrete is not counting:
            continue
        faces = row.faces(density, u)
        for face in map(on_branches, faces) if any(isinstance(end, Piecewise) for end in bounds) else faces:
            if face.reaches(bounds, home.bounds):
                found = _match(row, face, density, u, bounds)
                if found:
                    return found
    return None


def _match(
    row: Family, face: ExponentialFace, density: Mapping[Expr, Expr], u: Expr, bounds: Bounds
) -> Match | None:
    rest = dict(density)
    for part in Add.make_args(face.base_measure(u, bounds)):
        g, coefficient = _in_latent(part, u)
        if g != 1 and expand(rest.pop(g, S.Zero) - coefficient) != 0:
            return None
    statistics = face.statistics(u)
    if not set(rest) <= set(statistics):
        return None
    natural = tuple(rest.get(each, S.Zero) for each in statistics)
    if natural and natural[-1] == 0 and not face.flat:
        return None
    arguments = face.arguments(natural, bounds)
    _check_signs(row, face, u, arguments)
    return Match(row, face, arguments, natural)


def _in_latent(part: Expr, u: Expr) -> tuple[Expr, Expr]:
    """(g(u), coefficient) of a summand of a base measure."""
    coefficient, g = part.as_independent(u, as_Add=False)
    return g, coefficient


def _check_signs(row: Family, face: ExponentialFace, u: Expr, arguments: Arguments) -> None:
    for name, value in arguments.items():
        if face.argument(name).support == Positive() and value.is_nonpositive:
            raise NormalisationError(
                f"The density of {u} has the form of a {row.name} with {name} = {value}, which is not positive: it "
                f"cannot be normalised. Check the signs in the likelihood."
            )


def counting_bounds(density: Mapping[Expr, Expr], u: Expr, bounds: Bounds) -> Bounds:
    """The range of a count, narrowed where 1/(a ± u)! makes the density vanish."""
    lowers, uppers = [bounds[0]], [bounds[1]]
    for g, coefficient in density.items():
        if isinstance(g, loggamma) and coefficient == -1:
            argument = expand(g.args[0] - 1)
            slope = argument.coeff(u)
            if slope == 1:
                lowers.append(u - argument)
            elif slope == -1:
                uppers.append(argument + u)
    return _tightest(Max, lowers), _tightest(Min, uppers)


def _tightest(pick: type[Expr], ends: list[Expr]) -> Expr:
    distinct = [end for end in dict.fromkeys(map(expand, ends)) if end not in (oo, -oo)]
    if pick is Max and len(distinct) > 1:
        distinct = [
            end for end in distinct if not (end == 0 and any(o.is_nonnegative for o in distinct if o != 0))
        ]
    return pick(*distinct) if distinct else ends[0]
