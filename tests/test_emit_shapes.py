"""The emitted module against the formulas of hand-made records, one for each shape that a program can take.

The records are written down from the papers, not derived, so that a failure here is the emitter's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from sympy import (
    Eq,
    Expr,
    Idx,
    IndexedBase,
    Integer,
    S,
    Sum,
    Symbol,
    digamma,
    exp,
    log,
    loggamma,
    pi,
    sqrt,
    symbols,
)

from symem import Bernoulli, Categorical, Exponential, Gamma, Normal
from symem.codegen.emit import emit, load
from symem.derivation import (
    CellCounts,
    Closed,
    Definition,
    Derivation,
    Posterior,
    Recognised,
    Surrogate,
    Table,
)
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.situation import situation
from symem.evaluation.specialise import Specialiser
from symem.language.family import Family
from symem.language.model import Model
from symem.language.plates import Axis, Iverson, index_symbol
from symem.language.supports import Counts, Labels, Positive, Simplex
from tests.handmade import face_of

n, K, J, L, D, B = symbols("n K J L D B", integer=True, positive=True)
RNG = np.random.default_rng


def axes_of(model: Model, **sizes: str | int) -> dict[str, Axis]:
    """Internal axes by index name."""
    return {
        name: Axis(
            index_symbol(name), Integer(size) if isinstance(size, int) else model.variables[size].symbol
        )
        for name, size in sizes.items()
    }


def at(name: str, *axes: Axis) -> Expr:
    places = tuple(axis.index for axis in axes)
    return IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)


def define(name: str, axes: Sequence[Axis], value: Expr) -> Definition:
    return Definition(at(name, *axes), tuple(axes), value)


def finite(model: Model, latent: str, axes: Sequence[Axis], outcome: Axis, weight: Expr) -> Table:
    """The posterior of a label with these log weights."""
    eta = define(f"eta_{latent}", (*axes, outcome), weight)
    normaliser = define(f"A_{latent}", axes, log(Sum(exp(eta.symbol), outcome.limits)))
    probability = define(f"gamma_{latent}", (*axes, outcome), exp(eta.symbol - normaliser.symbol))
    return Table(
        latent=model.variables[latent],
        atom=S.One,
        axes=tuple(axes),
        family="Categorical",
        log_normaliser=normaliser,
        log_density=weight,
        outcome=outcome,
        log_weight=eta,
        probability=probability,
        value=outcome.index,
    )


def continuous(
    model: Model, latent: str, axes: Sequence[Axis], family: Family, parameters: Sequence[Definition], normaliser: Expr,
    moments: Sequence[Definition],
) -> Recognised:  # fmt: skip
    names = (str(getattr(each.symbol, "base", each.symbol)).removesuffix(f"_{latent}") for each in parameters)
    return Recognised(
        latent=model.variables[latent],
        atom=S.One,
        axes=tuple(axes),
        row=family,
        log_density=S.Zero,
        log_normaliser=define(f"A_{latent}", axes, normaliser),
        face=face_of(family),
        bounds=model.variables[latent].support.bounds,
        arguments=dict(zip(names, (each.symbol for each in parameters), strict=True)),
        parameters=tuple(parameters),
        moments=tuple(moments),
    )


def record(
    model: Model,
    posteriors: Sequence[Posterior],
    value: Expr,
    statistics: Sequence[Definition],
    updates: Sequence[Definition],
) -> Derivation:
    surrogate = Surrogate(S.Zero, tuple(statistics), S.Zero, S.Zero)
    changes = tuple(Closed(definition=each, equation=S.Zero, nested=S.Zero) for each in updates)
    return Derivation(model, model.log_likelihood, tuple(posteriors), value, surrogate, changes, ())


def over(value: Expr, *axes: Axis) -> Expr:
    return Sum(value, *(axis.limits for axis in axes))


Case = tuple[Derivation, dict[str, Any], dict[str, Any]]


def internal(model: Model, *names: str) -> list[Any]:
    return [model.variables[name].symbol for name in names]


def normal_mixture() -> Case:
    x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
    i, c = Idx("i", n), Idx("k", K)
    model = Model({z[i]: Categorical(w[c]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])
    a = axes_of(model, i="n", k="K")
    o, k = a["i"].index, a["k"].index
    X, W, M, D_ = internal(model, "x", "w", "mu", "sigma")
    weight = (
        log(W[k]) - log(2 * pi) / 2 - log(D_[k]) - X[o] ** 2 / (2 * D_[k] ** 2)
        + M[k] * X[o] / D_[k] ** 2 - M[k] ** 2 / (2 * D_[k] ** 2)
    )  # fmt: skip
    post = finite(model, "z", (a["i"],), a["k"], weight)
    g = at("gamma_z", a["i"], a["k"])
    stats = [define(f"S_{r}", (a["k"],), over(g * X[o] ** r, a["i"])) for r in range(3)]
    s0, s1, s2 = (each.symbol for each in stats)
    size = model.variables["n"].symbol
    updates = [
        Definition(W[k], (a["k"],), s0 / size),
        Definition(M[k], (a["k"],), s1 / s0),
        Definition(D_[k], (a["k"],), sqrt((s2 - 2 * M[k] * s1 + M[k] ** 2 * s0) / s0)),
    ]
    rng = RNG(1)
    data = {"x": np.concatenate([rng.normal(0, 1, 20), rng.normal(4, 1.5, 23)])}
    theta = {"w": np.array([0.3, 0.7]), "mu": np.array([-1.0, 3.0]), "sigma": np.array([1.0, 2.0])}
    return record(model, [post], over(at("A_z", a["i"]), a["i"]), stats, updates), data, theta


def latent_classes() -> Case:
    x, z, w, th = map(IndexedBase, ["x", "z", "w", "th"])
    i, c, j = Idx("i", n), Idx("k", K), Idx("j", J)
    model = Model({z[i]: Categorical(w[c]), x[i, j]: Bernoulli(th[z[i], j])}, latent=[z])
    a = axes_of(model, i="n", k="K", j="J")
    o, k, q = a["i"].index, a["k"].index, a["j"].index
    X, W, T = internal(model, "x", "w", "th")
    weight = (
        log(W[k]) + over(X[o, q] * log(T[k, q]), a["j"]) + over(log(1 - T[k, q]), a["j"])
        - over(X[o, q] * log(1 - T[k, q]), a["j"])
    )  # fmt: skip
    post = finite(model, "z", (a["i"],), a["k"], weight)
    g = at("gamma_z", a["i"], a["k"])
    stats = [
        define("S_0", (a["k"],), over(g, a["i"])),
        define("S_1", (a["k"], a["j"]), over(g * X[o, q], a["i"])),
    ]
    updates = [
        Definition(W[k], (a["k"],), stats[0].symbol / model.variables["n"].symbol),
        Definition(T[k, q], (a["k"], a["j"]), stats[1].symbol / stats[0].symbol),
    ]
    rng = RNG(2)
    data = {"x": (rng.random((31, 4)) < 0.5).astype(int)}
    theta = {"w": np.array([0.4, 0.6]), "th": rng.uniform(0.2, 0.8, (2, 4))}
    return record(model, [post], over(at("A_z", a["i"]), a["i"]), stats, updates), data, theta


def random_effects() -> Case:
    y, b = IndexedBase("y"), IndexedBase("b")
    mu, sigma, tau = symbols("mu sigma tau")
    i, j = Idx("i", n), Idx("j", J)
    model = Model({b[i]: Normal(0, tau), y[i, j]: Normal(mu + b[i], sigma)}, latent=[b])
    a = axes_of(model, i="n", j="J")
    o, q = a["i"].index, a["j"].index
    Y, M, s, t, size, width = internal(model, "y", "mu", "sigma", "tau", "n", "J")
    v, m = define("v_b", (), 1 / (width / s**2 + 1 / t**2)), None
    v = define("v_b", (a["i"],), 1 / (width / s**2 + 1 / t**2))
    m = define("m_b", (a["i"],), v.symbol * (over(Y[o, q], a["j"]) - width * M) / s**2)
    second = define("E_b2", (a["i"],), m.symbol**2 + v.symbol)
    normaliser = (
        m.symbol**2 / (2 * v.symbol) + log(v.symbol) / 2 - log(t) - width * log(s) - width * log(2 * pi) / 2
        - over((Y[o, q] - M) ** 2, a["j"]) / (2 * s**2)
    )  # fmt: skip
    post = continuous(model, "b", (a["i"],), Normal, (v, m), normaliser, (second,))
    stats = [
        define("S_0", (), over(second.symbol, a["i"])),
        define("S_1", (), over(Y[o, q] - m.symbol, a["i"], a["j"])),
        define("S_2", (), over((Y[o, q] - m.symbol) ** 2 + v.symbol, a["i"], a["j"])),
    ]
    s0, s1, s2 = (each.symbol for each in stats)
    updates = [
        Definition(t, (), sqrt(s0 / size)),
        Definition(M, (), s1 / (size * width)),
        Definition(s, (), sqrt((s2 - 2 * M * s1) / (size * width) + M**2)),
    ]
    data = {"y": RNG(3).normal(10, 2, (6, 5)) + RNG(9).normal(0, 2, (6, 1))}
    return (
        record(model, [post], over(at("A_b", a["i"]), a["i"]), stats, updates),
        data,
        {"mu": 8.0, "sigma": 1.5, "tau": 0.7},
    )


def student_t() -> Case:
    y, u = IndexedBase("y"), IndexedBase("u")
    mu, sigma, nu = symbols("mu sigma nu")
    i = Idx("i", n)
    model = Model({u[i]: Gamma(nu / 2, 2 / nu), y[i]: Normal(mu, sigma / sqrt(u[i]))}, latent=[u], known=[nu])
    a = axes_of(model, i="n")
    o = a["i"].index
    Y, M, s, N, size = internal(model, "y", "mu", "sigma", "nu", "n")
    shape = define("shape_u", (a["i"],), (N + 1) / 2)
    rate = define("rate_u", (a["i"],), (N + (Y[o] - M) ** 2 / s**2) / 2)
    mean = define("E_u", (a["i"],), shape.symbol / rate.symbol)
    unused = define("E_log_u", (a["i"],), digamma(shape.symbol) - log(rate.symbol))
    normaliser = (
        loggamma(shape.symbol) - shape.symbol * log(rate.symbol) + N * log(N / 2) / 2 - loggamma(N / 2)
        - log(2 * pi) / 2 - log(s)
    )  # fmt: skip
    post = continuous(model, "u", (a["i"],), Gamma, (shape, rate), normaliser, (mean, unused))
    stats = [define(f"S_{r}", (), over(mean.symbol * Y[o] ** r, a["i"])) for r in range(3)]
    s0, s1, s2 = (each.symbol for each in stats)
    updates = [Definition(M, (), s1 / s0), Definition(s, (), sqrt((s2 - 2 * M * s1 + M**2 * s0) / size))]
    data = {"y": RNG(4).standard_t(3, 25) + 2, "nu": 3.0}
    return (
        record(model, [post], over(at("A_u", a["i"]), a["i"]), stats, updates),
        data,
        {"mu": 1.0, "sigma": 2.0},
    )


def raters() -> Case:
    """Dawid & Skene 1979, with counts n[i, j, l]."""
    c, z, w, th = map(IndexedBase, ["c", "z", "w", "th"])
    i, j, lev, k = Idx("i", n), Idx("j", J), Idx("l", L), Idx("k", K)
    joint = Sum(log(w[z[i]]), i) + Sum(c[i, j, lev] * log(th[j, z[i], lev]), i, j, lev)
    model = Model.from_likelihood(
        log_likelihood=joint, latent={z: Labels(K)}, parameters={w: Simplex(), th: Simplex()}
    )
    a = axes_of(model, i="n", j="J", l="L", k="K")
    o, q, lv, kk = (a[name].index for name in "ijlk")
    C, W, T = internal(model, "c", "w", "th")
    weight = log(W[kk]) + over(C[o, q, lv] * log(T[q, kk, lv]), a["j"], a["l"])
    post = finite(model, "z", (a["i"],), a["k"], weight)
    g = at("gamma_z", a["i"], a["k"])
    stats = [
        define("S_0", (a["k"],), over(g, a["i"])),
        define("S_1", (a["j"], a["k"], a["l"]), over(g * C[o, q, lv], a["i"])),
    ]
    updates = [
        Definition(W[kk], (a["k"],), stats[0].symbol / model.variables["n"].symbol),
        Definition(T[q, kk, lv], (a["j"], a["k"], a["l"]), stats[1].symbol / over(stats[1].symbol, a["l"])),
    ]
    del k
    rng = RNG(5)
    data = {"c": rng.integers(0, 3, (9, 3, 4))}
    th0 = rng.dirichlet(np.ones(4), (3, 2))
    return (
        record(model, [post], over(at("A_z", a["i"]), a["i"]), stats, updates),
        data,
        {"w": [0.45, 0.55], "th": th0},
    )


def emissions() -> Case:
    """Shepp & Vardi 1982: counts with known totals over a plate."""
    y, cell, lam, p = map(IndexedBase, ["y", "m", "lam", "p"])
    d, b = Idx("d", D), Idx("b", B)
    joint = Sum(
        cell[d, b] * log(lam[b] * p[d, b]) - lam[b] * p[d, b] - loggamma(cell[d, b] + 1), d, b
    ) + 0 * Sum(y[d], d)
    model = Model.from_likelihood(
        log_likelihood=joint + Sum(0 * y[d], d), latent={cell: Counts()}, parameters={lam: Positive()}, known=[p, y],
        given=[Eq(Sum(cell[d, b], b), y[d])],
    )  # fmt: skip
    a = axes_of(model, d="D", b="B")
    dd, bb = a["d"].index, a["b"].index
    Y, LAM, P = internal(model, "y", "lam", "p")
    shares = finite(model, "m", (a["d"],), a["b"], log(LAM[bb]) + log(P[dd, bb]))
    moment = define("E_m", (a["d"], a["b"]), Y[dd] * at("gamma_m", a["d"], a["b"]))
    post = CellCounts(
        latent=shares.latent,
        atom=shares.atom,
        axes=shares.axes,
        family="Multinomial",
        log_normaliser=shares.log_normaliser,
        log_density=shares.log_density,
        trials=Y[dd],
        outcome=shares.outcome,
        log_weight=shares.log_weight,
        probability=shares.probability,
        moments=(moment,),
    )
    stats = [define("S_0", (a["b"],), over(moment.symbol, a["d"]))]
    updates = [Definition(LAM[bb], (a["b"],), stats[0].symbol / over(P[dd, bb], a["d"]))]
    value = over(Y[dd] * at("A_m", a["d"]), a["d"]) - over(LAM[bb] * P[dd, bb], a["d"], a["b"])
    rng = RNG(6)
    data = {"y": rng.integers(1, 9, 7), "p": rng.uniform(0.1, 1, (7, 3))}
    return record(model, [post], value, stats, updates), data, {"lam": np.array([1.0, 2.0, 0.5])}


def coupled_binaries() -> Case:
    """x ~ Normal(a z1 + b z2, 1): z1 is eliminated given z2."""
    x, z1, z2 = IndexedBase("x"), IndexedBase("z1"), IndexedBase("z2")
    a_, b_, p, q = symbols("a b p q")
    i = Idx("i", n)
    model = Model(
        {z1[i]: Bernoulli(p), z2[i]: Bernoulli(q), x[i]: Normal(a_ * z1[i] + b_ * z2[i], 1)}, latent=[z1, z2]
    )
    a = axes_of(model, i="n", s=2, t=2)
    o, s, t = a["i"].index, a["s"].index, a["t"].index
    X, A_, B_, P, Q = internal(model, "x", "a", "b", "p", "q")
    weight = s * log(P) + (1 - s) * log(1 - P) - A_**2 * s**2 / 2 + A_ * s * X[o] - A_ * B_ * s * t
    first = finite(model, "z1", (a["i"], a["t"]), a["s"], weight)
    rest = (
        t * log(Q)
        + (1 - t) * log(1 - Q)
        - B_**2 * t**2 / 2
        + B_ * t * X[o]
        - X[o] ** 2 / 2
        + at("A_z1", a["i"], a["t"])
    )
    second = finite(model, "z2", (a["i"],), a["t"], rest - log(2 * pi) / 2)
    g1, g2 = at("gamma_z1", a["i"], a["t"], a["s"]), at("gamma_z2", a["i"], a["t"])
    base1, base2 = IndexedBase("gamma_z1", real=True), IndexedBase("gamma_z2", real=True)
    joint = base1[o, 1, 1] * base2[o, 1]
    stats = [
        define("S_0", (), over(s * g1 * g2, a["i"], a["s"], a["t"])),
        define("S_1", (), over(base2[o, 1], a["i"])),
        define("S_2", (), over(joint, a["i"])),
        define("S_3", (), over(s * g1 * g2 * X[o], a["i"], a["s"], a["t"])),
        define("S_4", (), over(base2[o, 1] * X[o], a["i"])),
    ]
    s0, s1, s2, s3, s4 = (each.symbol for each in stats)
    size = model.variables["n"].symbol
    det = s0 * s1 - s2**2
    updates = [
        Definition(P, (), s0 / size), Definition(Q, (), s1 / size),
        Definition(A_, (), (s1 * s3 - s2 * s4) / det), Definition(B_, (), (s0 * s4 - s2 * s3) / det),
    ]  # fmt: skip
    data = {"x": RNG(7).normal(1, 2, 30)}
    value = over(at("A_z2", a["i"]), a["i"])
    return (
        record(model, [first, second], value, stats, updates),
        data,
        {"p": 0.4, "q": 0.3, "a": 1.0, "b": 2.5},
    )


def two_scalars() -> Case:
    """One exponential seen, one missing: no plate at all."""
    theta, y1, y2 = symbols("theta y1 y2")
    model = Model({y1: Exponential(theta), y2: Exponential(theta)}, latent=[y2])
    Y, T = internal(model, "y1", "theta")
    mean = define("E_y2", (), 1 / T)
    post = continuous(model, "y2", (), Exponential, (define("rate_y2", (), T),), -log(T), (mean,))
    value = log(T) - T * Y + log(T) + at("A_y2")
    stats = [define("S_0", (), mean.symbol)]
    return (
        record(model, [post], value, stats, [Definition(T, (), 2 / (Y + stats[0].symbol))]),
        {"y1": 5.0},
        {"theta": 0.7},
    )


def observed_categories() -> Case:
    """B[z, x]: an emission table read at an observed category; its statistic is scattered."""
    x, z, w, em = map(IndexedBase, ["x", "z", "w", "em"])
    i, k, v = Idx("i", n), Idx("k", K), Idx("v", J)
    model = Model({z[i]: Categorical(w[k]), x[i]: Categorical(em[z[i], v])}, latent=[z])
    a = axes_of(model, i="n", k="K", v="J")
    o, kk, vv = (a[name].index for name in "ikv")
    X, W, E = internal(model, "x", "w", "em")
    post = finite(model, "z", (a["i"],), a["k"], log(W[kk]) + log(E[kk, X[o]]))
    g = at("gamma_z", a["i"], a["k"])
    stats = [
        define("S_0", (a["k"],), over(g, a["i"])),
        define("S_1", (a["k"], a["v"]), over(g * Iverson(Eq(X[o], vv)), a["i"])),
    ]
    updates = [
        Definition(W[kk], (a["k"],), stats[0].symbol / model.variables["n"].symbol),
        Definition(E[kk, vv], (a["k"], a["v"]), stats[1].symbol / stats[0].symbol),
    ]
    rng = RNG(8)
    data = {"x": rng.integers(0, 5, 40)}
    theta = {"w": np.array([0.2, 0.8]), "em": rng.dirichlet(np.ones(5), 2)}
    return record(model, [post], over(at("A_z", a["i"]), a["i"]), stats, updates), data, theta


CASES: dict[str, Callable[[], Case]] = {
    each.__name__: each
    for each in (
        normal_mixture, latent_classes, random_effects, student_t, raters, emissions, coupled_binaries, two_scalars,
        observed_categories,
    )
}  # fmt: skip


def formulas(
    derivation: Derivation, data: dict[str, Any], theta: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    """The log-likelihood and the update by a slow evaluator of the records."""
    arrays = {
        **situation(derivation.model, data, theta),
        **{k: np.asarray(v, float) for k, v in theta.items()},
    }
    expected = evaluate((*derivation.definitions, *derivation.surrogate.statistics), arrays)
    after = evaluate([each.definition for each in derivation.updates], expected)
    return Specialiser(expected).number(derivation.log_likelihood), {name: after[name] for name in theta}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def test_the_module_equals_the_formulas(case: Case) -> None:
    derivation, data, theta = case
    solver = load(emit(derivation))
    value, update = formulas(derivation, data, theta)
    assert solver.log_likelihood(theta, **data) == pytest.approx(value, rel=1e-11)
    after = solver.em_step(theta, **data)
    for name, wanted in update.items():
        np.testing.assert_allclose(getattr(after, name), wanted, rtol=1e-10, err_msg=name)


def test_the_source_is_the_same_in_every_run(case: Case) -> None:
    assert emit(case[0]) == emit(case[0])


def test_the_likelihood_rises_to_a_fixed_point(case: Case) -> None:
    derivation, data, theta = case
    solver = load(emit(derivation))
    fit = solver.fit(start=theta, max_iter=20_000, tol=1e-13, **data)
    assert fit.converged
    assert np.all(np.diff(fit.history) > -1e-9)
    again = solver.em_step(fit.parameters, **data)
    for before, after in zip(fit.parameters, again, strict=True):
        np.testing.assert_allclose(after, before, atol=2e-4)
