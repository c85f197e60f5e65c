"""Exponential lifetimes t; an entry that is NaN was not seen, only that it exceeds c (c = 0: not seen at all).

Source: Cox & Oakes 1984, Analysis of Survival Data; 6-MP remission times of Freireich et al. 1963.
"""

from sympy import Idx, IndexedBase, symbols

from symem import Exponential, Model

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
t, c = map(IndexedBase, ["t", "c"])
lam = symbols("lam")

model = Model({t[i]: Exponential(lam)}, missing=[t], given=[t[i] > c[i]], known=[c])

nan = float("nan")
data = {
    "t": [6, 6, 6, 7, 10, 13, 16, 22, 23] + [nan] * 12,
    "c": [0] * 9 + [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
}
start = {"lam": 0.1}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
