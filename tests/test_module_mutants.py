"""Mutants of emitted modules: the text is broken in one place, and the rung says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from symem.codegen.emit import load
from symem.verification import prepare
from symem.verification.ground import Ground
from symem.verification.ladder import climb
from tests.derived import em


@dataclass(frozen=True)
class Mutant:
    """A model, what is broken, the text in its module, and what stands there instead."""

    model: str
    broken: str
    text: str
    instead: str
    says: str = ""

    def __str__(self) -> str:
        return f"{self.model}: {self.broken}"

    def module(self) -> Any:
        source = em(self.model).source()
        assert self.text in source, f"{self.text!r} is no longer in the module"
        return load(source.replace(self.text, self.instead))


def over_chunks(model: str) -> list[Mutant]:
    """What may go wrong in the runtime's loops over chunks."""
    loop = "for rows in data.chunks:"
    return [
        Mutant(
            model, "only the first chunk is read", loop, "for rows in data.chunks[:1]:", "over several chunks"
        ),
        Mutant(
            model,
            "chunks count twice",
            loop,
            "for rows in (*data.chunks, *data.chunks[1:]):",
            "over several chunks",
        ),
        Mutant(
            model,
            "it converges at once",
            "tol: float = 1e-10",
            "tol: float = 1e9",
            "converged while it moves",
        ),
        Mutant(
            model,
            "the posterior is squared",
            "return Posterior(gamma_z.T)",
            "return Posterior(gamma_z.T**2)",
            "posterior",
        ),
    ]


MUTANTS = [
    *over_chunks("gmm1d_own_var"),
    *over_chunks("map_gamma_poisson"),
    *over_chunks("gmm_mv_full"),
    Mutant("gmm1d_own_var", "merge loses n", "return _added(a, b)._replace(m=m,", "return _added(a, b)._replace(n=a.n, m=m,", "merged"),
    Mutant("gmm1d_own_var", "merge loses the means", "_mean_of(b.N, a.N + b.N) + a.m", "0 + a.m", "merged"),
    Mutant("gmm1d_own_var", "merge loses what lies between", "V=(a.m - m) ** 2 * a.N + (b.m - m) ** 2 * b.N + a.V + b.V", "V=a.V + b.V", "merged"),
    Mutant("gmm_mv_full", "merge loses what lies between", "        (a.N[:, None] * (a.m - m))[:, :, None] * (a.m - m)[:, None, :]\n        +", "       ", "merged"),
    Mutant("random_effects_dyestuff", "merge adds a mean", "m=m,", "m=a.m + b.m,", "merged"),
    Mutant("map_gamma_poisson", "merge adds a size", "._replace(K=a.K)", ""),
    Mutant("gmm1d_own_var", "the centre is not undone", "m = y_point + d_1", "m = d_1"),
    Mutant("gmm_mv_full", "the centre is not undone", "m = x_point + d_1", "m = d_1"),
    Mutant("gmm1d_own_var", "a factor where data are far", "- (1 / (2 * s2))[:, None]", "- (1 / s2)[:, None]", "with"),
    Mutant("gmm_mv_full", "a factor where data are far", "t_1 = 0.5 * (np.matmul", "t_1 = 0.25 * (np.matmul", "with"),
    Mutant("gmm1d_own_var", "no centre where digits are lost", "V = _times_counts((y - m[:, None])", "V = _times_counts((y - 0 * m[:, None])", "in two clumps"),
    Mutant("gmm1d_own_var", "right for two components only", "w=s.N / s.n", "w=np.append(s.N[:1] / s.n, (1 - s.N[0] / s.n) * np.ones(len(s.N) - 1))"),
    Mutant("map_gamma_poisson", "right for two components only", "s.n + c * s.K - s.K", "s.n + 2 * c - 2"),
    Mutant("map_gamma_poisson", "the prior is forgotten in the objective", "float(model.parts.log_prior(theta, data))", "0.0", "log_posterior"),
    Mutant("random_effects_dyestuff", "N - 1", "s2a=s.S_0 / s.G", "s2a=s.S_0 / (s.G - 1)"),
    Mutant("random_effects_dyestuff", "a variance that is not shown", '"v_a": v_a', '"v_a": m_a', "posterior of v_a"),
    Mutant("gmm1d_own_var", "a name that nothing sets", "w=s.N / s.n", "w=s.N / total", "raises NameError"),
    Mutant("gmm1d_own_var", "a fit that keeps its start", "\"parameters\": run.theta", "\"parameters\": starts[0]", "fit"),
    Mutant("gmm1d_own_var", "a history without its end", "np.array(run.history)", "np.array(run.history)[:-1]", "history of fit"),
]  # fmt: skip


@cache
def ground(model: str) -> Ground:
    """Two components on the first, three on the second."""
    first, _note = prepare(em(model), sizes={"K": 2}, seed=3, points=1)
    second, _note = prepare(em(model), sizes={"K": 3}, seed=4, points=1)
    return replace(first, others=(second,) if "K" in second.arrays else ())


@pytest.mark.parametrize("model", sorted({each.model for each in MUTANTS}))
def test_the_originals_pass(model: str) -> None:
    (rung,) = climb(ground(model), "V0")
    assert rung.passed, rung


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_of_the_module_is_rejected_at_the_first_rung(mutant: Mutant) -> None:
    module, first = mutant.module(), ground(mutant.model)
    others = tuple(replace(each, solver=module) for each in first.others)
    (rung,) = climb(replace(first, solver=module, others=others), "V0")
    assert rung.passed is False, rung
    assert mutant.says in rung.detail
