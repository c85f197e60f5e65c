"""What is claimed: formulas in the user's symbols, or functions as they stand in other people's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Basic, Expr, Idx, Indexed, IndexedBase, Integer, Mul, Symbol

from symem.auditing.trial import Trial
from symem.derivation import Definition, Tabulated
from symem.errors import DataError, ModelError, UndeclaredSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.stacks import Array
from symem.language.leaves import array_of, name_of, places_of
from symem.language.ranges import free_indices
from symem.language.reading import Shape
from symem.language.stated import as_sympy
from symem.language.symbol_names import stated_name
from symem.language.variables import Variable

#: What a step that returns two things says of the second.
LOG_LIKELIHOOD = "log-likelihood"

Values = dict[str, Any]


@dataclass(frozen=True)
class Formula:
    """The update of a parameter as an expression.

    Args:
        em: what it is held against.
        key: the parameter, as an array, an entry or a name.
        stated: in data, responsibilities (`em.posterior[z]`, or γ by its name) and parameters. A parameter outside of
            a responsibility has the value that it has in a report: the new one, where the derivation maximises
            over all at once; `mu_old` is the value at θ⁽ᵗ⁾.
        written_out: read all of it at θ⁽ᵗ⁾ instead, as `em.explicit` writes.
    """

    em: Any
    key: Any
    stated: Any
    written_out: bool = False

    @cached_property
    def variable(self) -> Variable:
        name = self.key if isinstance(self.key, str) else stated_name(self.key)
        known = [each.name for each in self.em.model.parameters]
        if name not in known:
            raise UndeclaredSymbolError(f"{name!r} is no parameter of this model; it has {', '.join(known)}.")
        variable: Variable = self.em.model.variables[name]
        return variable

    @property
    def name(self) -> str:
        return self.variable.name

    @cached_property
    def definition(self) -> Definition:
        """The update over the parameter's plates, in internal symbols.

        Raises:
            ModelError: it is no expression, or has a symbol that neither the model nor its E-step has.
        """
        expression = as_sympy(self.stated)
        if not isinstance(expression, Basic):
            raise ModelError(f"The update of {self.name} is no SymPy expression: {self.stated!r}.")
        named = Responsibilities(self.em)
        beside = named.arrays | self._old() | self._statistics()
        places = self._places(expression)
        expression = named.with_outcomes(expression if self.written_out else named.put_into(expression))
        read = self.em.model.formula(expression, places, beside)
        indices = tuple(axis.index for axis in read.axes)
        entry = self.variable.symbol[indices] if indices else self.variable.symbol
        return Definition(entry, read.axes, read.value)

    def _places(self, expression: Expr) -> tuple[Any, ...]:
        """The open indices: those of the key, else those under which the update is shown, else what is free."""
        for places in (places_of(self.key), self.em.updates.places(self.name), free_indices(expression)):
            if len(places) == len(self.variable.sizes) and all(isinstance(each, Idx) for each in places):
                return tuple(places)
        raise ModelError(
            f"The update of {self.name}: write the parameter with its indices, "
            f"{{{self.name}[…]: …}}, so that it is clear which index of the formula is which."
        )

    def _old(self) -> dict[str, tuple[Any, Shape]]:
        model = self.em.model
        return {
            f"{each.name}_old": (_array(f"{each.name}_old", each.symbol), model.shape(each.name))
            for each in model.parameters
            if not each.shape
        }

    def _statistics(self) -> dict[str, tuple[Any, Shape]]:
        statistics = self.em.derivation.surrogate.statistics
        return {name_of(each.symbol): brought_in(each.symbol, self.em.model) for each in statistics}

    def __call__(self, trial: Trial) -> Values:
        with np.errstate(all="ignore"):
            scope = {**trial.scope(self.name), **(trial.theta if self.written_out else {})}
            return {self.name: Arithmetic(scope).defined(self.definition)}


def brought_in(symbol: Any, model: Any) -> tuple[Any, Shape]:
    """An array of the derivation, and what its places count from: as the user's indices do."""
    return array_of(symbol), Shape((), tuple(model.origin(place) for place in places_of(symbol)))


def _array(name: str, like: Any) -> Any:
    return IndexedBase(name, real=True) if isinstance(like, IndexedBase) else Symbol(name, real=True)


@dataclass(frozen=True)
class Responsibilities:
    """The posterior probabilities of a derivation, by the names and in the forms in which a user may write them."""

    em: Any

    @cached_property
    def tables(self) -> tuple[Tabulated, ...]:
        return tuple(each for each in self.em.derivation.posteriors if isinstance(each, Tabulated))

    @cached_property
    def arrays(self) -> dict[str, tuple[Any, Shape]]:
        """γ where there is one latent, and gamma_z."""
        model = self.em.model
        found = {}
        for table in self.tables:
            symbol = table.probability.symbol
            found[name_of(symbol)] = brought_in(symbol, model)
            if len(self.tables) == 1:
                short = (name for name in ("gamma", "γ") if name not in model.variables)
                found |= dict.fromkeys(short, found[name_of(symbol)])
        return found

    def put_into(self, expression: Expr) -> Expr:
        """An expression in which `em.posterior[z]` written out is an entry of γ."""
        for table in self.tables:
            entry = self.em.model.declared(table.probability.symbol)
            binary = table.latent.support.number == 2
            target = entry.xreplace({places_of(entry)[-1]: Integer(1)}) if binary else entry
            expression = _replaced(expression, self.em.posterior[table.latent.name].arguments[0], target)
        return expression

    def with_outcomes(self, expression: Expr) -> Expr:
        """An expression in which γ_i of a binary latent is γ_i1."""
        short = {
            atom: atom.base[(*atom.indices, 1)]
            for table in self.tables
            for atom in expression.atoms(Indexed)
            if table.latent.support.number == 2 and self._is_short(atom, table)
        }
        return expression.xreplace(short)

    def _is_short(self, atom: Indexed, table: Tabulated) -> bool:
        array, _shape = self.arrays.get(name_of(atom), (None, None))
        return (
            array == table.probability.symbol.base
            and len(atom.indices) == len(places_of(table.probability.symbol)) - 1
        )


def _replaced(expression: Expr, shown: Expr, entry: Expr) -> Expr:
    """An expression with an entry for a formula, where it stands alone or as factors of a product."""
    if expression == shown:
        return entry
    if isinstance(expression, Mul):
        whole, part = expression.as_powers_dict(), shown.as_powers_dict()
        if isinstance(shown, Mul) and all(
            whole.get(base, 0) - power in (0, 1) for base, power in part.items()
        ):
            return entry * Mul(
                *(_replaced(b ** (p - part.get(b, 0)), shown, entry) for b, p in whole.items())
            )
    if not expression.args:
        return expression
    return expression.func(
        *(_replaced(each, shown, entry) if isinstance(each, Basic) else each for each in expression.args)
    )


@dataclass(frozen=True)
class Function:
    """A step θ⁽ᵗ⁾ → θ⁽ᵗ⁺¹⁾, or a log-likelihood, as a function (theta, **data).

    A step returns the parameters as a named tuple, a dict, or a tuple in the declared order; a pair of these and a
    number is the parameters and the log-likelihood that it reports.
    """

    em: Any
    function: Callable[..., Any]
    of_step: bool = True

    def __call__(self, trial: Trial) -> Values:
        """What it returns at a trial, by name.

        Raises:
            DataError: it raises itself, or returns something else.
        """
        theta = self.em.solver().Parameters(**{name: np.array(value) for name, value in trial.theta.items()})
        data = {name: np.array(value) for name, value in trial.ground.asked.items()}
        what = "step" if self.of_step else "log_likelihood"
        try:
            found = self.function(theta, **data)
        except Exception as reason:
            wanted = ", ".join(f"{name}=…" for name in data)
            raise DataError(
                f"{what}(theta, {wanted}) raised {type(reason).__name__}: {reason}. It is called with θ as a named "
                f"tuple of arrays and the data by their declared names."
            ) from reason
        return self._by_name(found, trial) if self.of_step else {LOG_LIKELIHOOD: _number(found, what)}

    def _by_name(self, found: Any, trial: Trial) -> Values:
        names = tuple(trial.right)
        reported: Values = {}
        if _is_pair(found, names):
            found, number = found
            reported = {LOG_LIKELIHOOD: _number(number, "the second value of step")}
        if hasattr(found, "_asdict"):
            found = found._asdict()
        elif isinstance(found, (tuple, list)) and len(found) == len(names):
            found = dict(zip(names, found, strict=True))
        elif len(names) == 1 and not isinstance(found, Mapping):
            found = {names[0]: found}
        if not isinstance(found, Mapping) or not set(found) <= set(names) or not found:
            raise DataError(
                f"step returned {type(found).__name__}: a step returns {', '.join(names)} as a named tuple, a dict or a "
                f"tuple in this order."
            )
        return {name: _like(found[name], trial.right[name], name) for name in found} | reported


def _is_pair(found: Any, names: tuple[str, ...]) -> bool:
    """Whether it is the parameters, and a number."""
    if not isinstance(found, tuple) or hasattr(found, "_fields") or len(found) != 2:
        return False
    first = found[0]
    whole = isinstance(first, (tuple, list)) and len(first) == len(names) != 2
    return isinstance(first, Mapping) or hasattr(first, "_fields") or whole


def _number(value: Any, what: str) -> Array:
    array = np.asarray(value, dtype=float)
    if array.size != 1:
        raise DataError(f"{what} must be one number, the sum over all rows, but has shape {array.shape}.")
    return array.reshape(())


def _like(value: Any, right: Array, name: str) -> Array:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"step returned no numbers for {name}: {type(value).__name__}.") from None
    if array.size != right.size:
        raise DataError(f"step returned {name} of shape {array.shape}, but it has shape {right.shape}.")
    return array.reshape(right.shape)
