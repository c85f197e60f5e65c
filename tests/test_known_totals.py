"""A total that is known is told as it: 2n, not the sum of all expected counts; and data that contradict it are refused."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Sum, Symbol

from tests.derived import em, solver
from tests.models import BY_NAME


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("peppered_moths", {"n"}),
        ("peppered_moths_unknown", {"n", "nU"}),
        ("abo_blood", {"n"}),
        ("rabbit_coat", {"n"}),
    ],
)
def test_allele_shares_are_over_twice_the_number_of_individuals(name: str, known: set[str]) -> None:
    derivation = em(name).derivation
    for update in derivation.updates:
        _, below = update.value.as_numer_denom()
        assert {str(symbol) for symbol in below.free_symbols} == known
    assert all(certificate.conditions == () for certificate in derivation.certificates)


def test_the_multiplier_is_the_known_total_too() -> None:
    (first, *_) = em("peppered_moths").derivation.updates
    _, value = first.multiplier
    assert value / 2 == em("peppered_moths").derivation.model.variables["n"].symbol


def test_a_sum_of_some_of_the_counts_stays_as_it_is() -> None:
    update = next(u for u in em("hw_inbreeding").derivation.updates if u.parameter.name == "p")
    _, below = update.value.as_numer_denom()
    assert below.free_symbols.isdisjoint({Symbol("n")})
    assert len(below.free_symbols) == 5


def test_an_update_in_the_total_is_the_update_in_the_counts() -> None:
    row = BY_NAME["peppered_moths"]
    start: dict[str, Any] = row.theta(row.file["start"])
    found = solver("peppered_moths").em_step(start, **row.data)._asdict()
    wanted = row.theta(row.reference.em_step(row.file["start"], row.file["data"]))
    assert found == pytest.approx(wanted, rel=1e-14)


def test_a_total_that_the_counts_contradict_is_refused() -> None:
    row = BY_NAME["peppered_moths"]
    start = row.theta(row.file["start"])
    whole = int(row.data["n"])
    module = solver("peppered_moths")
    with pytest.raises(module.DataError, match=r"n must be nC \+ nI \+ nTT"):
        module.em_step(start, **{**row.data, "n": whole + 1})


def test_shares_of_a_row_are_summed_over_a_letter_of_their_own() -> None:
    """A_kh = S_kh / Σ_l S_kl, not Σ_h."""
    for name in ("coupled_labels", "dawid_skene", "ibm_model1", "plsa_map"):
        derivation = em(name).derivation
        told = [(each.definition.axes, each.value) for each in derivation.updates]
        told += [(each.axes, each.value) for each in derivation.surrogate.statistics]
        for axes, value in told:
            bound = {limit[0] for inner in value.atoms(Sum) for limit in inner.limits}
            assert bound.isdisjoint({axis.index for axis in axes})


def test_what_follows_from_other_conditions_is_not_asked_for() -> None:
    needed = {
        str(each.parameter): set(map(str, each.conditions)) for each in em("contaminated_vector").certificates
    }
    assert needed == {"eps": set(), "mu": {"N_0 > 0", "N_1 > 0"}, "Sigma": {"N_0 > 0", "N_1 > 0"}}
    (_, mean, shape) = em("inverse_gaussian_mixture").certificates
    assert set(map(str, mean.conditions)) == {"N[k] > 0"}
    assert set(map(str, shape.conditions)) == {"N[k] > 0", "V[k] > 0"}


@pytest.mark.parametrize("name", ["peppered_moths", "peppered_moths_unknown", "abo_blood", "rabbit_coat"])
@pytest.mark.filterwarnings("ignore:EM has not converged")
def test_counts_made_up_for_a_start_add_up_to_their_total(name: str) -> None:
    module = solver(name)
    for seed in range(3):
        fit = module.fit(**BY_NAME[name].data, seed=seed, max_iter=2)
        assert fit.history[1] >= fit.history[0]
        assert sum(map(float, fit.parameters)) == pytest.approx(1, abs=1e-12)
