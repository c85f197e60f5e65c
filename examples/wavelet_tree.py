"""Hidden Markov tree: the wavelet coefficients of a noisy signal are small or large, mostly as their parents are.

Source: Crouse, Nowak & Baraniuk 1998; the signal is the Doppler of Donoho & Johnstone 1994.
"""

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

n, K = symbols("n K", integer=True, positive=True)
v, k, root = Idx("v", n), Idx("k", K), symbols("root")
x, z, pi, A, s, parent = map(IndexedBase, ["x", "z", "pi", "A", "s", "parent"])

model = Model(
    {z[root]: Categorical(pi[k]), z[v]: Categorical(A[z[parent[v]], k]), x[v]: Normal(0, s[z[v]])},
    latent=[z],
    known=[parent],
)

time = np.arange(1, 513) / 512
signal = np.sqrt(time * (1 - time)) * np.sin(2.1 * np.pi / (time + 0.05))
rest, scales = signal + np.random.default_rng(0).normal(0, 0.05, 512), []
while len(rest) > 1:  # Haar's wavelets, from the finest scale to the coarsest
    scales.insert(0, (rest[::2] - rest[1::2]) / np.sqrt(2))
    rest = (rest[::2] + rest[1::2]) / np.sqrt(2)
data = {"x": np.concatenate(scales), "parent": (np.arange(511) - 1) // 2}
start = {"pi": [0.5, 0.5], "A": [[0.9, 0.1], [0.3, 0.7]], "s": [0.05, 0.5]}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
