"""What is no model is refused by name: which symbol is at fault, and what to write instead."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from sympy import (
    Derivative,
    Eq,
    Function,
    Idx,
    Indexed,
    IndexedBase,
    Integral,
    MatrixSymbol,
    Product,
    Sum,
    Symbol,
    Trace,
    exp,
    factorial,
    hadamard_product,
    log,
    nan,
    oo,
    stats,
    symbols,
)

from symem import (
    Bernoulli,
    Beta,
    Binary,
    Binomial,
    Cases,
    Categorical,
    Counts,
    Dirac,
    Dirichlet,
    Exponential,
    Family,
    Gamma,
    Interval,
    Labels,
    Model,
    ModelError,
    Multinomial,
    NameClashError,
    Normal,
    NormalisationError,
    Pareto,
    PlateError,
    Poisson,
    Positive,
    Reals,
    Simplex,
    StudentT,
    SupportError,
    SymemError,
    UndeclaredSymbolError,
    Uniform,
    UnitInterval,
)
from symem.calculus.normalisation import check_normalised

n, m, K = symbols("n m K", integer=True, positive=True)
i, j, k, t = Idx("i", n), Idx("j", m), Idx("k", K), Idx("t", n)
x, y, z, w, mu, sigma, A, N, p, c = map(IndexedBase, ["x", "y", "z", "w", "mu", "sigma", "A", "N", "p", "c"])
s, q, a, b, th = symbols("s q a b th")
label = {z[i]: Categorical(w[k])}


def mixture(law: Any, **options: Any) -> Model:
    """A mixture of K of that law of x[i]."""
    return Model(label | {x[i]: law}, latent=[z], **options)


def coins(**options: Any) -> Model:
    """Singh's mixture by its likelihood, with what a test changes."""
    body = (a * q ** x[i] * (1 - q) ** (1 - x[i])) ** z[i] * (
        (1 - a) * b ** x[i] * (1 - b) ** (1 - x[i])
    ) ** (1 - z[i])
    given: dict[str, Any] = {
        "latent": {z: Binary()},
        "parameters": dict.fromkeys([a, b, q], UnitInterval()),
    } | options
    return Model.from_likelihood(given.pop("likelihood", Product(body, (i, 0, n - 1))), **given)


#: What is stated, the error, and words of its message: the culprit and the way out.
CASES: dict[str, tuple[Callable[[], Any], type[SymemError], str]] = {
    # symbols and roles
    "latent without distribution": (
        lambda: Model({x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        UndeclaredSymbolError,
        r"'z' has no distribution: add z\[i\]",
    ),
    "latent that appears nowhere": (
        lambda: coins(latent={z: Binary(), y: Binary()}),
        UndeclaredSymbolError,
        "latent 'y' appears nowhere",
    ),
    "parameter that appears nowhere": (
        lambda: mixture(Normal(mu[z[i]], 1), parameters={th: Positive()}),
        UndeclaredSymbolError,
        "parameter 'th' appears nowhere",
    ),
    "known that appears nowhere": (
        lambda: mixture(Normal(mu[z[i]], 1), known=[th]),
        UndeclaredSymbolError,
        "known 'th' appears nowhere",
    ),
    "no latent": (lambda: Model({x[i]: Normal(th, 1)}), ModelError, "no latent"),
    "no parameter": (
        lambda: Model({z[i]: Bernoulli(0.5), x[i]: Normal(z[i], 1)}, latent=[z]),
        ModelError,
        "no parameter",
    ),
    "latent is a parameter": (
        lambda: coins(parameters={z: UnitInterval()}),
        ModelError,
        "'z'.*latent: choose one",
    ),
    "known with a distribution": (
        lambda: mixture(Normal(mu[z[i]], 1), known=[x]),
        ModelError,
        "'x'.*choose one",
    ),
    "parameter with a distribution": (
        lambda: mixture(Normal(mu[z[i]], 1), parameters={x: Reals()}),
        ModelError,
        "'x'.*choose one",
    ),
    "two distributions of one variable": (
        lambda: Model(label | {x[i]: Normal(0, 1), x[t]: Normal(1, 1)}, latent=[z]),
        ModelError,
        "'x' stands on the left of 2",
    ),
    "undeclared symbol in an expression": (
        lambda: mixture(Normal(mu[z[i]], 1)).internal(th),
        UndeclaredSymbolError,
        "th is not declared",
    ),
    "unknown name": (lambda: mixture(Normal(mu[z[i]], 1)).variable("foo"), UndeclaredSymbolError, "'foo'"),
    "parameter bounds a range": (
        lambda: coins(parameters={n: Positive(), a: UnitInterval()}),
        PlateError,
        "'n' bounds the range",
    ),
    "group that nobody declares": (
        lambda: mixture(Normal(mu[z[i]] + A[c[i]], 1)),
        PlateError,
        r"known=\[c\]",
    ),
    # indices
    "free index": (lambda: mixture(Normal(mu[z[i]] * y[j], 1), known=[y]), PlateError, "index j is free"),
    "free index in a likelihood": (
        lambda: coins(likelihood=a * b * q * z[i] * x[i]),
        PlateError,
        "index i is free",
    ),
    "no range": (
        lambda: Model({z[Idx("h")]: Bernoulli(q), x[Idx("h")]: Normal(th, 1)}, latent=[z]),
        PlateError,
        r"h has no range: write Idx\('h', n\)",
    ),
    "endless range": (
        lambda: coins(likelihood=Product(a * b * q * z[Symbol("r")], (Symbol("r"), 0, oo))),
        PlateError,
        "a plate must end",
    ),
    "empty range": (
        lambda: coins(likelihood=Product(a * b * q * z[i], (i, 3, 1))),
        PlateError,
        "over no value",
    ),
    "two ranges in one slot": (
        lambda: Model(label | {x[i]: Normal(mu[z[i]], 1), y[j]: Normal(x[j], th)}, latent=[z]),
        PlateError,
        r"Two ranges meet in one slot of x: .*n - 1.*m - 1",
    ),
    "an index twice": (lambda: Model({x[i, i]: Normal(th, 1)}, latent=[x]), PlateError, "repeats an index"),
    "a number on the left": (lambda: Model({x[1]: Normal(th, 1)}, latent=[x]), PlateError, "plain indices"),
    "a different number of indices": (
        lambda: mixture(Normal(mu[z[i]] + mu[z[i], i], 1)),
        PlateError,
        "mu stands with 1 indices in one place and 2",
    ),
    "a chain": (
        lambda: Model({z[t]: Categorical(A[z[t - 1], k]), x[t]: Normal(mu[z[t]], 1)}, latent=[z]),
        UndeclaredSymbolError,
        r"The law of the latent z\[t\] looks back along t, and nothing says how z\[0\] arises",
    ),
    "off the array": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(-((y[i - 1] - th * z[i]) ** 2), i),
            latent={z: Binary()},
            parameters={th: Reals()},
        ),
        PlateError,
        "leaves the array",
    ),
    "index by a real": (
        lambda: Model({z[i]: Normal(th, 1), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        SupportError,
        "mu is indexed by z.*Reals",
    ),
    "index by an expression": (lambda: mixture(Normal(mu[2 * z[i]], 1)), PlateError, r"indexed by 2\*z"),
    "probabilities without an index": (
        lambda: Model({z[i]: Categorical(th)}, latent=[z]),
        PlateError,
        "exactly one index",
    ),
    # names
    "keyword": (lambda: mixture(Poisson(Symbol("lambda"))), NameClashError, "'lambda'.*'lam'"),
    "code": (lambda: mixture(Poisson(Symbol("x; import os"))), NameClashError, "'x; import os'"),
    "dunder": (lambda: mixture(Poisson(Symbol("__class__"))), NameClashError, "'__class__'"),
    "greek": (lambda: mixture(Poisson(Symbol("λ"))), NameClashError, "'λ'"),
    "bad index": (
        lambda: coins(likelihood=Product(a * b * q * z[Symbol("1i")], (Symbol("1i"), 1, n))),
        NameClashError,
        "'1i'",
    ),
    "option of fit": (
        lambda: mixture(Normal(mu[z[i]] * Symbol("seed"), 1), known=[Symbol("seed")]),
        NameClashError,
        "'seed' is an option of fit",
    ),
    "data called as an option": (
        lambda: Model(label | {IndexedBase("start")[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        NameClashError,
        "'start'",
    ),
    "two assumptions": (
        lambda: mixture(Normal(Symbol("v") * mu[z[i]], Symbol("v", positive=True))),
        NameClashError,
        "'v': they print alike",
    ),
    "symbol and array": (lambda: mixture(Normal(Symbol("mu") + mu[z[i]], 1)), NameClashError, "'mu'"),
    "symbol and index": (lambda: mixture(Normal(mu[z[i]], Symbol("k"))), NameClashError, "'k' names both"),
    "companion": (
        lambda: Model({x[i]: Normal(Symbol("x_missing"), 1)}, missing=[x]),
        NameClashError,
        "'x_missing' is a name that symem brings in",
    ),
    # supports
    "uniform to a parameter": (
        lambda: mixture(Uniform(0, th)),
        SupportError,
        r"'th'.*Give 'th' in known=\[",
    ),
    "free xm": (lambda: mixture(Pareto(a, mu[z[i]])), SupportError, "'a'"),
    "free point": (
        lambda: Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], {0: Dirac(th), 1: Poisson(a)})}, latent=[z]),
        SupportError,
        "'th'",
    ),
    "interval to a parameter": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(log(th) - th * z[i] + x[i] * log(z[i]), i),
            latent={z: Interval(0, th)},
            parameters={th: Positive()},
        ),
        SupportError,
        "'th'",
    ),
    "number of trials unknown": (lambda: mixture(Binomial(N[i], p[z[i]])), SupportError, r"'N'.*known=\[N\]"),
    "negative scale": (lambda: mixture(Normal(mu[z[i]], -1)), SupportError, "-1 must lie in Positive"),
    "zero scale": (lambda: mixture(Normal(mu[z[i]], 0)), SupportError, "0 must lie in Positive"),
    "probability above one": (
        lambda: Model({z[i]: Bernoulli(2), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        SupportError,
        "2 must lie in UnitInterval",
    ),
    "no support": (lambda: coins(latent={z: 3}), SupportError, "support of z.*not 3"),
    "labels without a number": (lambda: coins(latent={z: Labels}), SupportError, r"Labels\(K\)"),
    "simplex of one scalar": (
        lambda: coins(parameters={a: Simplex(), b: UnitInterval(), q: UnitInterval()}),
        SupportError,
        "a alone cannot be a simplex",
    ),
    "text as an end": (lambda: Interval("0", 1), SupportError, "'0'"),
    # cases
    "missing branch": (
        lambda: Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], {0: Dirac(0)})}, latent=[z]),
        SupportError,
        r"branches for \[0\].*\[0, 1\]",
    ),
    "foreign branch": (
        lambda: Model(
            {z[i]: Bernoulli(q), x[i]: Cases(z[i], {0: Dirac(0), 1: Poisson(a), 2: Poisson(b)})}, latent=[z]
        ),
        SupportError,
        r"\[0, 1, 2\]",
    ),
    "symbolic number of branches": (
        lambda: mixture(Cases(z[i], {0: Dirac(0), 1: Poisson(a)})),
        SupportError,
        "written out",
    ),
    "label that is real": (
        lambda: Model({z[i]: Normal(q, 1), x[i]: Cases(z[i], {0: Dirac(0), 1: Poisson(a)})}, latent=[z]),
        SupportError,
        "binary",
    ),
    "no branches": (lambda: Cases(z[i], {}), ModelError, "branch for each value"),
    "branches in a list": (lambda: Cases(z[i], [Dirac(0), Dirac(1)]), ModelError, "branch for each value"),
    # normalisation
    "weights above one": (
        lambda: Model({z[i]: Categorical(0.5, 0.6), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        NormalisationError,
        r"sum to 1\.1",
    ),
    "negative weight": (
        lambda: Model({z[i]: Categorical(1.5, -0.5), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        SupportError,
        "must lie in",
    ),
    "weights that do not close": (
        lambda: Model({z[i]: Categorical(q, q), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
        NormalisationError,
        "sum to",
    ),
    # distributions
    "too many arguments": (lambda: Normal(1, 2, 3), ModelError, r"Normal takes \(mean, std\), but 3"),
    "too few arguments": (lambda: Gamma(1), ModelError, r"Gamma takes \(k, theta\), but 1"),
    "no argument": (Categorical, ModelError, "without arguments"),
    "text": (lambda: Normal("__import__('os').getcwd()", 1), ModelError, "must be a scalar SymPy expression"),
    "nan": (lambda: Normal(nan, 1), ModelError, "no real number"),
    "a list": (lambda: Exponential([1, 2]), ModelError, r"not \[1, 2\]"),
    "a family without arguments": (
        lambda: Model({x[i]: Normal}, latent=[x]),
        ModelError,
        r"write Normal\(mean, std\)",
    ),
    "no distribution": (lambda: Model({x[i]: 3}, latent=[x]), ModelError, "3 is not a distribution"),
    "no row": (
        lambda: Model({x[i]: stats.Benini("X", 1, 2, 3)}, latent=[x]),
        ModelError,
        "Benini has no row",
    ),
    "other successes": (
        lambda: Model({x[i]: stats.Bernoulli("X", th, 5, 3)}, latent=[x]),
        ModelError,
        "without them",
    ),
    "a tuple for a normal": (
        lambda: Model({(a, b): Normal(th, 1)}, latent=[a]),
        ModelError,
        "a Multinomial and a Dirichlet only",
    ),
    "counts and cells": (
        lambda: Model({(a, b): Multinomial(5, q, th, 1 - q - th)}, latent=[a]),
        ModelError,
        "2 on the left.*3 cells",
    ),
    "category that is no index": (
        lambda: Model({x[i]: Multinomial(5, p[k])}, latent=[x]),
        PlateError,
        "category as its last index",
    ),
    "matrix": (
        lambda: Model({MatrixSymbol("X", 2, 2): Normal(0, 1)}),
        ModelError,
        "law of numbers: write MultivariateNormal",
    ),
    "matrix as argument": (lambda: Normal(MatrixSymbol("X", 2, 2), 1), ModelError, "must be a number"),
    "matrix in a likelihood": (
        lambda: coins(
            likelihood=Trace(hadamard_product(MatrixSymbol("X", 2, 2), MatrixSymbol("Y", 2, 2)))
            * a
            * b
            * q
            * z[0]
        ),
        ModelError,
        "is not read",
    ),
    # likelihoods
    "empty": (lambda: Model({}), ModelError, "takes a dict"),
    "a list of declarations": (lambda: Model([z, x]), ModelError, "takes a dict"),  # type: ignore[arg-type]
    "likelihood as a declaration": (lambda: Model(a * b), ModelError, "from_likelihood"),
    "number": (lambda: coins(likelihood=3), ModelError, "is the number"),
    "text as likelihood": (lambda: coins(likelihood="a*b"), ModelError, "not 'a"),
    "relation as likelihood": (lambda: coins(likelihood=Eq(a, b)), ModelError, "The likelihood must be"),
    "two likelihoods": (lambda: coins(log_likelihood=a), ModelError, "one of the two"),
    "no likelihood": (lambda: coins(likelihood=None), ModelError, "one of the two"),
    "integral": (lambda: coins(likelihood=Integral(a * b, (a, 0, 1)) * q * z[0]), ModelError, "cannot stand"),
    "derivative": (lambda: coins(likelihood=Derivative(a**2, a) * b * q * z[0]), ModelError, "cannot stand"),
    "random symbol": (
        lambda: coins(likelihood=stats.Normal("R", 0, 1) * a * b * q * z[0]),
        ModelError,
        "random symbol",
    ),
    "number on the left": (lambda: Model({3: Normal(th, 1)}, latent=[x]), ModelError, "3 is not a symbol"),
    "sum on the left": (lambda: Model({x[i] + 1: Normal(th, 1)}, latent=[x]), ModelError, "is not a symbol"),
    # lists and dicts
    "latent not in a list": (lambda: Model(label, latent=z), ModelError, r"latent=\[z\]"),
    "latent as text": (lambda: Model(label, latent="z"), ModelError, r"latent=\[z\]"),
    "known as a number": (lambda: mixture(Normal(mu[z[i]], 1), known=3), ModelError, "known= takes a list"),
    "parameters in a list": (lambda: coins(parameters=[a, b, q]), ModelError, "takes a dict"),
    "latents in a list": (lambda: coins(latent=[z]), ModelError, "takes a dict"),
    # priors
    "prior of data": (lambda: coins(prior={x: Beta(2, 2)}), ModelError, "'x' is data"),
    "prior of a stranger": (lambda: coins(prior={th: Beta(2, 2)}), UndeclaredSymbolError, "'th'"),
    "prior of text": (lambda: coins(prior={"a": Beta(2, 2)}), ModelError, "'a' is not a symbol"),
    "prior in a list": (lambda: coins(prior=[a]), ModelError, "prior= takes a dict"),
    "prior that is no law": (lambda: coins(prior={a: 3}), ModelError, "3 is not a distribution"),
    "prior without a density": (lambda: coins(prior={a: Beta(0, 2)}), SupportError, "0 must lie in Positive"),
    "weight of a Dirichlet below 0": (
        lambda: coins(prior={a: Beta(2, -1)}),
        SupportError,
        "stated by its logarithm, log_prior=",
    ),
    "discrete prior": (lambda: coins(prior={a: Categorical(w[k])}), ModelError, "cannot be the prior"),
    "dirichlet of a scalar": (lambda: coins(prior={a: Dirichlet(2)}), ModelError, "a is a scalar"),
    "dirichlet of too many": (
        lambda: Model(
            {z[i]: Categorical(a, b), x[i]: Normal(mu[z[i]], 1)},
            latent=[z],
            prior={(a, b): Dirichlet(1, 2, 3)},
        ),
        ModelError,
        "3 weights for 2",
    ),
    "normal prior of a tuple": (
        lambda: Model(
            {z[i]: Categorical(a, b), x[i]: Normal(mu[z[i]], 1)}, latent=[z], prior={(a, b): Normal(0, 1)}
        ),
        ModelError,
        "must be a Dirichlet",
    ),
    "log-prior of a latent": (lambda: coins(log_prior=Sum(z[i], i)), ModelError, "latent 'z'"),
    "text as log-prior": (lambda: coins(log_prior="a"), ModelError, "log_prior must be"),
    "log-prior with a free index": (
        lambda: mixture(Normal(mu[z[i]], 1), log_prior=log(w[k])),
        PlateError,
        "k is free",
    ),
    # missing and given
    "missing latent": (lambda: mixture(Normal(mu[z[i]], 1), missing=[z]), ModelError, "'z' is a latent"),
    "missing stranger": (lambda: mixture(Normal(mu[z[i]], 1), missing=[y]), UndeclaredSymbolError, "'y'"),
    "missing not in a list": (lambda: mixture(Normal(mu[z[i]], 1), missing=x), ModelError, r"missing=\[x\]"),
    "given about data": (
        lambda: mixture(Normal(mu[z[i]], 1), given=[x[i] > 0]),
        ModelError,
        "holds no latent",
    ),
    "given that is true": (
        lambda: mixture(Normal(mu[z[i]], 1), given=[z[i] == x[i]]),
        ModelError,
        "write Eq",
    ),
    "given that is no relation": (
        lambda: mixture(Normal(mu[z[i]], 1), given=[z[i]]),
        ModelError,
        "relations",
    ),
    "given not in a list": (
        lambda: mixture(Normal(mu[z[i]], 1), given=Eq(z[i], 1)),
        ModelError,
        "given= takes a list",
    ),
    "given about parameters": (
        lambda: Model({y[i]: Normal(th, 1)}, latent=[y], given=[y[i] > th]),
        SupportError,
        "'th'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_named_error(name: str) -> None:
    state, error, words = CASES[name]
    with pytest.raises(error, match=words):
        state()


WRONG: list[Any] = [
    None, 3, -1.5, "z", "import os", b"x", [], [1], {}, {1: 2}, (), object(), int, Symbol, Normal, Normal(0, 1),
    Positive, Positive(), z, z[i], i, Symbol("v"), Eq(Symbol("v"), 1), True, nan, oo, float("nan"), 1j, lambda: 0,
    MatrixSymbol("M", 2, 2), stats.Normal("S", 0, 1), Function("f")(x[i]), exp(x[i]), range(3), {z: z}, {z[i]: z},
]  # fmt: skip

DOORS: dict[str, Callable[[Any], Any]] = {
    "declarations": lambda wrong: Model(wrong, latent=[z]),
    "variable": lambda wrong: Model({**_keyed(wrong, Normal(th, 1)), **label}, latent=[z]),
    "distribution": lambda wrong: Model(label | {x[i]: wrong}, latent=[z]),
    "argument": lambda wrong: mixture(Normal(wrong, 1)),
    "scale": lambda wrong: mixture(Normal(mu[z[i]], wrong)),
    "categories": lambda wrong: Model({z[i]: Categorical(wrong), x[i]: Normal(mu[z[i]], 1)}, latent=[z]),
    "counts": lambda wrong: Model({(a, b): Multinomial(wrong, q, 1 - q)}, latent=[a]),
    "alpha": lambda wrong: coins(prior={a: Dirichlet(wrong)}),
    "branches": lambda wrong: Cases(z[i], wrong),
    "label": lambda wrong: Model(label | {x[i]: Cases(wrong, {0: Dirac(0), 1: Poisson(a)})}, latent=[z]),
    "latent": lambda wrong: Model(label | {x[i]: Normal(mu[z[i]], 1)}, latent=wrong),
    "known": lambda wrong: mixture(Normal(mu[z[i]], 1), known=wrong),
    "parameters": lambda wrong: mixture(Normal(mu[z[i]], 1), parameters=wrong),
    "support": lambda wrong: mixture(Normal(mu[z[i]], 1), parameters={mu: wrong}),
    "prior": lambda wrong: mixture(Normal(mu[z[i]], 1), prior=wrong),
    "prior law": lambda wrong: mixture(Normal(mu[z[i]], 1), prior={mu: wrong}),
    "log-prior": lambda wrong: mixture(Normal(mu[z[i]], 1), log_prior=wrong),
    "missing": lambda wrong: mixture(Normal(mu[z[i]], 1), missing=wrong),
    "given": lambda wrong: mixture(Normal(mu[z[i]], 1), given=wrong),
    "one given": lambda wrong: mixture(Normal(mu[z[i]], 1), given=[wrong]),
    "likelihood": lambda wrong: coins(likelihood=wrong),
    "log-likelihood": lambda wrong: coins(likelihood=None, log_likelihood=wrong),
    "latents": lambda wrong: coins(latent=wrong),
    "latent's support": lambda wrong: coins(latent={z: wrong}),
    "parameters by likelihood": lambda wrong: coins(parameters=wrong),
    "labels": lambda wrong: coins(latent={z: Labels(wrong)}),
    "interval": lambda wrong: coins(parameters={a: Interval(wrong, 1), b: UnitInterval(), q: UnitInterval()}),
    "range": lambda wrong: coins(latent={z: Counts(0, wrong)}),
    "internal": lambda wrong: coins().internal(wrong),
    "symbol": lambda wrong: coins().variable(wrong),
}


def _keyed(key: Any, law: Any) -> dict[Any, Any]:
    """A dict with that key, if it can be one."""
    try:
        return {key: law}
    except TypeError:
        return {}


@pytest.mark.parametrize("door", DOORS)
def test_wrong_kinds_never_escape(door: str) -> None:
    """Whatever is put into a front door, the answer is a model or an error of ours."""
    for wrong in WRONG:
        with contextlib.suppress(SymemError):
            DOORS[door](wrong)


def test_nothing_runs_what_a_name_says() -> None:
    hostile = Symbol("__import__('os').abort()")
    with pytest.raises(NameClashError):
        mixture(Normal(hostile, 1))


def test_supports_as_classes() -> None:
    assert (
        coins(latent={z: Binary}, parameters=dict.fromkeys([a, b, q], UnitInterval)).variable(z).support
        == Binary()
    )


def test_a_family_from_outside_counts_its_arguments() -> None:
    gompertz = Family(
        "Gompertz",
        {"b": Positive(), "eta": Positive()},
        lambda value, rate, eta: log(rate) + log(eta) + eta + rate * value - eta * exp(rate * value),
        lambda *_: Positive(),
    )
    with pytest.raises(ModelError, match=r"Gompertz takes \(b, eta\), but 1"):
        gompertz(1)
    assert isinstance(x[i], Indexed)


# -- densities that are not normalised ---------------------------------------------------------------------

w1, m1, m2, lam = symbols("w1 m1 m2 lam")
E = IndexedBase("E")


def two(first: Any, second: Any, one: Any = w1, other: Any = 1 - w1) -> Any:
    """The complete-data likelihood of one observation of a mixture of two."""
    return (one * first) ** z[i] * (other * second) ** (1 - z[i])


def coin(chance: Any) -> Any:
    return chance ** x[i] * (1 - chance) ** (1 - x[i])


def bell(mean: Any, power: int = 1) -> Any:
    return exp(-((x[i] - mean) ** 2) / (2 * s**2)) / s**power


def stated(body: Any, latent: Any = None) -> Model:
    weights = dict.fromkeys({w1, q, b, lam, s} & body.free_symbols, Positive())
    shares = dict.fromkeys({w1, q, b} & body.free_symbols, UnitInterval())
    means = dict.fromkeys({m1, m2} & body.free_symbols, Reals())
    return Model.from_likelihood(
        Product(body, (i, 0, n - 1)), latent=latent or {z: Binary()}, parameters=weights | shares | means
    )


NORMALISED = {
    "coins": two(coin(q), coin(b)),
    "coins with even weights": coin(q) ** z[i] * coin(b) ** (1 - z[i]),
    "tosses without their binomial coefficient": two(
        q ** x[i] * (1 - q) ** (N[i] - x[i]), b ** x[i] * (1 - b) ** (N[i] - x[i])
    ),
    "Poisson without x!": two(lam ** x[i] * exp(-lam), s ** x[i] * exp(-s)),
    "Poisson with exposure": two(
        (lam * E[i]) ** x[i] * exp(-lam * E[i]), (s * E[i]) ** x[i] * exp(-s * E[i])
    ),
    "zero-truncated Poisson": two(lam ** x[i] / (exp(lam) - 1), s ** x[i] / (exp(s) - 1)),
    "normal": two(bell(m1), bell(m2)),
    "regression on a covariate": two(bell(m1 * E[i]), bell(m2 * E[i])),
    "Cauchy": two(1 / (1 + (x[i] - m1) ** 2), 1 / (1 + (x[i] - m2) ** 2)),
    "exponential": two(lam * exp(-lam * x[i]), s * exp(-s * x[i])),
    "exponential on (0, 2)": two(
        lam * exp(-lam * x[i]) / (1 - exp(-2 * lam)), s * exp(-s * x[i]) / (1 - exp(-2 * s))
    ),
    "geometric from 1": two(q * (1 - q) ** (x[i] - 1), b * (1 - b) ** (x[i] - 1)),
    "Rayleigh": two(
        x[i] / s**2 * exp(-(x[i] ** 2) / 2 / s**2), x[i] / lam**2 * exp(-(x[i] ** 2) / 2 / lam**2)
    ),
    "logistic gate": exp(z[i] * E[i] * m1) / (1 + exp(E[i] * m1)) * two(bell(0), bell(1), 1, 1),
}
NOT_NORMALISED = {
    "no log sigma": (two(bell(m1, 0), bell(m2, 0)), "form of Normal.*depends on 's'"),
    "log sigma twice": (two(bell(m1, 2), bell(m2, 2)), "form of Normal.*depends on 's'"),
    "one weight missing": (two(bell(m1), bell(m2), w1, 1), "depends on 'w1'"),
    "one weight of coins missing": (two(coin(q), coin(b), w1, 1), "weights do not sum to one.*'w1'"),
    "a weight twice": (two(lam ** x[i] * exp(-lam), s ** x[i] * exp(-s), w1, w1), "weights.*'w1'"),
    "tails missing": (two(q ** x[i], b ** x[i]), "'b', 'q' stands only in terms that hold x"),
    "rate missing": (two(exp(-lam * x[i]), exp(-s * x[i])), "'lam', 's' stands only"),
    "no exp(-lam)": (two(lam ** x[i], s ** x[i]), "'lam', 's' stands only"),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_a_normalised_likelihood_is_taken(name: str) -> None:
    check_normalised(stated(NORMALISED[name]))


def test_a_covariate_may_look_like_data() -> None:
    check_normalised(stated((lam * x[i]) ** z[i] * exp(-lam * x[i]) / factorial(z[i]), {z: Counts()}))


@pytest.mark.parametrize("name", NOT_NORMALISED)
def test_a_likelihood_that_is_not_normalised(name: str) -> None:
    body, words = NOT_NORMALISED[name]
    with pytest.raises(NormalisationError, match=words):
        check_normalised(stated(body))


def test_a_law_with_more_parameters_is_written_otherwise() -> None:
    nu, m, s = symbols("nu m s")
    with pytest.raises(
        ModelError, match=r"u\[i\]: Gamma\(nu/2, 2/nu\) beside x\[i\]: Normal\(m, s/sqrt\(u\[i\]\)\)"
    ):
        StudentT(nu, m, s)
