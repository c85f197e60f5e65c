"""The steps of the M-step, block by block: Lagrangian, stationarity, the law that solves it, the maximum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sympy import Add, Expr, Integer, Pow, Sum, Symbol, fraction, together

from symem.calculus.climbing_laws import climbing_law
from symem.calculus.factor_steps import factor_step
from symem.calculus.laws import LAWS, step
from symem.derivation import Ascent, Conditional, Definition, Derivation, OfFactor, Rule, Shares, Step, Update
from symem.language.leaves import name_of
from symem.language.matrices import MatrixEntry, T, is_matrix, shape
from symem.language.model import Model
from symem.language.plates import total
from symem.language.supports import Simplex
from symem.language.traces import LogDet, Tr


def m_step(derivation: Derivation) -> Iterator[Step]:
    """Q is maximised, block by block."""
    q = derivation.surrogate.value
    old = Definition(Symbol("Q_old", real=True), (), q)
    if derivation.updates or derivation.not_derived:
        yield step("M-step", "maximisation", q, old.symbol, defines=(old,))
    for _, block in groupby(derivation.updates, key=lambda update: update.block):
        updates = tuple(block)
        if isinstance(updates[0], OfFactor):
            yield factor_step(derivation, updates)
            continue
        held = tuple(update.parameter for update in updates if isinstance(update, Conditional))
        if held:
            yield step("M-step", "conditional maximisation", q, old.symbol, held, (old,))
        for part in dict.fromkeys(update.within for update in updates if isinstance(update, Ascent)):
            yield step("M-step", climbing_law(part).name, q, old.symbol, part.parameters, (old,))
        for each in derivation.unidentified:
            if set(each.parameters) <= {update.parameter for update in updates}:
                told: dict[str, Any] = {"kind": each.kind, "forms": list(each.forms)}
                yield step("M-step", "identified together", q, old.symbol, each.parameters, (old,), **told)
        for _, group in groupby(updates, key=lambda update: companions(update.parameter, derivation.model)):
            yield from _together(derivation, tuple(group))


def companions(parameter: Expr, model: Model) -> tuple[str, ...]:
    """The parameters that share a constraint with this one."""
    name = name_of(parameter)
    return next((simplex for simplex in model.simplexes if name in simplex), (name,))


def _together(derivation: Derivation, updates: Sequence[Update]) -> Iterator[Step]:
    """The steps of parameters that are solved side by side: one, or the scalars of a simplex."""
    yield from _terms(derivation.surrogate.value, updates)
    yield from _lagrangian(derivation, updates)
    for update in updates:
        yield _stationarity(update, derivation.surrogate.value)
    solved = [update for update in updates if not isinstance(update, Ascent)]
    yield from _without_denominators(solved)
    for update in solved:
        yield _solution(update)
    for update in solved:
        if update.nested != update.value:
            parameter = (update.parameter,)
            yield step(
                "M-step", "substitution", update.nested, update.value, parameter, axes=update.definition.axes
            )
    for update in updates:
        yield from _maximum(derivation, update)


def _terms(q: Expr, updates: Sequence[Update]) -> Iterator[Step]:
    """The terms of Q that hold the parameters, where these are not all of it."""
    names = {name_of(update.parameter) for update in updates}
    terms = list(_apart(q))
    held = [term for term in terms if names & {name_of(atom) for atom in term.atoms(Symbol)}]
    if len(held) < len(terms):
        about = tuple(update.parameter for update in updates)
        yield step("M-step", "terms", q, Add(*held), about)


def _apart(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum, those inside its sums over plates each on its own."""
    for term in Add.make_args(expr):
        inner = Add.make_args(term.function) if isinstance(term, Sum) else ()
        yield from (Sum(part, *term.limits) for part in inner) if inner else (term,)


# the equation -------------------------------------------------------------------------------------------


def _lagrangian(derivation: Derivation, updates: Sequence[Update]) -> Iterator[Step]:
    """Q + λ (1 - Σ θ), at one row of the array."""
    first = updates[0]
    if isinstance(first, Shares):
        q, whole = derivation.surrogate.value, _sum_of_shares(derivation.model, first)
        about = tuple(update.parameter for update in updates)
        penalised = q + first.multiplier[0] * (1 - whole)
        yield step("M-step", "multiplier", q, penalised, about, axes=first.definition.axes, simplex=whole)


def _sum_of_shares(model: Model, update: Shares) -> Expr:
    """What is one on the simplex of a parameter."""
    group = companions(update.parameter, model)
    if group in model.simplexes:
        return Add(*(model.variables[name].symbol for name in group))
    support = model.variables[name_of(update.parameter)].support
    assert isinstance(support, Simplex)
    return total(update.parameter, update.definition.axes[-support.axes :])


def _stationarity(update: Update, q: Expr) -> Step:
    rules = list(_derivatives(update.parameter, q)) if is_matrix(update.parameter) else []
    law = "matrix stationarity" if rules else "stationarity"
    return step(
        "M-step",
        law,
        update.equation,
        Integer(0),
        (update.parameter,),
        axes=update.definition.axes,
        rules=rules,
    )


def _derivatives(parameter: Expr, q: Expr) -> Iterator[Rule]:
    """The rules by which Q was differentiated in a vector or a matrix."""
    name, kind = name_of(parameter), "form" if shape(parameter)[1] == 1 else "trace"
    words = [trace.word for trace in q.atoms(Tr)]
    if any(_names(each.args[0]) == {name} for each in q.atoms(LogDet)):
        yield LAWS["derivative of a log-determinant"]
    if any(isinstance(each, Pow) and _names(each.base) == {name} for word in words for each in word):
        yield LAWS["derivative at an inverse"]
    counts = {sum(_is_letter(each, name) for each in word) for word in words}
    for count, degree in ((1, "linear"), (2, "quadratic")):
        if count in counts:
            yield LAWS[f"derivative of a {degree} {kind}"]


def _names(expr: Expr) -> set[str]:
    return {name_of(each) for each in expr.atoms(MatrixEntry)}


def _is_letter(expr: Expr, name: str) -> bool:
    bare = expr.args[0] if isinstance(expr, T) else expr
    return isinstance(bare, MatrixEntry) and name_of(bare) == name


def _without_denominators(updates: Sequence[Update]) -> Iterator[Step]:
    """The equations times their denominators, where these hold parameters."""
    cleared = []
    for update in updates:
        if not is_matrix(update.equation) and not update.equation.has(MatrixEntry, Sum):
            above, below = fraction(together(update.equation))
            if below.free_symbols:
                cleared.append((update, above, below))
    factors = list(dict.fromkeys(below for _, _, below in cleared))
    for update, above, below in cleared:
        yield step(
            "M-step",
            "denominators",
            update.equation * below,
            above,
            (update.parameter,),
            axes=update.definition.axes,
            factors=factors,
        )


# its solution -------------------------------------------------------------------------------------------


def _solution(update: Update) -> Step:
    about, axes = (update.parameter,), update.definition.axes
    if not isinstance(update, Shares):
        return step("M-step", update.law, update.parameter, update.nested, about, axes=axes)
    symbol, value = update.multiplier
    defines = (Definition(symbol, (), value),)
    return step(
        "M-step", update.law, update.parameter, update.nested, about, defines, axes=axes, multiplier=symbol
    )


def _maximum(derivation: Derivation, update: Update) -> Iterator[Step]:
    """What the certificate says of the second order."""
    for certificate in derivation.certificates:
        if certificate.parameter == update.parameter:
            for claim in (each for each in certificate.claims if each.name == "second order"):
                told: dict[str, Any] = {"status": claim.status.value, "argument": claim.argument}
                yield step(
                    "M-step", "second order", update.parameter, update.value, (update.parameter,), **told
                )
