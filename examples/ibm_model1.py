"""IBM model 1: each word of a translation comes from some word of the sentence, by alignment a.

Source: Brown et al. 1993, Computational Linguistics 19:263; corpus: das Haus, das Buch, ein Buch (Koehn 2010).
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model

S, R, V = symbols("S R V", integer=True, positive=True)
u, a, e, f, t = map(IndexedBase, ["u", "a", "e", "f", "t"])
m = IndexedBase("m", integer=True)
s, r, v = Idx("s", S), Idx("r", R), Idx("v", V)
j = Idx("j", m[s])

model = Model(
    {a[s, j]: Categorical(u[s, r]), e[s, j]: Categorical(t[f[s, a[s, j]], v])},
    latent=[a],
    known=[m, u, f],
)

data = {
    "f": np.array([[0, 1], [0, 2], [3, 2]]),  # das Haus, das Buch, ein Buch
    "e": np.array([[0, 1], [0, 2], [3, 2]]),  # the house, the book, a book
    "m": np.array([2, 2, 2]),
    "u": np.full((3, 2), 0.5),
}
start = {"t": np.full((4, 4), 0.25)}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
