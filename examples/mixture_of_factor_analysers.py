"""A mixture of factor analysers: a line of flowers in each of three kinds of iris.

Source: Ghahramani & Hinton 1996; data of Fisher 1936.
"""

from pathlib import Path

import numpy as np
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, ZeroMatrix, symbols

from symem import Categorical, IndexedMatrix, IndexedVector, Model, MultivariateNormal, diag

n, d, m, K = symbols("n d m K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, c, w = IndexedVector("x", d), IndexedVector("z", m), IndexedBase("c"), IndexedBase("w")
mu, W, psi = IndexedVector("mu", d), IndexedMatrix("W", d, m), MatrixSymbol("psi", d, 1)

model = Model(
    {
        c[i]: Categorical(w[k]),
        z[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
        x[i]: MultivariateNormal(mu[c[i]] + W[c[i]] * z[i], diag(psi)),
    },
    latent=[c, z],
)

flowers = np.loadtxt(Path(__file__).parent / "data" / "iris.csv", delimiter=",", skiprows=1)
data = {"x": flowers}
start = {"w": [1 / 3] * 3, "mu": flowers[[0, 50, 100]], "W": np.full((3, 4, 1), 0.3), "psi": [0.1] * 4}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
