"""Two coins, the first picked with unknown probability w for each run of N tosses.

Source: Do & Batzoglou 2008, Nature Biotechnology 26:897, with the mixing weight of McLachlan & Peel 2000, ch. 1.
"""

from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Binomial, Cases, Model

n, N = symbols("n N", integer=True, positive=True)
i = Idx("i", n)
x, z = map(IndexedBase, ["x", "z"])
w, p, q = symbols("w p q")

model = Model(
    {z[i]: Bernoulli(w), x[i]: Cases(z[i], {1: Binomial(N, p), 0: Binomial(N, q)})},
    latent=[z],
    known=[N],
)

data = {"x": [5, 9, 8, 4, 7], "N": 10}
start = {"w": 0.5, "p": 0.6, "q": 0.5}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
