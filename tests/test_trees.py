"""Labels on trees: what is stated, the messages, the module, and what is refused, against sums over all labelings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Piecewise, Sum, exp, log, symbols

from symem import (
    Bernoulli,
    Categorical,
    DataError,
    Dirichlet,
    Labels,
    Model,
    ModelError,
    Normal,
    NotDerivedError,
    Parents,
    PlateError,
    Poisson,
    Positive,
    Simplex,
    SupportError,
    UndeclaredSymbolError,
)
from symem.derivation import Status, Tree
from symem.em import EM
from symem.evaluation.arithmetic import evaluate
from symem.runtime.branch_messages import _most_probable_on_tree, _upward_downward

n, K, J, M, V = symbols("n K J M V", integer=True, positive=True)
v, k, j, r, h = Idx("v", n), Idx("k", K), Idx("j", J), Idx("r", M), Idx("h", V)
v1, k1 = Idx("v", (1, n)), Idx("k", (1, K))
root, s, p0 = symbols("root s p0", positive=True)
x, y, z, c, u, b, pi, A, B, C, w, mu, sigma, lam, a, alpha, parent, other, length = map(
    IndexedBase, ["x", "y", "z", "c", "u", "b", "pi", "A", "B", "C", "w", "mu", "sigma", "lam", "a", "alpha", "parent", "other", "length"]
)  # fmt: skip
ONE = {z[root]: Categorical(pi[k]), z[v]: Categorical(A[z[parent[v]], k])}
SITES = {z[j, root]: Categorical(pi[k]), z[j, v]: Categorical(A[z[j, parent[v]], k])}
#: Two trees, whose places come in any order.
FOREST = np.array([3, 3, 4, 4, -1, -1, 5])


def model(laws: Mapping[Any, Any], **more: Any) -> Model:
    return Model(laws, **{"latent": [z], "known": [parent], **more})


STATED: Mapping[str, Callable[[], Model]] = {
    "forest": lambda: model({**ONE, x[v]: Normal(mu[z[v]], sigma[z[v]])}),
    "places from 1": lambda: model(
        {
            z[root]: Categorical(pi[k1]),
            z[v1]: Categorical(A[z[parent[v1]], k1]),
            x[v1]: Normal(mu[z[v1]], s),
        }
    ),
    "binary labels": lambda: model(
        {z[root]: Bernoulli(p0), z[v]: Bernoulli(a[z[parent[v]]]), x[v]: Normal(mu[z[v]], s)}
    ),
    "some places seen": lambda: model({**ONE, x[v]: Normal(mu[z[v]], s)}, missing=[x]),
    "sites that share a tree": lambda: model({**SITES, y[j, v]: Categorical(B[z[j, v], h])}, missing=[y]),
    "labels of some places": lambda: Model(SITES, known=[parent], missing=[z]),
    "branches of several classes": lambda: model(
        {
            z[j, root]: Categorical(pi[k]),
            z[j, v]: Categorical(A[b[v], z[j, parent[v]], k]),
            x[j, v]: Normal(mu[z[j, v]], s),
        },
        known={parent: Parents(n), b: Labels(M)},
    ),
    "data of a pair": lambda: model({**ONE, x[v]: Normal(mu[z[v], z[parent[v]]], s)}),
    "two forests": lambda: model(
        {
            **ONE,
            c[root]: Categorical(w[r]),
            c[v]: Categorical(C[c[other[v]], r]),
            x[v]: Normal(mu[z[v]], s),
            u[v]: Poisson(lam[c[v]]),
        },
        latent=[z, c],
        known=[parent, other],
    ),
    "mixture emissions": lambda: model(
        {**ONE, c[v]: Categorical(C[z[v], r]), x[v]: Normal(mu[z[v], c[v]], s)}, latent=[z, c]
    ),
    "mixture of trees": lambda: model(
        {
            c[j]: Categorical(w[r]),
            z[j, root]: Categorical(pi[k]),
            z[j, v]: Categorical(A[c[j], z[j, parent[v]], k]),
            x[j, v]: Poisson(lam[z[j, v]]),
        },
        latent=[c, z],
    ),
    "rows with priors": lambda: model({**ONE, x[v]: Normal(mu[z[v]], s)}, prior={A: Dirichlet(alpha[k])}),
    "data that look at their parent": lambda: Model(
        {z[v]: Categorical(pi[k]), x[v]: Normal(mu[z[v]] + p0 * x[parent[v]], s)}, latent=[z], known=[parent]
    ),
    "likelihood": lambda: Model.from_likelihood(
        log_likelihood=Sum(
            Piecewise((log(pi[z[v]]), parent[v] < 0), (log(A[z[parent[v]], z[v]]), True))
            + log(B[z[v], y[v]]),
            (v, 0, n - 1),
        ),
        latent={z: Labels(K)},
        parameters={pi: Simplex(), A: Simplex(), B: Simplex()},
        data={y: Labels(V), parent: Parents(n)},
    ),
}
#: Where every labeling of two labels a place is summed; and where each class of branches is met.
SIZES = {"mixture emissions": {"n": 4}, "branches of several classes": {"J": 3, "n": 5, "M": 2}}
QUICK = ("sites that share a tree",)


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


def over_labelings(
    weight: Any, step: Any, first: Any, parents: Any
) -> tuple[Any, Any, float, tuple[int, ...]]:
    """γ, ξ, the logarithm of the total, and the most probable labels, by all labelings; `step` over (place, parent's, own)."""
    places, count = weight.shape
    labelings = list(itertools.product(range(count), repeat=places))
    logs = np.array(
        [
            sum(
                weight[at, own] + (first[own] if parents[at] < 0 else step[at, labels[parents[at]], own])
                for at, own in enumerate(labels)
            )
            for labels in labelings
        ]
    )
    shares = np.exp(logs - logs.max())
    total = float(np.log(shares.sum()) + logs.max())
    gamma, xi = np.zeros((places, count)), np.zeros((places, count, count))
    for labels, share in zip(labelings, shares / shares.sum(), strict=True):
        for at, own in enumerate(labels):
            gamma[at, own] += share
            if parents[at] >= 0:
                xi[at, labels[parents[at]], own] += share
    return gamma, xi, total, labelings[int(logs.argmax())]


# -- messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "varying", [0, 1, 2], ids=["one table", "a table a place", "a table a place and plate"]
)
def test_messages_are_those_of_all_labelings(varying: int) -> None:
    rng = np.random.default_rng(varying)
    weight = rng.normal(size=(7, 3, 2)) * 4 - 500
    step = rng.normal(size=[(3, 3), (7, 3, 3, 1), (7, 3, 3, 2)][varying]) * 2
    if not varying:
        step[0, 1] = -np.inf
    first = rng.normal(size=(1, 3, 1))
    gamma, total, before, moved, after = _upward_downward(weight, step, first, FOREST)
    labels = _most_probable_on_tree(weight, step, first, FOREST)
    for plate in range(2):
        own = step if not varying else step[..., min(plate, varying - 1)]
        table = moved if not varying else moved[..., min(plate, varying - 1)]
        whole = np.broadcast_to(own, (7, 3, 3))
        wanted, pairs, value, best = over_labelings(weight[..., plate], whole, first[0, :, 0], FOREST)
        np.testing.assert_allclose(gamma[..., plate], wanted, atol=1e-12)
        np.testing.assert_allclose(total[plate], value, rtol=1e-13)
        found = before[:, :, None, plate] * np.broadcast_to(table, (7, 3, 3)) * after[:, None, :, plate]
        np.testing.assert_allclose(found, pairs, atol=1e-12)
        assert tuple(labels[:, plate]) == best


def test_a_tree_that_no_labeling_can_give_has_no_likelihood() -> None:
    weight = np.zeros((7, 2))
    weight[1] = -np.inf
    assert _upward_downward(weight, np.zeros((2, 2)), None, FOREST)[1] == -np.inf


def test_a_place_of_many_children_does_not_underflow() -> None:
    star = np.zeros(5001, int)
    star[0] = -1
    weight = np.log(np.full((5001, 2), 0.5))
    gamma, total, *_ = _upward_downward(weight, np.log([[0.9, 0.1], [0.2, 0.8]]), np.log([[0.5, 0.5]]), star)
    np.testing.assert_allclose(total, 5001 * np.log(0.5), rtol=1e-12)
    np.testing.assert_allclose(gamma[0], 0.5)


# -- the record -------------------------------------------------------------------------------------------


def gaussian(rng: np.random.Generator, count: int = 3) -> dict[str, Any]:
    return {
        "pi": rng.dirichlet(np.ones(count)),
        "A": rng.dirichlet(np.ones(count), count),
        "mu": rng.normal(size=count),
        "sigma": rng.gamma(2.0, size=count),
    }


def log_density(theta: Mapping[str, Any], data: Any) -> Any:
    return -np.log(theta["sigma"]) - (data[..., None] - theta["mu"]) ** 2 / (2 * theta["sigma"] ** 2)


def test_record_is_that_of_all_labelings() -> None:
    derivation = derived("forest").derivation
    (tree,) = derivation.posteriors
    assert isinstance(tree, Tree)
    told = tree.upward.over_tree, tree.probability.over_tree
    assert [each.upward for each in told if each is not None] == [True, False]
    assert {str(each.parent) for each in told if each is not None} == {"parent[v]"}
    rng = np.random.default_rng(2)
    theta, data = gaussian(rng), rng.normal(size=7)
    arrays = evaluate(derivation.definitions, {**theta, "x": data, "parent": FOREST, "n": 7, "K": 3})
    step = np.broadcast_to(np.log(theta["A"]), (7, 3, 3))
    gamma, xi, total, _ = over_labelings(log_density(theta, data), step, np.log(theta["pi"]), FOREST)
    np.testing.assert_allclose(arrays["gamma_z"], gamma, atol=1e-13)
    np.testing.assert_allclose(arrays["xi_z"][FOREST >= 0], xi[FOREST >= 0], atol=1e-13)
    np.testing.assert_allclose(arrays["A_z"], total, rtol=1e-13)


def test_updates_are_shares_of_roots_and_of_branches() -> None:
    """By all labelings."""
    rng = np.random.default_rng(3)
    theta, data = gaussian(rng), rng.normal(size=7)
    step = np.broadcast_to(np.log(theta["A"]), (7, 3, 3))
    gamma, xi, total, best = over_labelings(log_density(theta, data), step, np.log(theta["pi"]), FOREST)
    solver = derived("forest").solver(verify=False)
    given = {"x": data, "parent": FOREST}
    assert solver.log_likelihood(theta, **given) == pytest.approx(total - 3.5 * np.log(2 * np.pi))
    new = solver.em_step(theta, **given)
    np.testing.assert_allclose(new.pi, gamma[FOREST < 0].mean(axis=0))
    np.testing.assert_allclose(new.A, xi.sum(axis=0) / xi.sum(axis=(0, 2))[:, None])
    np.testing.assert_allclose(new.mu, data @ gamma / gamma.sum(axis=0))
    assert tuple(solver.decode(theta, **given)) == best


# -- through every door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param(n, id=n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in STATED]
)
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60, sizes=SIZES.get(name)).rungs}
    assert not derived(name).derivation.not_derived
    assert [n for n in ("V0", "V1", "V2", "V3", "V4") if rungs[n].passed is not True] == []


def test_a_chain_stated_as_a_tree_gives_the_numbers_of_the_chain() -> None:
    t = Idx("t", n)
    chain = {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k]), x[t]: Normal(mu[z[t]], sigma[z[t]])}
    one = Model(chain, latent=[z]).derive(budget=float("inf")).solver(verify=False)
    other = derived("forest").solver(verify=False)
    rng = np.random.default_rng(4)
    theta, data, before = gaussian(rng), rng.normal(size=60), np.arange(-1, 59)
    wanted, found = one.log_likelihood(theta, x=data), other.log_likelihood(theta, x=data, parent=before)
    assert found == pytest.approx(wanted, rel=1e-13)
    for left, right in zip(
        one.em_step(theta, x=data), other.em_step(theta, x=data, parent=before), strict=True
    ):
        np.testing.assert_allclose(left, right, rtol=1e-12)
    np.testing.assert_array_equal(one.decode(theta, x=data), other.decode(theta, x=data, parent=before))


@pytest.mark.slow
def test_bic_counts_the_places_of_trees_however_they_are_stated() -> None:
    theta = {"pi": [0.5, 0.5], "A": [[0.6, 0.4], [0.3, 0.7]], "mu": [-0.5, 0.5], "s": 1.0}
    rows = np.random.default_rng(7).normal(size=(9, 7))
    found = []
    for turn in (1, -1):
        at = {place: z[(j, place)[::turn]] for place in (root, v, parent[v])}
        x_at = x[(j, v)[::turn]]
        laws = {
            at[root]: Categorical(pi[k]),
            at[v]: Categorical(A[at[parent[v]], k]),
            x_at: Normal(mu[at[v]], s),
        }
        solver = model(laws).derive(budget=float("inf")).solver(verify=False)
        found.append(solver.fit(x=rows if turn == 1 else rows.T, parent=FOREST, start=theta, tol=0.1))
    assert [fit.n_rows for fit in found] == [63, 63]
    assert found[0].bic == pytest.approx(found[1].bic)


def test_a_rate_along_branches_is_that_of_the_largest_pruned_likelihood() -> None:
    """Two states that change at one rate, along branches of known lengths; only leaves are seen (Felsenstein 1981)."""
    change = (1 - exp(-2 * s * length[v])) / 2
    after = z[j, parent[v]] * (1 - change) + (1 - z[j, parent[v]]) * change
    laws = {z[j, root]: Bernoulli(p0), z[j, v]: Bernoulli(after)}
    known = {parent: Parents(n), length: Positive()}
    em = Model(laws, known=known, missing=[z], parameters={s: Positive()}).derive()
    rate = next(each for each in em.certificates if str(each.parameter) == "s")
    assert {claim.name: claim.status for claim in rate.claims}["stationarity"] is Status.CHECKED
    above, lengths = [4, 4, 5, 5, 6, 6, -1], np.array([0.3, 0.5, 0.2, 0.7, 0.4, 0.1, 1.0])
    known_there: dict[str, Any] = {"parent": above, "length": lengths}
    solver = em.solver(verify=False)
    drawn = solver.sample({"s": 0.8, "p0": 0.3}, J=60, n=7, seed=0, **known_there)
    seen = np.where(np.arange(7) < 4, drawn["z"], np.nan)

    def pruned(theta: Any) -> float:
        odds, value = (1 - np.exp(-2 * theta[0] * lengths)) / 2, 0.0
        for site in seen:
            below = [np.eye(2)[int(label)] if label >= 0 else np.ones(2) for label in site]
            for place in range(6):
                moved = np.array([[1 - odds[place], odds[place]], [odds[place], 1 - odds[place]]])
                below[above[place]] = below[above[place]] * (moved @ below[place])
            value += float(np.log([1 - theta[1], theta[1]] @ below[6]))
        return value

    fit = solver.fit(start={"s": 0.5, "p0": 0.5}, tol=1e-10, z=seen, **known_there)
    best = scipy.optimize.minimize(
        lambda theta: -pruned(theta), [0.5, 0.5], bounds=[(1e-3, 9), (1e-3, 1 - 1e-3)]
    )
    assert fit.log_likelihood == pytest.approx(pruned([fit.parameters.s, fit.parameters.p0]), rel=1e-10)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-6)


@pytest.mark.slow
def test_leaves_alone_are_pruned_as_felsenstein_does() -> None:
    """Labels seen at the leaves, and a matrix for each branch: ℓ by the recursion of Felsenstein (1981)."""
    laws = {z[j, root]: Categorical(pi[k]), z[j, v]: Categorical(A[b[v], z[j, parent[v]], k])}
    known = {parent: Parents(n), b: Labels(M)}
    solver = Model(laws, known=known, missing=[z]).derive(budget=float("inf")).solver(verify=False)
    above, branch = [4, 4, 5, 5, 6, 6, -1], [0, 1, 2, 3, 4, 5, 0]
    rng = np.random.default_rng(5)
    theta = {"pi": rng.dirichlet(np.ones(2)), "A": rng.dirichlet(np.ones(2), (6, 2))}
    seen = np.full((40, 7), np.nan)
    seen[:, :4] = rng.integers(0, 2, (40, 4))
    value = 0.0
    for site in seen:
        below = [np.eye(2)[int(label)] if label >= 0 else np.ones(2) for label in site]
        for place in range(6):
            below[above[place]] = below[above[place]] * (theta["A"][branch[place]] @ below[place])
        value += float(np.log(theta["pi"] @ below[6]))
    given = {"z": seen, "parent": above, "b": branch}
    assert solver.log_likelihood(theta, **given) == pytest.approx(value, rel=1e-12)
    assert solver.log_likelihood(solver.em_step(theta, **given), **given) > value


def test_sample_draws_children_after_their_parents() -> None:
    theta = {"pi": [1.0, 0.0], "A": [[0.0, 1.0], [1.0, 0.0]], "mu": [-9.0, 9.0], "sigma": [0.1, 0.1]}
    drawn = derived("forest").sample(theta, n=7, parent=FOREST, seed=0)
    np.testing.assert_array_equal(np.sign(drawn["x"]), [-1, -1, 1, 1, -1, -1, 1])


def test_plain_style_runs() -> None:
    space: dict[str, Any] = {}
    exec(derived("forest").source(style="plain"), space)
    rng = np.random.default_rng(6)
    theta, data = gaussian(rng, 2), rng.normal(size=7)
    # The names of the function's arguments are those of the model.
    arguments = {**theta, "x": data, "parent": FOREST, "max_iter": 3}
    *_, value = space["em"](**arguments)
    assert np.isfinite(value)


def test_reports_tell_both_ways_as_the_papers_do() -> None:
    text = derived("forest").markdown()
    for formula in (
        r"\beta_{vk} &= e^{\eta_{vk}} \prod_{u : \mathrm{parent}_{u} = v} \varepsilon_{uk}",
        r"\varepsilon_{vk} &= \sum_{l=1}^{K} \beta_{vl} A_{kl}^{(t)}",
        r"A^{z} &= \sum_{v : \mathrm{parent}_{v} = 0} \log \kappa_{v}",
        r"\qquad \mathrm{parent}_{v} \geq 1",
        r"is 0 is a root",
    ):
        assert formula in text
    assert "β_vk = exp(η_vk) Π_(u: parent_u = v) ε_uk" in str(derived("forest"))


# -- what is refused --------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no law of roots": (
        lambda: model({z[v]: Categorical(A[z[parent[v]], k]), x[v]: Normal(mu[z[v]], s)}),
        UndeclaredSymbolError,
        r"nothing says how roots arise.*add z\[root\]: Categorical",
    ),
    "a law of one place": (
        lambda: model({z[0]: Categorical(pi[k]), z[v]: Categorical(A[z[parent[v]], k])}),
        ModelError,
        r"z\[0\] has a law of its own.*write that of all roots, z\[root\]",
    ),
    "a symbol where there is no tree": (
        lambda: Model({x[root]: Normal(p0, s), z[v]: Bernoulli(p0)}, latent=[z]),
        PlateError,
        "write plain indices.*stands for the roots of a tree",
    ),
    "parents of which nothing is said": (
        lambda: model(ONE, known=[]),
        UndeclaredSymbolError,
        r"name it in known=\[parent\]",
    ),
    "parents of each tree": (
        lambda: model({z[j, root]: Categorical(pi[k]), z[j, v]: Categorical(A[z[j, parent[j, v]], k])}),
        ModelError,
        "one array parent over the places of all trees",
    ),
    "two parents": (
        lambda: model(
            {z[root]: Categorical(pi[k]), z[v]: Categorical(A[z[parent[v]], z[other[v]], k])},
            known=[parent, other],
        ),
        ModelError,
        r"looks back at two places, other\[v\] and parent\[v\]",
    ),
    "parents that are latent": (
        lambda: model({**ONE, parent[v]: Categorical(w[r])}, latent=[z, parent], known=[]),
        ModelError,
        "a latent tree has no exact E-step",
    ),
    "parents that are data": (
        lambda: model({**ONE, parent[v]: Categorical(w[r])}, known=[]),
        ModelError,
        r"Leave its law out, and name it in known=\[parent\]",
    ),
    "coupled trees": (
        lambda: model(
            {
                **ONE,
                c[root]: Categorical(w[r]),
                c[v]: Categorical(C[c[parent[v]], r]),
                x[v]: Normal(mu[z[v], c[v]], s),
            },
            latent=[z, c],
        ).derive(),
        NotDerivedError,
        "labels c and z are coupled.*along v.*one label stand for each combination",
    ),
    "loops": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(
                Piecewise((log(pi[z[v]]), parent[v] < 0), (log(A[z[parent[v]], z[v]]), True))
                + Piecewise((log(C[z[other[v]], z[v]]), other[v] >= 0), (0, True)),
                (v, 0, n - 1),
            ),
            latent={z: Labels(K)},
            parameters={pi: Simplex(), A: Simplex(), C: Simplex()},
            data={other: Parents(n), parent: Parents(n)},
        ).derive(),
        NotDerivedError,
        "parents by other and parent.*meet along loops",
    ),
    "a label's parent that need not be": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(log(A[z[parent[v]], z[v]]) + log(B[z[v], y[v]]), (v, 0, n - 1)),
            latent={z: Labels(K)},
            parameters={A: Simplex(), B: Simplex()},
            data={y: Labels(V), parent: Parents(n)},
        ).derive(),
        NotDerivedError,
        "of roots too, which have no parent",
    ),
    "parents that are labels": (
        lambda: model({**ONE, x[v]: Normal(mu[z[v]], s)}, known={parent: Labels(n)}),
        SupportError,
        r"let known=\{parent: Parents\(n\)\}",
    ),
    "grandparents": (
        lambda: model({**ONE, x[v]: Normal(mu[z[parent[parent[v]]]], s)}),
        ModelError,
        r"looks at parent\[parent\[v\]\].*the parent of its own place, parent\[v\]",
    ),
    "parents of a likelihood that are not said to be": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(log(A[z[parent[v]], z[v]]) + log(B[z[v], y[v]]), (v, 0, n - 1)),
            latent={z: Labels(K)},
            parameters={A: Simplex(), B: Simplex()},
            data={y: Labels(V)},
        ).derive(),
        NotDerivedError,
        r"say so, \{parent: Parents\(n\)\}",
    ),
    "matrices of roots": (
        lambda: model(
            {z[root]: Categorical(pi[k]), z[v]: Categorical(A[v, z[parent[v]], k]), x[v]: Normal(mu[z[v]], s)}
        ).derive(),
        NotDerivedError,
        r"entries for the roots too.*A\[b\[v\]",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in REFUSED])
def test_what_is_no_tree_is_refused_by_name(case: str) -> None:
    stated, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        stated()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([3, 3, 4, 7, -1, -1, 5], r"parent\[3\] is 7, which is no place: it must be one of 0, ..., 6, or -1"),
        ([3, 3, 4, -2, -1, -1, 5], r"parent\[3\] is -2"),
        ([1, 2, 0, 4, -1, -1, 5], "parent leads round in a circle, 2 -> 0 -> 1 -> 2"),
        ([0, 3, 4, 4, -1, -1, 5], "in a circle, 0 -> 0: every place must lead to a root"),
        ([0.5, 3, 4, 4, -1, -1, 5], "whole number"),
    ],
    ids=["beyond the last", "below the mark", "a circle", "its own parent", "no whole number"],
)
def test_parents_lead_to_roots(wrong: list[float], message: str) -> None:
    theta = gaussian(np.random.default_rng(0))
    with pytest.raises(DataError, match=message):
        derived("forest").solver(verify=False).log_likelihood(theta, x=np.zeros(7), parent=wrong)
