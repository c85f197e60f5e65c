"""K Normal laws that share one unknown spread.

Source: McLachlan & Peel 2000, Finite Mixture Models, section 3.2; Old Faithful, waiting times.
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu = map(IndexedBase, ["x", "z", "w", "mu"])
sigma = symbols("sigma")

model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma)}, latent=[z])

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "old_faithful.csv", skiprows=1)}
start = {"w": [0.5, 0.5], "mu": [55.0, 80.0], "sigma": 5.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
