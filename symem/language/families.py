"""The table of distributions: one row serves the declaration of a model and the recognition of a posterior.

The rows themselves are in `real_families`, `positive_families`, `observed_families` and `counting_families`; here are the laws that
are written with an index or with branches, and the way from `sympy.stats` to a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr, S, Tuple, loggamma

from symem.errors import ModelError
from symem.language import counting_families, observed_families, positive_families, real_families
from symem.language.family import OTHERWISE, Distribution, Family
from symem.language.stated import as_sympy, expression
from symem.language.supports import Binary, Counts, Positive, Reals, Simplex
from symem.language.vectors import MultivariateNormal, MultivariateT, Wishart

_ROWS = tuple(
    row
    for module in (real_families, positive_families, observed_families, counting_families)
    for row in vars(module).values()
    if isinstance(row, Family)
)
#: The rows with one scalar value, by the name users write; a posterior is recognised as the first that has its form.
FAMILIES: dict[str, Family] = {row.name: row for row in _ROWS}

_CATEGORICAL = Family("Categorical", {"p": Simplex()}, lambda *_: S.Zero, lambda *_: Binary())
_MULTINOMIAL = Family("Multinomial", {"n": Counts(), "p": Simplex()}, lambda *_: S.Zero, lambda *_: Counts())
_DIRICHLET = Family("Dirichlet", {"alpha": Positive()}, lambda *_: S.Zero, lambda *_: Simplex())
_CASES = Family("Cases", {"label": Binary()}, lambda *_: S.Zero, lambda *_: Reals())


def _entries(arguments: tuple[Any, ...], named: Any, owner: str) -> tuple[Expr, ...]:
    """The cells, given one by one, as a tuple, as an array with its index, or by the name of the parameter."""
    if named is not None:
        arguments = (*arguments, named)
    first = arguments[0] if len(arguments) == 1 else arguments
    entries = tuple(first) if isinstance(first, (tuple, list, Tuple)) else (first,)
    if not entries:
        raise ModelError(f"{owner} without arguments: write {owner}(w[k]) or {owner}((p, q, r)).")
    return tuple(expression(entry, f"An argument of {owner}") for entry in entries)


def Categorical(*cells: Any, p: Any = None) -> Distribution:
    """A label: `Categorical(w[k])` over the range of k, or `Categorical((p1, p2, ...))`; log p(x) = log p_x.

    Parameters
    ----------
    *cells : Expr
        the probabilities of the labels 0, 1, …: an array with its index, a tuple, or one by one.
    p : array, optional
        the same by its name.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ModelError
        there are no cells, or one is no SymPy expression.
    """
    return Distribution(_CATEGORICAL, _entries(cells, p, "Categorical"))


def Multinomial(n: Any, *cells: Any, p: Any = None) -> Distribution:
    """Counts with total n: `Multinomial(N[i], p[v])` over the range of v, or `Multinomial(n, p1, p2, ...)`.

    log p(x) = log n! + Σ_v (x_v log p_v - log x_v!).

    Parameters
    ----------
    n : Expr
        the total.
    *cells : Expr
        the probabilities of the cells: an array with its index, a tuple, or one by one.
    p : array, optional
        the same by its name.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ModelError
        there are no cells, or one is no SymPy expression.
    """
    total = expression(n, "The total of Multinomial")
    return Distribution(_MULTINOMIAL, (total, *_entries(cells, p, "Multinomial")))


def Dirichlet(*cells: Any, alpha: Any = None) -> Distribution:
    """A point of a simplex: `Dirichlet(a)` (symmetric), `Dirichlet(a[k])` or `Dirichlet((a1, a2, ...))`.

    log p(x) = Σ_k (α_k - 1) log x_k + log Γ(Σ_k α_k) - Σ_k log Γ(α_k). Latent shares `p[i, k]: Dirichlet(alpha[k])`, their category the
    last index, under counts `Multinomial(N[i], p[i, k])` or labels `Categorical(p[i, k])` have a Dirichlet posterior.

    Parameters
    ----------
    *cells : Expr
        the α_k, each positive.
    alpha : array, optional
        the same by its name.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ModelError
        there are no cells, or one is no SymPy expression.
    """
    return Distribution(_DIRICHLET, _entries(cells, alpha, "Dirichlet"))


def Cases(label: Any, branches: Any, *, otherwise: Any = None) -> Distribution:
    """A different family for each value of a label: `Cases(z[i], {0: Dirac(0), 1: Poisson(lam)})`.

    Parameters
    ----------
    label : Expr
        a label, a 0/1 variable, or a count on a range that is written out.
    branches : dict
        value of the label -> distribution.
    otherwise : Distribution, optional
        the distribution at every other value, `Cases(z[i], {0: Uniform(0, 9)},
        otherwise=Normal(mu[z[i]], s))`.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ModelError
        the branches are no dict from the label's values to distributions.
    """
    if not isinstance(branches, Mapping) or not len(branches):
        raise ModelError(
            f"Cases({label}, …) needs a branch for each value: {{0: Dirac(0), 1: Poisson(lam)}}."
        )
    read: dict[Any, Distribution] = {_outcome(value): as_distribution(law) for value, law in branches.items()}
    if otherwise is not None:
        read[OTHERWISE] = as_distribution(otherwise)
    return Distribution(_CASES, (expression(label, "The label of Cases"),), read)


def _outcome(value: Any) -> int:
    whole = as_sympy(value)
    if whole is None or not whole.is_Integer:
        raise ModelError(
            f"Cases has a branch for {value!r}: the values of a label are whole numbers, and the law at any other "
            f"value is Cases(…, otherwise=law)."
        )
    return int(whole)


#: What `sympy.stats` calls the laws of several numbers, and how ours are made of them.
_OF_CELLS = {
    "Multinomial": lambda arguments: Multinomial(arguments[0], *arguments[1]),
    "MultivariateBeta": lambda arguments: Dirichlet(tuple(arguments[0])),
    "MultivariateNormal": lambda arguments: MultivariateNormal(*arguments),
    "MultivariateT": lambda arguments: MultivariateT(*arguments),
    "Wishart": lambda arguments: Wishart(*arguments),
}


def as_distribution(stated: Any) -> Distribution:
    """What stands behind a colon, as a `Distribution`; a `sympy.stats` random symbol is taken too.

    Raises
    ------
    ModelError
        it is neither, or the table has no row for it.
    """
    if isinstance(stated, Distribution):
        return stated
    if isinstance(stated, Family):
        raise ModelError(
            f"{stated.name} without arguments: write {stated.name}({', '.join(stated.parameters)})."
        )
    inner = getattr(getattr(stated, "pspace", None), "distribution", None)
    if inner is None:
        raise ModelError(f"{stated!r} is not a distribution: write Normal(mean, std), Categorical(w[k]), …")
    name = type(inner).__name__.removesuffix("Distribution")
    if name in _OF_CELLS:
        return _OF_CELLS[name](inner.args)
    if name not in FAMILIES:
        raise ModelError(f"sympy.stats' {name} has no row in the table: write Family({name!r}, …) for it.")
    return _by_row(FAMILIES[name], inner.args)


def _by_row(row: Family, arguments: tuple[Any, ...]) -> Distribution:
    """A row with the arguments of `sympy.stats`, which may end in options: they must have their usual values."""
    own, options = arguments[: len(row.parameters)], arguments[len(row.parameters) :]
    if tuple(options) not in ((), (1, 0), (S.false,)):
        raise ModelError(
            f"sympy.stats' {row.name} with {options} has no row in the table: write it without them."
        )
    return row(*own)


def symmetric_dirichlet(alpha: Expr, size: Expr) -> Expr:
    """The log of the normalising constant of a symmetric Dirichlet over `size` cells."""
    return loggamma(size * alpha) - size * loggamma(alpha)
