"""Two Normal laws of one known spread: means mu1 and mu2, weight w of the first.

Source: Bishop 2006, Pattern Recognition and Machine Learning, section 9.2; Old Faithful, waiting times.
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Cases, Model, Normal

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, z = map(IndexedBase, ["x", "z"])
w, mu1, mu2, sigma = symbols("w mu1 mu2 sigma")

model = Model(
    {z[i]: Bernoulli(w), x[i]: Cases(z[i], {1: Normal(mu1, sigma), 0: Normal(mu2, sigma)})},
    latent=[z],
    known=[sigma],
)

data = {"x": np.loadtxt(Path(__file__).parent / "data" / "old_faithful.csv", skiprows=1), "sigma": 6.0}
start = {"w": 0.5, "mu1": 55.0, "mu2": 80.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
