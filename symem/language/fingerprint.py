"""A short name of a statement: the same in every process, another for another model."""

from __future__ import annotations

import hashlib

from symem.language.model import Model

_LETTERS = 16


def fingerprint(model: Model) -> str:
    """The first letters of a hash of the symbols with their roles, shapes and supports, and of the log-density."""
    prior = model.log_prior + model.joint_prior
    stated = "\n".join([str(model), str(model.log_likelihood), str(prior)])
    return hashlib.sha256(stated.encode()).hexdigest()[:_LETTERS]
