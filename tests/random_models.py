"""Models at random, each beside its own density in NumPy: composed from labels, a continuous latent, plates, laws of
data, priors, known parameters, gaps and weights.

The density is written here, law by law, and what is summed or integrated over is listed: all values of the labels, and
a fine grid of the continuous latent (the trapezoidal rule on a line on which its density falls off at both ends). No
part of the engine or of its verification takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy
from scipy.special import gammaln, logsumexp, xlog1py, xlogy
from sympy import Expr, Idx, IndexedBase, Rational, sqrt, symbols

from symem import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    Geometric,
    LogNormal,
    Model,
    NegativeBinomial,
    Normal,
    Poisson,
    Rayleigh,
)

Values = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]
#: A function of arrays that broadcast over (rows, draws, configurations, nodes).
Density = Callable[..., Array]

n, m, K, L = symbols("n m K L", integer=True, positive=True)
i, j, k, second = Idx("i", n), Idx("j", m), Idx("k", K), Idx("l", L)
ROWS, DRAWS = 6, 2
SIZES = {"K": 2, "L": 3}
TRIALS = 4  # of a Binomial


@dataclass(frozen=True)
class Law:
    """A family of data: its parameters by letter and kind, how it is declared, its log-density, draws, and range."""

    parameters: Mapping[str, str]
    declared: Callable[..., Any]
    log_density: Density
    drawn: Callable[..., Array]
    range: str

    def expected(self, old: list[Array], new: list[Array]) -> Array:
        """E[log f(x; new)] of x from the law at the old arguments."""
        points, weights = RANGES[self.range]
        x = points.reshape(-1, *(1,) * max(np.ndim(each) for each in (*old, *new)))
        mass = np.exp(self.log_density(x, *old)) * weights.reshape(x.shape)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(mass == 0, 0.0, mass * self.log_density(x, *new)).sum(axis=0))


#: Points and weights of sums and of trapezoidal rules over what data may be.
_LINE, _COUNTS = np.linspace(-40, 40, 8001), np.arange(400)
RANGES = {
    "real": (_LINE, np.full(len(_LINE), 0.01)),
    "positive": (np.exp(_LINE), 0.01 * np.exp(_LINE)),
    "counts": (_COUNTS, np.ones(400)),
    "from one": (_COUNTS + 1, np.ones(400)),
    "binary": (np.arange(2), np.ones(2)),
    "trials": (np.arange(TRIALS + 1), np.ones(TRIALS + 1)),
}
LAWS = {
    "normal": Law(
        {"mu": "real", "s": "pos"},
        Normal,
        lambda x, mu, s: -((x - mu) ** 2) / (2 * s**2) - np.log(s) - np.log(2 * np.pi) / 2,
        lambda rng, mu, s: rng.normal(mu, s),
        "real",
    ),
    "lognormal": Law(
        {"mu": "real", "s": "pos"},
        LogNormal,
        lambda x, mu, s: -((np.log(x) - mu) ** 2) / (2 * s**2) - np.log(x * s) - np.log(2 * np.pi) / 2,
        lambda rng, mu, s: rng.lognormal(mu, s),
        "positive",
    ),
    "poisson": Law(
        {"r": "pos"},
        Poisson,
        lambda x, r: xlogy(x, r) - r - gammaln(x + 1),
        lambda rng, r: rng.poisson(r),
        "counts",
    ),
    "exponential": Law(
        {"r": "pos"},
        Exponential,
        lambda x, r: np.log(r) - r * x,
        lambda rng, r: rng.exponential(1 / r),
        "positive",
    ),
    "rayleigh": Law(
        {"s": "pos"},
        Rayleigh,
        lambda x, s: np.log(x) - 2 * np.log(s) - x**2 / (2 * s**2),
        lambda rng, s: rng.rayleigh(s),
        "positive",
    ),
    "gamma": Law(
        {"s": "pos"},
        lambda s: Gamma(3, s),
        lambda x, s: 2 * np.log(x) - x / s - 3 * np.log(s) - gammaln(3),
        lambda rng, s: rng.gamma(3, s),
        "positive",
    ),
    "bernoulli": Law(
        {"q": "unit"},
        Bernoulli,
        lambda x, q: xlogy(x, q) + xlog1py(1 - x, -q),
        lambda rng, q: (rng.random(np.shape(q)) < q).astype(int),
        "binary",
    ),
    "binomial": Law(
        {"q": "unit"},
        lambda q: Binomial(TRIALS, q),
        lambda x, q: (
            xlogy(x, q)
            + xlog1py(TRIALS - x, -q)
            + gammaln(TRIALS + 1)
            - gammaln(x + 1)
            - gammaln(TRIALS - x + 1)
        ),
        lambda rng, q: rng.binomial(TRIALS, q),
        "trials",
    ),
    "geometric": Law(
        {"q": "unit"},
        Geometric,
        lambda x, q: np.log(q) + xlog1py(x - 1, -q),
        lambda rng, q: rng.geometric(q),
        "from one",
    ),
    "negative binomial": Law(
        {"q": "unit"},
        lambda q: NegativeBinomial(2, q),
        lambda x, q: scipy.stats.nbinom.logpmf(x, 2, q),
        lambda rng, q: rng.negative_binomial(2, q),
        "counts",
    ),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter: its kind, the labels that its entries belong to, and whether it is given.

    `outcome` is the index of the last axis, which sums to one.
    """

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    known: bool = False
    outcome: Any = None

    @property
    def array(self) -> Any:
        return IndexedBase(self.name) if self.labels or self.outcome is not None else symbols(self.name)

    def entry(self, labels: Mapping[str, Any]) -> Expr:
        """The entry at a row's labels."""
        places = [labels[each] for each in self.labels] + [self.outcome] * (self.outcome is not None)
        return self.array[tuple(places)] if places else self.array

    def at(self, theta: Values, configurations: Mapping[str, Array]) -> Array:
        """Its values in the configurations, the last axis being that of nodes."""
        value = np.asarray(theta[self.name], dtype=float)
        places = tuple(configurations[each] for each in self.labels)
        return value[places][..., None] if places else value

    def drawn(self, rng: np.random.Generator, sizes: Mapping[str, int]) -> Array:
        shape = tuple(sizes[each] for each in self.labels)
        if self.kind == "simplex":
            return rng.dirichlet(np.full(sizes[str(self.outcome.upper + 1)], 4.0), size=shape or None)
        raw = {
            "real": lambda: rng.normal(0.0, 1.5, shape),
            "pos": lambda: rng.uniform(0.6, 2.5, shape),
            "unit": lambda: rng.uniform(0.2, 0.8, shape),
        }
        return np.asarray(raw[self.kind]())


@dataclass(frozen=True)
class Emission:
    """A datum of each row, or of each draw of a row."""

    name: str
    law: Law
    parameters: tuple[Parameter, ...]
    several: bool
    mixes: str = ""
    slope: Parameter | None = None

    def arguments(self, theta: Values, case: RandomModel, nodes: Array, covariate: Array) -> list[Array]:
        """The law's arguments at (rows, draws, configurations, nodes)."""
        found = [each.at(theta, case.configurations) for each in self.parameters]
        if self.slope is not None:
            found[0] = found[0] + theta[self.slope.name] * covariate[:, None, None, None]
        if self.mixes == "shift":
            found[0] = found[0] + nodes
        elif self.mixes == "rate":
            found[0] = found[0] * nodes
        elif self.mixes == "precision":
            found[1] = found[1] / np.sqrt(nodes)
        return found


@dataclass(frozen=True)
class RandomModel:
    """A model, its density, and a point with data."""

    seed: int
    said: str
    declared: dict[Any, Any]
    options: dict[str, Any]
    labels: dict[str, Parameter]
    parameters: tuple[Parameter, ...]
    emissions: tuple[Emission, ...]
    effect: tuple[str, Parameter | None] | None
    priors: Mapping[str, tuple[Any, Density]]
    sizes: Mapping[str, int]
    data: Values = field(default_factory=dict)
    theta: Values = field(default_factory=dict)

    def model(self) -> Model:
        return Model(self.declared, **self.options)

    @property
    def kinds(self) -> dict[str, str]:
        return {each.name: each.kind for each in self.parameters if not each.known}

    @cached_property
    def configurations(self) -> dict[str, Array]:
        """All values of the labels, one array for each."""
        sizes = [self.sizes[name] for name in self.labels]
        grid = np.indices(sizes).reshape(len(sizes), self.count)
        return dict(zip(self.labels, grid, strict=True))

    @cached_property
    def count(self) -> int:
        return int(np.prod([self.sizes[name] for name in self.labels]))

    def nodes(self, theta: Values) -> tuple[Array, Array]:
        """Values of the continuous latent, and what they weigh, its density among that: (configurations, nodes)."""
        if self.effect is None:
            return np.ones(1), np.zeros((1, 1))
        kind, spread = self.effect
        if kind == "shift":
            assert spread is not None
            sd = spread.at(theta, self.configurations) if spread.labels else np.array([[theta[spread.name]]])
            line = np.linspace(-14, 14, 1401) * 2.5
            return line, LAWS["normal"].log_density(line, 0.0, sd) + np.log(line[1] - line[0])
        line = np.linspace(-18, 6, 1201)
        shape = 3.0
        density = shape * np.log(shape) - gammaln(shape) + shape * line - shape * np.exp(line)
        return np.exp(line), density[None] + np.log(line[1] - line[0])

    def log_joint(self, theta: Values, *, absent: bool = False) -> Array:
        """Of each row at each configuration and node; with the mean of what is absent in the posterior at the model's own θ,
        or without what is absent.
        """
        given = {**self.data, **theta}
        nodes, log_weights = self.nodes(given)
        total = np.zeros((ROWS, self.count, len(nodes))) + log_weights
        for name, weights in self.labels.items():
            own = self.configurations[name]
            before = tuple(self.configurations[each] for each in weights.labels)
            share = np.asarray(given[weights.name])
            chosen = (
                share[(*before, own)] if weights.kind == "simplex" else np.where(own == 1, share, 1 - share)
            )
            with np.errstate(divide="ignore"):
                total = total + np.log(chosen)[None, :, None]
        for each in self.emissions:
            x = np.asarray(self.data[each.name], dtype=float).reshape(ROWS, -1)[:, :, None, None]
            arguments = each.arguments(given, self, nodes, self.data.get("t", np.zeros(ROWS)))
            seen = np.where(np.isnan(x), 1.0, x)
            values, unseen = each.law.log_density(seen, *arguments), np.zeros(1)
            if absent and np.isnan(x).any():
                old = each.arguments({**self.data, **self.theta}, self, nodes, np.zeros(ROWS))
                unseen = each.law.expected(old, arguments)
            total = total + np.where(np.isnan(x), unseen, values).sum(axis=1)
        return np.asarray(total)

    @property
    def weights(self) -> Array:
        return np.asarray(self.data.get("c", np.ones(ROWS)), dtype=float)

    def log_prior(self, theta: Values) -> float:
        given = {**self.data, **theta}
        return float(sum(np.sum(density(given[name])) for name, (_, density) in self.priors.items()))

    def log_likelihood(self, theta: Values) -> float:
        return float(self.weights @ logsumexp(self.log_joint(theta), axis=(1, 2)))

    def responsibilities(self, theta: Values) -> Array:
        """The posterior of each row on configurations and nodes."""
        joint = self.log_joint(theta)
        return np.asarray(np.exp(joint - logsumexp(joint, axis=(1, 2), keepdims=True)))

    def surrogate(self, belief: Array, theta: Values) -> float:
        """Q at θ, with the log-prior, for the posterior at the model's own θ."""
        with np.errstate(invalid="ignore"):
            terms = np.where(belief == 0, 0.0, belief * self.log_joint(theta, absent=True))
        return float(self.weights @ terms.sum(axis=(1, 2))) + self.log_prior(theta)

    def shares(self, belief: Array, name: str) -> Array:
        """The posterior of a label: (rows, outcomes)."""
        by_outcome = self.configurations[name][:, None] == np.arange(self.sizes[name])
        return np.asarray(belief.sum(axis=2) @ by_outcome)


# -- composing -----------------------------------------------------------------------------------------------

PRIORS: Mapping[str, tuple[Callable[[], Any], Density]] = {
    "real": (lambda: Normal(0, 2), lambda x: -(x**2) / 8 - np.log(8 * np.pi) / 2),
    "pos": (
        lambda: Gamma(3, Rational(1, 2)),
        lambda x: 2 * np.log(x) - 2 * x + 3 * np.log(2) - gammaln(3),
    ),
    "unit": (lambda: Beta(2, 3), lambda x: np.log(x) + 2 * np.log1p(-x) + np.log(12)),
}


def _dirichlet(size: int) -> tuple[Callable[[], Any], Density]:
    return lambda: Dirichlet(2), lambda x: np.log(x).sum(axis=-1) + gammaln(2 * size)


class Composer:
    """Draws the parts of a model."""

    def __init__(self, seed: int) -> None:
        self.seed, self.rng = seed, np.random.default_rng(seed)
        self.parameters: list[Parameter] = []
        self.declared: dict[Any, Any] = {}
        self.labels: dict[str, Parameter] = {}
        self.sizes: dict[str, int] = dict(SIZES)
        self.said: list[str] = []

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def new(self, parameter: Parameter) -> Parameter:
        self.parameters.append(parameter)
        return parameter

    @property
    def here(self) -> dict[str, Any]:
        """The labels of a row."""
        return {name: IndexedBase(name)[i] for name in self.labels}

    def add_labels(self) -> None:
        kind = self.rng.choice(["none", "one", "coin", "two", "chain"], p=[0.15, 0.35, 0.15, 0.15, 0.2])
        self.said.append(f"labels: {kind}")
        if kind == "coin":
            self._label("z", Parameter("p", "unit"), Bernoulli, 2)
        elif kind != "none":
            self._label("z", Parameter("w", "simplex", outcome=k), Categorical, SIZES["K"])
        if kind in {"two", "chain"}:
            before = ("z",) if kind == "chain" else ()
            self._label("y", Parameter("u", "simplex", before, outcome=second), Categorical, SIZES["L"])

    def _label(self, name: str, weights: Parameter, law: Any, size: int) -> None:
        self.declared[IndexedBase(name)[i]] = law(self.new(weights).entry(self.here))
        self.labels[name], self.sizes[name] = weights, size

    def add_effect(self) -> tuple[str, Parameter | None] | None:
        kind = str(self.rng.choice(["none", "shift", "rate", "precision"], p=[0.6, 0.16, 0.12, 0.12]))
        if kind == "none" and self.labels:
            return None
        kind = "shift" if kind == "none" else kind
        self.said.append(f"effect: {kind}")
        spread = None
        if kind == "shift":
            on = tuple(name for name in self.labels if self.chance(0.3))[:1]
            spread = self.new(Parameter("tau", "pos", on))
            self.declared[IndexedBase("e")[i]] = Normal(0, spread.entry(self.here))
        else:
            self.declared[IndexedBase("e")[i]] = Gamma(3, Rational(1, 3))
        return kind, spread

    def add_emission(self, name: str, effect: str) -> Emission:
        laws = {"shift": ["normal"], "precision": ["normal"], "rate": ["poisson", "exponential"]}
        kind = str(self.rng.choice(laws.get(effect, list(LAWS))))
        law, several = LAWS[kind], self.chance(0.35)
        own = [self._parameter(f"{letter}_{name}", sort) for letter, sort in law.parameters.items()]
        slope = self.new(Parameter(f"b_{name}", "real")) if kind == "normal" and self.chance(0.25) else None
        arguments = [each.entry(self.here) for each in own]
        if slope is not None:
            arguments[0] += slope.entry({}) * IndexedBase("t")[i]
        latent = IndexedBase("e")[i]
        if effect == "shift":
            arguments[0] += latent
        elif effect == "rate":
            arguments[0] *= latent
        elif effect == "precision":
            arguments[1] /= sqrt(latent)
        place = (i, j) if several else (i,)
        self.declared[IndexedBase(name)[place]] = law.declared(*arguments)
        self.said.append(f"{name}: {kind}{' with slope' if slope else ''}{' in draws' if several else ''}")
        return Emission(name, law, tuple(own), several, effect, slope)

    def _parameter(self, name: str, kind: str) -> Parameter:
        on = tuple(label for label in self.labels if self.chance(0.65))
        known = kind == "pos" and name.startswith("s") and self.chance(0.15)
        return self.new(Parameter(name, kind, on, known))

    def add_priors(self) -> dict[str, tuple[Any, Density]]:
        found: dict[str, tuple[Any, Density]] = {}
        for each in self.parameters:
            scale = each.name.startswith(("s", "tau"))
            if not each.known and not scale and self.chance(0.2):
                size = self.sizes[str(each.outcome.upper + 1)] if each.kind == "simplex" else 0
                declared, density = _dirichlet(size) if each.kind == "simplex" else PRIORS[each.kind]
                found[each.name] = (declared(), density)
        self.said += [f"prior on {name}" for name in found]
        return found

    def composed(self) -> RandomModel:
        self.add_labels()
        effect = self.add_effect()
        emissions = [self.add_emission("x", effect[0] if effect else "")]
        if self.chance(0.35):
            emissions.append(self.add_emission("h", ""))
        priors, options = self.add_priors(), dict[str, Any]()
        latents = [IndexedBase(name) for name in (*self.labels, *(["e"] if effect else []))]
        options["latent"] = latents
        plain = [each for each in emissions if each.slope is None and not each.mixes]
        absent = [IndexedBase(each.name) for each in plain if self.chance(0.2)]
        known = [each.array for each in self.parameters if each.known]
        known += [IndexedBase("t")] if any(each.slope for each in emissions) else []
        options |= {"missing": absent} if absent else {}
        options |= {"known": known} if known else {}
        if priors:
            arrays = {each.name: each.array for each in self.parameters}
            options["prior"] = {arrays[name]: law for name, (law, _) in priors.items()}
        if self.chance(0.15):
            options["weights"] = {i: IndexedBase("c")[i]}
        self.said += [f"missing {absent}"] * bool(absent) + ["weights"] * ("weights" in options)
        case = RandomModel(
            self.seed, ", ".join(self.said), self.declared, options, self.labels, tuple(self.parameters),
            tuple(emissions), effect, priors, self.sizes,
        )  # fmt: skip
        self._fill(case, {str(each) for each in absent})
        return case

    def _fill(self, case: RandomModel, absent: set[str]) -> None:
        rng, values = self.rng, {each.name: each.drawn(self.rng, self.sizes) for each in self.parameters}
        case.data.update({each.name: values[each.name] for each in self.parameters if each.known})
        case.theta.update({each.name: values[each.name] for each in self.parameters if not each.known})
        if any(each.slope for each in case.emissions):
            case.data["t"] = rng.normal(size=ROWS)
        if "weights" in case.options:
            case.data["c"] = rng.integers(1, 6, ROWS) / 2
        chosen = rng.integers(0, case.count, ROWS)
        latent = (
            rng.normal(0, 0.7, ROWS)
            if case.effect and case.effect[0] == "shift"
            else rng.gamma(3, 1 / 3, ROWS)
        )
        for each in case.emissions:
            arguments = each.arguments(
                values, case, latent[:, None, None, None], case.data.get("t", np.zeros(ROWS))
            )
            shape = (ROWS, DRAWS if each.several else 1, case.count, 1)
            law = [np.broadcast_to(value, shape)[np.arange(ROWS), :, chosen, 0] for value in arguments]
            x = np.asarray(each.law.drawn(rng, *law))
            if each.name in absent:
                x = np.where(rng.random(x.shape) < 0.25, np.nan, x)
            case.data[each.name] = x if each.several else x[:, 0]


def random_model(seed: int) -> RandomModel:
    """The model of that number."""
    return Composer(seed).composed()


def entries(theta: Values) -> Iterator[tuple[str, Values]]:
    """Each entry of the parameters as a direction."""
    for name, value in theta.items():
        for place in np.ndindex(np.shape(value)):
            direction = {other: np.zeros(np.shape(theta[other])) for other in theta}
            direction[name][place] = 1.0
            yield f"{name}{list(place) if place else ''}", direction
