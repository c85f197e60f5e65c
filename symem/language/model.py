"""The model: both front doors, from what was written to the role, support and range of every symbol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self

from sympy import Add, Expr, S, Sum, log

from symem.errors import ModelError
from symem.language.branching import with_branches
from symem.language.case_rows import check_rows
from symem.language.consistency import (
    check_cases,
    check_names,
    check_otherwise,
    check_presence,
    check_shares,
    check_supports,
    check_vectors,
)
from symem.language.coupled_entries import likelihood_with_vectors, lines_with_vectors
from symem.language.crossed_effects import with_crossed_as_vectors
from symem.language.demands import narrower
from symem.language.left_out import barren, left_out, where_seen
from symem.language.logarithm import expand_logs
from symem.language.missing import companion_names, split_missing
from symem.language.model_symbols import Symbols
from symem.language.model_table import table_of
from symem.language.one_hot import as_labels, one_hot
from symem.language.plates import LogIverson
from symem.language.prior import admit_constants, demanded, log_prior_density
from symem.language.ragged_plates import ragged_plates
from symem.language.ranges import free_indices
from symem.language.reading import Extent, Reader
from symem.language.roles import (
    check_missing,
    check_places,
    check_prior,
    check_relations,
    roles_of,
    supports_of,
)
from symem.language.shapes import reader_of, variables_of
from symem.language.stated import expression
from symem.language.statements import Extras, Statement, by_distribution, by_likelihood, extras
from symem.language.survey import Survey
from symem.language.surveyed import surveyed
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role, Variable
from symem.language.weights import weighed, with_weights


class Model(Symbols):
    """A model stated by how the data arise.

    Parameters
    ----------
    declarations : dict
        variable -> distribution, such as ``{z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}``.
    latent : list
        the variables that are not observed.
    known : list or dict
        symbols supplied with the data (trial counts, covariates, fixed scales), as a list, or with what
        values they take, `{e: Binary()}`.
    parameters : dict, optional
        supports that differ from what the distributions ask, ``{p: UnitInterval()}``.
    data : dict, optional
        supports of data that differ from what their distributions say, `{y: Binary()}`.
    prior : dict, optional
        parameter -> distribution; with it (or `log_prior`) EM maximises the posterior (MAP-EM). One
        that holds a latent, as Normal(0, sqrt(tau)), stands in the E-step, and the log-likelihood is
        then log p(x, θ).
    log_prior : Expr
        a log-density of the parameters, up to a constant.
    missing : list
        data of which NaN entries are latent.
    given : list of relations
        relations that were observed about latents: totals, censoring, deterministic nodes.
    weights : dict, optional
        `{i: c[i]}`, rows that count several times: row i, with all that stands on its plate, counts
        c[i] times, as c[i] independent rows would that are like it; c is data, each c[i] a number that
        is not negative.

    Raises
    ------
    ModelError
        naming the symbol, index or density at fault and what to write instead.
    """

    def __init__(  # noqa: PLR0913 - the vocabulary of a model
        self,
        declarations: Mapping[Any, Any],
        *,
        latent: Iterable[Any] = (),
        known: Iterable[Any] | Mapping[Any, Any] = (),
        parameters: Mapping[Any, Any] | None = None,
        data: Mapping[Any, Any] | None = None,
        prior: Mapping[Any, Any] | None = None,
        log_prior: Any = 0,
        missing: Iterable[Any] = (),
        given: Iterable[Any] = (),
        weights: Mapping[Any, Any] | None = None,
    ) -> None:
        beside = (parameters, data, prior, log_prior, missing, given, weights)
        declarations = lines_with_vectors(declarations, latent, known, *beside)
        statement = by_distribution(
            declarations, latent, known, {} if parameters is None else parameters, data
        )
        self._build(statement, extras(prior, log_prior, missing, given, weights))
        check_presence(self.latents, self.parameters)

    @classmethod
    def from_likelihood(  # noqa: PLR0913 - the vocabulary of a model
        cls,
        likelihood: Any = None,
        *,
        log_likelihood: Any = None,
        latent: Mapping[Any, Any],
        parameters: Mapping[Any, Any],
        data: Mapping[Any, Any] | None = None,
        known: Iterable[Any] | Mapping[Any, Any] = (),
        prior: Mapping[Any, Any] | None = None,
        log_prior: Any = 0,
        missing: Iterable[Any] = (),
        given: Iterable[Any] = (),
        weights: Mapping[Any, Any] | None = None,
    ) -> Self:
        """A model stated by its complete-data likelihood p(x, z; θ), or by its logarithm.

        Every symbol that is neither latent nor a parameter is data, or a size if it bounds a range. A form uᵀMv of
        entries x[i] is a number as it stands, one of `MatrixSymbol`s alone goes into `Trace(…)`, because SymPy adds
        no number to it.

        Parameters
        ----------
        likelihood : Expr, optional
            p(x, z; θ) as a paper prints it; or else `log_likelihood`.
        log_likelihood : Expr, optional
            its logarithm.
        latent : dict
            latent -> its support.
        parameters : dict
            parameter -> its support. A simplex is an indexed array, `{w: Simplex()}`, or a tuple of scalars,
            `{(p, q, r): Simplex()}`; a covariance is `{Sigma: PositiveDefinite()}`.
        data : dict, optional
            what values data take, `{x: Counts(0, N)}`: the solver then refuses others, and `verify` knows what to draw.
        known : list or dict
            symbols supplied with the data, as of `Model`.
        prior : dict, optional
            parameter -> distribution, as of `Model`.
        log_prior : Expr
            a log-density of the parameters, up to a constant.
        missing : list
            data of which NaN entries are latent.
        given : list of relations
            what was observed about latents, as of `Model`.
        weights : dict, optional
            `{i: c[i]}`, rows that count several times, as of `Model`.

        Returns
        -------
        Model
            to be derived as any other.

        Raises
        ------
        ModelError
            naming the symbol, index or density at fault and what to write instead.
        """
        if (likelihood is None) == (log_likelihood is None):
            raise ModelError("Give either the likelihood or log_likelihood=, one of the two.")
        if likelihood is None:
            whole = expression(log_likelihood, "log_likelihood")
        else:
            whole = log(expression(likelihood, "The likelihood"))
        beside = (parameters, data, prior, log_prior, missing, given, weights)
        whole, latent = likelihood_with_vectors(whole, latent, known, *beside)
        model = cls.__new__(cls)
        statement = by_likelihood(whole, latent, parameters, known, data=data)
        cls._build(model, statement, extras(prior, log_prior, missing, given, weights))
        check_presence(model.latents, model.parameters)
        return model

    @classmethod
    def of_objective(cls, objective: Any, parameters: Mapping[Any, Any]) -> Self:
        """A plain objective in place of a log-likelihood: parameters and data, no latents."""
        model = cls.__new__(cls)
        whole = expression(objective, "The objective")
        cls._build(
            model, by_likelihood(whole, {}, parameters, (), whose="objective"), extras(None, 0, (), ())
        )
        check_presence(model.parameters, model.parameters)
        return model

    #: The model as it was stated, where factors of a mean field stand for some of its latents.
    stated: Model | None = None
    _without: frozenset[str] = frozenset()  #: data of which missing entries are left out in any case
    #: What makes counts with a known total independent, with the same means; only of the law of complete data.
    free_counts: Expr = S.Zero

    # -- assembly -----------------------------------------------------------------------------------

    def _build(self, statement: Statement, extra: Extras) -> None:
        """Survey what was written, settle roles and supports, then read everything in internal symbols."""
        self._said = statement, extra
        statement, extra = with_branches(statement, extra)
        statement = with_weights(statement, extra.weights)
        self.declarations, self.shown = statement.declarations, statement.shown
        self.simplexes = statement.simplexes
        survey = surveyed(statement, extra)
        roles = roles_of(survey, statement, extra)
        check_missing(extra.missing, roles, survey)
        check_prior(extra, roles)
        check_relations(extra.relations, roles, extra.missing)
        check_places(survey)
        supports = supports_of(survey, statement, roles, extra.relations)
        check_cases(statement.declarations, roles, supports)
        check_rows(statement.declarations)
        keys = (key if isinstance(key, tuple) else (key,) for key in extra.prior)
        in_prior = {stated_name(entry) for key in keys for entry in key} | set(names_in(extra.log_prior))
        check_otherwise(statement.declarations, roles, in_prior)
        self._reader = reader_of(survey, roles, supports)
        asked = {n: s for n, s in demanded(extra.prior).items() if n not in statement.supports}
        supports |= {n: narrower(supports.get(n), s) for n, s in asked.items() if roles[n] is Role.KNOWN}
        self._read(statement, extra, survey, roles)
        self._settle(variables_of(survey, roles, supports, self._reader, statement, extra.missing), extra)

    def _read(self, statement: Statement, extra: Extras, survey: Survey, roles: Mapping[str, Role]) -> None:
        """Everything in internal symbols; what of the prior holds latents is of the joint density p(x, z, θ)."""
        reader = self._reader
        #: The data of which missing entries are left out: no latent stands for them.
        self.left_out = left_out(statement, extra, roles) | self._without
        whole = Add(*self._pieces(statement))
        self.weights, whole = weighed(whole, reader, statement, extra.weights)
        self.constraints = tuple(_constraint(reader, relation) for relation in extra.relations)
        admit_constants(extra.prior, reader, survey, demanded(extra.prior))
        densities = [log_prior_density(key, law, reader) for key, law in extra.prior.items()]
        densities += Add.make_args(expand_logs(reader.read(extra.log_prior)))
        latent = [reader.symbols[name] for name, role in roles.items() if role is Role.LATENT]
        joint = [each for each in densities if each.has(*latent)] if latent else []
        self.joint_prior: Expr = Add(*joint)
        self.log_prior: Expr = Add(*(each for each in densities if each not in joint))
        self._whole = Add(whole, self.joint_prior)
        self.extents: tuple[Extent, ...] = tuple(reader.extents.values())

    def _pieces(self, statement: Statement) -> Iterator[Expr]:
        """What adds up to the complete-data log-likelihood; of data that are left out where they are missing, of what was seen."""
        for place, piece in enumerate(statement.pieces):
            line = statement.declarations[place].entries[0] if self.left_out else None
            if line is not None and stated_name(line) in self.left_out:
                yield where_seen(self._reader.read(piece), stated_name(line))
            else:
                yield expand_logs(self._reader.read(piece))

    def _settle(self, table: Mapping[str, Variable], extra: Extras) -> None:
        """One-hot rows become labels, what may be missing gets a latent and a mask, and numbers that cross are vectors."""
        check_names(table, [n for name in sorted(extra.missing) for n in companion_names(name)])
        check_names(table, [str(extent.symbol) for extent in self.extents])
        check_vectors(table)
        check_shares(self.declarations, table)
        self._table, ragged = table, ragged_plates(table, self.extents)
        whole, constraints, table = as_labels(one_hot(table), self._whole, self.constraints, table)
        whole, constraints, table = split_missing(whole, constraints, table, ragged, self.left_out)
        whole, table = with_crossed_as_vectors(whole, table)
        self.variables: Mapping[str, Variable] = table
        self.log_likelihood: Expr = Add(whole, *constraints)
        check_supports(table, self.log_likelihood)

    @property
    def arguments_of_factors(self) -> frozenset[str]:
        """The names of the parameters that are arguments of factors of a mean field: they are held while the others are updated."""
        stated = () if self.stated is None else self.stated.variables
        return frozenset(each.name for each in self.parameters if self.stated and each.name not in stated)

    def without_unseen(self) -> Self | None:
        """The model without what is missing of data on which nothing else hangs, none if there are no such data.

        Returns
        -------
        Model
            with the same log-likelihood of what was seen.
        """
        made, beside = copy(self), Add(*self.constraints, self.log_prior, self.joint_prior)
        found = barren(self.declarations, self._table, beside)
        if found <= self.left_out:
            return None
        made._without = found  # noqa: SLF001 - its own
        made._build(*self._said)  # noqa: SLF001 - its own
        return made

    def of_complete_data(self) -> Self:
        """The law p(y; θ) of the complete data y = (x, z), as a model in which nothing was seen: nothing is missing, nothing
        is known of latents, and data are latents too; with its `free_counts`, counts of a known total have their means alone.

        Returns
        -------
        Model
            in internal symbols, as this one.
        """
        counts = Add(*(expand_logs(self._reader.read(each.free_counts())) for each in self.declarations))
        whole, (counts,), table = as_labels(one_hot(self._table), self._whole, (counts,), self._table)
        whole, table = with_crossed_as_vectors(whole, table)
        made = copy(self)
        made.variables = {
            name: replace(each, role=Role.LATENT, missing=False) if each.role is Role.DATA else each
            for name, each in table.items()
        }
        made.log_likelihood, made.free_counts, made.log_prior = whole, counts, S.Zero
        return made

    def with_missing(self, function: Expr) -> Expr:
        """A function of complete data with what is missing apart from what was seen.

        Parameters
        ----------
        function : Expr
            in internal symbols.

        Returns
        -------
        Expr
            with the mask of what was seen, and the latents that stand for the rest.
        """
        return split_missing(function, (), self._table, ragged_plates(self._table, self.extents))[0]

    def __str__(self) -> str:
        counts = [each.name for each in self.weights]
        return table_of(self.variables.values(), self.simplexes, counts, self.left_out)


def _constraint(reader: Reader, relation: Any) -> Expr:
    """A relation as a hard constraint at every value of its free indices."""
    indices = free_indices(relation)
    body = LogIverson(relation)
    return reader.read(Sum(body, *indices) if indices else body)


__all__ = ["Extent", "Model", "Role", "Variable"]
