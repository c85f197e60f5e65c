"""Elimination: latents are summed or integrated out one after another, and each leaves its normaliser.

For the latent whose turn it is, the terms at one position are its conditional log-density; the family that
matches gives its posterior, and its log-partition replaces it in what is left. Labels that the density
depends on become axes of a table. When the last latent is gone, what is left is ℓ(θ). (Variable elimination:
Koller & Friedman 2009, chapter 9; log-partitions: Wainwright & Jordan 2008, section 3.)
"""

from __future__ import annotations

from collections.abc import Collection

from symem.budget import look
from symem.calculus.adaptive_quadrature import NoQuadratureError, eliminate_by_quadrature
from symem.calculus.causal_independence import acting_together, eliminate_causes
from symem.calculus.chains import eliminate_chain
from symem.calculus.conjugate import eliminate_continuous, eliminate_count
from symem.calculus.coupled_terms import is_chained, is_on_tree
from symem.calculus.dirichlet_latents import eliminate_shares
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.finite_tables import OutOfTurnError, eliminate_finite
from symem.calculus.gathering import atoms_of, check_counts, gather_latent
from symem.calculus.gaussian_chains import eliminate_states
from symem.calculus.gaussian_vectors import eliminate_vector
from symem.calculus.label_trees import eliminate_tree
from symem.calculus.totals import eliminate_total
from symem.errors import NotDerivedError
from symem.language.missing import companion_names
from symem.language.model import Variable
from symem.language.supports import Simplex


def eliminate(state: Elimination, *, approximate: bool = False) -> None:
    """Eliminate every latent, in the first order that works: continuous and counted ones before labels.

    `approximate`: where no order does, latents without a family by quadrature.

    Raises:
        NotDerivedError: in every order some latent has a conditional that no family matches, or rows that count
            differently share one.
    """
    check_counts(state.terms, state.model.latents, state.model.weights)
    refusals: list[NotDerivedError] = []
    if in_some_order(state, refusals):
        return
    refusal = next((each for each in refusals if not isinstance(each, OutOfTurnError)), refusals[0])
    beyond: list[NotDerivedError] = []
    if not _does_by_quadrature(state, beyond, approximate=approximate):
        own = (each for each in beyond if isinstance(each, NoQuadratureError))
        raise next(own, refusal) if approximate else refusal
    if not approximate:
        raise NotDerivedError(
            f'{str(refusal).removesuffix(".")}; derive(approximate="quadrature") sums it over nodes, an approximation.'
        )


def _does_by_quadrature(state: Elimination, refusals: list[NotDerivedError], *, approximate: bool) -> bool:
    """Whether quadrature eliminates the latents; where it is not asked for, what it cannot do is not told."""
    state.approximate = True
    try:
        return in_some_order(state, refusals)
    except (ArithmeticError, AttributeError, NotImplementedError, RecursionError, TypeError, ValueError):
        if approximate:
            raise
        return False


def in_some_order(state: Elimination, refusals: list[NotDerivedError]) -> bool:
    """Depth-first over orders of elimination; a latent is tried next to those that are left."""
    waiting = _waiting(state)
    if not waiting:
        return True
    for variable in waiting:
        look()
        before = (state.terms, list(state.done), set(state.names.taken))
        try:
            _eliminate(state, variable, waiting)
        except NotDerivedError as refusal:
            refusals.append(refusal)
        else:
            if in_some_order(state, refusals):
                return True
        state.terms, state.done, state.names.taken = before
    return False


def eliminate_next(state: Elimination, variable: Variable) -> None:
    """Eliminate one latent, whatever its turn.

    Raises:
        NotDerivedError: its law given the others is that of no family.
    """
    _eliminate(state, variable, _waiting(state))


def _waiting(state: Elimination) -> list[Variable]:
    present = [v for v in state.model.latents if any(atoms_of(t.factor, v) for t in state.terms)]
    unseen = {companion_names(each.name)[0] for each in state.model.data if each.missing}
    return sorted(present, key=lambda variable: _turn(variable, unseen))


def _eliminate(state: Elimination, variable: Variable, waiting: list[Variable]) -> None:
    group = next((g for g in state.groups if any(atoms_of(m, variable) for m in g.members)), None)
    if group:
        eliminate_total(state, group, waiting)
        return
    if isinstance(variable.support, Simplex):
        eliminate_shares(state, variable, waiting)
        return
    if acting_together(state.terms, variable):
        eliminate_causes(state, variable, waiting)
        return
    if is_on_tree(state.terms, variable, state.model):
        eliminate_tree(state, variable, waiting)
        return
    if is_chained(state.terms, variable):
        along = eliminate_chain if variable.support.finite else eliminate_states
        along(state, variable, waiting)
        return
    conditional = gather_latent(state.terms, variable, state.model.weights)
    case = Case(conditional, state.labels(conditional, waiting), tuple(waiting))
    taken = set(state.names.taken)
    try:
        _eliminate_alone(state, case)
    except NotDerivedError:
        if not state.approximate or variable.shape or variable.support.finite:
            raise
        state.names.taken = taken
        eliminate_by_quadrature(state, case)


def _eliminate_alone(state: Elimination, case: Case) -> None:
    variable = case.variable
    if variable.shape:
        eliminate_vector(state, case)
    elif variable.support.finite:
        eliminate_finite(state, case)
    elif variable.support.discrete:
        eliminate_count(state, case)
    else:
        eliminate_continuous(state, case)


def _turn(variable: Variable, unseen: Collection[str]) -> tuple[int, int, bool, str]:
    """Continuous latents before counts before labels, the deeper in plates the earlier; data that are missing, which need not be
    there, before those on which they depend.
    """
    kind = 2 if variable.support.finite else 1 if variable.support.discrete else 0
    return kind, -len(variable.sizes), variable.name not in unseen, variable.name
