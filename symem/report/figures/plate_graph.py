"""Who depends on whom: a model as a directed graph of its arrays and the plates they stand in.

How the data arise says which way the arrows go: from the arguments of a distribution to its variable. A model
stated by its likelihood is read term by term: what shares a term of the complete log-likelihood is connected,
and the arrow ends at the data, or at the latent that is eliminated first. A vector on a simplex is one node, as
in the literature, so its last slots are no plates; scalars of one simplex, and scalars that stand to all others
alike, are one node too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from sympy import Add, Expr, Idx, Indexed, Mul, expand_mul

from symem.derivation import Derivation
from symem.language.model import Role, Variable
from symem.language.plates import LogIverson
from symem.language.supports import Simplex
from symem.language.symbol_names import names_in, stated_name
from symem.report.figures.plate_neighbours import LooksBack, neighbours

CROWDED = 6


class Kind(Enum):
    """How a node is drawn."""

    OBSERVED = "observed"
    PARTLY = "partly observed"
    LATENT = "latent"
    PARAMETER = "parameter"
    KNOWN = "known"

    @property
    def random(self) -> bool:
        return self in (Kind.OBSERVED, Kind.PARTLY, Kind.LATENT)


@dataclass(frozen=True)
class Plate:
    """Copies of what stands in it: a size, and which of the slots of that size it is (A[k, l] has two)."""

    size: Expr
    turn: int = 0


@dataclass(frozen=True)
class Node:
    """Variables that are drawn as one."""

    variables: tuple[Variable, ...]
    kind: Kind
    plates: tuple[Plate, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables)


@dataclass(frozen=True)
class Graph:
    """Nodes and arrows; an arrow is a pair of places in `nodes`. Of one to itself `back` says at which entry it looks."""

    nodes: tuple[Node, ...]
    arrows: tuple[tuple[int, int], ...]
    back: tuple[LooksBack, ...] = ()

    @property
    def plates(self) -> tuple[Plate, ...]:
        return tuple(dict.fromkeys(plate for node in self.nodes for plate in node.plates))

    def inside(self, plate: Plate) -> frozenset[int]:
        return frozenset(place for place, node in enumerate(self.nodes) if plate in node.plates)


def graph(derivation: Derivation) -> Graph:
    """The graph of a model."""
    model = derivation.model
    shown = {v.name: v for v in model.variables.values() if _is_shown(v, derivation)}
    back = tuple(_of_shown(each, derivation) for each in neighbours(derivation))
    arrows = {*_arrows(derivation, frozenset(shown)), *((each.name, each.name) for each in back)}
    touched = {name for arrow in arrows for name in arrow}
    kept = {name: variable for name, variable in shown.items() if name in touched or _kind(variable).random}
    groups = _grouped(kept, arrows, model.simplexes)
    place = {name: number for number, group in enumerate(groups) for name in group}
    sides = frozenset(size for variable in kept.values() for size in variable.shape)
    nodes = tuple(_node(tuple(kept[name] for name in group), sides) for group in groups)
    found = {(place[a], place[b]) for a, b in arrows if a in place and b in place}
    return Graph(nodes, tuple(sorted(found)), back)


def _of_shown(back: LooksBack, derivation: Derivation) -> LooksBack:
    return replace(back, name=_companions(derivation).get(back.name, back.name))


def _is_shown(variable: Variable, derivation: Derivation) -> bool:
    return variable.role not in (Role.SIZE, Role.MASK) and variable.name not in _companions(derivation)


def _companions(derivation: Derivation) -> dict[str, str]:
    """The latents that stand for missing entries -> the data they belong to."""
    data = [variable.name for variable in derivation.model.data if variable.missing]
    return {f"{name}_missing": name for name in data}


def _kind(variable: Variable) -> Kind:
    kinds = {
        Role.LATENT: Kind.LATENT,
        Role.FACTOR: Kind.LATENT,
        Role.PARAMETER: Kind.PARAMETER,
        Role.KNOWN: Kind.KNOWN,
    }
    return kinds.get(variable.role, Kind.PARTLY if variable.missing else Kind.OBSERVED)


def _node(variables: tuple[Variable, ...], within: frozenset[Expr]) -> Node:
    """A node in its plates; what runs over the entries of a vector is drawn whole, as the vector is."""
    return Node(
        variables,
        _kind(variables[0]),
        tuple(plate for plate in _plates(variables[0]) if plate.size not in within),
    )


def _plates(variable: Variable) -> Iterator[Plate]:
    whole = variable.support.axes if isinstance(variable.support, Simplex) else 0
    sizes = variable.sizes[: len(variable.sizes) - whole]
    for place, size in enumerate(sizes):
        yield Plate(size, sizes[:place].count(size))


# arrows ----------------------------------------------------------------------------------------------


def _arrows(derivation: Derivation, shown: frozenset[str]) -> Iterator[tuple[str, str]]:
    model = derivation.model
    for declaration in model.declarations:
        parents = {name for argument in declaration.stated_arguments for name in _names(argument)}
        yield from _into(map(stated_name, declaration.entries), parents, shown)
    whole = list(_terms(model.log_likelihood))
    for names in [] if model.declarations else _factors(whole, derivation):
        children = _children(names, derivation)
        yield from _into(children, names - children, shown)
    for term in (term for term in whole if term.has(LogIverson)):
        names = {_companions(derivation).get(name, name) for name in names_in(term)} & shown
        children = _of(Role.DATA, names, derivation) or _of(Role.LATENT, names, derivation)
        yield from _into(children, names - children, shown)
    for term in _terms(model.log_prior):
        names = names_in(term) & shown
        children = {name for name in names if model.variables[name].role is Role.PARAMETER}
        yield from _into(children, names - children, shown)


def _into(
    children: Iterable[str], parents: Iterable[str], shown: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for child in children:
        yield from ((parent, child) for parent in parents if {parent, child} <= shown)


def _names(stated: Expr) -> set[str]:
    """The names in an expression of the user's, those in the ranges of its indices apart."""
    return names_in(stated.xreplace({index: index.label for index in stated.atoms(Idx)}))


def _factors(terms: list[Expr], derivation: Derivation) -> Iterator[set[str]]:
    """The names that stand together in a factor of the likelihood.

    Terms with one and the same part in parameters belong together if they share data or a latent. A label that only
    picks an entry, as in log lam[z[i]], tells nothing where both meet the same data elsewhere.
    """
    parameters = {variable.name for variable in derivation.model.parameters}
    random = _of(Role.DATA, derivation.model.variables, derivation)
    random |= _of(Role.LATENT, derivation.model.variables, derivation)
    parts: dict[Expr, list[set[str]]] = {}
    for term in (term for term in terms if not term.has(LogIverson)):
        factors = [factor for factor in Mul.make_args(term) if names_in(factor) & parameters]
        known = parts.setdefault(Mul(*factors), [])
        near = [names for names in known if names & names_in(term) & random]
        parts[Mul(*factors)] = [each for each in known if each not in near] + [names_in(term).union(*near)]
    factors_found = [(part, names) for part, found in parts.items() for names in found]
    met = [names for _, names in factors_found if _of(Role.DATA, names, derivation)]
    for part, names in factors_found:
        bare = part.xreplace({entry: entry.base.label for entry in part.atoms(Indexed)})
        picked = set() if names in met else _of(Role.LATENT, names, derivation) - names_in(bare)
        yield names - {p for p in names & parameters if picked and any({p, *picked} <= each for each in met)}


def _of(role: Role, names: Iterable[str], derivation: Derivation) -> set[str]:
    variables = derivation.model.variables
    return {name for name in names if name in variables and variables[name].role is role}


def _children(names: set[str], derivation: Derivation) -> set[str]:
    """What a factor of the likelihood is the density of: the data in it, else the latent that is eliminated first."""
    latents = _of(Role.LATENT, names, derivation)
    first = [p.latent.name for p in derivation.posteriors if p.latent.name in latents][:1]
    return _of(Role.DATA, names, derivation) or set(first)


def _terms(expr: Expr) -> Iterator[Expr]:
    """The summands, multiplied out, of a sum and of the sums in it."""
    for term in Add.make_args(expand_mul(expr)):
        if getattr(term, "limits", None) and Add.make_args(expand_mul(term.function)) != (term.function,):
            yield from _terms(term.function)
        else:
            yield term


# nodes -----------------------------------------------------------------------------------------------


def _grouped(
    kept: dict[str, Variable], arrows: set[tuple[str, str]], simplexes: tuple[tuple[str, ...], ...]
) -> list[tuple[str, ...]]:
    """Names that share a node, in the order of the model."""
    joint = {name: names for names in simplexes for name in names if name in kept}
    crowded = len(kept) - sum(len(names) - 1 for names in simplexes) > CROWDED

    def key(name: str) -> object:
        if name in joint:
            return joint[name]
        variable = kept[name]
        if not crowded or variable.sizes or not _kind(variable).random:
            return name
        parents = frozenset(a for a, b in arrows if b == name)
        children = frozenset(b for a, b in arrows if a == name)
        return _kind(variable), parents, children

    groups: dict[object, list[str]] = {}
    for name in kept:
        groups.setdefault(key(name), []).append(name)
    return [tuple(group) for group in groups.values()]
