"""Updates that solve a linear system: that ∂Q/∂θ is that system, and that its quadratic form is positive."""

from __future__ import annotations

from sympy import Add, Dummy, Expr, IndexedBase, Sum, cancel, expand

from symem.calculus.separate import separate
from symem.calculus.signs import Signs
from symem.calculus.slopes import entries
from symem.calculus.vanishing import Vanishing
from symem.derivation import Update


def solves(vanishes: Vanishing, slope: Expr, update: Update) -> bool:
    """Whether ∂Q/∂b is a multiple, free of b, of Σ_m G[j, m] b[m] - h[j]."""
    component, row, column, matrix, vector, size = update.value.args
    own = matrix.xreplace({row: component})
    product = Sum(own * update.parameter.xreplace({component: column}), (column, 0, size - 1))
    system = vanishes.named(product - vector.xreplace({row: component}))
    found = vanishes.named(slope)
    ratio = cancel(_plain(found) / _plain(system))
    letters = {s for s in found.free_symbols | system.free_symbols if isinstance(s, Dummy)}
    return ratio != 0 and not ratio.free_symbols & letters and not entries(ratio, update.parameter)


def _plain(expr: Expr) -> Expr:
    return expand(expr, deep=False)


def concave(slope: Expr, update: Update, signs: Signs) -> bool:
    """Σ_jm G[j, m] a_j a_m ≥ 0 for every direction a, G being minus the Hessian."""
    component, size = update.value.args[0], update.value.args[5]
    direction = IndexedBase("direction", real=True)
    form = []
    for term in separate(slope):
        held = entries(term.factor, update.parameter)
        if held:
            (place,) = [
                p
                for p, own in zip(held[0].indices, update.parameter.indices, strict=True)
                if own == component
            ]
            form.append(-direction[component] * term.replace({held[0]: direction[place]}).expr)
    limits = (component, 0, size - 1)
    return bool(form) and signs(Sum(Add(*form), limits)) == 1
