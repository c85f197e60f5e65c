"""One-way random effects: the yield of dyestuff varies between batches (a) and within a batch.

Source: Davies 1947; Box & Tiao 1973, section 5.1 (maximum likelihood 1527.5, 1388.33, 2451.25).
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Model, Normal

G, J = symbols("G J", integer=True, positive=True)
g, j = Idx("g", G), Idx("j", J)
y, a = map(IndexedBase, ["y", "a"])
mu, s2a, s2e = symbols("mu s2a s2e")

model = Model(
    {a[g]: Normal(0, sqrt(s2a)), y[g, j]: Normal(mu + a[g], sqrt(s2e))},
    latent=[a],
)

data = {"y": np.loadtxt(Path(__file__).parent / "data" / "dyestuff.csv", delimiter=",", skiprows=1)}
start = {"mu": 1500.0, "s2a": 1000.0, "s2e": 3000.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
