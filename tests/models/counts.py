"""Latent counts with known totals, alignments, tables and pairs: genes, tomography, words, contests."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln
from sympy import Eq, Idx, IndexedBase, Sum, log, loggamma, symbols

from symem import Bernoulli, Categorical, Counts, Model, Multinomial, Poisson, Positive, Simplex
from tests.answers import Values
from tests.models.table import Row, declared_by, renamed

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)


def log_multinomial(counts: Any) -> float:
    """The log of the number of arrangements of a sample."""
    return float(gammaln(np.sum(counts) + 1) - gammaln(np.asarray(counts) + 1).sum())


def alleles(*names: str) -> Any:
    return lambda theta: dict(zip(names, theta["p"], strict=True))


def moths(data: Values) -> Values:
    carbonaria, insularia, typica = data["n"]
    return {"n": data["n"].sum(), "nC": carbonaria, "nI": insularia, "nTT": typica}


def moths_with_unknown(data: Values) -> Values:
    return {**moths({"n": data["n"][:3]}), "nU": data["n"][3], "mCC": 0, "mCI": 0, "mCT": 0}


def linkage(data: Values) -> Values:
    return {"n": data["y"].sum(), **{f"y{cell + 1}": count for cell, count in enumerate(data["y"])}}


def blood(data: Values) -> Values:
    return dict(zip(["nA", "nB", "nAB", "nOO", "n"], [*data["n"], data["n"].sum()], strict=True))


def inbreeding() -> Model:
    zAA, hAA, nAB, zBB, hBB, total, nAA, nBB = symbols("zAA hAA nAB zBB hBB n nAA nBB")
    f, p = symbols("f p")
    outbred = (p**2, 2 * p * (1 - p), (1 - p) ** 2)
    cells = (f * p, (1 - f) * outbred[0], (1 - f) * outbred[1], f * (1 - p), (1 - f) * outbred[2])
    return Model(
        {(zAA, hAA, nAB, zBB, hBB): Multinomial(total, *cells)},
        latent=[zAA, hAA, zBB, hBB],
        known=[total],
        given=[Eq(zAA + hAA, nAA), Eq(zBB + hBB, nBB)],
    )


def inbreeding_textbook() -> dict[Any, Any]:
    nAB, total, nAA, nBB, f, p = symbols("nAB n nAA nBB f p")
    inbred_a, inbred_b = nAA * f / (f + (1 - f) * p), nBB * f / (f + (1 - f) * (1 - p))
    inbred = inbred_a + inbred_b
    return {f: inbred / total, p: (2 * nAA - inbred_a + nAB) / (2 * total - inbred)}


def partly_classified() -> Model:
    R, C = symbols("R C", integer=True, positive=True)
    r, c = Idx("r", R), Idx("c", C)
    full, u, v, row, col, pi = map(IndexedBase, ["full", "u", "v", "row", "col", "pi"])
    cell = (full[r, c] + u[r, c] + v[r, c]) * log(pi[r, c]) - loggamma(u[r, c] + 1) - loggamma(v[r, c] + 1)
    return Model.from_likelihood(
        log_likelihood=Sum(cell, c, r),
        latent={u: Counts(), v: Counts()},
        parameters={pi: Simplex(axes=2)},
        given=[Eq(Sum(u[r, c], c), row[r]), Eq(Sum(v[r, c], r), col[c])],
    )


def partly_classified_textbook() -> dict[Any, Any]:
    R, C = symbols("R C", integer=True, positive=True)
    r, c, s, d = Idx("r", R), Idx("c", C), Idx("s", R), Idx("d", C)
    full, row, col, pi = map(IndexedBase, ["full", "row", "col", "pi"])
    count = full[r, c] + row[r] * pi[r, c] / Sum(pi[r, d], d) + col[c] * pi[r, c] / Sum(pi[s, c], s)
    return {pi[r, c]: count / (Sum(full[s, d], d, s) + Sum(row[s], s) + Sum(col[d], d))}


def bivariate_poisson() -> Model:
    u, v, w, x, y = map(IndexedBase, ["u", "v", "w", "x", "y"])
    l1, l2, l3 = symbols("l1 l2 l3")
    return Model(
        {u[i]: Poisson(l1), v[i]: Poisson(l2), w[i]: Poisson(l3)},
        latent=[u, v, w],
        given=[Eq(u[i] + w[i], x[i]), Eq(v[i] + w[i], y[i])],
    )


def topics() -> Model:
    D, K, V, T = symbols("D K V T", integer=True, positive=True)
    t, d, k, v = Idx("t", T), Idx("d", D), Idx("k", K), Idx("v", V)
    z, word, doc, th, ph = map(IndexedBase, ["z", "word", "doc", "th", "ph"])
    e = symbols("e")
    return Model(
        {z[t]: Categorical(th[doc[t], k]), word[t]: Categorical(ph[z[t], v])},
        latent=[z],
        known=[doc, e],
        log_prior=e * (Sum(log(th[d, k]), k, d) + Sum(log(ph[k, v]), v, k)),
    )


def tokens(data: Values) -> Values:
    doc, word = np.nonzero(data["n"])
    counts = data["n"][doc, word].astype(int)
    return {"doc": np.repeat(doc, counts), "word": np.repeat(word, counts), "e": data["e"]}


def contests() -> Model:
    m = symbols("m", integer=True, positive=True)
    g, h = Idx("g", m), Idx("h", m)
    w, z, skill = map(IndexedBase, ["w", "z", "skill"])
    games = w[g, h] + w[h, g]
    pair = (
        w[g, h] * log(skill[g])
        + w[h, g] * log(skill[h])
        + (games - 1) * log(z[g, h])
        - (skill[g] + skill[h]) * z[g, h]
        - loggamma(games)
    )
    return Model.from_likelihood(
        log_likelihood=Sum(pair, (h, g + 1, m - 1), (g, 0, m - 1)),
        latent={z: Positive()},
        parameters={skill: Positive()},
    )


def clicks() -> Model:
    T = symbols("T", integer=True, positive=True)
    t = Idx("t", T)
    e, a, g, al, pos, item, click = map(IndexedBase, ["e", "a", "g", "al", "pos", "item", "click"])
    return Model(
        {e[t]: Bernoulli(g[pos[t]]), a[t]: Bernoulli(al[item[t]])},
        latent=[e, a],
        known=[pos, item],
        given=[Eq(e[t] * a[t], click[t])],
    )


def impressions(data: Values) -> Values:
    shown, clicked = data["n"].astype(int), data["c"].astype(int)
    pos, item = np.indices(shown.shape).reshape(2, -1)
    flags = [np.arange(m) < c for m, c in zip(shown.ravel(), clicked.ravel(), strict=True)]
    repeat = [np.repeat(each, shown.ravel()) for each in (pos, item)]
    return {"pos": repeat[0], "item": repeat[1], "click": np.concatenate(flags).astype(int)}


def sentences(data: Values) -> Values:
    source, target = data["pairs"][:, 0], data["pairs"][:, 1]
    return {"f": source, "e": target, "m": np.full(len(source), 2), "u": np.full(source.shape, 0.5)}


ROWS = [
    Row(
        "peppered_moths",
        declared_by("peppered_moths"),
        arrays=moths,
        theta=alleles("pC", "pI", "pT"),
        constant=lambda data: log_multinomial(data["n"]),
        example="peppered_moths",
    ),
    Row(
        "peppered_moths_unknown",
        declared_by("peppered_moths_unknown"),
        arrays=moths_with_unknown,
        theta=alleles("pC", "pI", "pT"),
        constant=lambda data: log_multinomial(data["n"][:3]),
        example="peppered_moths_unknown",
    ),
    Row("rao_linkage", declared_by("linkage"), arrays=linkage, example="linkage"),
    Row(
        "abo_blood",
        declared_by("abo"),
        arrays=blood,
        theta=alleles("pA", "pB", "pO"),
        constant=lambda data: log_multinomial(data["n"]),
        example="abo",
    ),
    Row(
        "hw_inbreeding",
        inbreeding,
        arrays=lambda data: dict(zip(["nAA", "nAB", "nBB", "n"], [*data["n"], data["n"].sum()], strict=True)),
        constant=lambda data: log_multinomial(data["n"]),
        textbook=inbreeding_textbook,
    ),
    Row(
        "partially_classified_table",
        partly_classified,
        constant=lambda data: -float(gammaln(data["row"] + 1).sum() + gammaln(data["col"] + 1).sum()),
        textbook=partly_classified_textbook,
    ),
    Row("bivariate_poisson", bivariate_poisson),
    Row("pet_shepp_vardi", declared_by("pet"), example="pet"),
    Row(
        "dawid_skene",
        declared_by("dawid_skene"),
        arrays=lambda data: {"n": data["n"], "m": data["n"].sum(2)},
        theta=renamed(pi="err"),
        constant=lambda data: float(gammaln(data["n"].sum(2) + 1).sum() - gammaln(data["n"] + 1).sum()),
        example="dawid_skene",
    ),
    Row("ibm_model1", declared_by("ibm_model1"), arrays=sentences, example="ibm_model1"),
    Row("plsa_map", topics, arrays=tokens, prior=True),
    Row("bradley_terry", contests, theta=renamed(l="skill")),
    Row("click_pbm", clicks, arrays=impressions, theta=renamed(a="al")),
]
