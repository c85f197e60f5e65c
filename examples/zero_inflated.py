"""Zero-inflated Poisson: households that could not have had cholera (z = 1) and those that had x cases.

Source: Lambert 1992, Technometrics 34:1; McKendrick 1926 (rate .972).
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Cases, Dirac, Model, Poisson

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, z = map(IndexedBase, ["x", "z"])
w, lam = symbols("w lam")

model = Model(
    {z[i]: Bernoulli(w), x[i]: Cases(z[i], {1: Dirac(0), 0: Poisson(lam)})},
    latent=[z],
)

data = {"x": np.repeat(range(5), [168, 32, 16, 6, 1])}
start = {"w": 0.5, "lam": 2.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
