"""Any finite mixture: F(q, theta) = Q + H(q) equals the log-likelihood at q = p(z | x, theta), for any density f.

Source: Neal & Hinton 1998, A View of the EM Algorithm that Justifies Incremental, Sparse and Other Variants.
"""

from sympy import Function, Idx, IndexedBase, Sum, log, symbols

from symem import Labels, Model, Reals, Simplex

n, K = symbols("n K", integer=True, positive=True)
i = Idx("i", n)
x, z, w, th = map(IndexedBase, ["x", "z", "w", "th"])
f = Function("f", positive=True)

model = Model.from_likelihood(
    log_likelihood=Sum(log(w[z[i]]) + log(f(x[i], th[z[i]])), i),
    latent={z: Labels(K)},
    parameters={w: Simplex(), th: Reals()},
)


if __name__ == "__main__":
    em = model.derive()
    print("Q =", em.Q)
    print("H =", em.entropy)
    print("log-likelihood =", em.log_likelihood)
    for parameter, update in em.updates.items():
        print(parameter, "=", update)
