"""A block model of two sides: eighteen women of Natchez at fourteen events, by a mean field.

Source: Govaert & Nadif 2008; Davis, Gardner & Gardner 1941 (the table of who came to what).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Categorical, Model

n, m, K, L = symbols("n m K L", integer=True, positive=True)
i, j, k, h = Idx("i", n), Idx("j", m), Idx("k", K), Idx("h", L)
x, z, w, pi, rho, b = map(IndexedBase, ["x", "z", "w", "pi", "rho", "b"])

model = Model(
    {z[i]: Categorical(pi[k]), w[j]: Categorical(rho[h]), x[i, j]: Bernoulli(b[z[i], w[j]])},
    latent=[z, w],
)
approximate = "mean field"  # every woman's label meets every event's: no order of elimination works

came = np.loadtxt(Path(__file__).parent / "data" / "southern_women.csv", delimiter=",", skiprows=1)
data = {"x": came}
sides = np.repeat([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]], [5, 4, 5], axis=0)
start = {"pi": [0.5, 0.5], "rho": [0.5, 0.5], "b": [[0.7, 0.1], [0.1, 0.7]], "gamma_w": sides}


if __name__ == "__main__":
    em = model.derive(approximate=approximate)
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    fit = em.fit(**data, start=start)
    print(fit, fit.predict(), sep="\n")
