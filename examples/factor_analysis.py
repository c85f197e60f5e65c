"""Factor analysis: two factors z behind six tests of ability, given as standardised scores.

Source: Rubin & Thayer 1982; R's factanal of ability.cov (uniquenesses .455, .589, .218, .769, .052, .334).
"""

from pathlib import Path

import numpy as np
from sympy import Identity, Idx, MatrixSymbol, ZeroMatrix, symbols

from symem import IndexedVector, Model, MultivariateNormal, diag

n, d, m = symbols("n d m", integer=True, positive=True)
i = Idx("i", n)
x, z = IndexedVector("x", d), IndexedVector("z", m)
mu, W, psi = MatrixSymbol("mu", d, 1), MatrixSymbol("W", d, m), MatrixSymbol("psi", d, 1)

model = Model(
    {
        z[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
        x[i]: MultivariateNormal(mu + W * z[i], diag(psi)),
    },
    latent=[z],
)

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "ability.csv", delimiter=",", skiprows=1)}
start = {
    "mu": [0.0] * 6,
    "W": [[0.5, 0.5], [0.5, 0], [0.5, 0], [0.5, 0], [0.5, 0.5], [0.5, 0.5]],
    "psi": [0.5] * 6,
}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
