"""Derivations written by hand: the ladder must accept them, and reject every one of their mutants.

They come from the textbook, not from the engine, so that a fault of the engine cannot hide one of the checker.
"""

from __future__ import annotations

from sympy import Add, Expr, Idx, IndexedBase, Integer, Sum, digamma, exp, log, loggamma, oo, pi, symbols

from symem import Beta, Binomial, Categorical, Dirichlet, Gamma, Normal
from symem.derivation import Closed, Definition, Derivation, Posterior, Recognised, Surrogate, Table, Update
from symem.language.exponential_face import ExponentialFace
from symem.language.family import Family
from symem.language.model import Model
from symem.language.plates import Axis, index_symbol


def face_of(row: Family) -> ExponentialFace:
    """Of the whole law, if it has another where it is cut."""
    found = row.face[0] if isinstance(row.face, tuple) else row.face
    assert isinstance(found, ExponentialFace)
    return found


def _definition(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Definition:
    return Definition(symbol, axes, value)


def _update(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Update:
    return Closed(definition=_definition(symbol, axes, value), equation=Integer(0), nested=value)


def _derivation(
    model: Model, posteriors: tuple[Posterior, ...], likelihood: Expr, surrogate: Surrogate, *updates: Update
) -> Derivation:
    return Derivation(model, model.log_likelihood, posteriors, likelihood, surrogate, updates, ())


def gaussian_mixture() -> Derivation:
    """K components with own means and standard deviations; a Dirichlet prior makes it MAP (alpha = 1: ML)."""
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, mu, sigma, alpha = map(IndexedBase, ["x", "z", "w", "mu", "sigma", "alpha"])
    model = Model(
        {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])},
        latent=[z],
        prior={w: Dirichlet(alpha[k])},
    )
    return _mixture(model)


def _mixture(model: Model) -> Derivation:
    names = ("x", "w", "mu", "sigma", "alpha")
    x, w, mu, sigma, alpha = (model.variable(name).symbol for name in names)
    n, K = (model.variable(name).symbol for name in ("n", "K"))
    i, k = Axis(index_symbol("i"), n), Axis(index_symbol("k"), K)
    eta, A, gamma = map(IndexedBase, ["eta_z", "A_z", "gamma_z"])
    item, label = i.index, k.index
    weight = (
        log(w[label])
        - log(2 * pi) / 2
        - log(sigma[label])
        - (x[item] - mu[label]) ** 2 / (2 * sigma[label] ** 2)
    )
    posterior = Table(
        latent=model.variable("z"),
        atom=model.variable("z").symbol[item],
        axes=(i,),
        family="Categorical",
        log_normaliser=_definition(A[item], (i,), log(Sum(exp(eta[item, label]), k.limits))),
        log_density=eta[item, label],
        outcome=k,
        log_weight=_definition(eta[item, label], (i, k), weight),
        probability=_definition(gamma[item, label], (i, k), exp(eta[item, label] - A[item])),
        value=label,
    )
    S0, S1, S2 = map(IndexedBase, ["S_0", "S_1", "S_2"])
    statistics = tuple(
        _definition(S[label], (k,), Sum(gamma[item, label] * x[item] ** power, i.limits))
        for power, S in enumerate((S0, S1, S2))
    )
    squares = S2[label] - 2 * mu[label] * S1[label] + mu[label] ** 2 * S0[label]
    cell = S0[label] * log(w[label]) - S0[label] * log(sigma[label]) - squares / (2 * sigma[label] ** 2)
    surrogate = Surrogate(
        value=Sum(cell, k.limits) + model.log_prior,
        statistics=statistics,
        constant=-n * log(2 * pi) / 2,
        entropy=-Sum(gamma[item, label] * (eta[item, label] - A[item]), i.limits, k.limits),
    )
    raised = S0[label] + alpha[label] - 1
    return _derivation(
        model,
        (posterior,),
        Sum(A[item], i.limits),
        surrogate,
        _update(w[label], (k,), raised / Sum(raised, k.limits)),
        _update(mu[label], (k,), S1[label] / S0[label]),
        _update(sigma[label], (k,), (squares / S0[label]) ** (Integer(1) / 2)),
    )


def student_t() -> Derivation:
    """Normal scale mixture with Gamma-distributed precisions: location and squared scale."""
    n = symbols("n", integer=True, positive=True)
    i = Idx("i", n)
    y, u = map(IndexedBase, ["y", "u"])
    m, s, nu = symbols("m s nu")
    model = Model(
        {u[i]: Gamma(nu / 2, 2 / nu), y[i]: Normal(m, (s / u[i]) ** (Integer(1) / 2))}, latent=[u], known=[nu]
    )
    return _scale_mixture(model)


def _scale_mixture(model: Model) -> Derivation:
    y, u, m, s, nu, n = (model.variable(name).symbol for name in ("y", "u", "m", "s", "nu", "n"))
    i = Axis(index_symbol("i"), n)
    item = i.index
    rate, E, L, A = map(IndexedBase, ["rate_u", "E_u", "E_log_u", "A_u"])
    shape = (nu + 1) / 2
    base = nu / 2 * log(nu / 2) - loggamma(nu / 2) - log(2 * pi * s) / 2
    posterior = Recognised(
        latent=model.variable("u"),
        atom=u[item],
        axes=(i,),
        row=Gamma,
        face=face_of(Gamma),
        bounds=(Integer(0), oo),
        arguments={"shape": shape, "rate": rate[item]},
        parameters=(_definition(rate[item], (i,), nu / 2 + (y[item] - m) ** 2 / (2 * s)),),
        expectations={u[item]: E[item], log(u[item]): L[item]},
        log_normaliser=_definition(A[item], (i,), base + loggamma(shape) - shape * log(rate[item])),
        log_density=Integer(0),
        moments=(
            _definition(E[item], (i,), shape / rate[item]),
            _definition(L[item], (i,), digamma(shape) - log(rate[item])),
        ),
    )
    T0, T1, T2 = symbols("T_0 T_1 T_2")
    statistics = tuple(
        _definition(T, (), Sum(E[item] * y[item] ** power, i.limits)) for power, T in enumerate((T0, T1, T2))
    )
    squares = T2 - 2 * m * T1 + m**2 * T0
    plain = (
        nu / 2 * log(nu / 2) - loggamma(nu / 2) - log(2 * pi) / 2 + (nu - 1) / 2 * L[item] - nu / 2 * E[item]
    )
    entropy = shape - log(rate[item]) + loggamma(shape) + (1 - shape) * digamma(shape)
    surrogate = Surrogate(
        -n * log(s) / 2 - squares / (2 * s), statistics, Sum(plain, i.limits), Sum(entropy, i.limits)
    )
    return _derivation(
        model,
        (posterior,),
        Sum(A[item], i.limits),
        surrogate,
        _update(m, (), T1 / T0),
        _update(s, (), squares / n),
    )


def coins() -> Derivation:
    """Coins with Beta priors on their biases, N tosses each time, chosen with unknown weights."""
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, p, N = map(IndexedBase, ["x", "z", "w", "p", "N"])
    a, b = symbols("a b")
    model = Model(
        {z[i]: Categorical(w[k]), x[i]: Binomial(N[i], p[z[i]])},
        latent=[z],
        known=[N],
        prior={p[k]: Beta(a, b)},
    )
    return _coins(model)


def _coins(model: Model) -> Derivation:
    x, w, p, N, a, b, n, K = (
        model.variable(each).symbol for each in ("x", "w", "p", "N", "a", "b", "n", "K")
    )
    i, k = Axis(index_symbol("i"), n), Axis(index_symbol("k"), K)
    item, label = i.index, k.index
    eta, A, gamma = map(IndexedBase, ["eta_z", "A_z", "gamma_z"])
    choose = loggamma(N[item] + 1) - loggamma(x[item] + 1) - loggamma(N[item] - x[item] + 1)
    weight = choose + log(w[label]) + x[item] * log(p[label]) + (N[item] - x[item]) * log(1 - p[label])
    posterior = Table(
        latent=model.variable("z"),
        atom=model.variable("z").symbol[item],
        axes=(i,),
        family="Categorical",
        log_normaliser=_definition(A[item], (i,), log(Sum(exp(eta[item, label]), k.limits))),
        log_density=eta[item, label],
        outcome=k,
        log_weight=_definition(eta[item, label], (i, k), weight),
        probability=_definition(gamma[item, label], (i, k), exp(eta[item, label] - A[item])),
        value=label,
    )
    S0, H, T = map(IndexedBase, ["S_0", "S_heads", "S_tails"])
    values = (Integer(1), x[item], N[item] - x[item])
    statistics = tuple(
        _definition(S[label], (k,), Sum(gamma[item, label] * value, i.limits))
        for S, value in zip((S0, H, T), values, strict=True)
    )
    cell = S0[label] * log(w[label]) + H[label] * log(p[label]) + T[label] * log(1 - p[label])
    surrogate = Surrogate(
        value=Add(Sum(cell, k.limits), model.log_prior),
        statistics=statistics,
        constant=Sum(choose, i.limits),
        entropy=-Sum(gamma[item, label] * (eta[item, label] - A[item]), i.limits, k.limits),
    )
    return _derivation(
        model,
        (posterior,),
        Sum(A[item], i.limits),
        surrogate,
        _update(w[label], (k,), S0[label] / n),
        _update(p[label], (k,), (H[label] + a - 1) / (H[label] + T[label] + a + b - 2)),
    )


def random_effects() -> Derivation:
    """One-way random effects with variances va (between groups) and ve (within)."""
    m, J = symbols("m J", integer=True, positive=True)
    g, j = Idx("g", m), Idx("j", J)
    y, a = map(IndexedBase, ["y", "a"])
    mu, va, ve = symbols("mu va ve")
    half = Integer(1) / 2
    model = Model({a[g]: Normal(0, va**half), y[g, j]: Normal(mu + a[g], ve**half)}, latent=[a])
    return _random_effects(model)


def _random_effects(model: Model) -> Derivation:
    y, a, mu, va, ve, m, J = (model.variable(each).symbol for each in ("y", "a", "mu", "va", "ve", "m", "J"))
    g, j = Axis(index_symbol("g"), m), Axis(index_symbol("j"), J)
    here, within = g.index, j.index
    E, E2, V, A = map(IndexedBase, ["E_a", "E_a2", "v_a", "A_a"])
    residual = Sum(y[here, within] - mu, j.limits)
    squares = Sum((y[here, within] - mu) ** 2, j.limits)
    density = -J * log(2 * pi * ve) / 2 - log(va) / 2 - squares / (2 * ve) + E[here] ** 2 / (2 * V[here])
    posterior = Recognised(
        latent=model.variable("a"),
        atom=a[here],
        axes=(g,),
        row=Normal,
        face=face_of(Normal),
        bounds=(-oo, oo),
        arguments={"m": E[here], "v": V[here]},
        parameters=(
            _definition(V[here], (g,), 1 / (1 / va + J / ve)),
            _definition(E[here], (g,), V[here] * residual / ve),
        ),
        expectations={a[here]: E[here], a[here] ** 2: E2[here]},
        log_normaliser=_definition(A[here], (g,), density + log(V[here]) / 2),
        log_density=Integer(0),
        moments=(_definition(E2[here], (g,), E[here] ** 2 + V[here]),),
    )
    T0, T1, T2, T3 = symbols("T_0 T_1 T_2 T_3")
    values = (Sum(y[here, within], j.limits), E[here], E2[here])
    cross = Sum((y[here, within] - E[here]) ** 2 + V[here], j.limits)
    statistics = tuple(
        _definition(T, (), Sum(value, g.limits))
        for T, value in zip((T0, T1, T2, T3), (*values, cross), strict=True)
    )
    errors = T3 - 2 * mu * (T0 - J * T1) + m * J * mu**2
    surrogate = Surrogate(
        value=-m * log(va) / 2 - T2 / (2 * va) - m * J * log(ve) / 2 - errors / (2 * ve),
        statistics=statistics,
        constant=-m * (J + 1) * log(2 * pi) / 2,
        entropy=Sum(log(2 * pi * V[here]) / 2 + Integer(1) / 2, g.limits),
    )
    return _derivation(
        model,
        (posterior,),
        Sum(A[here], g.limits),
        surrogate,
        _update(mu, (), (T0 - J * T1) / (m * J)),
        _update(va, (), T2 / m),
        _update(ve, (), errors / (m * J)),
    )
