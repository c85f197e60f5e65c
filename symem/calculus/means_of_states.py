"""Posterior means of products of Gaussian states: of one, of its square, of one and the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sympy import Expr

from symem.calculus.gaussian_vectors import second_moments, vector_mean
from symem.calculus.quadratic import split_forms
from symem.calculus.quadratics_of_states import between, powers_of
from symem.derivation import GaussianStates
from symem.errors import NotDerivedError
from symem.language.matrices import transpose
from symem.language.traces import trace

#: A value of the posterior, at the place of a state.
Placed = Callable[[Expr, Expr], Expr]


def mean_of_states(chain: GaussianStates, factor: Expr, atoms: Sequence[Expr], placed: Placed) -> Expr:
    """E of a product in which states stand.

    Raises:
        NotDerivedError: it is no polynomial of degree two, or holds states that are no neighbours.
    """
    if len(atoms) == 1:
        mean, variance = (placed(each, atoms[0]) for each in (chain.mean, chain.covariance))
        if chain.latent.shape:
            return vector_mean(factor, atoms[0], mean, variance)
        coefficient, powers = powers_of(factor, atoms)
        if powers == (1,):
            return coefficient * mean
        return coefficient * (mean**2 + variance) if powers == (2,) else _refuse(factor)
    pair = chain.in_order(*atoms) if len(atoms) == 2 else None
    if pair is None:
        raise NotDerivedError(f"The mean of {factor} needs the joint posterior of {atoms[0]} and {atoms[1]}.")
    earlier, later, at, place = pair
    covariance = placed(chain.neighbours.symbol, at).xreplace({chain.steps.index: place})
    means = {each: placed(chain.mean, each) for each in (earlier, later)}
    if not chain.latent.shape:
        coefficient, powers = powers_of(factor, (earlier, later))
        return (
            coefficient * (means[earlier] * means[later] + covariance)
            if powers == (1, 1)
            else _refuse(factor)
        )
    coefficient, forms = split_forms(factor, earlier)
    coefficient, others = split_forms(coefficient, later)
    middle = between(forms, others, earlier, later)
    if middle is None:
        return _refuse(factor)
    plain = trace(transpose(means[later]) * middle * means[earlier], 1)
    return coefficient * (plain + trace(middle * transpose(covariance), chain.latent.shape[0]))


def _refuse(factor: Expr) -> Expr:
    raise NotDerivedError(
        f"The posterior mean of {factor} has no closed form: it is not quadratic in the states."
    )


def moments_of_states(chain: GaussianStates) -> Mapping[Expr, Expr]:
    """As a record shows them."""
    atom = chain.atom
    if chain.latent.shape:
        return second_moments(atom, chain.mean, chain.covariance)
    return {atom: chain.mean}
