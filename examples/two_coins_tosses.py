"""K coins, picked with unknown weights, N_i tosses in experiment i.

Source: Do & Batzoglou 2008, Nature Biotechnology 26:897; McLachlan & Peel 2000, Finite Mixture Models, ch. 1.
"""

from sympy import Idx, IndexedBase, symbols

from symem import Binomial, Categorical, Model

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, N, w, th = map(IndexedBase, ["x", "z", "N", "w", "th"])

model = Model(
    {z[i]: Categorical(w[k]), x[i]: Binomial(N[i], th[z[i]])},
    latent=[z],
    known=[N],
)

data = {"x": [9, 3, 14, 2, 11, 4, 7, 1, 16, 5, 3, 12], "N": [12, 10, 18, 9, 14, 15, 9, 8, 20, 13, 12, 15]}
start = {"w": [0.5, 0.5], "th": [0.6, 0.4]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
