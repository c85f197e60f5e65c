"""The entropy of the posterior, term by term."""

from __future__ import annotations

from sympy import Expr, Mul, S

from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.errors import NotDerivedError
from symem.language.plates import Expectation, LogIverson


def entropy(eliminated: list[Eliminated], expectations: Expectations) -> Expr:
    """H(q) = -E[log q], term by term: each latent's normaliser minus its gathered log-density (the chain rule).

    With it Q(θ⁽ᵗ⁾|θ⁽ᵗ⁾) + H(q) = ℓ(θ⁽ᵗ⁾) (Neal & Hinton 1998). Means that have no closed form, such as
    E[log z!] of a count, stay unevaluated; they stand in Q with the opposite sign.
    """
    return sum((_conditional_entropy(one, expectations) for one in eliminated), S.Zero)


def _conditional_entropy(one: Eliminated, expectations: Expectations) -> Expr:
    posterior = one.posterior
    present = posterior.present
    normaliser = [Term(p.factor, p.axes + one.plates) for p in separate(one.left * present)]
    density = [Term(Mul(t.factor, present), t.axes + one.position) for t in one.gathered]
    density += [Term(Mul(t.factor, present), t.axes + one.plates) for t in one.shared]
    soft = [term for term in density if not term.factor.has(LogIverson)]
    return rejoin(_mean(t, expectations) for t in normaliser) - rejoin(_mean(t, expectations) for t in soft)


def _mean(term: Term, expectations: Expectations) -> Term:
    try:
        means = expectations.of(term)
    except NotDerivedError:
        return Term(Expectation(term.factor), term.axes)
    return fold(means[0]) if len(means) == 1 else Term(rejoin(means))
