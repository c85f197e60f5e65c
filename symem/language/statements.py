"""Both front doors: what a user hands over, brought to one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Idx, Indexed, IndexedBase, Symbol, Tuple
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from symem.errors import ModelError, SupportError, UndeclaredSymbolError
from symem.language.declarations import Declaration, declaration, in_letters
from symem.language.demands import Demands
from symem.language.families import as_distribution
from symem.language.family import Distribution
from symem.language.first_laws import at_their_places
from symem.language.parents import Parents
from symem.language.ranges import Range, own_range
from symem.language.shown_latents import Shown
from symem.language.stated import as_sympy, expression
from symem.language.support import Support
from symem.language.supports import Simplex, as_support
from symem.language.symbol_names import stated_name, stated_names
from symem.language.transcription import transcribed
from symem.language.variables import Role
from symem.language.vectors import OF_MATRICES, OF_VECTORS, check_value

Simplexes = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Statement:
    """A model in the user's symbols.

    Args:
        pieces: they add up to the complete-data log-likelihood.
        roles: what was said of a symbol's role.
        supports: what was said, or is demanded by distributions.
        simplexes: scalars that lie on a simplex together.
        rest: the role of every symbol of which nothing was said.
        declarations: the lines of the model, if it was stated by how the data arise.
        indices: the indices of the declarations.
        unsaid: the known numbers whose supports are demanded at most.
        shown: the latents that some data show.
    """

    pieces: tuple[Expr, ...]
    roles: Mapping[str, Role]
    supports: Mapping[str, Support]
    simplexes: Simplexes
    rest: Role
    declarations: tuple[Declaration, ...] = ()
    indices: Mapping[str, tuple[Idx, Range]] = field(default_factory=dict)
    unsaid: frozenset[str] = frozenset()
    shown: tuple[Shown, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Names in the order in which they were stated: line by line, argument by argument, or by role."""
        lines = [each for d in self.declarations for each in (*d.entries, *d.stated_arguments)]
        found = [name for each in lines for name in stated_names(each)]
        return tuple(dict.fromkeys([*found, *self.roles]))


@dataclass(frozen=True)
class Extras:
    """What both front doors take beside the likelihood, checked for its kind."""

    prior: Mapping[Any, Distribution]
    log_prior: Expr
    missing: frozenset[str]
    relations: tuple[Any, ...]
    weights: Mapping[Any, Expr] = field(default_factory=dict)


def by_distribution(
    declarations: Any, latent: Any, known: Any, parameters: Any, data: Any = None
) -> Statement:
    """The model `{variable: distribution}`."""
    if not isinstance(declarations, Mapping) or not len(declarations):
        raise ModelError(
            f"Model takes a dict {{variable: distribution}}, such as {{z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}}, "
            f"not {declarations!r}; a likelihood goes into Model.from_likelihood(…)."
        )
    read = tuple(declaration(key, value) for key, value in declarations.items())
    names, told = _known(known)
    roles = _declared_roles(read, names_of(latent, "latent"), names)
    read = at_their_places(read, roles)
    named, tuples = named_supports(parameters, "parameters")
    roles |= dict.fromkeys(_distinct(named, roles, "parameters"), Role.PARAMETER)
    observed = _observed(data, roles)
    roles |= dict.fromkeys(observed, Role.DATA)
    supports = {name: s for each in read for name, s in each.supports()} | _latent_shares(read, roles)
    demands = Demands(roles, supports | named, tuples)
    for each in read:
        demands.take(each)
    parents = dict(map(_parents, (line for line in read if line.parent)))
    for name, support in parents.items():
        if not isinstance(told.get(name, support), Parents):
            raise SupportError(
                f"{name} says which place is the parent of another: let known={{{name}: {support}}}."
            )
    asked = demands.supports | demands.demanded_of_known() | parents
    return Statement(
        tuple(each.log_likelihood() for each in read),
        roles,
        asked | named | told | observed,
        tuple(demands.simplexes),
        Role.PARAMETER,
        read,
        {stated_name(index): (index, own_range(index)) for each in read for index in each.indices},
        frozenset(n for n, r in roles.items() if r is Role.KNOWN and n not in told),
    )


def _latent_shares(read: Iterable[Declaration], roles: Mapping[str, Role]) -> dict[str, Support]:
    """Latent arrays of a Dirichlet law: points of a simplex along their last index."""
    found: dict[str, Support] = {}
    for line in read:
        name = stated_name(line.entries[0])
        if line.name == "Dirichlet" and roles[name] is Role.LATENT and line.cell is not None:
            if line.own[-1] != line.cell:
                raise ModelError(f"{line.entries[0]}: write the cells of latent shares as the last index.")
            found[name] = Simplex()
    return found


def _parents(line: Declaration) -> tuple[str, Support]:
    """The array of parents that a law looks back by, and its support."""
    assert line.parent is not None
    span = own_range(line.parent.indices[0])
    return stated_name(line.parent), Parents(span.size, int(span.lower))


def _known(stated: Any) -> tuple[tuple[str, ...], dict[str, Support]]:
    """The names in known=, and what is said of their supports where it is a dict.

    Raises:
        ModelError: it is neither a list of symbols nor a dict from symbols to supports.
    """
    if not isinstance(stated, Mapping):
        return names_of(stated, "known"), {}
    supports, tuples = named_supports(stated, "known")
    if tuples:
        raise SupportError("known= takes one symbol for each support, not a tuple.")
    return tuple(supports), supports


def _observed(stated: Any, roles: Mapping[str, Role]) -> dict[str, Support]:
    """The supports that data= gives, each to a datum.

    Raises:
        ModelError: one is given to something else.
    """
    supports, _ = named_supports(stated or {}, "data")
    for name in supports:
        if roles.get(name, Role.DATA) is not Role.DATA:
            raise ModelError(f"{name!r} is named in data=, but it is {_SAID[roles[name]]}: choose one.")
    return supports


def _declared_roles(
    declarations: tuple[Declaration, ...], latent: tuple[str, ...], known: tuple[str, ...]
) -> dict[str, Role]:
    roles = {stated_name(entry): Role.DATA for each in declarations for entry in each.entries}
    for name in latent:
        if name not in roles:
            raise UndeclaredSymbolError(
                f"The latent {name!r} has no distribution: add {name}[i]: Categorical(…) or another to the model."
            )
        roles[name] = Role.LATENT
    return roles | dict.fromkeys(_distinct(known, roles, "known"), Role.KNOWN)


def _distinct(names: Iterable[str], roles: Mapping[str, Role], where: str) -> Iterable[str]:
    """No name may have a second role.

    Raises:
        ModelError: one has.
    """
    for name in names:
        if name in roles:
            raise ModelError(f"{name!r} is named in {where}=, but it is {_SAID[roles[name]]}: choose one.")
    return names


_SAID = {
    Role.DATA: "data with a distribution",
    Role.LATENT: "latent",
    Role.KNOWN: "known",
    Role.PARAMETER: "a parameter",
}


def by_likelihood(
    whole: Expr, latent: Any, parameters: Any, known: Any, *, data: Any = None, whose: str = "log-likelihood"
) -> Statement:
    """The model by its complete-data log-likelihood; `data` gives supports, no more."""
    if not whole.free_symbols:
        raise ModelError(f"The {whose} is the number {whole}: it must hold data, latents and parameters.")
    latents, tuples = named_supports(latent, "latent")
    if tuples:
        raise SupportError(
            "latent=: of shares of a whole make one array, p[i, k], {p: Simplex()}; relations between counts go into given=[…]."
        )
    named, simplexes = named_supports(parameters, "parameters")
    roles = dict.fromkeys(latents, Role.LATENT)
    roles |= dict.fromkeys(_distinct(named, roles, "parameters"), Role.PARAMETER)
    names, told = _known(known)
    roles |= dict.fromkeys(_distinct(names, roles, "known"), Role.KNOWN)
    observed = _observed(data, roles)
    roles |= dict.fromkeys(observed, Role.DATA)
    supports = latents | named | told | observed
    return Statement((transcribed(whole),), roles, supports, simplexes, Role.DATA)


def named_supports(stated: Any, where: str) -> tuple[dict[str, Support], Simplexes]:
    """`{p: UnitInterval(), (a, b, c): Simplex()}` by name, and the tuples that lie on a simplex.

    Raises:
        SupportError: a value is no support, or a simplex is given to a single scalar.
        ModelError: it is no dict of symbols.
    """
    if not isinstance(stated, Mapping):
        raise ModelError(
            f"{where}= takes a dict from symbols to supports, such as {{p: UnitInterval()}}, not {stated!r}."
        )
    supports: dict[str, Support] = {}
    tuples = []
    for key, value in stated.items():
        support = as_support(value, key)
        names = tuple(stated_name(entry) for entry in (key if isinstance(key, (tuple, Tuple)) else (key,)))
        for name in _distinct(names, dict.fromkeys(supports, Role.PARAMETER), where):
            supports[name] = support
        if isinstance(support, Simplex) and isinstance(key, (tuple, Tuple)):
            tuples.append(names)
        if (isinstance(support, Simplex) and isinstance(key, Symbol)) or (
            len(names) == 1 and names in tuples
        ):
            raise SupportError(
                f"{key} alone cannot be a simplex: write a tuple of scalars or an IndexedBase."
            )
    return supports, tuple(tuples)


def names_of(stated: Any, where: str) -> tuple[str, ...]:
    """The names in a list of symbols.

    Raises:
        ModelError: it is no list of symbols.
    """
    return tuple(stated_name(each) for each in _listed(stated, where))


def _listed(stated: Any, where: str) -> tuple[Any, ...]:
    if isinstance(stated, (str, Symbol, Indexed, IndexedBase)) or not isinstance(stated, Iterable):
        raise ModelError(f"{where}= takes a list: write {where}=[{stated}].")
    return tuple(stated)


def extras(prior: Any, log_prior: Any, missing: Any, given: Any, weights: Any = None) -> Extras:
    """Check the kinds of prior=, log_prior=, missing=, given= and weights=.

    Raises:
        ModelError: one is of another kind.
    """
    prior = {} if prior is None else prior
    if not isinstance(prior, Mapping):
        raise ModelError(
            f"prior= takes a dict from parameters to distributions, such as {{p: Beta(2, 2)}}, not {prior!r}."
        )
    read = {_prior_key(key): _law_of(key, value) for key, value in prior.items()}
    for key, distribution in read.items():
        home = distribution.family.home
        if distribution.branches or distribution.family.is_point or home.discrete:
            raise ModelError(
                f"{distribution} cannot be the prior of {key}: a parameter has a continuous law."
            )
    relations = tuple(_relation(each) for each in _listed(given, "given"))
    return Extras(
        read,
        transcribed(expression(log_prior, "log_prior")),
        frozenset(names_of(missing, "missing")),
        relations,
        _stated_weights(weights),
    )


def _stated_weights(weights: Any) -> dict[Any, Expr]:
    """`{i: c[i]}`, checked for its kind.

    Raises:
        ModelError: it is no dict from indices to an entry of an array at that index.
    """
    if weights is None:
        return {}
    if not isinstance(weights, Mapping):
        raise ModelError(
            f"weights= takes a dict {{i: c[i]}} from the index of the rows to how often each counts, not {weights!r}."
        )
    for index, entry in weights.items():
        if not isinstance(index, (Idx, Symbol)):
            raise ModelError(f"weights={{{index}: …}}: the key is the index of a plate, as in {{i: c[i]}}.")
        if not isinstance(entry, Indexed) or tuple(entry.indices) != (index,):
            raise ModelError(
                f"weights={{{index}: {entry}}}: write how often row {index} counts as an entry of an array of data, "
                f"{{{index}: c[{index}]}}."
            )
    return dict(weights)


def _law_of(key: Any, stated: Any) -> Distribution:
    law = as_distribution(stated)
    if law.name in OF_VECTORS | OF_MATRICES:
        check_value(key, law)
    return in_letters(law)


def _prior_key(key: Any) -> Any:
    for entry in key if isinstance(key, (tuple, Tuple)) else (key,):
        stated_name(entry)
    return tuple(key) if isinstance(key, Tuple) else transcribed(key)


def _relation(stated: Any) -> Any:
    relation = transcribed(as_sympy(stated))
    if not isinstance(relation, (Relational, BooleanFunction)):
        raise ModelError(
            f"given=[{stated}]: write relations that are open, such as Eq(a + b, n) or y[j] > c[j], one an entry "
            f"(`==` compares at once, so write Eq; a number that says whether u > 0 is Eq(y[i], Heaviside(u[i])))."
        )
    return relation
