"""Latent shares of a whole, a Dirichlet law: what data say of them adds to its concentrations (Johnson, Kotz & Balakrishnan 2000, ch. 49).

All cells of a row leave together: Σ_k (α_k - 1) log u_k on the simplex has the log-normaliser Σ_k log Γ(α_k) - log Γ(Σ_k α_k).
"""

from __future__ import annotations

from sympy import S, Sum, log, loggamma

from symem.calculus.density import density_of
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.gathering import gather_latent
from symem.calculus.refusals import told
from symem.calculus.separate import rejoin
from symem.derivation import Definition, DirichletShares
from symem.errors import NotDerivedError
from symem.language.dirichlet_shares import FACE, SHARES
from symem.language.leaves import places_of
from symem.language.model import Variable


def eliminate_shares(state: Elimination, variable: Variable, waiting: list[Variable]) -> None:
    """Integrate the shares of each row out.

    Raises:
        NotDerivedError: their log-density is no sum of coefficients times their logarithms, or differs within a row by more.
    """
    conditional = gather_latent(state.terms, variable, state.model.weights)
    case = Case(conditional, state.labels(conditional, waiting), tuple(waiting))
    u, (*_, outcome) = case.atom, conditional.position
    density = density_of(case.terms, u)
    if set(density) - {log(u)} or case.depends_on_others():
        raise NotDerivedError(
            f"The shares {u} have a Dirichlet posterior where their log-density is a sum of coefficients times their logarithms, but "
            f"it is {told(state.model.declared(rejoin(case.terms)))}."
        )
    within = [label for label, _axis in case.labels if outcome.index in places_of(label)]
    if within or conditional.count.has(outcome.index) or conditional.condition.has(outcome.index):
        raise NotDerivedError(
            f"The shares {u} add up to 1 over {outcome.index}, and what is known of them differs there: this is not derived."
        )
    names, name = state.names, variable.name
    alpha = names.entry(f"alpha_{name}", case.places, positive=True)
    other = names.axis(outcome.size, name, {*case.used_indices, outcome.index})
    whole = Sum(alpha.xreplace({outcome.index: other.index}), other.limits)
    rows = tuple(axis for axis in case.axes if axis != outcome)
    left = Sum(loggamma(alpha), outcome.limits) - loggamma(whole)
    posterior = DirichletShares(
        **case.shared,
        row=SHARES,
        face=FACE,
        bounds=(S.Zero, S.One),
        log_density=rejoin(case.terms),
        log_normaliser=state.normaliser(variable, rows, left),
        arguments={"alpha": alpha, "rest": whole - alpha},
        parameters=(Definition(alpha, case.axes, density.get(log(u), S.Zero) + 1),),
        natural=(density.get(log(u), S.Zero),),
        outcome=outcome,
    )
    state.leave(posterior, conditional, posterior.log_normaliser.symbol)
