"""Probabilistic principal components: two directions in which iris flowers differ, and noise alike in all.

Source: Tipping & Bishop 1999, equations (26) to (30); Bishop 2006, section 12.2.2; data of Fisher 1936.
"""

from pathlib import Path

import numpy as np
from sympy import Identity, Idx, MatrixSymbol, ZeroMatrix, symbols

from symem import IndexedVector, Model, MultivariateNormal

n, d, m = symbols("n d m", integer=True, positive=True)
i = Idx("i", n)
x, z = IndexedVector("x", d), IndexedVector("z", m)
mu, W, s2 = MatrixSymbol("mu", d, 1), MatrixSymbol("W", d, m), symbols("s2")

model = Model(
    {
        z[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
        x[i]: MultivariateNormal(mu + W * z[i], s2 * Identity(d)),
    },
    latent=[z],
)

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "iris.csv", delimiter=",", skiprows=1)}
start = {"mu": [6.0, 3.0, 4.0, 1.0], "W": [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], "s2": 1.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
