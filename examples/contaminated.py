"""Contaminated Normal: with probability eps the variance of an observation is k times larger.

Source: Little & Rubin 2002, Statistical Analysis with Missing Data, ch. 12. Darwin's maize differences.
"""

from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Bernoulli, Model, Normal

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
y, z = map(IndexedBase, ["y", "z"])
eps, mu, s2, k = symbols("eps mu s2 k")

model = Model(
    {z[i]: Bernoulli(eps), y[i]: Normal(mu, sqrt(s2 * (1 + (k - 1) * z[i])))},
    latent=[z],
    known=[k],
)

data = {"y": [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], "k": 10}
start = {"eps": 0.2, "mu": 20.0, "s2": 500.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
