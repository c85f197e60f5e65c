"""Major earthquakes in the world, 1900 to 2006: a hidden Markov model of calm, middling and busy years.

Source: Zucchini & MacDonald 2009, table 1.1 and chapter 4 (rates 13.134, 19.713, 29.710; log-likelihood -328.5275).
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Poisson

T, K = symbols("T K", integer=True, positive=True)
t, k = Idx("t", T), Idx("k", K)
y, z, pi, A, lam = map(IndexedBase, ["y", "z", "pi", "A", "lam"])

model = Model(
    {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k]), y[t]: Poisson(lam[z[t]])}, latent=[z]
)

counts = (
    "13 14 8 10 16 26 32 27 18 32 36 24 22 23 22 18 25 21 21 14 8 11 14 23 18 17 19 20 22 19 13 26 13 14 22 24 21 22 "
    "26 21 23 24 27 41 31 27 35 26 28 36 39 21 17 22 17 19 15 34 10 15 22 18 15 20 15 22 19 16 30 27 29 23 20 16 21 21 "
    "25 16 18 15 18 14 10 15 8 15 6 11 8 7 18 16 13 12 13 20 15 16 12 18 15 16 13 15 16 11 11"
)
data = {"y": np.array(counts.split(), dtype=int)}
start = {"pi": [1 / 3] * 3, "A": np.full((3, 3), 0.1) + 0.7 * np.eye(3), "lam": [10.0, 20.0, 30.0]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
