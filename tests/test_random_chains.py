"""Chains of labels at random, behind each law of data: ℓ and Q by all paths, with densities that are written in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model
from tests.answers import direction, move
from tests.random_models import LAWS, Values

T, J, K = symbols("T J K", integer=True, positive=True)
t, j, k = Idx("t", T), Idx("j", J), Idx("k", K)
z, y, pi, A = map(IndexedBase, ["z", "y", "pi", "A"])
PLACES, SEQUENCES, LABELS = 6, 2, 2
#: Quick ones; the others are slow.
QUICK = {"poisson", "binomial"}


class Chains:
    """Sequences of labels whose data have a law with parameters of each label."""

    def __init__(self, law: str, seed: int) -> None:
        self.law, self.rng = LAWS[law], np.random.default_rng(seed)
        arrays = {name: IndexedBase(name) for name in self.law.parameters}
        data = self.law.declared(*(each[z[j, t]] for each in arrays.values()))
        steps = {z[j, 0]: Categorical(pi[k]), z[j, t]: Categorical(A[z[j, t - 1], k])}
        self.em = Model({**steps, y[j, t]: data}, latent=[z]).derive()
        kinds = {"pi": "simplex", "A": "simplex", **self.law.parameters}
        self.file: Values = {"parameters": kinds}
        self.theta = {name: self._some(kind, name) for name, kind in kinds.items()}
        labels = self.rng.integers(0, LABELS, (SEQUENCES, PLACES))
        self.data = self.law.drawn(self.rng, *(self.theta[name][labels] for name in self.law.parameters))
        self.paths = np.array(list(itertools.product(range(LABELS), repeat=PLACES)))

    def _some(self, kind: str, name: str) -> Any:
        if kind == "simplex":
            return self.rng.dirichlet([3.0] * LABELS, () if name == "pi" else LABELS)
        low, high = {"real": (-1.0, 1.0), "pos": (0.7, 2.5), "unit": (0.25, 0.75)}[kind]
        return np.sort(self.rng.uniform(low, high, LABELS))

    def joint(self, theta: Values) -> Any:
        """log p(data, path) over (sequences, paths)."""
        numbers = [theta[name][self.paths] for name in self.law.parameters]
        seen = self.law.log_density(self.data[:, None, :], *numbers).sum(-1)
        moved = np.log(theta["A"])[self.paths[:, :-1], self.paths[:, 1:]].sum(-1)
        return seen + moved + np.log(theta["pi"])[self.paths[:, 0]]

    def surrogate(self, theta: Values, old: Values) -> float:
        joint = self.joint(old)
        share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        return float((share * self.joint(theta)).sum())


@pytest.mark.parametrize(
    "law", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in LAWS]
)
def test_chains_behind_any_law(law: str) -> None:
    """ℓ is the sum over all paths; the step is where Q, by their posterior, is level in every direction and lower beside."""
    case = Chains(law, seed=len(law))
    solver = case.em.solver(verify=False)
    expected = logsumexp(case.joint(case.theta), axis=1).sum()
    assert solver.log_likelihood(case.theta, y=case.data) == pytest.approx(expected, rel=1e-10)
    new = {n: np.asarray(v) for n, v in solver.em_step(case.theta, y=case.data)._asdict().items()}
    top = case.surrogate(new, case.theta)
    for seed in range(3):
        way = direction(new, seed)
        ahead, behind = (
            case.surrogate(move(case.file, new, way, length), case.theta) for length in (1e-4, -1e-4)
        )
        assert abs(ahead - behind) / 2e-4 < 1e-4 * (1 + abs(top))
        assert max(ahead, behind) <= top + 1e-9 * (1 + abs(top))
