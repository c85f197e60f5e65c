"""Death notices of women over 80 in the London Times, 1910 to 1912: two Poisson laws, winter and summer.

Source: Hasselblad 1969, JASA 64:1459; Titterington et al. 1985 (weights .360, .640; rates 1.256, 2.663).
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Poisson

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, lam = map(IndexedBase, ["x", "z", "w", "lam"])

model = Model({z[i]: Categorical(w[k]), x[i]: Poisson(lam[z[i]])}, latent=[z])

data = {"x": np.repeat(range(10), [162, 267, 271, 185, 111, 61, 27, 8, 3, 1])}
start = {"w": [0.3, 0.7], "lam": [1.0, 2.5]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
