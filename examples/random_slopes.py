"""Random intercept and slope: reaction times of 18 people over ten days of little sleep.

Source: Laird & Ware 1982; lme4 by ML on sleepstudy (251.405, 10.467; log-likelihood -875.97); data of Belenky et al. 2003.
"""

from pathlib import Path

import numpy as np
from sympy import Identity, Idx, MatrixSymbol, ZeroMatrix, symbols

from symem import IndexedVector, Model, MultivariateNormal

G, J, p = symbols("G J p", integer=True, positive=True)
g = Idx("g", G)
y, b, s2 = IndexedVector("y", J), IndexedVector("b", p), symbols("s2")
X, beta, D = MatrixSymbol("X", J, p), MatrixSymbol("beta", p, 1), MatrixSymbol("D", p, p)

model = Model(
    {
        b[g]: MultivariateNormal(ZeroMatrix(p, 1), D),
        y[g]: MultivariateNormal(X * beta + X * b[g], s2 * Identity(J)),
    },
    latent=[b],
    known=[X],
)

times = np.loadtxt(Path(__file__).parent / "data" / "sleep.csv", delimiter=",", skiprows=1)
data = {"y": times, "X": np.column_stack([np.ones(10), np.arange(10)])}
start = {"beta": [250.0, 10.0], "D": [[500.0, 0.0], [0.0, 30.0]], "s2": 600.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
