"""Student t with known degrees of freedom nu, as a Normal whose precision is Gamma: robust location.

Source: Dempster, Laird & Rubin 1977; McLachlan & Krishnan 2008, example 2.6. Darwin's maize differences.
"""

from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Gamma, Model, Normal

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
y, u = map(IndexedBase, ["y", "u"])
mu, s2, nu = symbols("mu s2 nu")

model = Model(
    {u[i]: Gamma(nu / 2, 2 / nu), y[i]: Normal(mu, sqrt(s2 / u[i]))},
    latent=[u],
    known=[nu],
)

data = {"y": [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], "nu": 4}
start = {"mu": 10.0, "s2": 900.0}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
