"""Three coins with Beta priors: the product form of singh.py, maximum a posteriori.

Source: Singh 2005, The EM Algorithm; MAP-EM after Dempster, Laird & Rubin 1977, section 4.
"""

from sympy import Idx, IndexedBase, Product, symbols

from symem import Beta, Binary, Model, UnitInterval

n = symbols("n", integer=True, positive=True)
i = Idx("i", (1, n))
x, z = map(IndexedBase, ["x", "z"])
w, p, q, a, b = symbols("w p q a b")

model = Model.from_likelihood(
    Product(
        (w * p ** x[i] * (1 - p) ** (1 - x[i])) ** z[i]
        * ((1 - w) * q ** x[i] * (1 - q) ** (1 - x[i])) ** (1 - z[i]),
        (i, 1, n),
    ),
    latent={z: Binary()},
    parameters={w: UnitInterval(), p: UnitInterval(), q: UnitInterval()},
    known=[a, b],
    prior={w: Beta(a, a), p: Beta(a, b), q: Beta(b, a)},
)

data = {"x": [1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1], "a": 2, "b": 3}
start = {"w": 0.46, "p": 0.55, "q": 0.67}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
