"""Mean and covariance of five measurements on cement, of which some were not made (NaN).

Source: Little & Rubin 2002, example 7.4 (means 6.655, 49.965, 11.769, 27.047, 95.423); Rubin 1976; data of Hald 1952.
"""

from pathlib import Path

import numpy as np
from sympy import Idx, MatrixSymbol, symbols

from symem import IndexedVector, Model, MultivariateNormal

n, d = symbols("n d", integer=True, positive=True)
i = Idx("i", n)
x, mu, Sigma = IndexedVector("x", d), MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d)

model = Model({x[i]: MultivariateNormal(mu, Sigma)}, missing=[x])

data = {"x": np.genfromtxt(Path(__file__).parent / "data" / "hald.csv", delimiter=",", skip_header=1)}
start = {"mu": [7.0, 50.0, 12.0, 30.0, 95.0], "Sigma": np.diag([30.0, 200.0, 40.0, 400.0, 200.0])}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
