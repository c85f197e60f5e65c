"""Derivations written by hand: the ladder must accept them, and reject every one of their mutants.

They come from the textbook, not from the engine, so that a fault of the engine cannot hide one of the checker.
"""

from __future__ import annotations

from sympy import Add, Expr, Idx, IndexedBase, Integer, Sum, Symbol, digamma, exp, log, loggamma, pi, symbols

from symem.derivation import Definition, Derivation, Posterior, Surrogate, Update
from symem.language.families import Beta, Binomial, Categorical, Dirichlet, Gamma, Normal
from symem.language.model import Model
from symem.language.plates import Axis, index_symbol


def _definition(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Definition:
    return Definition(symbol, axes, value)


def _update(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Update:
    return Update(_definition(symbol, axes, value), equation=Integer(0), nested=value)


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
    I, J = i.index, k.index
    weight = log(w[J]) - log(2 * pi) / 2 - log(sigma[J]) - (x[I] - mu[J]) ** 2 / (2 * sigma[J] ** 2)
    posterior = Posterior(
        latent=model.variable("z"),
        atom=model.variable("z").symbol[I],
        axes=(i,),
        family="Categorical",
        parameters=(),
        expectations={},
        log_normaliser=_definition(A[I], (i,), log(Sum(exp(eta[I, J]), k.limits))),
        log_density=eta[I, J],
        outcome=k,
        log_weight=_definition(eta[I, J], (i, k), weight),
        probability=_definition(gamma[I, J], (i, k), exp(eta[I, J] - A[I])),
    )
    S0, S1, S2 = map(IndexedBase, ["S_0", "S_1", "S_2"])
    statistics = tuple(
        _definition(S[J], (k,), Sum(gamma[I, J] * x[I] ** power, i.limits))
        for power, S in enumerate((S0, S1, S2))
    )
    squares = S2[J] - 2 * mu[J] * S1[J] + mu[J] ** 2 * S0[J]
    cell = S0[J] * log(w[J]) - S0[J] * log(sigma[J]) - squares / (2 * sigma[J] ** 2)
    surrogate = Surrogate(
        value=Sum(cell, k.limits) + model.log_prior,
        statistics=statistics,
        constant=-n * log(2 * pi) / 2,
        entropy=-Sum(gamma[I, J] * (eta[I, J] - A[I]), i.limits, k.limits),
    )
    raised = S0[J] + alpha[J] - 1
    return _derivation(
        model,
        (posterior,),
        Sum(A[I], i.limits),
        surrogate,
        _update(w[J], (k,), raised / Sum(raised, k.limits)),
        _update(mu[J], (k,), S1[J] / S0[J]),
        _update(sigma[J], (k,), (squares / S0[J]) ** (Integer(1) / 2)),
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
    I = i.index
    rate, E, L, A = map(IndexedBase, ["rate_u", "E_u", "E_log_u", "A_u"])
    shape = (nu + 1) / 2
    base = nu / 2 * log(nu / 2) - loggamma(nu / 2) - log(2 * pi * s) / 2
    posterior = Posterior(
        latent=model.variable("u"),
        atom=u[I],
        axes=(i,),
        family="Gamma",
        parameters=(_definition(rate[I], (i,), nu / 2 + (y[I] - m) ** 2 / (2 * s)),),
        expectations={u[I]: E[I], log(u[I]): L[I]},
        log_normaliser=_definition(A[I], (i,), base + loggamma(shape) - shape * log(rate[I])),
        log_density=Integer(0),
        moments=(
            _definition(E[I], (i,), shape / rate[I]),
            _definition(L[I], (i,), digamma(shape) - log(rate[I])),
        ),
    )
    T0, T1, T2 = symbols("T_0 T_1 T_2")
    statistics = tuple(
        _definition(T, (), Sum(E[I] * y[I] ** power, i.limits)) for power, T in enumerate((T0, T1, T2))
    )
    squares = T2 - 2 * m * T1 + m**2 * T0
    plain = nu / 2 * log(nu / 2) - loggamma(nu / 2) - log(2 * pi) / 2 + (nu - 1) / 2 * L[I] - nu / 2 * E[I]
    entropy = shape - log(rate[I]) + loggamma(shape) + (1 - shape) * digamma(shape)
    surrogate = Surrogate(
        -n * log(s) / 2 - squares / (2 * s), statistics, Sum(plain, i.limits), Sum(entropy, i.limits)
    )
    return _derivation(
        model,
        (posterior,),
        Sum(A[I], i.limits),
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
    I, J = i.index, k.index
    eta, A, gamma = map(IndexedBase, ["eta_z", "A_z", "gamma_z"])
    choose = loggamma(N[I] + 1) - loggamma(x[I] + 1) - loggamma(N[I] - x[I] + 1)
    weight = choose + log(w[J]) + x[I] * log(p[J]) + (N[I] - x[I]) * log(1 - p[J])
    posterior = Posterior(
        latent=model.variable("z"),
        atom=model.variable("z").symbol[I],
        axes=(i,),
        family="Categorical",
        parameters=(),
        expectations={},
        log_normaliser=_definition(A[I], (i,), log(Sum(exp(eta[I, J]), k.limits))),
        log_density=eta[I, J],
        outcome=k,
        log_weight=_definition(eta[I, J], (i, k), weight),
        probability=_definition(gamma[I, J], (i, k), exp(eta[I, J] - A[I])),
    )
    S0, H, T = map(IndexedBase, ["S_0", "S_heads", "S_tails"])
    values = (Integer(1), x[I], N[I] - x[I])
    statistics = tuple(
        _definition(S[J], (k,), Sum(gamma[I, J] * value, i.limits))
        for S, value in zip((S0, H, T), values, strict=True)
    )
    cell = S0[J] * log(w[J]) + H[J] * log(p[J]) + T[J] * log(1 - p[J])
    surrogate = Surrogate(
        value=Add(Sum(cell, k.limits), model.log_prior),
        statistics=statistics,
        constant=Sum(choose, i.limits),
        entropy=-Sum(gamma[I, J] * (eta[I, J] - A[I]), i.limits, k.limits),
    )
    return _derivation(
        model,
        (posterior,),
        Sum(A[I], i.limits),
        surrogate,
        _update(w[J], (k,), S0[J] / n),
        _update(p[J], (k,), (H[J] + a - 1) / (H[J] + T[J] + a + b - 2)),
    )


__all__ = ["Symbol", "coins", "gaussian_mixture", "student_t"]
