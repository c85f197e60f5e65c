"""Old Faithful: K Normal laws, each with its own mean and spread, for the minutes between eruptions.

Source: Benaglia et al. 2009, Journal of Statistical Software 32(6) (weights .361, .639; means 54.6, 80.1).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])

model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "old_faithful.csv", skiprows=1)}
start = {"w": [0.5, 0.5], "mu": [55.0, 80.0], "sigma": [5.0, 5.0]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
