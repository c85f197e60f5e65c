"""Certificates: what is proved of the table of models, and that every kind of claim can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sympy import Dummy, Expr, Indexed, IndexedBase, Integer, Rational, Sum, diff, symbols

from symem.calculus.certify import certified, certify
from symem.calculus.checker import Checker
from symem.calculus.inequalities import Polynomial
from symem.calculus.separate import separate
from symem.calculus.signs import Signs
from symem.calculus.slopes import slope
from symem.calculus.trials import Trial
from symem.calculus.vanishing import Vanishing, rational_zero
from symem.derivation import Claim, Derivation, Shares, Status, Surrogate, Update
from symem.language.plates import index_symbol
from tests.derived import em
from tests.models import DERIVED

MIXTURES = [
    "gmm1d_own_var",
    "gmm1d_shared_var",
    "gmm_mv_diag",
    "exp_mixture",
    "poisson_mixture_hasselblad",
    "lognormal_mixture",
]
NAMES = [row.name for row in DERIVED]

#: Not everything is proved, and the certificate says so: (model, parameter, claim).
CHECKED: set[tuple[str, str, str]] = set()


def derivation(name: str) -> Derivation:
    found: Derivation = em(name).derivation
    return found


def claims(whole: Derivation, parameter: str) -> dict[str, Claim]:
    """The claims of the update of that array, by name."""
    update = next(u for u in whole.updates if _name(u.parameter) == parameter)
    return {claim.name: claim for claim in certified(Checker(whole), update).claims}


def _name(symbol: Expr) -> str:
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


def mutated(name: str, parameter: str, change: Callable[[Update], Expr]) -> Derivation:
    """The derivation with another value for one update."""
    whole = derivation(name)

    def changed(update: Update) -> Update:
        if _name(update.parameter) != parameter:
            return update
        value = change(update)
        return replace(update, definition=replace(update.definition, value=value), nested=value)

    return replace(whole, updates=tuple(map(changed, whole.updates)))


def upside_down(name: str) -> Derivation:
    """The derivation with -Q for Q: stationary points are minima."""
    whole = derivation(name)
    updates = tuple(
        replace(u, multiplier=(u.multiplier[0], -u.multiplier[1])) if isinstance(u, Shares) else u
        for u in whole.updates
    )
    s = whole.surrogate
    return replace(whole, surrogate=Surrogate(-s.value, s.statistics, s.constant, s.entropy), updates=updates)


# the table ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_stationarity_is_proved_throughout_the_table(name: str) -> None:
    for certificate in derivation(name).certificates:
        stationarity = next(c for c in certificate.claims if c.name == "stationarity")
        wanted = (
            Status.CHECKED
            if (name, _name(certificate.parameter), "stationarity") in CHECKED
            else Status.PROVED
        )
        update = next(u for u in derivation(name).updates if u.parameter == certificate.parameter)
        may = derivation(name).model.log_prior != 0 or update.law == "falling equation"
        leans = {Status.UNDER} if wanted is Status.PROVED and may else set()
        assert stationarity.status in {wanted, *leans}, (certificate.parameter, stationarity)


@pytest.mark.parametrize("name", NAMES)
def test_no_second_order_claim_of_the_table_is_open(name: str) -> None:
    for certificate in derivation(name).certificates:
        second = next(c for c in certificate.claims if c.name == "second order")
        assert second.status in {Status.PROVED, Status.UNDER, Status.CHECKED}, (certificate.parameter, second)


@pytest.mark.parametrize("name", MIXTURES)
def test_all_of_a_plain_mixture_is_proved(name: str) -> None:
    for certificate in derivation(name).certificates:
        assert {claim.status for claim in certificate.claims} == {Status.PROVED}, certificate


def test_weights_are_a_maximum_by_gibbs() -> None:
    assert claims(derivation("gmm1d_own_var"), "w")["second order"].argument.startswith("Gibbs' inequality")


def test_a_variance_is_a_maximum_by_its_only_root_after_the_mean() -> None:
    argument = claims(derivation("gmm1d_own_var"), "s2")["second order"].argument
    assert argument.startswith("with mu[k] at its solution")
    assert "only root" in argument


def test_a_regression_is_a_maximum_by_its_quadratic_form() -> None:
    assert claims(derivation("mix_linreg"), "b")["second order"].status is Status.PROVED


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("coin_do_batzoglou", "th"), ("hui_walter", "pr"), ("poisson_thinning", "p"), ("gmm1d_shared_var", "sigma"), ("healy_westmacott", "s2")],
)  # fmt: skip
def test_supports_follow_from_what_statistics_are_sums_of(name: str, parameter: str) -> None:
    assert claims(derivation(name), parameter)["support"].status is Status.PROVED


def test_conditions_name_the_denominators_and_the_variance() -> None:
    conditions = {
        str(c.parameter): tuple(map(str, c.conditions))
        for c in certify(derivation("gmm1d_own_var")).certificates
    }
    assert conditions["mu[k]"] == ("N[k] > 0",)
    assert conditions["s2[k]"] == ("N[k] > 0", "V[k] > 0")


def test_a_prior_is_supposed_to_count_observations() -> None:
    certificate = next(
        c for c in certify(derivation("map_gamma_poisson")).certificates if str(c.parameter) == "lam[k]"
    )
    assert "a - 1 >= 0" in tuple(map(str, certificate.conditions))


# mutants ------------------------------------------------------------------------------------------------

MUTANTS: dict[str, tuple[str, str, Callable[[Update], Expr]]] = {
    "sign": ("gmm1d_own_var", "mu", lambda u: -u.value),
    "N - 1 for N": ("gmm1d_own_var", "w", lambda u: u.value * symbols("n") / (symbols("n") - 1)),
    "N - 1 in a variance": ("normal_known_noise", "t2", lambda u: u.value * Rational(10, 9)),
    "a swapped statistic": ("exp_mixture", "lam", lambda u: 1 / u.value),
    "no mean in the variance": ("gmm1d_own_var", "s2", lambda u: u.value.args[0]),
    "one row for all": ("multinomial_mixture", "th", lambda u: u.value.xreplace({u.parameter.indices[0]: Integer(0)})),
    "unnormalised": ("multinomial_mixture", "th", lambda u: u.value * 2),
    "another system": ("mix_linreg", "b", lambda u: u.value.func(*u.value.args[:4], 2 * u.value.args[4], u.value.args[5])),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_update_is_not_stationary(mutant: str) -> None:
    name, parameter, change = MUTANTS[mutant]
    claim = claims(mutated(name, parameter, change), parameter)["stationarity"]
    assert claim.status is Status.REFUTED
    assert "fails" in claim.argument


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_update_is_no_proved_maximum(mutant: str) -> None:
    name, parameter, change = MUTANTS[mutant]
    assert claims(mutated(name, parameter, change), parameter)["second order"].status is Status.REFUTED


def test_the_old_mean_in_the_variance_is_caught() -> None:
    """The variance before the mean: mu[k] in it can then only be the old one."""
    whole = derivation("gmm1d_own_var")
    nested = [replace(u, definition=replace(u.definition, value=u.nested)) for u in whole.updates]
    order = sorted(nested, key=lambda u: ["w", "s2", "mu"].index(_name(u.parameter)))
    assert claims(replace(whole, updates=tuple(order)), "s2")["stationarity"].status is Status.REFUTED
    assert claims(replace(whole, updates=tuple(nested)), "s2")["stationarity"].status is Status.PROVED


@pytest.mark.parametrize(
    "name", ["gmm1d_own_var", "exp_mixture", "coin_do_batzoglou", "mix_linreg", "poisson_thinning"]
)
def test_a_minimum_is_stationary_and_no_maximum(name: str) -> None:
    for certificate in certify(upside_down(name)).certificates:
        found = {claim.name: claim for claim in certificate.claims}
        assert found["stationarity"].status is Status.PROVED
        assert found["second order"].status is Status.REFUTED, certificate


def test_shares_that_do_not_sum_to_one_are_not_on_the_simplex() -> None:
    half = mutated("gmm1d_own_var", "w", lambda u: u.value / 2)
    assert claims(half, "w")["support"].status is Status.REFUTED


def test_an_update_out_of_its_support_is_caught() -> None:
    claim = claims(mutated("coin_do_batzoglou", "th", lambda u: 1 + u.value), "th")["support"]
    assert claim.status is Status.REFUTED


# rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", ["gmm1d_shared_var", "gmm_mv_spherical", "mix_linreg", "map_beta_coins"])
def test_the_slope_at_a_place_is_sympys_derivative_with_sizes_written_out(name: str, size: int) -> None:
    """The rule for entries against `diff` on sums that are written out."""
    whole = derivation(name)
    sizes = {v.symbol: Integer(size) for v in whole.model.sizes}
    for update in whole.updates:
        place = {axis.index: Integer(1) for axis in update.definition.axes}
        entry, letter = update.parameter.xreplace(place), Dummy(positive=True)
        written = whole.surrogate.value.xreplace(sizes).doit().xreplace({entry: letter})
        wanted = diff(written, letter).xreplace({letter: entry})
        found = (
            slope(separate(whole.surrogate.value), update.parameter).xreplace(sizes).xreplace(place).doit()
        )
        assert rational_zero(wanted - found)


def test_zero_is_found_only_where_it_is() -> None:
    vanishes = Vanishing(derivation("gmm1d_own_var"))
    i, k, n = index_symbol("i"), index_symbol("k"), symbols("n", integer=True, positive=True)
    a = IndexedBase("a", real=True)
    assert vanishes(Sum(2 * a[i], (i, 0, n - 1)) - 2 * Sum(a[k], (k, 0, n - 1)))
    assert not vanishes(Sum(a[i] ** 2, (i, 0, n - 1)) - Sum(a[i], (i, 0, n - 1)) ** 2)


def test_probabilities_sum_to_one_over_their_outcomes_only() -> None:
    whole = derivation("gmm1d_own_var")
    vanishes, statistic = Vanishing(whole), whole.surrogate.statistics[0]
    k, n, K = index_symbol("k"), *(v.symbol for v in whole.model.sizes)
    sizes = {str(s): s for s in (n, K)}
    assert vanishes(Sum(statistic.symbol, (k, 0, sizes["K"] - 1)) - sizes["n"])
    assert not vanishes(Sum(statistic.symbol, (k, 0, sizes["K"] - 2)) - sizes["n"])
    assert not vanishes(Sum(statistic.symbol**2, (k, 0, sizes["K"] - 1)) - sizes["n"])


def test_signs_are_not_guessed() -> None:
    whole = derivation("gmm1d_own_var")
    signs = Signs(whole)
    N, m, V = (s.symbol for s in whole.surrogate.statistics)
    mu = next(u.parameter for u in whole.updates if _name(u.parameter) == "mu")
    assert signs(V + N * m**2 - 2 * N * m * mu + N * mu**2) == 1
    assert signs(V + N * m**2 - 3 * N * m * mu + N * mu**2) is None
    assert signs(V - N * (m - mu) ** 2) is None
    assert signs(m) is None
    assert signs(N - V) is None


def test_a_case_that_divides_by_zero_has_no_sign() -> None:
    """y ≥ 0 and a bracket b: y / (1 - b) is y at b = 0, and nothing at b = 1."""
    bracket, y = symbols("b y", real=True)
    polynomial = Polynomial({y: ((Integer(0),), ())}, frozenset({bracket}))
    assert polynomial.sign(y * (2 - bracket)) == 1
    assert polynomial.sign(y / (1 - bracket)) is None
    assert polynomial.sign(bracket / (1 - bracket) - y) is None


@pytest.mark.parametrize("seed", range(3))
def test_trials_are_attainable(seed: int) -> None:
    """Probabilities sum to one, and variances are positive."""
    arrays = Trial(derivation("gmm1d_own_var"), seed).arrays
    assert arrays["gamma_z"].sum(axis=1) == pytest.approx(np.ones(5))
    arrays = Trial(derivation("random_effects_dyestuff"), seed).arrays
    assert np.all(arrays["V_a"] > 0)
