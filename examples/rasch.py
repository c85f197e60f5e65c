"""Rasch's item response model: five items of a law school admission test, by their difficulties.

Source: Rasch 1960; Bock & Lieberman 1970 (the items), Rizopoulos 2006 (-2.8720, -1.0630, -0.2576, -1.3881, -2.2188).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, exp, symbols

from symem import Bernoulli, Model, Normal

n, J = symbols("n J", integer=True, positive=True)
i, j = Idx("i", n), Idx("j", J)
y, c, t, d = map(IndexedBase, ["y", "c", "t", "d"])

model = Model(
    {t[i]: Normal(0, 1), y[i, j]: Bernoulli(1 / (1 + exp(-(t[i] - d[j]))))},
    latent=[t],
    weights={i: c[i]},
)
approximate = "quadrature"  # the abilities t have a posterior of no family

table = np.loadtxt(Path(__file__).parent / "data" / "lsat.csv", delimiter=",", skiprows=1)
data = {"y": table[:, :-1], "c": table[:, -1]}
start = {"d": np.zeros(5)}


if __name__ == "__main__":
    em = model.derive(approximate=approximate)
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    fit = em.fit(**data, start=start)
    print(fit.parameters, fit.approximation)
