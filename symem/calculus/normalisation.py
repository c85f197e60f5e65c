"""Whether a stated likelihood p(x, z; θ) integrates to a constant: a forgotten −log σ or weight is found here.

The data of a likelihood carry no support, so the check tries those on which the density could live: the
datum is eliminated like a latent, then the latents are, and what is left must not depend on θ. An error is
claimed only where the form of the density leaves no other reading: its statistics belong to one family, a
parameter stands with the datum alone, or the components are normalised and their weights are not. In all
other cases nothing is claimed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import numpy as np
from sympy import Add, Dummy, Expr, Function, Indexed, cancel, diff, log

from symem.calculus.brackets import collapse_brackets
from symem.calculus.conditioning import condition
from symem.calculus.data_readings import Reading, counting_readings, read_as
from symem.calculus.density import density_of
from symem.calculus.eliminate import eliminate
from symem.calculus.eliminated import Elimination
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional, atoms_of, gather_latent
from symem.calculus.separate import Term, separate
from symem.derivation import Tabulated
from symem.errors import NormalisationError, SymemError
from symem.evaluation.arithmetic import Arithmetic, Arrays, evaluate
from symem.evaluation.members import random_member, random_parameters, shape_of
from symem.evaluation.points import Moving
from symem.evaluation.stacks import Array
from symem.language.families import FAMILIES
from symem.language.matrix_supports import PositiveDefinite
from symem.language.model import Model, Variable
from symem.language.plates import Iverson, LogIverson
from symem.language.support import Support
from symem.language.supports import Labels, Positive, Reals, Simplex, UnitInterval
from symem.language.weights import once

_DRAWS, _TOLERANCE = 4, 1e-7
_LETTER = Dummy(positive=True)


def check_normalised(model: Model) -> None:
    """Refuse a likelihood whose normaliser depends on a parameter, where that can be decided.

    Models stated by distributions are normalised by construction; with `given=`, `missing=` or several data
    that share terms with parameters (a response and its covariates, say) nothing is claimed.

    Raises:
        NormalisationError: naming the parameters and the datum, with what may have been forgotten.
    """
    if model.declarations or model.log_likelihood.has(LogIverson) or model.masks or model.joint_prior != 0:
        return
    model = _of_one_each(model)
    responses = [variable for variable in model.data if _coupled(model, variable)]
    if len(responses) == 1:
        fault = _fault(model, responses[0])
        if fault and not _normalised_given_data(model):
            raise NormalisationError(f"The likelihood is not normalised: {fault}")


def _of_one_each(model: Model) -> Model:
    """The model in which every row counts once: weights change no density."""
    trial = copy.copy(model)
    counting = {weight.name for weight in model.weights}
    trial.variables = {name: each for name, each in model.variables.items() if name not in counting}
    trial.log_likelihood, trial.weights = once(model.log_likelihood, model.weights), ()
    return trial


def _terms(model: Model) -> tuple[Term, ...]:
    return collapse_brackets(separate(model.log_likelihood), model)


def _coupled(model: Model, variable: Variable) -> bool:
    """Whether the datum and a parameter share a term."""
    return any(atoms_of(t.factor, variable) and _parameters_in(t.factor, model) for t in _terms(model))


def _parameters_in(expr: Expr, model: Model) -> set[str]:
    return {variable.name for variable in model.parameters if atoms_of(expr, variable)}


# -- whether what is left depends on θ -----------------------------------------------------------------------


def _normalised_given_data(model: Model) -> bool:
    """Whether the latents alone are normalised: the data are then covariates."""
    return _moved(model) == []


def _moved(model: Model) -> list[str] | None:
    """The parameters on which the total over the latents of a model depends, by numbers; None if there is none."""
    try:
        return _movers(model, _left(model))
    except (SymemError, ArithmeticError, ValueError, TypeError, LookupError):
        return None


def _left(model: Model) -> Elimination:
    """Eliminate every latent of the model."""
    conditioned, groups = condition(model, _terms(model))
    elimination = Elimination(model, Names(model), conditioned, groups, [])
    eliminate(elimination)
    return elimination


def _movers(model: Model, elimination: Elimination) -> list[str]:
    """The parameters on which what is left depends."""
    moved: list[str] = []
    rng = np.random.default_rng(0)
    given = _given(model, rng)
    drawn = [random_parameters(model, rng, given) for _ in range(_DRAWS)]
    for group in _groups(model):
        other = {name: Moving(np.stack([each[name] for each in drawn])) for name in group}
        values = _values(elimination, {**given, **other})
        if not np.all(np.isfinite(values)):
            raise ArithmeticError
        if np.ptp(values) > _TOLERANCE * (1 + np.abs(values).max()):
            moved += group
    return moved


def _groups(model: Model) -> list[tuple[str, ...]]:
    together = {name for group in model.simplexes for name in group}
    return [*model.simplexes, *((v.name,) for v in model.parameters if v.name not in together)]


def _sizes(model: Model) -> dict[str, int]:
    extents = {str(extent.symbol): 3 for extent in model.extents}
    return {variable.name: 2 + place % 2 for place, variable in enumerate(model.sizes)} | extents


def _given(model: Model, rng: np.random.Generator) -> Arrays:
    """Parameters, data and known quantities; counts and covariates are whole numbers, for any reading of them."""
    arrays: Arrays = dict(_sizes(model))
    arrays |= random_parameters(model, rng, arrays)
    for variable in (*model.known, *model.data):
        is_label = variable.support.finite
        own = (
            random_member(variable, rng, arrays)
            if is_label or variable.support == PositiveDefinite()
            else None
        )
        arrays[variable.name] = rng.integers(3, 10, shape_of(variable, arrays)) if own is None else own
    return arrays


def _values(elimination: Elimination, arrays: Arrays) -> Array:
    """What is left, at each point."""
    with np.errstate(all="ignore"):
        for each in elimination.done:
            posterior = each.posterior
            tables = (posterior.log_weight,) if isinstance(posterior, Tabulated) else ()
            arrays = evaluate((*posterior.parameters, *tables, posterior.log_normaliser), arrays)
        return Arithmetic(arrays).numbers(Add(*(term.expr for term in elimination.terms)))


# -- what can be claimed -------------------------------------------------------------------------------------


def _fault(model: Model, response: Variable) -> str:
    """What is wrong with the likelihood as a density of the datum, where its form leaves no other reading."""
    if response.shape:
        return _family_fault(model, response, response.support, "a Gaussian of vectors")
    if isinstance(response.support, Labels):
        return _family_fault(model, response, response.support, "a table of probabilities")
    for support in (Positive(), UnitInterval(), Reals()):
        trial = read_as(model, response, Reading(support))
        conditional = _conditional(trial, trial.variable(response.name))
        if conditional is None:
            return ""
        family = _family(trial, support, conditional)
        if family:
            return _family_fault(model, response, support, family)
    assert conditional is not None
    return _lonely(trial, response, conditional) or _weights_fault(model, response, conditional)


def _conditional(model: Model, variable: Variable) -> Conditional | None:
    """The datum's terms, if each is a coefficient times a function of the datum that holds no parameter."""
    try:
        conditional = gather_latent(_terms(model), variable)
        density = _density(conditional)
    except SymemError:
        return None
    return None if any(_parameters_in(g, model) for g in density) else conditional


def _density(conditional: Conditional) -> dict[Expr, Expr]:
    return density_of(conditional.terms, conditional.atom)


def _family(model: Model, support: Support, conditional: Conditional) -> str:
    """The family that alone has these statistics; none where a truncation or the like may be meant."""
    inside = (f for t in conditional.rest for f in t.factor.atoms(Function) if _parameters_in(f, model))
    if any(not isinstance(f, (log, Iverson, Indexed)) for f in inside):
        return ""
    shown = set(_density(conditional))
    for row in FAMILIES.values():
        for face in row.faces({}, conditional.atom):
            statistics = set(face.statistics(conditional.atom))
            if (
                row.home == support
                and shown <= statistics
                and len(statistics) > 1
                and shown != {conditional.atom}
            ):
                return row.name
    return ""


def _family_fault(model: Model, response: Variable, support: Support, family: str) -> str:
    moved = _moved(read_as(model, response, Reading(support)))
    if not moved:
        return ""
    return (
        f"as a function of {response.name} it has the form of {family}, but its total over "
        f"{_listed([response.name, *(v.name for v in model.latents)])} depends on {_listed(moved)}. Look for a term without "
        f"{response.name} that was forgotten (−log σ of a Normal, the log of a mixing weight)."
    )


def _lonely(model: Model, response: Variable, conditional: Conditional) -> str:
    """A log-partition is strictly convex in the natural parameters: what moves these along a line moves it too."""
    beside = {name for term in conditional.rest for name in _parameters_in(term.factor, model)}
    natural = list(_density(conditional).values())
    lonely = (v for v in model.parameters if v.name not in beside and not isinstance(v.support, Simplex))
    alone = sorted(v.name for v in lonely if _moves_along_a_line(natural, v))
    if not alone:
        return ""
    return (
        f"{_listed(alone)} stands only in terms that hold {response.name}, so the total over {response.name} depends on "
        f"it. Add the term that is missing, such as −log σ of a Normal, log λ of an Exponential or (1 − x)·log(1 − p) "
        f"of a Bernoulli."
    )


def _moves_along_a_line(natural: Iterable[Expr], variable: Variable) -> bool:
    """Whether natural parameters move with a parameter, and keep their direction: κ (cos μ, sin μ) turns with μ."""
    held = [(eta, atom) for eta in natural for atom in atoms_of(eta, variable)]
    if len({atom for _eta, atom in held}) > 1:
        return True
    slopes = [diff(eta.xreplace({atom: _LETTER}), _LETTER) for eta, atom in held]
    return bool(slopes) and not any(cancel(slope / slopes[0]).has(_LETTER) for slope in slopes)


def _weights_fault(model: Model, response: Variable, conditional: Conditional) -> str:
    """On a support where the components are normalised, the weights of the components must be."""
    density = _density(conditional)
    if set(density) != {conditional.atom}:
        return ""
    own = _parameters_in(density[conditional.atom], model)
    for reading in counting_readings(model, response):
        moved = _moved(read_as(model, response, reading))
        if moved == []:
            return ""
        if moved and own and not own & set(moved):
            return (
                f"the components of {response.name} are, but their weights do not sum to one; the total depends on "
                f"{_listed(moved)}. Look for a missing weight, such as 1 − w."
            )
    return ""


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)


__all__ = ["check_normalised"]
