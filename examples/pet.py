"""Emission tomography: detector d counts what the pixels b emit, and cannot tell them apart.

Source: Shepp & Vardi 1982, IEEE Transactions on Medical Imaging 1:113.
"""

from sympy import Eq, Idx, IndexedBase, Sum, symbols

from symem import Model, Poisson

D, B = symbols("D B", integer=True, positive=True)
d, b = Idx("d", D), Idx("b", B)
n, y, P, lam = map(IndexedBase, ["n", "y", "P", "lam"])

model = Model(
    {n[d, b]: Poisson(P[d, b] * lam[b])},
    latent=[n],
    known=[P],
    given=[Eq(Sum(n[d, b], b), y[d])],
)

data = {
    "P": [[0.4, 0.1, 0.05], [0.25, 0.1, 0.05], [0.15, 0.3, 0.1],
          [0.1, 0.3, 0.2], [0.05, 0.15, 0.25], [0.05, 0.05, 0.35]],
    "y": [10, 7, 14, 15, 12, 13],
}  # fmt: skip
start = {"lam": [20.0, 20.0, 20.0]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
