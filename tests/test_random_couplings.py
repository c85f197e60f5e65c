"""Linear Gaussian models at random, their latents coupled within rows, between rows, or as vectors: the data are jointly
normal and the latents given them a dense Gaussian, and no more than that is used here.

Two belong to the quick tests; `SYMEM_RANDOM_COUPLINGS=300` asks for as many. The number of a test is the seed of its model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Expr, Identity, Idx, IndexedBase, MatrixSymbol, Sum, ZeroMatrix, symbols

from symem import BudgetError, IndexedVector, Model, MultivariateNormal, Normal, NotDerivedError
from symem.derivation import Conditional
from tests.derived import named

Array = Any
n, m, p, r = symbols("n m p r", integer=True, positive=True)
i, j, q, o = Idx("i", n), Idx("j", m), Idx("q", p), Idx("o", r)
ROWS, DRAWS, SIZE = 7, 3, {"w": 2, "v": 3, "f": 2}
QUICK = (4, 10)
WANTED = int(os.environ.get("SYMEM_RANDOM_COUPLINGS", "12"))
SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] * (seed not in QUICK)) for seed in range(WANTED)]


@dataclass
class Coupled:
    """A model, data, a point, and for each latent its design (entries of y, entries) by θ, and the name of its spread."""

    seed: int
    laws: dict[Any, Any] = field(default_factory=dict)
    latent: list[Any] = field(default_factory=list)
    known: list[Any] = field(default_factory=list)
    data: dict[str, Array] = field(default_factory=dict)
    theta: dict[str, Array] = field(default_factory=dict)
    designs: list[tuple[Any, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.several = bool(self.rng.random() < 0.6)
        self.shape = (ROWS, DRAWS) if self.several else (ROWS,)
        mean = sum((part for part in self._parts()), self._fixed())
        place = (i, j) if self.several else (i,)
        self.theta["s"] = np.array(0.9)
        self.laws[IndexedBase("y")[place]] = Normal(mean, symbols("s"))
        y = self.rng.normal(size=self.shape)
        self.gaps = bool(self.rng.random() < 0.3)
        if self.gaps:
            y = np.where(self.rng.random(self.shape) < 0.15, np.nan, y)
        self.data["y"] = y
        self.said.append("gaps" if self.gaps else "whole")

    def model(self) -> Model:
        missing = [IndexedBase("y")] if self.gaps else []
        return Model(self.laws, latent=self.latent, known=self.known, missing=missing)

    def _fixed(self) -> Expr:
        self.theta["mu"] = np.array(0.3)
        if self.rng.random() < 0.5:
            return symbols("mu")
        self.theta["beta"], self.data["t"] = np.array(-0.4), self.rng.normal(size=ROWS)
        self.known.append(IndexedBase("t"))
        self.said.append("slope")
        return symbols("mu") + symbols("beta") * IndexedBase("t")[i]

    def _parts(self) -> list[Expr]:
        kinds = ["entries", "vector"] + ["row", "row entries", "factors"] * self.several
        chosen = list(self.rng.choice(kinds, size=int(self.rng.integers(1, 3)), replace=False))
        if {"entries", "vector"} < set(chosen):
            self.said.append("two vectors")
        if "factors" in chosen:
            chosen = ["factors"]
        self.said += chosen
        return [getattr(self, "_" + kind.replace(" ", "_"))() for kind in chosen]

    def _spread(self, name: str, value: float) -> Expr:
        self.theta[name] = np.array(value)
        return symbols(name)

    def _design(self, name: str, size: int) -> Array:
        drawn = self.rng.normal(size=(*self.shape, size))
        self.data[name] = drawn
        return drawn.reshape(-1, size)

    @property
    def _place(self) -> tuple[Idx, ...]:
        return (i, j) if self.several else (i,)

    def _entries(self) -> Expr:
        w, X = IndexedBase("w"), IndexedBase("X")
        flat = self._design("X", 2)
        self._say(w[q], Normal(0, self._spread("tw", 0.7)), w, [X], lambda _theta: flat, "tw")
        return Sum(w[q] * X[(*self._place, q)], q)

    def _vector(self) -> Expr:
        v, Z = MatrixSymbol("v", r, 1), IndexedVector("Z", r)
        flat = self._design("Z", 3)
        law = MultivariateNormal(ZeroMatrix(r, 1), self._spread("tv", 0.5) ** 2 * Identity(r))
        self._say(v, law, v, [Z], lambda _theta: flat, "tv")
        return Z[self._place].T * v

    def _row(self) -> Expr:
        e = IndexedBase("e")
        flat = np.kron(np.eye(ROWS), np.ones((DRAWS, 1)))
        self._say(e[i], Normal(0, self._spread("te", 0.8)), e, [], lambda _theta: flat, "te")
        return e[i]

    def _row_entries(self) -> Expr:
        u, U = IndexedBase("u"), IndexedBase("U")
        drawn = self._design("U", 2).reshape(ROWS, DRAWS, 2)
        blocks = np.zeros((ROWS, DRAWS, ROWS, 2))
        blocks[np.arange(ROWS), :, np.arange(ROWS)] = drawn
        flat = blocks.reshape(ROWS * DRAWS, -1)
        self._say(u[i, q], Normal(0, self._spread("tu", 0.6)), u, [U], lambda _theta: flat, "tu")
        return Sum(u[i, q] * U[i, j, q], q)

    def _factors(self) -> Expr:
        f, L = IndexedBase("f"), IndexedBase("L")
        self.theta["L"] = self.rng.normal(size=(DRAWS, 2))
        self._say(f[i, q], Normal(0, 1), f, [], lambda theta: np.kron(np.eye(ROWS), theta["L"]), "")
        return Sum(L[j, q] * f[i, q], q)

    def _say(self, key: Any, law: Any, latent: Any, known: list[Any], design: Any, spread: str) -> None:
        self.laws[key] = law
        self.latent.append(latent)
        self.known += known
        self.designs.append((design, spread))

    # -- the dense Gaussian --------------------------------------------------------------------------------

    def _at(self, theta: Mapping[str, Array]) -> tuple[Array, Array, Array, Array]:
        """What is left of y, where it was seen, the whole design, and the prior variances."""
        t = np.broadcast_to(
            self.data.get("t", np.zeros(ROWS)).reshape(-1, *[1] * (len(self.shape) - 1)), self.shape
        )
        left = (self.data["y"] - theta["mu"] - theta.get("beta", 0.0) * t).ravel()
        blocks = [(design(theta), theta[spread] if spread else 1.0) for design, spread in self.designs]
        prior = np.concatenate([np.full(block.shape[1], scale**2) for block, scale in blocks])
        return left, ~np.isnan(left), np.hstack([block for block, _ in blocks]), prior

    def log_likelihood(self, theta: Mapping[str, Array]) -> float:
        left, seen, design, prior = self._at(theta)
        whole = theta["s"] ** 2 * np.eye(len(left)) + (design * prior) @ design.T
        return float(scipy.stats.multivariate_normal(cov=whole[np.ix_(seen, seen)]).logpdf(left[seen]))

    def surrogate(self, new: Mapping[str, Array]) -> float:
        """Q at new parameters, of what was seen and the latents; a gap tells nothing."""
        left, seen, design, prior = self._at(self.theta)
        kept = design[seen]
        spread = np.linalg.inv(kept.T @ kept / self.theta["s"] ** 2 + np.diag(1 / prior))
        mean = spread @ kept.T @ left[seen] / self.theta["s"] ** 2
        left, seen, design, prior = self._at(new)
        kept, squares = design[seen], mean**2 + np.diag(spread)
        off = ((left[seen] - kept @ mean) ** 2).sum() + np.trace(kept @ spread @ kept.T)
        latents = -(squares / prior + np.log(prior)).sum() / 2
        return float(latents - off / (2 * new["s"] ** 2) - seen.sum() * np.log(new["s"]))

    def slopes(self, at: Mapping[str, Array]) -> dict[str, float]:
        """Of Q along each parameter's entries."""
        found = {}
        for name, value in at.items():
            for place in np.ndindex(np.shape(value)):
                moved = [{**at, name: np.array(value, dtype=float)} for _ in range(2)]
                for each, step in zip(moved, (1e-5, -1e-5), strict=True):
                    each[name][place] += step
                found[f"{name}{list(place)}"] = (self.surrogate(moved[0]) - self.surrogate(moved[1])) / 2e-5
        return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_coupling(seed: int) -> None:
    case = Coupled(seed)
    said = ", ".join(case.said)
    try:
        em = case.model().derive(budget=20)
    except (NotDerivedError, BudgetError):
        assert seed not in QUICK, said
        return
    if em.derivation.not_derived:
        return
    module = em.solver(verify=False)
    truth = case.log_likelihood(case.theta)
    assert module.log_likelihood(case.theta, **case.data) == pytest.approx(truth, rel=1e-9, abs=1e-9), said
    after = named(module.em_step(case.theta, **case.data))
    assert case.log_likelihood(after) >= truth - 1e-9, said
    # with gaps their means are in the E-step of the record, at the old θ: the iterate is another one
    if not case.gaps and not any(isinstance(update, Conditional) for update in em.derivation.updates):
        steep = {name: slope for name, slope in case.slopes(after).items() if not abs(slope) < 1e-5}
        assert not steep, f"{said}: {steep}"
