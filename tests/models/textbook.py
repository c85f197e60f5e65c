"""The updates of the examples as their sources print them, in the symbols of the example's model."""

from __future__ import annotations

from typing import Any

from sympy import Idx, IndexedBase, KroneckerDelta, Product, Sum, exp, sqrt

from tests.models.table import example, responsibility

Updates = dict[Any, Any]


def two_coins() -> Updates:
    m = example("two_coins")
    i, x, th, N = m.i, m.x, m.th, m.N
    one, other = (th[c] ** x[i] * (1 - th[c]) ** (N - x[i]) for c in (0, 1))
    r = one / (one + other)
    return {
        th[0]: Sum(r * x[i], i) / (N * Sum(r, i)),
        th[1]: Sum((1 - r) * x[i], i) / (N * Sum(1 - r, i)),
    }


def two_coins_weight() -> Updates:
    m = example("two_coins_weight")
    i, x, w, p, q, N = m.i, m.x, m.w, m.p, m.q, m.N
    first, second = w * p ** x[i] * (1 - p) ** (N - x[i]), (1 - w) * q ** x[i] * (1 - q) ** (N - x[i])
    r = first / (first + second)
    heads = {p: Sum(r * x[i], i) / (N * Sum(r, i)), q: Sum((1 - r) * x[i], i) / (N * Sum(1 - r, i))}
    return {w: Sum(r, i) / m.n, **heads}


def two_coins_tosses() -> Updates:
    m = example("two_coins_tosses")
    i, k, x, w, th, N = m.i, m.k, m.x, m.w, m.th, m.N
    r = responsibility(w[k] * th[k] ** x[i] * (1 - th[k]) ** (N[i] - x[i]), k, m.K)
    return {w[k]: Sum(r, i) / m.n, th[k]: Sum(r * x[i], i) / Sum(r * N[i], i)}


def _second_coin(m: Any) -> Any:
    i, x, w, p, q = m.i, m.x, m.w, m.p, m.q
    first, second = w * p ** x[i] * (1 - p) ** (1 - x[i]), (1 - w) * q ** x[i] * (1 - q) ** (1 - x[i])
    return first / (first + second)


def singh() -> Updates:
    m = example("singh")
    i, x, r = m.i, m.x, _second_coin(m)
    return {
        m.w: Sum(r, i) / m.n,
        m.p: Sum(r * x[i], i) / Sum(r, i),
        m.q: Sum((1 - r) * x[i], i) / Sum(1 - r, i),
    }


def singh_map() -> Updates:
    m = example("singh_map")
    i, x, a, b, r = m.i, m.x, m.a, m.b, _second_coin(m)
    return {
        m.w: (Sum(r, i) + a - 1) / (m.n + 2 * a - 2),
        m.p: (Sum(r * x[i], i) + a - 1) / (Sum(r, i) + a + b - 2),
        m.q: (Sum((1 - r) * x[i], i) + b - 1) / (Sum(1 - r, i) + a + b - 2),
    }


def exponential_missing() -> Updates:
    m = example("exponential_missing")
    return {m.theta: 2 * m.theta / (m.y1 * m.theta + 1)}


def exponential_censored() -> Updates:
    m = example("exponential_censored")
    i, t, c, seen = m.i, m.t, m.c, IndexedBase("observed_t")
    return {m.lam: m.n / Sum(seen[i] * t[i] + (1 - seen[i]) * (c[i] + 1 / m.lam), i)}


def peppered_moths() -> Updates:
    m = example("peppered_moths")
    C, L, T = m.pC, m.pI, m.pT
    carbonaria, insularia = m.nC / (C**2 + 2 * C * L + 2 * C * T), m.nI / (L**2 + 2 * L * T)
    cc, ci, ct = carbonaria * C**2, carbonaria * 2 * C * L, carbonaria * 2 * C * T
    ii, it = insularia * L**2, insularia * 2 * L * T
    total = 2 * (m.nC + m.nI + m.nTT)
    return {C: (2 * cc + ci + ct) / total, L: (ci + 2 * ii + it) / total, T: (ct + it + 2 * m.nTT) / total}


def peppered_moths_unknown() -> Updates:
    m = example("peppered_moths_unknown")
    C, L, T = m.pC, m.pI, m.pT
    carbonaria = m.nC / (C**2 + 2 * C * L + 2 * C * T)
    insularia, unsure = m.nI / (L**2 + 2 * L * T), m.nU / (L + T) ** 2
    cc, ci, ct = carbonaria * C**2, carbonaria * 2 * C * L, carbonaria * 2 * C * T
    ii, it, tt = (insularia + unsure) * L**2, (insularia + unsure) * 2 * L * T, m.nTT + unsure * T**2
    total = 2 * (m.nC + m.nI + m.nTT + m.nU)
    return {C: (2 * cc + ci + ct) / total, L: (ci + 2 * ii + it) / total, T: (ct + it + 2 * tt) / total}


def linkage() -> Updates:
    m = example("linkage")
    x2 = m.y1 * m.th / (2 + m.th)
    return {m.th: (x2 + m.y4) / (x2 + m.y2 + m.y3 + m.y4)}


def abo() -> Updates:
    m = example("abo")
    A, B, null = m.pA, m.pB, m.pO
    aa, bb = m.nA * A / (A + 2 * null), m.nB * B / (B + 2 * null)
    total = 2 * (m.nA + m.nB + m.nAB + m.nOO)
    return {
        A: (m.nA + aa + m.nAB) / total,
        B: (m.nB + bb + m.nAB) / total,
        null: (m.nA - aa + m.nB - bb + 2 * m.nOO) / total,
    }


def gaussian_pair() -> Updates:
    m = example("gaussian_pair")
    i, x, w = m.i, m.x, m.w
    first, second = (exp(-((x[i] - mean) ** 2) / (2 * m.sigma**2)) for mean in (m.mu1, m.mu2))
    r = w * first / (w * first + (1 - w) * second)
    means = {m.mu1: Sum(r * x[i], i) / Sum(r, i), m.mu2: Sum((1 - r) * x[i], i) / Sum(1 - r, i)}
    return {w: Sum(r, i) / m.n, **means}


def _normal(m: Any, sigma: Any) -> Any:
    i, k, x, w, mu = m.i, m.k, m.x, m.w, m.mu
    r = responsibility(w[k] * exp(-((x[i] - mu[k]) ** 2) / (2 * sigma**2)) / sigma, k, m.K)
    mean = Sum(r * x[i], i) / Sum(r, i)
    return r, {w[k]: Sum(r, i) / m.n, mu[k]: mean}, Sum(r * (x[i] - mean) ** 2, i)


def gaussian_known() -> Updates:
    m = example("gaussian_known")
    return dict(_normal(m, m.sigma)[1])


def gaussian_shared() -> Updates:
    m = example("gaussian_shared")
    _, updates, squares = _normal(m, m.sigma)
    return {**updates, m.sigma: sqrt(Sum(squares, m.k) / m.n)}


def old_faithful() -> Updates:
    m = example("old_faithful")
    r, updates, squares = _normal(m, m.sigma[m.k])
    return {**updates, m.sigma[m.k]: sqrt(squares / Sum(r, m.i))}


def zero_inflated() -> Updates:
    m = example("zero_inflated")
    i, x, w = m.i, m.x, m.w
    zero = 0 ** x[i]  # [x = 0]
    z = zero * w / (w + (1 - w) * exp(-m.lam))
    return {w: Sum(z, i) / m.n, m.lam: Sum(x[i], i) / Sum(1 - z, i)}


def london_times() -> Updates:
    m = example("london_times")
    i, k, x, w, lam = m.i, m.k, m.x, m.w, m.lam
    r = responsibility(w[k] * lam[k] ** x[i] * exp(-lam[k]), k, m.K)
    return {w[k]: Sum(r, i) / m.n, lam[k]: Sum(r * x[i], i) / Sum(r, i)}


def student_t() -> Updates:
    m = example("student_t")
    i, y, nu = m.i, m.y, m.nu
    u = (nu + 1) / (nu + (y[i] - m.mu) ** 2 / m.s2)
    mean = Sum(u * y[i], i) / Sum(u, i)
    return {m.mu: mean, m.s2: Sum(u * (y[i] - mean) ** 2, i) / m.n}


def contaminated() -> Updates:
    m = example("contaminated")
    i, y, k, eps = m.i, m.y, m.k, m.eps
    square = (y[i] - m.mu) ** 2 / (2 * m.s2)
    wide, narrow = eps * exp(-square / k) / sqrt(k), (1 - eps) * exp(-square)
    r = wide / (wide + narrow)
    u = 1 - r + r / k
    mean = Sum(u * y[i], i) / Sum(u, i)
    return {eps: Sum(r, i) / m.n, m.mu: mean, m.s2: Sum(u * (y[i] - mean) ** 2, i) / m.n}


def random_effects() -> Updates:
    m = example("random_effects")
    g, j, y, mu, a, e = m.g, m.j, m.y, m.mu, m.s2a, m.s2e
    variance = 1 / (1 / a + m.J / e)
    effect = variance * Sum(y[g, j] - mu, j) / e
    mean = Sum(y[g, j] - effect, j, g) / (m.G * m.J)
    within = Sum((y[g, j] - mean - effect) ** 2 + variance, j, g) / (m.G * m.J)
    return {mu: mean, a: Sum(effect**2 + variance, g) / m.G, e: within}


def dawid_skene() -> Updates:
    m = example("dawid_skene")
    i, j, r, c, n, p, err = m.i, m.j, m.r, m.c, m.n, m.p, m.err
    d, o = Idx("d", m.C), Idx("o", m.L)
    # powers, not logarithms: 0**0 = 1 where an observer never errs
    share = p[c] * _product(err[j, c, r] ** n[i, j, r], r, j)
    other = p[d] * _product(err[j, d, r] ** n[i, j, r], r, j)
    z = share / Sum(other, d)
    counts = Sum(z * n[i, j, r], i)
    return {p[c]: Sum(z, i) / m.N, err[j, c, r]: counts / Sum(Sum(z * n[i, j, o], i), o)}


def _product(value: Any, *indices: Any) -> Any:
    return Product(value, *((index, index.lower, index.upper) for index in indices))


def ibm_model1() -> Updates:
    m = example("ibm_model1")
    s, r, j, v, e, f, t = m.s, m.r, m.j, m.v, m.e, m.f, m.t
    word, other = Idx("word", m.V), Idx("other", m.R)
    share = m.u[s, r] * t[f[s, r], e[s, j]] / Sum(m.u[s, other] * t[f[s, other], e[s, j]], other)
    counts = Sum(share * KroneckerDelta(f[s, r], word) * KroneckerDelta(e[s, j], v), r, j, s)
    total = Sum(share * KroneckerDelta(f[s, r], word), r, j, s)
    return {t[word, v]: counts / total}


def pet() -> Updates:
    m = example("pet")
    d, b, y, P, lam = m.d, m.b, m.y, m.P, m.lam
    c = Idx("c", m.B)
    share = y[d] * P[d, b] * lam[b] / Sum(P[d, c] * lam[c], c)
    return {lam[b]: Sum(share, d) / Sum(P[d, b], d)}


def latent_classes() -> Updates:
    m = example("latent_classes")
    i, j, k, x, w, th = m.i, m.j, m.k, m.x, m.w, m.th
    q = Idx("q", m.J)
    item = th[k, q] ** x[i, q] * (1 - th[k, q]) ** (1 - x[i, q])
    r = responsibility(w[k] * _product(item, q), k, m.K)
    return {w[k]: Sum(r, i) / m.n, th[k, j]: Sum(r * x[i, j], i) / Sum(r, i)}
