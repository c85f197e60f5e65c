"""Two coins, one of them picked at even odds for each run of N tosses.

Source: Do & Batzoglou 2008, Nature Biotechnology 26:897, figure 1b (first update 0.71, 0.58; limit 0.80, 0.52).
"""

from sympy import Idx, IndexedBase, Rational, symbols

from symem import Bernoulli, Binomial, Model

n, N = symbols("n N", integer=True, positive=True)
i = Idx("i", n)
x, z, th = map(IndexedBase, ["x", "z", "th"])

model = Model(
    {z[i]: Bernoulli(Rational(1, 2)), x[i]: Binomial(N, th[z[i]])},
    latent=[z],
    known=[N],
)

data = {"x": [5, 9, 8, 4, 7], "N": 10}
start = {"th": [0.6, 0.5]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
