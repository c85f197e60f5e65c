"""ABO blood groups: A and B dominate O, so that blood of group A may be AA or AO.

Source: Lange 2002, Mathematical and Statistical Methods for Genetic Analysis, ch. 2 (limit .2136, .0501, .7363).
"""

from sympy import Eq, symbols

from symem import Model, Multinomial, Simplex

n, nA, nB = symbols("n nA nB")
nAA, nAO, nBB, nBO, nAB, nOO = symbols("nAA nAO nBB nBO nAB nOO")
pA, pB, pO = symbols("pA pB pO")

model = Model(
    {
        (nAA, nAO, nBB, nBO, nAB, nOO): Multinomial(
            n, pA**2, 2 * pA * pO, pB**2, 2 * pB * pO, 2 * pA * pB, pO**2
        )
    },
    latent=[nAA, nAO, nBB, nBO],
    known=[n],
    given=[Eq(nAA + nAO, nA), Eq(nBB + nBO, nB)],
    parameters={(pA, pB, pO): Simplex()},
)

data = {"n": 521, "nA": 186, "nB": 38, "nAB": 13, "nOO": 284}
start = {"pA": 0.3, "pB": 0.2, "pO": 0.5}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
