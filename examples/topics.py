"""Latent Dirichlet allocation: sixteen short documents about a bank by the water and one for money, by a mean field.

Source: Blei, Ng & Jordan 2003; Steyvers & Griffiths 2007 (documents of five words in two topics, of which these are of the kind).
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Dirichlet, Model

D, N, K, V = symbols("D N K V", integer=True, positive=True)
d, t, k, v = Idx("d", D), Idx("t", N), Idx("k", K), Idx("v", V)
w, z, theta, alpha, beta = map(IndexedBase, ["w", "z", "theta", "alpha", "beta"])

laws = {z[d, t]: Categorical(theta[d, k]), w[d, t]: Categorical(beta[z[d, t], v])}
model = Model({theta[d, k]: Dirichlet(alpha[k]), **laws}, latent=[theta, z])
approximate = "mean field"  # shares and labels hang together: no order of elimination works

words = ["river", "stream", "bank", "money", "loan"]
counts = [(0, 0, 4, 6, 6)] * 4 + [(1, 2, 5, 4, 4), (2, 2, 4, 5, 3), (3, 1, 6, 2, 4), (2, 4, 5, 3, 2)] * 2
counts += [(6, 6, 4, 0, 0), (5, 7, 4, 0, 0), (7, 4, 5, 0, 0), (5, 5, 6, 0, 0)]
data = {"w": np.array([np.repeat(range(5), each) for each in counts]), "V": 5}
topics = [[0.3, 0.3, 0.2, 0.1, 0.1], [0.1, 0.1, 0.2, 0.3, 0.3]]
start = {"alpha": [1, 1], "beta": topics, "alpha_theta": np.ones((16, 2))}


if __name__ == "__main__":
    em = model.derive(approximate=approximate)
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start, tol=1e-6).summary())
