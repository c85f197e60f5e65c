"""Maximum entropy: of all laws on n outcomes the even one is the most uncertain.

Source: Jaynes 1957, Physical Review 106:620; Cover & Thomas 2006, Elements of Information Theory, ch. 12.
"""

from sympy import Idx, IndexedBase, Sum, log, symbols

from symem import Simplex, maximise

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
p = IndexedBase("p")

entropy = -Sum(p[i] * log(p[i]), i)


if __name__ == "__main__":
    for parameter, value in maximise(entropy, {p: Simplex()}).items():
        print(parameter, "=", value)
