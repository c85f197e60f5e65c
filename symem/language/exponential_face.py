"""The exponential face of a family: how it is read off a log-density, and what then is known of it.

log p = Σ ηᵣ Tᵣ(u) + log h(u) - A(η). A face says what the Tᵣ are, what the arguments of the family are in η, and
A in those arguments; the rest follows: the mean of Tᵣ is ∂A/∂ηᵣ, its variance ∂²A/∂ηᵣ² (Wainwright & Jordan
2008, section 3), and where the way from arguments to η is not told it is solved for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Add, Derivative, Dummy, Expr, S, Subs, exp, solve

from symem.errors import ModelError
from symem.language.incomplete_gamma import LogGammaInterval, LogIncompleteGamma
from symem.language.plates import Expectation, deviation
from symem.language.support import Support
from symem.language.supports import Positive

Bounds = tuple[Expr, Expr]
Arguments = Mapping[str, Expr]


@dataclass(frozen=True)
class Argument:
    """An argument of a face.

    Parameters
    ----------
    support : Support
        where it lies.
    letter : str
        its letter in print, in LaTeX; else its name.
    word : str
        what it is called in a sentence.
    """

    support: Support = Positive()
    letter: str = ""
    word: str = ""


@dataclass(frozen=True)
class GammaPower:
    """How a latent is made of a number T that has the Gamma law of a `shape` and of rate 1, between the ends `low` and `high` of T:
    log u = `offset` + `slope` log T.
    """

    offset: Expr
    slope: Expr
    shape: Expr
    low: Expr
    high: Expr

    def mean_of_power(self, power: Expr) -> Expr:
        """E[u^p], a ratio of incomplete gamma functions: log-convex in p, which need not be of the law."""
        ends = self.low, self.high
        whole = LogIncompleteGamma(self.shape, *ends)
        return exp(power * self.offset + LogIncompleteGamma(self.shape + power * self.slope, *ends) - whole)


@dataclass(frozen=True)
class ExponentialFace:
    """How a family is read off a log-density Σ ηᵣ Tᵣ(u) + log h(u); `bounds` are the ends of the range of u.

    Parameters
    ----------
    statistics : Callable[[Expr], tuple[Expr, ...]]
        u -> the functions Tᵣ(u).
    arguments : Callable[[tuple[Expr, ...], Bounds], Arguments]
        (η, bounds) -> the family's arguments by name, as closed forms.
    log_partition : Callable[[Arguments, Bounds], Expr]
        (arguments, bounds) -> A = log ∫ h(u) exp(Σ ηᵣ Tᵣ(u)) du.
    moments : Callable[[Expr, Arguments, Bounds], Mapping[Expr, Expr]]
        (u, arguments, bounds) -> function of u -> its mean, where it is known in a shorter form than
        ∂A/∂ηᵣ, or is no Tᵣ.
    base_measure : Callable[[Expr, Bounds], Expr]
        (u, bounds) -> log h(u).
    natural : Callable[[Arguments], tuple[Expr, ...]] | None
        arguments -> η; left out, it is solved for.
    parameters : Callable[[Arguments, Bounds], tuple[Expr, ...]] | None
        (arguments, bounds) -> the parameters of the family in their order; left out, the arguments of
        the same names.
    named : Mapping[str, Argument]
        what the arguments are; those left out are positive numbers with their names for letters.
    on : Callable[[Bounds], bool] | None
        bounds -> whether A is right on that range; left out, on the support of the family alone.
    flat : bool
        whether the last ηᵣ may vanish, as that of a gamma law whose rate the data alone would give.
    as_power : Callable[[Arguments, Bounds], GammaPower] | None
        (arguments, bounds) -> how u is made of a number with a Gamma law, if it is; that gives E[u^p] for every p.
    """

    statistics: Callable[[Expr], tuple[Expr, ...]]
    arguments: Callable[[tuple[Expr, ...], Bounds], Arguments]
    log_partition: Callable[[Arguments, Bounds], Expr]
    moments: Callable[[Expr, Arguments, Bounds], Mapping[Expr, Expr]] = lambda *_: {}
    base_measure: Callable[[Expr, Bounds], Expr] = lambda *_: S.Zero
    natural: Callable[[Arguments], tuple[Expr, ...]] | None = None
    parameters: Callable[[Arguments, Bounds], tuple[Expr, ...]] | None = None
    named: Mapping[str, Argument] = field(default_factory=dict)
    on: Callable[[Bounds], bool] | None = None
    flat: bool = False
    as_power: Callable[[Arguments, Bounds], GammaPower] | None = None

    def reaches(self, bounds: Bounds, home: Bounds) -> bool:
        """Whether A is right between those ends, `home` being the support of the family."""
        return self.on(bounds) if self.on else home == bounds

    def argument(self, name: str) -> Argument:
        return self.named.get(name, Argument())

    def natural_parameters(self, arguments: Arguments, bounds: Bounds) -> tuple[Expr, ...]:
        """η at these arguments.

        Raises
        ------
        ModelError
            it was not told, and SymPy does not find one solution.
        """
        if self.natural is not None:
            return self.natural(arguments)
        eta = self._letters()
        told = self.arguments(eta, bounds)
        unknown = {name: Dummy(name) for name in told}
        found = solve([told[name] - unknown[name] for name in told], eta, dict=True) if eta else [{}]
        if len(found) != 1 or set(found[0]) != set(eta):
            raise ModelError(
                f"The natural parameters are not found from {', '.join(told)}: write natural=… in the ExponentialFace."
            )
        return tuple(found[0][e].xreplace({unknown[name]: arguments[name] for name in told}) for e in eta)

    def log_density(self, u: Expr, arguments: Arguments, bounds: Bounds) -> Expr:
        """log p(u) at these arguments: Σ ηᵣ Tᵣ(u) + log h(u) - A."""
        natural = self.natural_parameters(arguments, bounds)
        linear = (eta * statistic for eta, statistic in zip(natural, self.statistics(u), strict=True))
        return Add(*linear, self.base_measure(u, bounds), -self.log_partition(arguments, bounds))

    def mean(self, u: Expr, function: Expr, arguments: Arguments, bounds: Bounds) -> Expr | None:
        """E[function of u]; None where no closed form is known."""
        for root in (mean.args[0] for mean in function.atoms(Expectation)):
            if function == deviation(root):
                return self.variance(u, root, arguments, bounds)
        told = self.moments(u, arguments, bounds)
        if function in told:
            return told[function]
        slope = self._slope(u, (function,), arguments, bounds)
        return self.mean_of_power(u, function, arguments, bounds) if slope is None else slope

    def mean_of_power(self, u: Expr, function: Expr, arguments: Arguments, bounds: Bounds) -> Expr | None:
        """E[u^p], p being anything; None where it is no such power, or its mean is not known."""
        base, power = function.as_base_exp()
        if base != u or power.has(u) or self.as_power is None:
            return None
        return self.as_power(arguments, bounds).mean_of_power(power)

    def variance(self, u: Expr, function: Expr, arguments: Arguments, bounds: Bounds) -> Expr | None:
        """Var(function of u): told as E[(T - E[T])²], or E[T²] - E[T]², or ∂²A/∂ηᵣ²; None where it is not known."""
        told = self.moments(u, arguments, bounds)
        if deviation(function) in told:
            return told[deviation(function)]
        if function in told and function**2 in told:
            return _told(told[function**2] - told[function] ** 2)
        return self._slope(u, (function, function), arguments, bounds)

    def covariance(
        self, u: Expr, one: Expr, other: Expr, arguments: Arguments, bounds: Bounds
    ) -> Expr | None:
        """Cov(one, other), functions of u: E[T S] - E[T] E[S], or ∂²A/∂ηᵣ∂ηₛ; None where it is not known."""
        if one == other and (variance := self.variance(u, one, arguments, bounds)) is not None:
            return variance
        told = self.moments(u, arguments, bounds)
        if {one, other, one * other} <= told.keys():
            return _told(told[one * other] - told[one] * told[other])
        return self._slope(u, (one, other), arguments, bounds)

    def _slope(
        self, u: Expr, functions: tuple[Expr, ...], arguments: Arguments, bounds: Bounds
    ) -> Expr | None:
        """∂A/∂ηᵣ, or ∂²A/∂ηᵣ∂ηₛ, of the statistics that the functions are."""
        statistics, eta = self.statistics(u), self._letters()
        if not set(functions) <= set(statistics):
            return None
        partition = self.log_partition(self.arguments(eta, bounds), bounds)
        slope = partition.diff(*(eta[statistics.index(each)] for each in functions))
        here = dict(zip(eta, self.natural_parameters(arguments, bounds), strict=True))
        if slope.has(Derivative, Subs):
            return None
        slope = slope.xreplace(here)
        return slope.simplify() if slope.count_ops() <= _LONG and not slope.has(LogGammaInterval) else slope

    def _letters(self) -> tuple[Expr, ...]:
        return tuple(Dummy("eta", real=True) for _ in self.statistics(Dummy("u", positive=True)))


def _told(difference: Expr) -> Expr:
    """A difference of moments; as a product where they are fractions of polynomials."""
    return difference.factor() if difference.is_rational_function() else difference


#: Formulas of more operations, as second derivatives of Bessel functions are, stay as they are: SymPy would take minutes. So do
#: those between ends, one of which may be 0: x^(s - 1) and x^(1 - s) are not to be taken out of a sum there.
_LONG = 60


@dataclass(frozen=True)
class ShapedFace:
    """A face for each value of a shape that is no natural parameter, such as the power of a Weibull law.

    Parameters
    ----------
    shapes : Callable[[Mapping[Expr, Expr], Expr], Iterable[Expr]]
        (log-density by functions of u, u) -> the shapes that it shows.
    at : Callable[[Expr], ExponentialFace]
        shape -> the face of the laws of that shape.
    """

    shapes: Callable[[Mapping[Expr, Expr], Expr], Iterable[Expr]]
    at: Callable[[Expr], ExponentialFace]
