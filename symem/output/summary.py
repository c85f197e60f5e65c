"""A derivation in plain text, as the docstring of the module that runs it."""

from __future__ import annotations

from sympy import Expr

from symem.derivation import Derivation


def docstring(derivation: Derivation) -> str:
    """The model, the posteriors, the statistics and the updates, a line each."""
    lines = [
        "An EM algorithm, derived by symem.",
        "",
        "Complete-data log-likelihood:",
        f"    {_text(derivation.complete)}",
    ]
    lines += ["", "E-step (posterior at the current parameters):"]
    lines += [f"    {_text(each.symbol)} = {_text(each.value)}" for each in derivation.definitions]
    lines += ["", "Expected sufficient statistics:"]
    lines += [f"    {_text(each.symbol)} = {_text(each.value)}" for each in derivation.surrogate.statistics]
    lines += ["", "M-step:"]
    lines += [f"    {_text(each.parameter)} = {_text(each.value)}" for each in derivation.updates]
    lines += ["", "Log-likelihood:", f"    {_text(derivation.log_likelihood)}"]
    return "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")


def _text(expr: Expr) -> str:
    return str(expr)
