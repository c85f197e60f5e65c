"""Peppered moths, with nU moths known only to be insularia or typica.

Source: Givens & Hoeting, Computational Statistics, problem 4.1.
"""

from sympy import Eq, symbols

from symem import Model, Multinomial, Simplex

n, nC, nI, nTT, m, nU = symbols("n nC nI nTT m nU")
nCC, nCI, nCT, nII, nIT = symbols("nCC nCI nCT nII nIT")
mC, mII, mIT, mTT = symbols("mC mII mIT mTT")
pC, pI, pT = symbols("pC pI pT")
genotypes = (pC**2, 2 * pC * pI, 2 * pC * pT, pI**2, 2 * pI * pT, pT**2)

model = Model(
    {
        (nCC, nCI, nCT, nII, nIT, nTT, mII, mIT, mTT): Multinomial(n, *genotypes, *genotypes[3:]),
    },
    latent=[nCC, nCI, nCT, nII, nIT, mII, mIT, mTT],
    known=[n],
    given=[Eq(nCC + nCI + nCT, nC), Eq(nII + nIT, nI), Eq(mII + mIT + mTT, nU)],
    parameters={(pC, pI, pT): Simplex()},
)

data = {"n": 1200, "nC": 85, "nI": 196, "nTT": 341, "nU": 578}
start = {"pC": 1 / 3, "pI": 1 / 3, "pT": 1 / 3}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
