"""The table of models that every stage's test walks: adding a model is adding a row."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import pytest

from tests.models import beyond, chains, continuous, counts, factors, mixtures, numeric, vectors
from tests.models.table import Row, example

#: Rows that stand in the table before the engine reaches them.
PENDING: frozenset[str] = frozenset()

MODELS: tuple[Row, ...] = tuple(
    row
    for family in (mixtures, counts, continuous, numeric, beyond, vectors, factors, chains)
    for row in family.ROWS
    if row.name not in PENDING
)
DERIVED = tuple(row for row in MODELS if not row.blocked)
BY_NAME = {row.name: row for row in MODELS}
#: What a test that looks at all rows at once is called, so that one worker has all such.
EVERY = "every model"

#: A few rows that show every law, posterior, support and depth of plates of the table (`tests/test_few.py`):
#: for checks that say the same of every row.
FEW: tuple[Row, ...] = tuple(
    BY_NAME[name]
    for name in (
        "gmm1d_faithful", "gmm_mv_full", "gmm_missing", "coin_do_batzoglou", "peppered_moths", "ibm_model1",
        "dawid_skene", "pet_shepp_vardi", "exp_missing", "exp_right_censored", "censored_mixture", "hurdle_exponential",
        "bivariate_poisson", "poisson_thinning", "betabinom_latent_beta", "map_gamma_poisson", "scale_inverse_gamma",
        "student_t_known_nu", "t_mixture", "vonmises_map", "ordered_probit", "misclassified", "lca_missing_items",
        "coupled_labels", "common_mean_ecm", "common_mean_vector", "random_effects_dyestuff", "lmm_random_slope",
        "normal_missing_both", "mvn_missing", "factor_analysis_mean", "known_loading", "multivariate_regression",
        "errors_in_variables_known", "weibull_mixture", "seemingly_unrelated", "hmm_categorical", "hmm_gaussian", "hidden_tree", "lds_local_level",
    )
)  # fmt: skip

#: Every second of the few: what quick tests meet where a check takes long; the slow ones meet the others.
HALF = frozenset(row.name for row in FEW[::2])

#: Rows that take seconds to derive: each test that is called by one is slow. The few show all that they show.
LONG = frozenset({
    "factorial_mixture", "mixture_fa", "mixture_fa_own", "mixture_ppca", "errors_in_variables",
    "factor_analysis_likelihood",
})  # fmt: skip


#: Of the rows that are not among the few, a check that says the same of every row meets one in so many.
TURNS = 4


def in_turn(rows: Iterable[Row], turn: int, *, few: Sequence[Row] = FEW) -> tuple[Row, ...]:
    """Those of the few that are asked of, and of the others every fourth: checks whose turns differ meet all of them."""
    asked, names = tuple(rows), {row.name for row in few}
    first = tuple(row for row in asked if row.name in names)
    return first + tuple(row for row in asked if row.name not in names)[turn % TURNS :: TURNS]


def slow_but_for(rows: Iterable[Row], quick: Container[str]) -> pytest.MarkDecorator:
    """One test a row, those that are not named marked slow."""
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(row, id=row.name, marks=[] if row.name in quick else [pytest.mark.slow])
            for row in rows
        ],
    )


def few_quick(rows: Iterable[Row], turn: int, *, few: Sequence[Row] = FEW) -> pytest.MarkDecorator:
    """One test a row: the few, and slow ones of those whose turn it is."""
    return slow_but_for(in_turn(rows, turn, few=few), {row.name for row in few})


over_all_at_once = pytest.mark.parametrize("rows", [pytest.param(MODELS, id=EVERY)])

__all__ = [
    "BY_NAME",
    "DERIVED",
    "EVERY",
    "FEW",
    "HALF",
    "LONG",
    "MODELS",
    "Row",
    "example",
    "few_quick",
    "in_turn",
    "over_all_at_once",
    "slow_but_for",
]
