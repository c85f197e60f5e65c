"""What readers see of latents that look back: diagrams, tables and steps in numbers, pictures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symem.derivation import Chain, GaussianChain, GaussianStates, Linked
from symem.report.figures.plate_graph import graph
from symem.report.figures.sequence_charts import states_chart
from symem.report.figures.shown import Shown
from symem.report.iteration import Worked, work
from symem.report.options import Options
from symem.report.sections.along_section import Along
from symem.report.sections.columns import Column
from symem.report.sections.worked_section import worked
from symem.report.writer import Voice
from tests.derived import em, solver
from tests.models import BY_NAME


def along(name: str) -> tuple[Along, Worked]:
    """The tables of a row at its start."""
    row, derivation = BY_NAME[name], em(name).derivation
    found = work(derivation, solver(name), row.data, row.theta(row.file["start"]))
    voice = Voice(derivation, Options(worked=found))
    (posterior,) = voice.derivation.posteriors
    assert isinstance(posterior, Linked | GaussianStates)
    return Along(found, voice, posterior), found


def columns(tables: Along, *names: str) -> list[Column]:
    return [c for name in names for c in tables._columns(getattr(tables.posterior, name))]


def test_tables_of_labels_are_the_messages_of_the_first_sequence() -> None:
    """αβ over the sum of the last α is γ, and ξ adds up to γ on both sides."""
    tables, found = along("hmm_gaussian")
    assert isinstance(tables.posterior, Chain)
    alpha, beta = (np.array([c.values for c in columns(tables, name)]) for name in ("forward", "backward"))
    gamma = alpha * beta / alpha[:, -1].sum()
    posterior = solver("hmm_gaussian").posterior(found.old, **BY_NAME["hmm_gaussian"].data)
    np.testing.assert_allclose(gamma.T, posterior.z[0], rtol=1e-10)
    pairs = np.array([c.values for c in columns(tables, "pair")]).reshape(2, 2, -1)[:, :, :-1]
    np.testing.assert_allclose(pairs.sum(1), gamma[:, :-1], rtol=1e-10)
    np.testing.assert_allclose(pairs.sum(0), gamma[:, 1:], rtol=1e-10)


def test_tables_of_states_are_the_moments() -> None:
    tables, found = along("lds_local_level")
    assert isinstance(tables.posterior, GaussianChain)
    mean, variance = (c.values for c in columns(tables, "smoothed_mean", "smoothed_variance"))
    posterior = solver("lds_local_level").posterior(found.old, **BY_NAME["lds_local_level"].data).h
    np.testing.assert_allclose(mean, posterior["E_h"], rtol=1e-9)
    np.testing.assert_allclose(variance, posterior["V_h"], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "steps"),
    [("hmm_gaussian", (r"\alpha_{121} &=", r"Z_{1} &=", r"\xi_{1111} &=")), ("hidden_tree", (r"\beta_{",))],
)
def test_a_step_of_each_recursion_is_told_in_numbers(name: str, steps: tuple[str, ...]) -> None:
    tables, found = along(name)
    told = str(list(worked(found, tables.voice)))
    assert "A step of each in numbers:" in told
    assert all(step.replace("\\", "\\\\") in told for step in steps)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hmm_gaussian", "t − 1 → t"),
        ("lds_local_level", "t − 1 → t"),
        ("hidden_tree", "parent"),
    ],
)
def test_diagrams_say_what_looks_back(name: str, words: str) -> None:
    """In both doors; the loop stands on the side where no arrow is."""
    found = graph(em(name).derivation)
    assert sum(a == b for a, b in found.arrows) == 1
    assert len(found.back) == 1

    text = re.sub("<[^>]+>", "", em(name).html())
    assert words in text
    assert "→" in text


def test_sums_over_places_have_their_letter() -> None:
    told = str(em("hmm_gaussian"))
    assert "S_0kl = Σ_j Σ_(t=1..T - 1) ξ_jtkl" in told


def test_states_are_drawn_as_a_band_over_the_data() -> None:
    row = BY_NAME["lds_local_level"]
    shown = Shown(solver(row.name).SOLVER, row.theta(row.file["fixed_point"]), row.data)
    chart = states_chart(shown)
    assert chart is not None
    assert shown.states is not None
    assert [type(mark).__name__ for mark in chart.marks] == ["Band", "Line", "Dots"]
    np.testing.assert_array_equal(shown.states.values, row.data["y"])
