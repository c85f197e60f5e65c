"""Three coins: a toss of the first (w) decides which of the others (p or q) is tossed and seen.

Source: Singh 2005, The EM Algorithm, as a product with the hidden toss z as exponent.
"""

from sympy import Idx, IndexedBase, Product, symbols

from symem import Binary, Model, UnitInterval

n = symbols("n", integer=True, positive=True)
i = Idx("i", (1, n))
x, z = map(IndexedBase, ["x", "z"])
w, p, q = symbols("w p q")

model = Model.from_likelihood(
    Product(
        (w * p ** x[i] * (1 - p) ** (1 - x[i])) ** z[i]
        * ((1 - w) * q ** x[i] * (1 - q) ** (1 - x[i])) ** (1 - z[i]),
        (i, 1, n),
    ),
    latent={z: Binary()},
    parameters={w: UnitInterval(), p: UnitInterval(), q: UnitInterval()},
)

data = {"x": [1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1]}
start = {"w": 0.46, "p": 0.55, "q": 0.67}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
