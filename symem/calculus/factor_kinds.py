"""Which factor of a mean field can stand for a latent."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, log

from symem.calculus.density import density_of
from symem.calculus.family_factors import OfFamily
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional, atoms_of, gather_latent
from symem.calculus.means_of_factors import Mean
from symem.calculus.recognise import counting_bounds, recognise
from symem.calculus.refusals import told
from symem.calculus.separate import Term
from symem.calculus.share_factors import OfLabel, OfShares
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import LogIverson
from symem.language.supports import Simplex


def factor_of(model: Model, names: Names, terms: Sequence[Term], latent: Variable) -> Mean:
    """The factor that can stand for a latent.

    Raises:
        NotDerivedError: its terms are, for no value of the others, those of a law in the table.
    """
    conditional = _conditional(model, terms, latent)
    if latent.support.finite:
        return OfLabel(model, names, conditional)
    density, u = density_of(conditional.terms, conditional.atom), conditional.atom
    if isinstance(latent.support, Simplex):
        if set(density) != {log(u)} or latent.support.axes != 1:
            raise NotDerivedError(_no_factor(model, conditional, density))
        return OfShares(model, names, conditional)
    bounds, counting = latent.support.bounds, latent.support.discrete
    bounds = counting_bounds(density, u, bounds) if counting else bounds
    match = recognise(density, u, bounds, model.own_families, counting=counting)
    if match is None:
        raise NotDerivedError(_no_factor(model, conditional, density))
    found = OfFamily(model, names, conditional, match, bounds)
    if match.row.support(*found.own).bounds != bounds:
        raise NotDerivedError(
            f"{u} lies on a part of the range of a {match.row.words} law: no factor of a mean field is cut."
        )
    return found


def _conditional(model: Model, terms: Sequence[Term], latent: Variable) -> Conditional:
    """What holds a latent at one of its places, where a factor can stand for it.

    Raises:
        NotDerivedError: it cannot.
    """
    if latent.shape:
        raise NotDerivedError(
            f"A mean field has factors of numbers and labels, and {latent.name} is a vector or a matrix."
        )
    for term in terms:
        atoms = atoms_of(term.factor, latent)
        if len(atoms) > 1:
            raise NotDerivedError(
                f"{atoms[0]} and {atoms[1]} stand in one term, {told(model.declared(term.factor))}: a mean field has no factors for "
                f"entries of one array that are coupled with each other, as the labels of the nodes of a graph are. It has them for labels "
                f"of two sides, z[i] of the rows and w[j] of the columns."
            )
    conditional = gather_latent(terms, latent, model.weights)
    if any(term.factor.has(LogIverson) for term in conditional.terms):
        raise NotDerivedError(
            f"{conditional.atom} is bounded by what is drawn or known of it, and has no factor of a mean field."
        )
    if conditional.count != 1 or conditional.condition != 1:
        raise NotDerivedError(
            f"A factor of a mean field stands for a latent that is there once at every place, and {conditional.atom} counts as often "
            f"as its row does, or is not there at some."
        )
    return conditional


def _no_factor(model: Model, conditional: Conditional, density: dict[Expr, Expr]) -> str:
    functions = ", ".join(told(model.declared(g)) for g in sorted(density, key=str))
    return f"No law in the table has a log-density in {functions}, which is what holds {conditional.atom}: it has no factor of a mean field."
