"""The model: both front doors, and the role, support and range of every symbol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from sympy import Add, Equality, Expr, Idx, Indexed, IndexedBase, Product, S, Sum, Symbol, Tuple, log, sympify
from sympy.core.relational import Relational

from symem.errors import ModelError, NormalisationError, PlateError, SupportError, UndeclaredSymbolError
from symem.language.declarations import Declaration, narrower, spread
from symem.language.families import as_distribution
from symem.language.logarithm import expand_logs
from symem.language.missing import split_missing
from symem.language.one_hot import as_labels
from symem.language.plates import Axis, LogIverson, index_symbol
from symem.language.prior import log_prior as log_prior_density
from symem.language.reading import Extent, Range, Reader, Shape, Slot, Survey, base_name, check_name, extent_symbol, own_range
from symem.language.supports import Binary, Counts, Labels, NonNegative, OneHot, Reals, Simplex, Support


class Role(Enum):
    """What a symbol is to the model."""

    DATA = "data"
    KNOWN = "known"
    LATENT = "latent"
    PARAMETER = "parameter"
    SIZE = "size"
    MASK = "mask"


@dataclass(frozen=True)
class Variable:
    """A symbol with its role, the size of each index slot, and its support."""

    name: str
    symbol: Any
    role: Role
    sizes: tuple[Expr, ...]
    support: Support
    declared: Any
    missing: bool = False

    @property
    def atom_name(self) -> str:
        return self.name


@dataclass(frozen=True)
class _Statement:
    """What either front door hands over: pieces of log-likelihood and roles, in the user's symbols."""

    pieces: tuple[Expr, ...]
    roles: Mapping[str, Role]
    supports: Mapping[str, Support]
    simplexes: tuple[tuple[str, ...], ...]
    rest: Role
    declarations: tuple[Declaration, ...] = ()
    indices: Mapping[str, tuple[Idx, Range]] = field(default_factory=dict)


class Model:
    """A model stated by how the data arise.

    Args:
        declarations: variable -> distribution, such as ``{z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}``.
        latent: the variables that are not observed.
        known: symbols supplied with the data (trial counts, covariates, fixed scales).
        parameters: supports that differ from what the distributions ask, ``{p: UnitInterval()}``.
        prior: parameter -> distribution; with it (or `log_prior`) EM maximises the posterior (MAP-EM).
        log_prior: a log-density of the parameters, up to a constant.
        missing: data of which NaN entries are latent.
        given: relations that were observed about latents: totals, censoring, deterministic nodes.

    Raises:
        ModelError: naming the symbol, index or density at fault and what to write instead.
    """

    def __init__(
        self,
        declarations: Mapping[Any, Any],
        *,
        latent: Iterable[Any] = (),
        known: Iterable[Any] = (),
        parameters: Mapping[Any, Support] | None = None,
        prior: Mapping[Any, Any] | None = None,
        log_prior: Any = 0,
        missing: Iterable[Any] = (),
        given: Iterable[Any] = (),
    ) -> None:
        statement = _by_distribution(declarations, latent, known, parameters or {})
        self._build(statement, prior or {}, sympify(log_prior), tuple(missing), tuple(given))

    @classmethod
    def from_likelihood(
        cls,
        likelihood: Any = None,
        *,
        log_likelihood: Any = None,
        latent: Mapping[Any, Support],
        parameters: Mapping[Any, Support],
        known: Iterable[Any] = (),
        prior: Mapping[Any, Any] | None = None,
        log_prior: Any = 0,
        missing: Iterable[Any] = (),
        given: Iterable[Any] = (),
    ) -> Model:
        """A model stated by its complete-data likelihood p(x, z; θ), or by its logarithm.

        `latent` and `parameters` give each its support; every other symbol is data, or a size if it bounds a
        range. A simplex is an indexed array (`{w: Simplex()}`) or a tuple of scalars (`{(p, q, r): Simplex()}`).
        """
        if (likelihood is None) == (log_likelihood is None):
            raise ModelError("Give either the likelihood or log_likelihood=, one of the two.")
        whole = sympify(log_likelihood) if likelihood is None else log(sympify(likelihood))
        model = cls.__new__(cls)
        statement = _by_likelihood(whole, latent, parameters, known)
        model._build(statement, prior or {}, sympify(log_prior), tuple(missing), tuple(given))
        return model

    @classmethod
    def of_objective(cls, objective: Any, parameters: Mapping[Any, Support]) -> Model:
        """A plain objective in place of a log-likelihood: parameters and data, no latents."""
        model = cls.__new__(cls)
        model._build(_by_likelihood(sympify(objective), {}, parameters, ()), {}, S.Zero, (), (), latents=False)
        return model

    # -- assembly -----------------------------------------------------------------------------------

    def _build(
        self,
        statement: _Statement,
        prior: Mapping[Any, Any],
        log_prior: Expr,
        missing: tuple[Any, ...],
        given: tuple[Any, ...],
        *,
        latents: bool = True,
    ) -> None:
        self.declarations = statement.declarations
        self.simplexes = statement.simplexes
        self.prior = dict(prior)
        relations = tuple(_relation(each) for each in given)
        survey = Survey(indices=dict(statement.indices))
        for piece in (*statement.pieces, log_prior):
            survey.take(piece, {})
        for support in statement.supports.values():
            survey.take_size(support.size if isinstance(support, Labels) else S.One)
        for relation in relations:
            survey.take(relation, _relation_scope(relation))
        roles = self._roles(survey, statement, relations, log_prior, prior)
        supports = self._supports(survey, statement, roles, relations)
        reader = self._reader(survey, roles, supports)
        for label, (index, span) in survey.indices.items():
            reader.spans.setdefault(label, (span, index_symbol(label)))
            if span.lower.is_Integer:
                reader.user_indices.setdefault(index_symbol(label), (index, span.lower))
        self._reader_ = reader
        self._survey = survey
        whole = Add(*(expand_logs(reader.read(piece)) for piece in statement.pieces))
        one_hot = tuple(name for name, support in supports.items() if isinstance(support, OneHot))
        constraints = tuple(self._constraint(reader, relation) for relation in relations)
        self.log_prior: Expr = expand_logs(reader.read(log_prior)) + self._prior(reader, survey, prior)
        self.extents = tuple(reader.extents.values())
        self.variables = self._table(survey, roles, supports, reader, missing)
        whole, constraints, self.variables = as_labels(one_hot, whole, constraints, self.variables)
        whole, constraints, self.variables = split_missing(whole, constraints, self.variables)
        self.log_likelihood: Expr = Add(whole, *constraints)
        self._check(missing, latents)

    @staticmethod
    def _roles(
        survey: Survey,
        statement: _Statement,
        relations: tuple[Any, ...],
        log_prior: Expr,
        prior: Mapping[Any, Any],
    ) -> dict[str, Role]:
        roles = dict(statement.roles)
        declared_in_model = {n for piece in statement.pieces for n in _names(piece)}
        for name in survey.declared:
            if name in survey.size_names and name not in roles:
                roles[name] = Role.SIZE
            elif name not in roles:
                roles[name] = statement.rest if name in declared_in_model else Role.DATA
        for name in _names(log_prior):
            if name not in declared_in_model and roles.get(name) is Role.DATA:
                roles[name] = Role.KNOWN
        in_prior = {n for value in prior.values() for a in as_distribution(value).arguments for n in _names(a)}
        absent = [name for name in statement.roles if name not in survey.declared and name not in in_prior]
        for name in in_prior:
            roles.setdefault(name, Role.KNOWN)
        if absent:
            what = statement.roles[absent[0]].value
            raise UndeclaredSymbolError(f"The {what} {absent[0]!r} appears nowhere in the likelihood: remove it, or use it.")
        return roles

    @staticmethod
    def _supports(
        survey: Survey, statement: _Statement, roles: Mapping[str, Role], relations: tuple[Any, ...]
    ) -> dict[str, Support]:
        supports = dict(statement.supports)
        for relation in relations:
            _link_bound(relation, supports)
        for name, slots in survey.slots.items():
            for slot in slots:
                for label in slot.labels:
                    _link_label(name, slot, label, supports, survey)
        for name, role in roles.items():
            if role is Role.SIZE:
                supports[name] = Counts(1)
            supports.setdefault(name, Reals())
        return supports

    def _reader(self, survey: Survey, roles: Mapping[str, Role], supports: Mapping[str, Support]) -> Reader:
        shapes, symbols, origins = {}, {}, {}
        for name, slots in survey.slots.items():
            check_name(name)
            symbols[name] = _internal(name, survey.declared[name], roles[name], supports[name])
            shapes[name] = Shape(tuple(S.Zero for _ in slots), tuple(_origin(slot, supports) for slot in slots))
            if isinstance(supports[name], Labels) and supports[name].origin:  # type: ignore[attr-defined]
                origins[name] = supports[name].origin  # type: ignore[attr-defined]
        reader = Reader(symbols, shapes, origins, {})
        for name, slots in survey.slots.items():
            sizes = tuple(_slot_size(name, p, slot, supports, reader, survey) for p, slot in enumerate(slots))
            reader.shapes[name] = replace(shapes[name], sizes=sizes)
        return reader

    def _constraint(self, reader: Reader, relation: Any) -> Expr:
        indices = tuple(sorted(_free_idx(relation), key=str))
        body = LogIverson(relation)
        return reader.read(Sum(body, *indices) if indices else body)

    def _prior(self, reader: Reader, survey: Survey, prior: Mapping[Any, Any]) -> Expr:
        parts = []
        for key, value in prior.items():
            name = base_name(key)
            if name not in survey.slots:
                raise UndeclaredSymbolError(f"The prior names {name!r}, which is not in the model.")
            distribution = as_distribution(value)
            for argument in distribution.arguments:
                _admit(reader, survey, argument)
            parts.append(log_prior_density(key, distribution, reader))
        return Add(*parts)

    def _table(
        self,
        survey: Survey,
        roles: Mapping[str, Role],
        supports: Mapping[str, Support],
        reader: Reader,
        missing: tuple[Any, ...],
    ) -> dict[str, Variable]:
        missing_names = {base_name(each) for each in missing}
        table = {}
        for name, symbol in reader.symbols.items():
            sizes = reader.shapes[name].sizes if name in reader.shapes else ()
            role = roles.get(name, Role.KNOWN)
            support = _read_support(supports.get(name, Reals()), reader)
            declared = survey.declared.get(name, symbol)
            table[name] = Variable(name, symbol, role, sizes, support, declared, name in missing_names)
        return table

    def _check(self, missing: tuple[Any, ...], latents: bool) -> None:
        if latents and not self.latents:
            raise ModelError("The model has no latent variable: name one in latent=[...], or use maximise() directly.")
        if not self.parameters:
            raise ModelError("The model has no parameter: everything is data, known or latent.")
        for each in missing:
            role = self.variables[base_name(each)].role if base_name(each) in self.variables else None
            if role not in (Role.DATA, Role.KNOWN):
                raise ModelError(f"missing=[{each}]: only data can be missing, and {each} is {role.value if role else 'unknown'}.")
        parameters = {variable.name for variable in self.parameters}
        for constraint in self.log_likelihood.atoms(LogIverson):
            hit = sorted(parameters & {_base(a) for a in constraint.free_symbols})
            if hit:
                raise SupportError(
                    f"The support of a variable depends on the parameter {hit[0]!r} ({constraint.args[0]}): the likelihood "
                    f"then has no stationary point in it, so EM does not apply. Give {hit[0]!r} in known=[...]."
                )

    # -- what was understood -------------------------------------------------------------------------

    def _of(self, role: Role) -> tuple[Variable, ...]:
        return tuple(variable for variable in self.variables.values() if variable.role is role)

    @property
    def data(self) -> tuple[Variable, ...]:
        return self._of(Role.DATA)

    @property
    def known(self) -> tuple[Variable, ...]:
        return self._of(Role.KNOWN)

    @property
    def latents(self) -> tuple[Variable, ...]:
        return self._of(Role.LATENT)

    @property
    def parameters(self) -> tuple[Variable, ...]:
        return self._of(Role.PARAMETER)

    @property
    def sizes(self) -> tuple[Variable, ...]:
        return self._of(Role.SIZE)

    @property
    def masks(self) -> tuple[Variable, ...]:
        return self._of(Role.MASK)

    def variable(self, symbol: Any) -> Variable:
        """The variable that a user's symbol, an entry of it, or its name stands for."""
        name = symbol if isinstance(symbol, str) else base_name(symbol)
        if name not in self.variables:
            raise UndeclaredSymbolError(f"{name!r} is not in the model; it has {', '.join(sorted(self.variables))}.")
        return self.variables[name]

    @property
    def index_sizes(self) -> dict[str, Expr]:
        """The internal size of every index that the user wrote."""
        spans = self._reader_.spans.items()
        return {label: _range_size(span, self._reader_) for label, (span, _) in spans if _plain(span)}

    def declared(self, expr: Any) -> Any:
        """An internal expression in the user's symbols and indices."""
        return _Translation(self).outward(expr)

    def internal(self, expr: Any) -> Any:
        """A user's expression in internal symbols."""
        return self._reader_.read(expr)

    def derive(self) -> Any:
        """Derive EM for this model: see `symem.em.EM`."""
        from symem.em import derive

        return derive(self)

    def __str__(self) -> str:
        rows = [("symbol", "role", "shape", "support")]
        for v in self.variables.values():
            if v.role is not Role.MASK:
                shape = "scalar" if not v.sizes else " × ".join(map(str, v.sizes))
                rows.append((str(v.declared), v.role.value + (" (NaN = latent)" if v.missing else ""), shape, str(v.support)))
        widths = [max(len(row[c]) for row in rows) for c in range(4)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _by_distribution(
    declarations: Mapping[Any, Any], latent: Iterable[Any], known: Iterable[Any], parameters: Mapping[Any, Support]
) -> _Statement:
    read = tuple(Declaration(key, as_distribution(value)) for key, value in declarations.items())
    keys = [base_name(entry) for declaration in read for entry in declaration.entries]
    roles = {name: Role.DATA for name in keys}
    for each in latent:
        if base_name(each) not in roles:
            raise UndeclaredSymbolError(f"The latent {base_name(each)!r} has no distribution: add {each}[i]: … to the model.")
        roles[base_name(each)] = Role.LATENT
    for each in known:
        if roles.get(base_name(each)) is not None:
            raise ModelError(f"{base_name(each)!r} is both known and given a distribution: choose one.")
        roles[base_name(each)] = Role.KNOWN
    supports: dict[str, Support] = {name: support for d in read for name, support in d.supports()}
    named, tuples = _named_supports(parameters)
    roles |= {name: Role.PARAMETER for name in named}
    supports |= named
    simplexes = list(tuples)
    for declaration in read:
        for expr, support in declaration.requirements():
            _require(expr, support, roles, supports, simplexes)
    supports |= named
    pieces = tuple(declaration.log_likelihood() for declaration in read)
    indices = {base_name(i): (i, own_range(i)) for d in read for i in d.indices}
    return _Statement(pieces, roles, supports, tuple(simplexes), Role.PARAMETER, read, indices)


def _require(
    expr: Any, support: Support, roles: Mapping[str, Role], supports: dict[str, Support], simplexes: list[tuple[str, ...]]
) -> None:
    if isinstance(expr, Tuple):
        _require_simplex(expr, roles, supports, simplexes)
    elif not isinstance(support, Simplex) or isinstance(expr, Indexed):
        for name, wanted in spread(expr, support):
            if name not in roles or roles[name] is Role.KNOWN:
                supports[name] = narrower(supports.get(name), wanted)


def _require_simplex(
    entries: Tuple, roles: Mapping[str, Role], supports: dict[str, Support], simplexes: list[tuple[str, ...]]
) -> None:
    """Plain symbols form a simplex; other entries must sum to one where the declared simplexes do."""
    if all(isinstance(entry, Symbol) for entry in entries) and not any(base_name(e) in supports for e in entries):
        names = tuple(base_name(entry) for entry in entries)
        if not any(name in roles for name in names):
            simplexes.append(names)
            supports |= {name: Simplex() for name in names}
        return
    rest = _on_simplexes(Add(*entries), simplexes, supports).expand()
    if (rest - 1).is_number and abs(float(rest - 1)) > 1e-12 or not rest.is_number and not _all_known(rest, roles):
        raise NormalisationError(
            f"The probabilities {tuple(entries)} sum to {Add(*entries)}, not to 1: write the last as 1 - …, or declare "
            f"the simplex, parameters={{(p, q, r): Simplex()}}."
        )


def _all_known(expr: Expr, roles: Mapping[str, Role]) -> bool:
    return all(roles.get(name) is Role.KNOWN for name in _names(expr))


def _on_simplexes(whole: Expr, simplexes: list[tuple[str, ...]], supports: Mapping[str, Support]) -> Expr:
    """Write the last member of each simplex as one minus the others."""
    scalars = {str(symbol): symbol for symbol in whole.free_symbols if isinstance(symbol, Symbol)}
    for names in simplexes:
        if all(name in scalars for name in names):
            whole = whole.subs(scalars[names[-1]], 1 - Add(*(scalars[name] for name in names[:-1])))
    for base in {entry.base for entry in whole.atoms(Indexed) if isinstance(supports.get(base_name(entry)), Simplex)}:
        entries = sorted((e for e in whole.atoms(Indexed) if e.base == base), key=str)
        whole = whole.subs(entries[-1], 1 - Add(*entries[:-1]))
    return whole


def _by_likelihood(
    whole: Expr, latent: Mapping[Any, Support], parameters: Mapping[Any, Support], known: Iterable[Any]
) -> _Statement:
    latents, _ = _named_supports(latent)
    named, tuples = _named_supports(parameters)
    both = sorted(set(latents) & set(named))
    if both:
        raise ModelError(f"{both[0]!r} is named both as latent and as parameter: choose one.")
    roles = {name: Role.LATENT for name in latents} | {name: Role.PARAMETER for name in named}
    roles |= {base_name(each): Role.KNOWN for each in known}
    return _Statement((whole,), roles, latents | named, tuples, Role.DATA)


def _named_supports(stated: Mapping[Any, Support]) -> tuple[dict[str, Support], tuple[tuple[str, ...], ...]]:
    supports: dict[str, Support] = {}
    tuples = []
    for key, support in stated.items():
        if not isinstance(support, Support):
            raise SupportError(f"The support of {key} must be a Support such as Positive() or Simplex(), not {support!r}.")
        if isinstance(key, (tuple, Tuple)):
            names = tuple(base_name(entry) for entry in key)
            supports |= {name: support for name in names}
            tuples.append(names)
        else:
            supports[base_name(key)] = support
            if isinstance(support, Simplex) and isinstance(key, Symbol):
                raise SupportError(f"{key} alone cannot be a simplex: write a tuple of scalars or an IndexedBase.")
    return supports, tuple(tuples)


def _relation(stated: Any) -> Any:
    relation = sympify(stated)
    if not isinstance(relation, Relational):
        raise ModelError(f"given=[{stated}]: write a relation such as Eq(a + b, n) or y[j] > c[j].")
    return relation


def _free_idx(expr: Any) -> set[Idx]:
    bound = {limit[0] for inner in expr.atoms(Sum) for limit in inner.limits}
    return set(expr.atoms(Idx)) - bound


def _relation_scope(relation: Any) -> dict[Any, Range]:
    return {index: own_range(index) for index in _free_idx(relation)}


def _names(expr: Any) -> set[str]:
    bound = {limit[0] for inner in expr.atoms(Sum) for limit in inner.limits}
    arrays = {entry.base.label for entry in expr.atoms(Indexed)}
    scalars = {a for a in expr.free_symbols if isinstance(a, Symbol) and a not in bound and a not in arrays}
    return {base_name(entry) for entry in expr.atoms(Indexed)} | {str(a.name) for a in scalars if not isinstance(a, Idx)}


def _base(symbol: Any) -> str:
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


def _link_label(name: str, slot: Slot, label: Expr, supports: dict[str, Support], survey: Survey) -> None:
    """An array indexed by a label: the label's support and the slot agree."""
    if not isinstance(label, (Indexed, Symbol)):
        raise PlateError(f"{name} is indexed by {label}: index by a label, an observed category, or an Idx.")
    inner = base_name(label)
    if isinstance(supports.get(inner), (Labels, Binary)):
        return
    if slot.range is not None:
        lower = slot.range.lower
        supports[inner] = Labels(slot.range.size, int(lower) if lower.is_Integer else 0)
    elif not isinstance(supports.get(inner), Labels):
        supports[inner] = Labels(Symbol(f"size_{inner}", integer=True, positive=True))


def _link_bound(relation: Any, supports: dict[str, Support]) -> None:
    """What bounds a positive quantity, or totals counts, is one itself."""
    sides = [side for side in relation.args if isinstance(side, (Symbol, Indexed))]
    bare = [side for side in sides if base_name(side) not in supports]
    others = [supports[name] for name in _names(relation) if name in supports]
    for side in bare:
        if others and all(isinstance(s, (Counts, Binary)) for s in others) and isinstance(relation, Equality):
            supports[base_name(side)] = Counts()
        elif others and all(s.bounds[0] == 0 for s in others) and len(sides) == 2:
            supports[base_name(side)] = NonNegative()


def _origin(slot: Slot, supports: Mapping[str, Support]) -> int:
    if slot.range is not None:
        return int(slot.range.lower) if slot.range.lower.is_Integer else 0
    for label in slot.labels:
        support = supports.get(base_name(label))
        if isinstance(support, Labels):
            return support.origin
    return min(slot.literals, default=0) if slot.literals and min(slot.literals) == 1 else 0


def _slot_size(
    name: str, position: int, slot: Slot, supports: Mapping[str, Support], reader: Reader, survey: Survey
) -> Expr:
    if slot.range is not None:
        return _range_size(slot.range, reader)
    for label in slot.labels:
        support = supports.get(base_name(label))
        if isinstance(support, Binary):
            return sympify(2)
        if isinstance(support, Labels):
            return _label_size(support, label, supports, reader, survey)
    if slot.literals:
        return sympify(max(slot.literals) - _origin(slot, supports) + 1)
    raise PlateError(f"Slot {position + 1} of {name} has no range.")


def _range_size(span: Range, reader: Reader) -> Expr:
    if span.upper.atoms(Indexed):
        return extent_symbol(span.upper)
    return reader.read(span.size)


def _plain(span: Range) -> bool:
    """Whether a range depends on no other index."""
    return not any(isinstance(atom, Idx) for atom in span.lower.free_symbols | span.upper.free_symbols)


def _label_size(
    support: Labels, label: Expr, supports: Mapping[str, Support], reader: Reader, survey: Survey
) -> Expr:
    """The size of a slot that only labels index; where nothing declares it, the data show it."""
    free = [symbol for symbol in support.size.free_symbols if str(symbol) not in reader.symbols]
    if not free:
        return reader.read(support.size)
    inner = base_name(label)
    symbol = Symbol(f"size_{inner}", integer=True, positive=True)
    sizes = (_slot_size(inner, p, slot, supports, reader, survey) for p, slot in enumerate(survey.slots[inner]))
    axes = tuple(Axis(index_symbol(f"{inner}_{p}"), size) for p, size in enumerate(sizes))
    entry = reader.symbols[inner][tuple(a.index for a in axes)] if axes else reader.symbols[inner]
    reader.extents.setdefault(symbol, Extent(symbol, entry + 1, axes))
    return symbol


def _read_support(support: Support, reader: Reader) -> Support:
    if isinstance(support, Labels):
        free = [symbol for symbol in support.size.free_symbols if str(symbol) not in reader.symbols]
        return support if free else Labels(reader.read(support.size), support.origin)
    return support


def _internal(name: str, declared: Any, role: Role, support: Support) -> Any:
    assumptions = {"integer": True, "positive": True} if role is Role.SIZE else support.assumptions
    return IndexedBase(name, **assumptions) if isinstance(declared, IndexedBase) else Symbol(name, **assumptions)


def _admit(reader: Reader, survey: Survey, argument: Expr) -> None:
    """Let the hyper-parameters of a prior into the reader as known positive or real constants."""
    for entry in argument.atoms(Indexed):
        name = base_name(entry)
        if name not in reader.symbols:
            check_name(name)
            survey.take(entry, {i: Range(i.lower, i.upper) for i in entry.atoms(Idx)})
            sizes = tuple(_range_size(slot.range, reader) for slot in survey.slots[name] if slot.range)
            origins = tuple(_origin(slot, {}) for slot in survey.slots[name])
            reader.symbols[name] = IndexedBase(name, positive=True)
            reader.shapes[name] = Shape(sizes, origins)
    for name in sorted(_names(argument)):
        if name not in reader.symbols:
            check_name(name)
            symbol = next(s for s in argument.free_symbols if str(s) == name)
            survey.declared[name] = symbol
            reader.symbols[name] = Symbol(name, real=True)
            reader.shapes[name] = Shape((), ())


class _Translation:
    """Internal expressions back in the user's symbols, indices and ranges."""

    def __init__(self, model: Model) -> None:
        self._reader = model._reader_
        self._variables = {variable.symbol: variable for variable in model.variables.values()}
        self._user = {symbol: index for symbol, index in model._reader_.user_indices.items()}

    def outward(self, expr: Any) -> Any:
        if isinstance(expr, (Sum, Product)):
            limits = [self._limit(index, low, high) for index, low, high in expr.limits]
            return expr.func(self.outward(expr.function), *limits)
        if isinstance(expr, Indexed):
            return self._array(expr)
        if isinstance(expr, Symbol):
            return self._symbol(expr)
        return expr.func(*(self.outward(each) for each in expr.args)) if expr.args else expr

    def _limit(self, index: Symbol, low: Expr, high: Expr) -> tuple[Any, Expr, Expr]:
        user, lower = self._user.get(index, (index, S.Zero))
        return user, self.outward(low) + lower, self.outward(high) + lower

    def _own_count(self, place: Expr) -> Any:
        """The place in an array that the derivation brought in: it counts as the user's index does."""
        return self._user[place][0] if place in self._user else self.outward(place)

    def _symbol(self, symbol: Symbol) -> Any:
        if symbol in self._user:
            user, lower = self._user[symbol]
            return user - lower
        return self._shown(self._variables.get(symbol), symbol)

    @staticmethod
    def _shown(variable: Variable | None, symbol: Any) -> Any:
        """The user's symbol; a missing datum's latent keeps its own name beside the datum's."""
        return variable.declared if variable and base_name(variable.declared) == variable.name else symbol

    def _array(self, entry: Indexed) -> Any:
        variable = self._variables.get(entry.base)
        if variable is None or variable.name not in self._reader.shapes:
            return self._shown(variable, entry.base)[tuple(self._own_count(place) for place in entry.indices)]
        places = [self.outward(place) for place in entry.indices]
        origins = self._reader.shapes[variable.name].origins
        return variable.declared[tuple(p + o for p, o in zip(places, origins, strict=True))]


__all__ = ["Extent", "Model", "Role", "Variable"]
