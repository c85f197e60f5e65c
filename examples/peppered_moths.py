"""Peppered moths: alleles C > I > T, of whose six genotypes only three phenotypes are told apart.

Source: Givens & Hoeting, Computational Statistics, example 4.2 (limit .07084, .18874, .74043).
"""

from sympy import Eq, symbols

from symem import Model, Multinomial, Simplex

nCC, nCI, nCT, nII, nIT, nTT = symbols("nCC nCI nCT nII nIT nTT")
n, nC, nI = symbols("n nC nI")
pC, pI, pT = symbols("pC pI pT")

model = Model(
    {
        (nCC, nCI, nCT, nII, nIT, nTT): Multinomial(
            n, pC**2, 2 * pC * pI, 2 * pC * pT, pI**2, 2 * pI * pT, pT**2
        )
    },
    latent=[nCC, nCI, nCT, nII, nIT],
    known=[n],
    given=[Eq(nCC + nCI + nCT, nC), Eq(nII + nIT, nI)],
    parameters={(pC, pI, pT): Simplex()},
)

data = {"n": 622, "nC": 85, "nI": 196, "nTT": 341}
start = {"pC": 1 / 3, "pI": 1 / 3, "pT": 1 / 3}


if __name__ == "__main__":
    em = model.derive()
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
    print(em.fit(**data, start=start).parameters)
