"""Both front doors: what a model was understood to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import (
    Eq,
    Expr,
    Idx,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Product,
    Sum,
    Symbol,
    exp,
    log,
    oo,
    sqrt,
    symbols,
)

from symem import (
    Bernoulli,
    Beta,
    Binary,
    Binomial,
    Categorical,
    Counts,
    Dirichlet,
    Exponential,
    Labels,
    Model,
    Multinomial,
    Normal,
    OneHot,
    Poisson,
    Positive,
    Reals,
    Simplex,
    UnitInterval,
)
from symem.language.model import Role
from symem.language.plates import Iverson
from symem.language.support import Support
from symem.language.supports import Interval

n, K, J = symbols("n K J", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", J), Idx("k", K)
x, y, z, w, mu, sigma, N, A, g = map(IndexedBase, ["x", "y", "z", "w", "mu", "sigma", "N", "A", "g"])
a, b, p, q, s, th = symbols("a b p q s th")


def mixture(**options: Any) -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z], **options)


def coins(**options: Any) -> Model:
    """Singh's mixture; an `Idx` without a range takes the limits of the product."""
    r = Idx("i")
    heads = (p * a ** x[r] * (1 - a) ** (1 - x[r])) ** z[r] * (
        (1 - p) * b ** x[r] * (1 - b) ** (1 - x[r])
    ) ** (1 - z[r])
    chances = dict.fromkeys([p, a, b], UnitInterval())
    return Model.from_likelihood(
        Product(heads, (r, 1, n)), latent={z: Binary()}, parameters=chances, **options
    )


def roles(model: Model) -> dict[str, str]:
    return {name: variable.role.value for name, variable in model.variables.items()}


def test_roles_by_distribution() -> None:
    assert roles(mixture(known=[sigma])) == {
        "n": "size", "K": "size", "z": "latent", "x": "data", "w": "parameter", "mu": "parameter", "sigma": "known",
    }  # fmt: skip


def test_roles_by_likelihood() -> None:
    assert roles(coins()) == {
        "n": "size", "x": "data", "z": "latent", "p": "parameter", "a": "parameter", "b": "parameter",
    }  # fmt: skip


def test_what_only_a_prior_holds_is_known() -> None:
    model = coins(log_prior=(s - 1) * log(p))
    assert model.variable(s).role is Role.KNOWN
    assert mixture(prior={mu: Normal(th, q)}).variable(q).role is Role.KNOWN


def test_what_only_a_prior_holds_lies_where_its_law_has_a_density() -> None:
    def support(prior: Any, **options: Any) -> Support:
        return Model({x[i]: Exponential(th)}, prior=prior, missing=[x], **options).variable(q).support

    assert support({th: Beta(q, 2)}) == Positive()
    assert support({th: Beta(2, q - 1)}) == Interval(1, oo)
    assert support({th: Normal(q, 2)}) == Reals()
    assert support({th: Beta(q, 2)}, known={q: Reals()}) == Reals()
    assert mixture(prior={mu[k]: Normal(g[k], 1)}).variable(g).support == Reals()


def test_shapes() -> None:
    model = Model({z[i]: Categorical(w[k]), x[i, j]: Bernoulli(A[z[i], j])}, latent=[z])
    shapes = {name: tuple(map(str, variable.sizes)) for name, variable in model.variables.items()}
    assert shapes == {"n": (), "K": (), "J": (), "z": ("n",), "w": ("K",), "x": ("n", "J"), "A": ("K", "J")}


@pytest.mark.parametrize(
    ("name", "support"),
    [
        ("z", Labels(K)),
        ("x", Reals()),
        ("w", Simplex()),
        ("mu", Reals()),
        ("sigma", Positive()),
        ("n", Counts(1)),
    ],
)
def test_supports_come_from_places(name: str, support: Support) -> None:
    assert str(mixture().variable(name).support) == str(support)


def test_a_stated_support_wins() -> None:
    assert mixture(parameters={mu: Positive()}).variable(mu).support == Positive()


def test_products_and_powers_spread_demands() -> None:
    model = Model({z[i]: Bernoulli(1 - p), x[i]: Normal(0, sqrt(s * a ** z[i]))}, latent=[z])
    assert model.variable(p).support == UnitInterval()
    assert model.variable(s).support == model.variable(a).support == Positive()


def test_ends_of_a_support_are_internal() -> None:
    model = Model({y[i]: Binomial(N[i], p), x[i]: Binomial(y[i], q)}, latent=[y], known=[N])
    low, high = model.variable(y).support.bounds
    assert low == 0
    assert high == model.variable(N).symbol[Symbol("i", integer=True, nonnegative=True)]


# -- ranges --------------------------------------------------------------------------------------------------


def test_counting_from_one_and_from_zero_is_one_model() -> None:
    r = Idx("i")
    body = z[r] * log(p) + (1 - z[r]) * log(1 - p) - a * x[r] * z[r]
    one, zero = Sum(body, (r, 1, n)), Sum(body, (r, 0, n - 1))
    stated = [
        Model.from_likelihood(
            log_likelihood=each, latent={z: Binary()}, parameters={p: UnitInterval(), a: Positive()}
        )
        for each in (one, zero)
    ]
    assert stated[0].log_likelihood == stated[1].log_likelihood
    assert stated[0].variable(x).sizes == stated[1].variable(x).sizes


def test_plain_symbols_bind_as_indices_do() -> None:
    r = Symbol("i")
    body = z[r] * log(p) + (1 - z[r]) * log(1 - p) + x[r] * z[r] * a
    model = Model.from_likelihood(
        log_likelihood=Sum(body, (r, 1, n)),
        latent={z: Binary()},
        parameters={p: UnitInterval(), a: Positive()},
    )
    assert model.variable(x).sizes == (model.variable(n).symbol,)


def test_an_offset_moves_the_array() -> None:
    r = Idx("i")
    shifted = Sum(z[r - 1] * log(p) + (1 - z[r - 1]) * log(1 - p) + x[r - 1] * z[r - 1] * a, (r, 1, n))
    plain = Sum(z[i] * log(p) + (1 - z[i]) * log(1 - p) + x[i] * z[i] * a, (i, 0, n - 1))
    models = [
        Model.from_likelihood(
            log_likelihood=each, latent={z: Binary()}, parameters={p: UnitInterval(), a: Reals()}
        )
        for each in (shifted, plain)
    ]
    assert models[0].log_likelihood == models[1].log_likelihood


def test_ragged_ranges_have_an_extent() -> None:
    m = IndexedBase("m")
    t = Idx("t", m[i])
    body = Sum(z[i] * log(p) + (1 - z[i]) * log(1 - p) + Sum(x[i, t] * z[i] * log(a) - a * z[i], t), i)
    model = Model.from_likelihood(
        log_likelihood=body, latent={z: Binary()}, parameters={p: UnitInterval(), a: Positive()}
    )
    (extent,) = model.extents
    assert str(extent.symbol) == "max_m"
    assert model.variable(x).sizes == (model.variable(n).symbol, extent.symbol)
    assert model.log_likelihood.has(Iverson)


def test_labels_count_as_their_index_does() -> None:
    from_one = Idx("c", (1, K))
    model = Model({z[i]: Categorical(w[from_one]), x[i]: Normal(mu[z[i]], 1)}, latent=[z])
    support = model.variable(z).support
    assert isinstance(support, Labels)
    assert support.origin == 1
    assert (
        model.log_likelihood
        == Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}, latent=[z]).log_likelihood
    )


def test_observed_categories_show_their_size() -> None:
    """Groups g[i] are known labels; how many there are is read off them where nothing else shows it."""
    model = Model({z[i]: Bernoulli(A[g[i]]), x[i]: Normal(th * z[i], 1)}, latent=[z], known=[g])
    assert isinstance(model.variable(g).support, Labels)
    assert [str(extent.symbol) for extent in model.extents] == ["size_g"]


# -- missing, one-hot, simplexes, priors, given -----------------------------------------------------------


def test_missing_data_get_a_latent_and_a_mask() -> None:
    model = Model({x[i]: Normal(th, s)}, missing=[x])
    assert [v.name for v in model.latents] == ["x_missing"]
    assert [v.name for v in model.masks] == ["observed_x"]
    assert model.variable(x).missing
    assert "x_missing  latent (x where it is NaN)" in str(model)


def test_one_hot_rows_are_labels() -> None:
    stated = Sum(z[i, k] * (log(w[k]) - (x[i] - mu[k]) ** 2 / 2), k, i)
    model = Model.from_likelihood(
        log_likelihood=stated, latent={z: OneHot()}, parameters={w: Simplex(), mu: Reals()}
    )
    label = model.variable(z)
    assert str(label.support) == "Labels(K)"
    assert len(label.sizes) == 1
    internal = model.log_likelihood.atoms(Iverson)
    assert model.declared(internal.pop()) == z[i, k]


def test_scalars_form_a_simplex() -> None:
    by_place = Model({z[i]: Categorical(a, b, q), x[i]: Normal(mu[z[i]], 1)}, latent=[z])
    assert by_place.simplexes == (("a", "b", "q"),)
    cells = {(symbols("n1"), symbols("n2")): Multinomial(n, a**2 + 2 * a * b, b**2)}
    by_name = Model(cells, latent=[symbols("n1")], known=[n], parameters={(a, b): Simplex()})
    assert by_name.simplexes == (("a", "b"),)
    assert "(a, b)" in str(by_name)


def test_kronecker_delta_is_a_bracket() -> None:
    delta = sum((KroneckerDelta(z[i], c) * log(each) for c, each in enumerate((p, 1 - p))), log(1))
    model = Model.from_likelihood(
        log_likelihood=Sum(delta - a * x[i] * z[i], i),
        latent={z: Labels(2)},
        parameters={p: UnitInterval(), a: Reals()},
    )
    assert model.log_likelihood.has(Iverson)


def value_of(log_prior: Expr, **entries: list[float]) -> float:
    """A log-prior over arrays of two entries, as a number."""
    flat = log_prior.subs(dict.fromkeys((s for s in log_prior.free_symbols if str(s) == "K"), 2)).doit()
    table = {atom: entries[str(atom.base)][int(atom.indices[0])] for atom in flat.atoms(Indexed)}
    return float(flat.xreplace(table))


def test_log_prior_of_a_dirichlet() -> None:
    model = mixture(prior={w: Dirichlet(3)})
    assert value_of(model.log_prior, w=[0.25, 0.75]) == pytest.approx(np.log(30 * (0.25 * 0.75) ** 2))


def test_log_prior_of_every_entry() -> None:
    model = mixture(prior={mu: Normal(0, 1)})
    assert value_of(model.log_prior, mu=[1.0, 2.0]) == pytest.approx(-np.log(2 * np.pi) - 2.5)


def test_prior_and_log_prior_agree() -> None:
    stated = coins(prior={a: Beta(2, 3)}).log_prior
    by_hand = coins(log_prior=log(a) + 2 * log(1 - a)).log_prior
    assert (stated - by_hand).simplify().is_number


def test_given_relations_are_constraints() -> None:
    model = Model({y[i]: Exponential(th)}, latent=[y], known=[g], given=[y[i] > g[i]])
    assert model.log_likelihood.has(model.internal(Sum(log(th) - th * y[i], i)).func)
    assert "y[i] > g[i]" in str(model.log_likelihood)
    counts = {x[i]: Poisson(a), y[i]: Poisson(b)}
    totals = Model(counts, latent=[x, y], given=[Eq(x[i] + y[i], N[i])])
    assert isinstance(totals.variable(N).support, Counts)


# -- there and back ----------------------------------------------------------------------------------------

WHOLE = Sum(log(w[k]) * x[i] - (x[i] - mu[k]) ** 2 / sigma[k], k, i)
THERE_AND_BACK = [
    th, log(th) + exp(-th), Sum(x[i] * th, (i, 0, n - 1)), Sum(w[k], (k, 0, K - 1)), mu[0] - mu[1], Sum(mu[z[i]], (i, 0, n - 1)),
    Sum(Sum(x[i] * w[k], (k, 0, K - 1)), (i, 0, n - 1)), Sum(z[i], (i, 0, n - 1)),
]  # fmt: skip


@pytest.mark.parametrize("stated", THERE_AND_BACK, ids=str)
def test_declared_undoes_internal(stated: Expr) -> None:
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]] * th, sigma[z[i]])}, latent=[z])
    assert model.declared(model.internal(stated)) == stated


@pytest.mark.parametrize(
    "body",
    [lambda r, c: x[r] * th, lambda r, c: mu[z[r]], lambda r, c: z[r], lambda r, c: Iverson(Eq(z[r], 2))],
)
def test_declared_undoes_internal_when_counting_from_one(body: Any) -> None:
    r, c = Idx("r", (1, n)), Idx("c", (1, K))
    model = Model({z[r]: Categorical(w[c]), x[r]: Normal(mu[z[r]] * th, 1)}, latent=[z])
    stated = Sum(body(r, c), (r, 1, n))
    assert model.declared(model.internal(stated)) == stated


def test_print_shows_every_symbol() -> None:
    shown = str(mixture()).splitlines()
    assert shown[0].split() == ["symbol", "role", "shape", "support"]
    assert {line.split()[0] for line in shown[1:]} == {"n", "K", "z", "x", "w", "mu", "sigma"}
    assert "sigma   parameter  K       Positive" in shown


def test_interval_with_data_for_ends() -> None:
    low = IndexedBase("low")
    model = Model.from_likelihood(
        log_likelihood=Sum(log(th) - th * y[i] + a * x[i], i),
        latent={y: Interval(low[i], 9)},
        parameters={th: Positive(), a: Reals()},
    )
    assert model.variable(low).sizes == model.variable(y).sizes
    assert model.variable("low").role is Role.DATA
