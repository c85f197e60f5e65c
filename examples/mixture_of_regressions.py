"""A mixture of two regression lines: richness of ethanol fuel given the nitric oxides in the exhaust.

Source: DeSarbo & Cron 1988; Benaglia et al. 2009 (weights .490, .510; lines .565 + .085 x and 1.247 - .083 x).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Categorical, IndexedVector, Model, Normal

n, p, K = symbols("n p K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
y, z, w, s2 = map(IndexedBase, ["y", "z", "w", "s2"])
x, beta = IndexedVector("x", p), IndexedVector("beta", p)

model = Model(
    {z[i]: Categorical(w[k]), y[i]: Normal(x[i].T * beta[z[i]], sqrt(s2[z[i]]))},
    latent=[z],
    known=[x],
)

oxides, richness = np.loadtxt(
    Path(__file__).parent / "data" / "ethanol.csv", delimiter=",", skiprows=1, unpack=True
)
data = {"x": np.column_stack([np.ones(len(oxides)), oxides]), "y": richness}
start = {"w": [0.5, 0.5], "beta": [[0.5, 0.1], [1.2, -0.1]], "s2": [0.01, 0.01]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
