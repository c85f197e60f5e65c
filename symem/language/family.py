"""What a row of the table of distributions is, and a row with its arguments.

A row gives a density in the names and the parameter order of `sympy.stats`, its sampler and how it is printed.
By a row with an exponential face a posterior can be recognised.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, Final

import numpy as np
from sympy import Add, And, Dummy, Eq, Expr, Ne, Symbol

from symem.errors import ModelError
from symem.language.exponential_face import ExponentialFace, ShapedFace
from symem.language.plates import LogIverson
from symem.language.stated import expression
from symem.language.support import Support

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Printed:
    """How a law is printed.

    Parameters
    ----------
    words : str
        its name in a sentence.
    sign : str
        its name in a formula, in LaTeX.
    shown : function
        arguments -> those that are printed, where they are set otherwise: a variance for a standard deviation.
    """

    words: str = ""
    sign: str = ""
    shown: Callable[..., tuple[Expr, ...]] = lambda *arguments: arguments


@dataclass(frozen=True)
class Family:
    """One row of the table; one more row is all that a family from outside needs.

    A family from outside, used as the table's own are:

        >>> from sympy import exp, log
        >>> from symem import Positive
        >>> Gompertz = Family(
        ...     "Gompertz",
        ...     {"b": Positive(), "eta": Positive()},
        ...     lambda x, b, eta: log(b) + log(eta) + eta + b * x - eta * exp(b * x),
        ...     lambda b, eta: Positive(),
        ... )
        >>> Gompertz(eta=3, b=2)
        Gompertz(2, 3)
        >>> Gompertz
        Gompertz(b, eta): x in Positive, b in Positive, eta in Positive; log p(x) = b*x - eta*exp(b*x) + eta + log(b) + log(eta)

    Source of names and parameter order: `sympy.stats`.

    Parameters
    ----------
    name : str
        the name users write, and the one a recognised posterior carries.
    parameters : Mapping[str, Support]
        parameter name -> support, in the order of `sympy.stats`.
    log_density : Callable[..., Expr]
        `(value, *parameters)` -> log p in SymPy, normalised: see
        `symem.language.families.check_family`.
    support : Callable[..., Support]
        parameters -> the set of values.
    sampler : Callable[..., Array] | None
        `(rng, size, *parameters)` -> array, the parameters being arrays that broadcast to size.
    face : ExponentialFace | ShapedFace | tuple[ExponentialFace | ShapedFace, ...] | None
        the exponential face, for rows that a posterior can be recognised as; that of the whole law first
        where a law that is cut has another.
    printed : Printed
        how it is printed; left out, by its name.
    closed : bool
        whether at the ends of its parameters it is the law of a point, as a Poisson law of mean 0.
    more : str
        how a law with more parameters is written, for `help`.
    mixture : str
        the same law as a mixture over a latent, for refusals, in the names of its parameters and of `latent` in braces.
    """

    name: str
    parameters: Mapping[str, Support]
    log_density: Callable[..., Expr]
    support: Callable[..., Support]
    sampler: Callable[..., Array] | None = None
    face: ExponentialFace | ShapedFace | tuple[ExponentialFace | ShapedFace, ...] | None = None
    printed: Printed = Printed()
    closed: bool = False
    more: str = ""  #: how a law with more parameters is written
    mixture: str = ""  #: the same law as a mixture over a latent

    def __reduce__(self) -> Any:
        """A row of a module is pickled as a function is: by where it stands; others by what they hold."""
        for module in list(sys.modules.values()):
            own = getattr(module, "__name__", "").startswith("symem.language.")
            for name in list(vars(module)) if own else (self.name,):
                if getattr(module, "__dict__", {}).get(name) is self:
                    return _row, (module.__name__, name)
        return Family, tuple(getattr(self, each.name) for each in fields(self))

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return self.printed.words or self.name

    @property
    def sign(self) -> str:
        """Its name in a formula, in LaTeX."""
        return self.printed.sign or rf"\mathrm{{{self.name}}}"

    @property
    def home(self) -> Support:
        """Its support where its parameters are anything."""
        return self.support(*(Dummy(name) for name in self.parameters))

    @property
    def is_point(self) -> bool:
        """Whether all mass is on one point."""
        low, high = self.home.bounds
        return bool(low == high)

    def faces(self, density: Mapping[Expr, Expr], u: Expr) -> tuple[ExponentialFace, ...]:
        """The faces by which a log-density may be recognised as this family."""
        own = self.face if isinstance(self.face, tuple) else (self.face,)
        return tuple(face for each in own if each is not None for face in _faces(each, density, u))

    @property
    def is_posterior(self) -> bool:
        """Whether the posterior of a latent can be recognised as it."""
        return self.face is not None or self.home.finite

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """Its parameters as symbols."""
        return tuple(map(Symbol, self.parameters))

    def __repr__(self) -> str:
        """Its parameters, where they and the value lie, and the density."""
        home = {"x": self.support(*self.letters), **self.parameters}
        places = ", ".join(f"{name} in {support}" for name, support in home.items())
        return f"{self._signature}: {places}; log p(x) = {self._told_density}"

    @property
    def _signature(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def _told_density(self) -> str:
        """The log-density at x, without the bracket that only repeats the support."""
        density = self.log_density(Symbol("x"), *self.letters)
        return str(Add(*(each for each in Add.make_args(density) if not isinstance(each, LogIverson))))

    @property
    def told(self) -> str:
        """What `help` says of the row."""
        places = "\n".join(f"{name} : Expr\n    in {support}." for name, support in self.parameters.items())
        recognised = "can be" if self.is_posterior else "cannot be"
        return (
            f"{self._signature}\n\nThe {self.words} law of a number x in {self.support(*self.letters)}: "
            f"log p(x) = {self._told_density}.\n\nThe posterior of a latent {recognised} recognised as it.\n\n"
            f"Parameters\n----------\n{places}\n"
        )

    def __call__(self, *arguments: Any, **named: Any) -> Distribution:
        """The distribution with these arguments, in their order or by name.

        Raises:
            ModelError: the arguments are others than the parameters, or one of them is no SymPy expression.
        """
        names = list(self.parameters)
        left = names[len(arguments) :]
        if len(arguments) > len(names) or set(left) != set(named):
            by_name = "".join(f", {name}=…" for name in named)
            raise ModelError(
                f"{self.name} takes ({', '.join(names)}), but {len(arguments)} arguments were given{by_name}."
                f"{self.more and f' {self.more}.'}"
            )
        stated = (*arguments, *(named[name] for name in left))
        return Distribution(self, tuple(expression(each, f"An argument of {self.name}") for each in stated))


def _faces(
    face: ExponentialFace | ShapedFace, density: Mapping[Expr, Expr], u: Expr
) -> tuple[ExponentialFace, ...]:
    return tuple(map(face.at, face.shapes(density, u))) if isinstance(face, ShapedFace) else (face,)


class _Doc:
    """The docstring of the class, and of a row what `help` says of it."""

    def __init__(self, of_class: str | None) -> None:
        self.of_class = of_class

    def __get__(self, row: Family | None, _owner: Any) -> str | None:
        return self.of_class if row is None else row.told


setattr(Family, "__doc__", _Doc(Family.__doc__))  # noqa: B010 - a docstring is typed as text


def _row(module: str, name: str) -> Any:
    """The row of that name in a module."""
    return getattr(import_module(module), name)


#: The branch of every value of a label that has none of its own.
OTHERWISE: Final = "otherwise"


@dataclass(frozen=True)
class Distribution:
    """A family with its arguments: what stands behind the colon in a model."""

    family: Family
    arguments: tuple[Expr, ...]
    branches: Mapping[Any, Distribution] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.family.name

    def parts(self) -> Iterator[Distribution]:
        """The distribution and those in its branches."""
        yield self
        for branch in self.branches.values():
            yield from branch.parts()

    def branch(self, value: int) -> Distribution:
        """What a value of the label selects."""
        return self.branches[value if value in self.branches else OTHERWISE]

    def selects(self, outcome: Any) -> Any:
        """The condition on the label under which the branch of an outcome is taken."""
        (label,) = self.arguments
        if outcome == OTHERWISE:
            return And(*(Ne(label, value) for value in self.branches if value != OTHERWISE))
        return Eq(label, outcome)

    def __hash__(self) -> int:
        return hash((self.family.name, self.arguments))

    def __str__(self) -> str:
        branches = ", ".join(f"{value}: {branch}" for value, branch in self.branches.items())
        inside = [*map(str, self.arguments), *([f"{{{branches}}}"] if branches else [])]
        return f"{self.name}({', '.join(inside)})"

    __repr__ = __str__
