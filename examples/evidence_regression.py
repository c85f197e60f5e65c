"""Bayesian linear regression: precisions of weights and noise that make the data most probable.

Source: Bishop 2006, section 9.3.4; MacKay 1992; stack loss data of Brownlee 1965.
"""

from pathlib import Path

import numpy as np
from sympy import Identity, MatrixSymbol, ZeroMatrix, symbols

from symem import Model, MultivariateNormal

n, p = symbols("n p", integer=True, positive=True)
alpha, beta = symbols("alpha beta")
X, y, b = MatrixSymbol("X", n, p), MatrixSymbol("y", n, 1), MatrixSymbol("b", p, 1)

model = Model(
    {
        b: MultivariateNormal(ZeroMatrix(p, 1), Identity(p) / alpha),
        y: MultivariateNormal(X * b, Identity(n) / beta),
    },
    latent=[b],
    known=[X],
)

table = np.loadtxt(Path(__file__).parent / "data" / "stack_loss.csv", delimiter=",", skiprows=1)
centred = table - table.mean(0)
data = {"X": centred[:, :3] / table[:, :3].std(0), "y": centred[:, 3]}
start = {"alpha": 1.0, "beta": 1.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
