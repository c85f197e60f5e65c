"""Rao's linkage data: 197 animals in four cells, the first of which hides two.

Source: Dempster, Laird & Rubin 1977, JRSS B 39:1, section 1 (iterates .608247 … .626821).
"""

from sympy import Eq, Rational, symbols

from symem import Model, Multinomial

n, y1, y2, y3, y4, x1, x2 = symbols("n y1 y2 y3 y4 x1 x2")
th = symbols("th")

model = Model(
    {(x1, x2, y2, y3, y4): Multinomial(n, Rational(1, 2), th / 4, (1 - th) / 4, (1 - th) / 4, th / 4)},
    latent=[x1, x2],
    known=[n],
    given=[Eq(x1 + x2, y1)],
)

data = {"n": 197, "y1": 125, "y2": 18, "y3": 20, "y4": 34}
start = {"th": 0.5}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
