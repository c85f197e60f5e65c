"""log p as a function of one latent at one plate position: its terms, pulled out of the sums.

A latent's own indices become the position; a latent that stands behind another index, as a[g[j]] does,
is brought to its position by a bracket [g_j = r]. What remains bound is summed inside. How often the row of the
position counts is a factor of all its terms, and stands before them: the density is that of one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import And, Dummy, Eq, Expr, Indexed, Mul, Not, Or, S, Symbol

from symem.calculus.separate import Term, conditions_of, inner_indices, tidy
from symem.errors import NotDerivedError
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixArray, MatrixEntry
from symem.language.model import Variable
from symem.language.plates import Axis, Iverson, LogIverson, fresh_index, index_symbol
from symem.language.selectors import where_holds
from symem.language.weights import Weight, count_of, once


@dataclass(frozen=True)
class Conditional:
    """The terms that hold a latent at one position, and all others.

    `atom` is the latent at `position`; `terms` are bound over inner axes only; `condition` is the bracket
    that all of them share (1 if none): the latent exists only where it holds; `count` is how often its row counts.
    """

    variable: Variable
    atom: Expr
    position: tuple[Axis, ...]
    terms: tuple[Term, ...]
    condition: Expr
    rest: tuple[Term, ...]
    count: Expr = S.One

    def left(self, normaliser: Expr) -> Expr:
        """What stands in the place of the latent once it is gone."""
        return normaliser * self.condition * self.count


def atoms_of(expr: Expr, variable: Variable) -> list[Expr]:
    """The entries of a variable in an expression, in a stable order."""
    if variable.sizes:
        return sorted((atom for atom in expr.atoms(Indexed) if atom.base == variable.symbol), key=str)
    return [variable.symbol] if variable.symbol in expr.free_symbols else []


def gather_latent(terms: Iterable[Term], variable: Variable, weights: Sequence[Weight] = ()) -> Conditional:
    """Gather the terms of a latent at one position.

    Raises:
        NotDerivedError: a term holds the latent at two positions at once, or rows that count differently share it.
    """
    holding = [term for term in terms if atoms_of(term.factor, variable)]
    rest = tuple(term for term in terms if not atoms_of(term.factor, variable))
    position = _position(holding, variable)
    places = tuple(axis.index for axis in position)
    atom = variable.symbol[places] if places else variable.symbol
    count = _common_count(holding, variable, position, weights)
    moved = [move(Term(once(term.factor, weights), term.axes), variable, position) for term in holding]
    inner = [Term(t.factor, tuple(a for a in t.axes if a.index not in places)) for t in moved]
    condition, stripped = _common_bracket(inner, atom)
    beside = tuple(Term(each.factor, each.axes + position) for each in _where_it_is_not(stripped, condition))
    return Conditional(variable, atom, position, tuple(stripped), condition, (*rest, *beside), count)


def _where_it_is_not(terms: Iterable[Term], condition: Expr) -> Iterator[Term]:
    """What hard constraints demand where the latent does not exist."""
    for term in terms if isinstance(condition, Iverson) else ():
        for part in And.make_args(condition.args[0]) if isinstance(term.factor, LogIverson) else ():
            yield Term(LogIverson(Or(part, _demand(term, part))), term.axes)


def _demand(term: Term, part: Any) -> Any:
    """What a hard constraint demands where a condition does not hold."""
    return where_holds(term.factor.args[0], Not(part))


def _position(holding: list[Term], variable: Variable) -> tuple[Axis, ...]:
    """Index names for the position: those of a term in which all are plain, else fresh ones."""
    for term in holding:
        places = places_of(atoms_of(term.factor, variable)[0])
        if all(place in term.indices for place in places) and len(set(places)) == len(places):
            by_index = {axis.index: axis for axis in term.axes}
            return tuple(by_index[place] for place in places)
    names = [
        index_symbol(f"{variable.name}_{slot}" if slot else f"{variable.name}_at")
        for slot in range(len(variable.sizes))
    ]
    return tuple(Axis(name, size) for name, size in zip(names, variable.sizes, strict=True))


def move(term: Term, variable: Variable, position: tuple[Axis, ...]) -> Term:
    """The same term with the latent standing at the position."""
    atoms = atoms_of(term.factor, variable)
    if len(atoms) > 1:
        ways = [place for atom in atoms for place in places_of(atom) if isinstance(place, Indexed)]
        if variable.support.finite and ways:
            raise NotDerivedError(
                f"{atoms[0]} and {atoms[1]} stand in one term, {term.factor}: labels are coupled with each other. If {ways[0]} is the parent "
                f"of a place, say so, {{{name_of(ways[0])}: Parents({variable.sizes[0]})}}, with -1 for a root."
            )
        raise NotDerivedError(
            f"{atoms[0]} and {atoms[1]} stand in one term, {term.factor}: entries of {variable.name} are coupled "
            f"with each other. Sums of them with known numbers are derived where {variable.name} is Normal(0, s) and stands in "
            f"Sum({variable.name}[q]*X[i, q], q) only; chains and grids of latents are not."
        )
    if any(place.free_symbols & inner_indices(term.factor) for place in places_of(atoms[0])):
        raise NotDerivedError(
            f"{atoms[0]} stands under a sum or a product inside a function, in {term.factor}, which couples all of its "
            f"positions: none can be eliminated alone. Let what stands there be one latent, with a law of its own."
        )
    rules, brackets = _alignment(places_of(atoms[0]), term, position)
    taken = term.factor.free_symbols | set(rules.values())
    for axis in position:
        if axis.index in term.indices and axis.index not in rules:
            rules[axis.index] = fresh_index(axis.index, taken)
            taken.add(rules[axis.index])
    axes = tuple(Axis(rules.get(axis.index, axis.index), axis.size) for axis in term.axes)
    absent = tuple(axis for axis in position if axis.index not in {each.index for each in axes})
    places = tuple(axis.index for axis in position)
    token = _token(atoms[0])
    known = {place.xreplace(rules): index for place, index in brackets}
    factor = term.factor.xreplace({atoms[0]: token}).xreplace(rules).xreplace(known)
    factor = factor.xreplace({token: variable.symbol[places] if places else variable.symbol})
    bracket = Iverson(And(*(Eq(place, index) for place, index in known.items())))
    return tidy(Term(factor * bracket, axes + absent))


def _token(atom: Expr) -> Expr:
    """What stands for an entry while indices are renamed."""
    return MatrixArray("_token", *atom.dimensions)() if isinstance(atom, MatrixEntry) else Dummy()


def _alignment(
    places: tuple[Expr, ...], term: Term, position: tuple[Axis, ...]
) -> tuple[dict[Expr, Expr], list[tuple[Expr, Symbol]]]:
    """Which index becomes which position, and the slots that hold something else."""
    rules: dict[Expr, Expr] = {}
    brackets = []
    for place, axis in zip(places, position, strict=True):
        if place in term.indices and place not in rules:
            rules[place] = axis.index
        else:
            brackets.append((place, axis.index))
    return rules, brackets


def check_counts(terms: Sequence[Term], latents: Iterable[Variable], weights: Sequence[Weight]) -> None:
    """No latent stands beside rows that count differently.

    Raises:
        NotDerivedError: one does.
    """
    for variable in latents if weights else ():
        holding = [term for term in terms if atoms_of(term.factor, variable)]
        _common_count(holding, variable, _position(holding, variable), weights)


def _common_count(
    holding: list[Term], variable: Variable, position: tuple[Axis, ...], weights: Sequence[Weight]
) -> Expr:
    """How often the row of a latent counts: as often as each of its terms.

    Raises:
        NotDerivedError: its terms are of rows that count differently.
    """
    counts: set[Expr] = set()
    for term in holding if weights else ():
        if term.factor.has(LogIverson):
            continue
        atom = atoms_of(term.factor, variable)[0]
        there = dict(zip(places_of(atom), (axis.index for axis in position), strict=True))
        rows = [entry for entry in Mul.make_args(count_of(term.factor, weights)) if entry != 1]
        apart = [entry for entry in rows if entry.indices[0] not in there]
        if apart:
            raise NotDerivedError(_shared(atom, apart[0]))
        counts.add(Mul(*(entry.base[there[entry.indices[0]]] for entry in rows)))
    if len(counts) > 1:
        raise NotDerivedError(_shared(atoms_of(holding[0].factor, variable)[0], weights[0].entry))
    return next(iter(counts), S.One)


def _shared(atom: Expr, entry: Expr) -> str:
    return (
        f"The latent {atom} stands beside rows that count {entry} times each and is not on their plate alone: rows that "
        f"share a latent are no independent rows, so they cannot be counted by weights=; weigh the plate that the latent "
        f"is on, or write the rows out."
    )


def _common_bracket(terms: list[Term], atom: Expr) -> tuple[Expr, list[Term]]:
    """Take out the conditions that every term shares; a hard constraint shares one if without it the latent is not in it."""
    soft = [term for term in terms if not term.factor.has(LogIverson)]
    shared: set[Expr] | None = None
    for term in soft:
        found = conditions_of(term.factor)
        shared = found if shared is None else shared & found
    hard = [term for term in terms if isinstance(term.factor, LogIverson)]
    shared = {each for each in shared or () if not any(_demand(term, each).has(atom) for term in hard)}
    if not shared:
        return S.One, terms
    return Iverson(And(*shared)), [Term(_without(term.factor, shared), term.axes) for term in terms]


def _without(factor: Expr, shared: set[Expr]) -> Expr:
    rest = [each for each in Mul.make_args(factor) if not isinstance(each, Iverson)]
    return Mul(Iverson(And(*(conditions_of(factor) - shared))), *rest)
