"""Multivariate t with known degrees of freedom nu: location and scatter that outlying days of a plant hardly move.

Source: Kent, Tyler & Vardi 1994; McLachlan & Krishnan 2008, section 2.6; stack loss data of Brownlee 1965.
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, MatrixSymbol, symbols

from symem import Gamma, IndexedVector, Model, MultivariateNormal

n, d = symbols("n d", integer=True, positive=True)
i = Idx("i", n)
x, u, nu = IndexedVector("x", d), IndexedBase("u"), symbols("nu")
mu, Sigma = MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d)

model = Model(
    {u[i]: Gamma(nu / 2, 2 / nu), x[i]: MultivariateNormal(mu, Sigma / u[i])},
    latent=[u],
    known=[nu],
)

data = {
    "x": np.loadtxt(Path(__file__).parent / "data" / "stack_loss.csv", delimiter=",", skiprows=1),
    "nu": 4.0,
}
start = {"mu": [60.0, 20.0, 86.0, 17.0], "Sigma": np.diag([80.0, 10.0, 30.0, 100.0])}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
