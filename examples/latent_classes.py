"""Latent class analysis: four questions on role conflict, independent within each class of respondents.

Source: Stouffer & Toby 1951; Goodman 1974 (classes .279, .721; log-likelihood -504.468).
"""

from itertools import product

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Categorical, Model

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, z, w, th = map(IndexedBase, ["x", "z", "w", "th"])

model = Model(
    {z[i]: Categorical(w[k]), x[i, j]: Bernoulli(th[z[i], j])},
    latent=[z],
)

patterns = list(product([1, 0], repeat=4))
respondents = [42, 23, 6, 25, 6, 24, 7, 38, 1, 4, 1, 6, 2, 9, 2, 20]
data = {"x": np.repeat(patterns, respondents, axis=0)}
start = {"w": [0.4, 0.6], "th": [[0.9, 0.8, 0.8, 0.7], [0.6, 0.4, 0.4, 0.2]]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
