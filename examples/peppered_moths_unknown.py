"""Peppered moths: n of known phenotype, and nU more known only to be insularia or typica (none carries C).

Source: Givens & Hoeting, Computational Statistics, problem 4.1.
"""

from sympy import Eq, symbols

from symem import Model, Multinomial, Simplex

n, nC, nI, nU = symbols("n nC nI nU")
nCC, nCI, nCT, nII, nIT, nTT = symbols("nCC nCI nCT nII nIT nTT")
mCC, mCI, mCT, mII, mIT, mTT = symbols("mCC mCI mCT mII mIT mTT")
pC, pI, pT = symbols("pC pI pT")
genotypes = (pC**2, 2 * pC * pI, 2 * pC * pT, pI**2, 2 * pI * pT, pT**2)

model = Model(
    {
        (nCC, nCI, nCT, nII, nIT, nTT): Multinomial(n, *genotypes),
        (mCC, mCI, mCT, mII, mIT, mTT): Multinomial(nU, *genotypes),
    },
    latent=[nCC, nCI, nCT, nII, nIT, mII, mIT, mTT],
    known=[n, nU],
    given=[Eq(nCC + nCI + nCT, nC), Eq(nII + nIT, nI), Eq(mII + mIT + mTT, nU)],
    parameters={(pC, pI, pT): Simplex()},
)

data = {"n": 622, "nC": 85, "nI": 196, "nTT": 341, "nU": 578, "mCC": 0, "mCI": 0, "mCT": 0}
start = {"pC": 1 / 3, "pI": 1 / 3, "pT": 1 / 3}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
