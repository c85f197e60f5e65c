"""Observer error rates without the truth: m reports by observer j on patient i, in classes r.

Source: Dawid & Skene 1979, Applied Statistics 28:20 (classes .40, .42, .11, .07); observer 1 reported three times.
"""

from pathlib import Path

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Multinomial

N, J, L, C = symbols("N J L C", integer=True, positive=True)
i, j, r, c = Idx("i", N), Idx("j", J), Idx("r", L), Idx("c", C)
n, m, z, p, err = map(IndexedBase, ["n", "m", "z", "p", "err"])

model = Model(
    {z[i]: Categorical(p[c]), n[i, j, r]: Multinomial(m[i, j], err[j, z[i], r])},
    latent=[z],
    known=[m],
)

reports = np.loadtxt(Path(__file__).parent / "data" / "anaesthetists.csv", int, delimiter=",", skiprows=1)
counts = np.zeros((len(reports), 5, 4))
for column, observer in enumerate([0, 0, 0, 1, 2, 3, 4]):
    counts[np.arange(len(reports)), observer, reports[:, column] - 1] += 1

data = {"n": counts, "m": counts.sum(2)}
start = {"p": [0.25] * 4, "err": np.broadcast_to(0.1 + 0.6 * np.eye(4), (5, 4, 4))}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
