"""From the joint density to Q: its logarithm, the indicators that it is linear in, their means, sums about their means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Add, Eq, Expr, Indexed, Product, Sum, Symbol, log

from symem.algebra.exponential import exponential
from symem.calculus.checker import Checker
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.derivation import Causes, Step, Table
from symem.language.leaves import array_of
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, Iverson, LogIverson, fresh_index
from symem.workings.line_laws import line


def factored(steps: tuple[Step, ...], _checker: Checker) -> Iterator[Step]:
    """log p as the logarithm of a product over plates, each factor as a power."""
    for step in steps:
        if not step.before.has(LogIverson):
            yield line(
                "joint density", step, step.before, Add(*map(_as_logarithm, Add.make_args(step.before)))
            )


def _as_logarithm(part: Expr) -> Expr:
    if isinstance(part, Sum):
        return Sum(log(exponential(part.function)), *part.limits)
    return log(exponential(part))


# indicators -----------------------------------------------------------------------------------------------


def averaged(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """log p in the indicators of its labels, and their posterior means."""
    derivation = checker.derivation
    tables = [
        each for each in derivation.posteriors if isinstance(each, Table) and not isinstance(each, Causes)
    ]
    terms = separate(derivation.complete)
    told, used = terms, []
    for table in tables:
        changed = [_with_indicators(term, table) for term in told]
        if any(after is not term for after, term in zip(changed, told, strict=True)):
            used.append(table)
        told = tuple(changed)
    if not used:
        return
    yield line("indicators", steps[0], derivation.complete, rejoin(told))
    for table in used:
        indicator, share = Iverson(Eq(table.atom, table.value)), table.probability
        mean = line("mean of an indicator", steps[0], indicator, share.symbol, axes=share.axes)
        yield replace(mean, about=(table.atom,))


def _with_indicators(term: Term, table: Table) -> Term:
    """f(z) as Σₖ [z = k] f(k), where z stands in slots; of neighbours each by its own value."""
    atoms = atoms_of(term.factor, table.latent)
    slots = {place for each in term.factor.atoms(Indexed) for place in each.indices}
    if not atoms or not slots.issuperset(atoms) or term.factor.has(LogIverson, Product):
        return term
    factor, axes = term.factor, term.axes
    for atom in sorted(atoms, key=lambda each: (len(str(each)), str(each))):
        index, taken = table.outcome.index, {axis.index for axis in axes} | factor.free_symbols
        if index in taken:
            index = fresh_index(index, taken)
        value = table.value.xreplace({table.outcome.index: index})
        places = zip(getattr(table.atom, "indices", ()), getattr(atom, "indices", ()), strict=True)
        value = value.xreplace(dict(places))
        factor = Iverson(Eq(atom, value)) * factor.xreplace({atom: value})
        axes = (*axes, Axis(index, table.outcome.size))
    return Term(factor, axes)


# about the mean -------------------------------------------------------------------------------------------


def centred(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """Σ w (f - m)² = Σ w f² - 2 m Σ w f + m² Σ w = Σ w f² - N m²."""
    known = [(s, each) for each in checker.derivation.surrogate.moments for s in each.scatters]
    scatters = {scatter.definition.symbol: scatter for scatter, _ in known}
    moments = {scatter.definition.symbol: each for scatter, each in known}
    for step in steps:
        found = scatters[step.about[0]]
        axes = found.definition.axes
        if is_matrix(found.definition.symbol):
            continue
        means = {array_of(mean.symbol) for mean in moments[step.about[0]].means}
        held = [term for term in separate(found.definition.value) if _names(term.factor) & means]
        spread = found.raw + Add(*map(_pulled, held))
        yield line("square multiplied out", step, found.definition.value, spread, axes=axes)
        yield line("square multiplied out", step, spread, found.raw - found.excess, axes=axes)


def _names(expr: Expr) -> set[Expr]:
    return {array_of(each) for each in expr.atoms(Indexed, Symbol)}


def _pulled(term: Term) -> Expr:
    """A sum with what its indices do not touch before it."""
    bare = fold(term)
    outer, inner = bare.factor.as_independent(*bare.indices, as_Add=False)
    return outer * Term(inner, bare.axes).expr
