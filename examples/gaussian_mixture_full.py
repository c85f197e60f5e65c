"""A mixture of Normal vectors, each with its own covariance matrix, for the eruptions of Old Faithful.

Source: Bishop 2006, section 9.2; Scrucca et al. 2016, mclust VVV (log-likelihood -1130.264).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, IndexedMatrix, IndexedVector, Model, MultivariateNormal

n, d, K = symbols("n d K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
z, w = IndexedBase("z"), IndexedBase("w")
x, mu, Sigma = IndexedVector("x", d), IndexedVector("mu", d), IndexedMatrix("Sigma", d, d)

model = Model({z[i]: Categorical(w[k]), x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]])}, latent=[z])

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "old_faithful_pairs.csv", delimiter=",", skiprows=1)}
start = {"w": [0.5, 0.5], "mu": [[2.0, 55.0], [4.0, 80.0]], "Sigma": [[[1.0, 0.0], [0.0, 100.0]]] * 2}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
