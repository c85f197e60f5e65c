"""The steps of a derivation."""

from __future__ import annotations

from symem.derivation import Derivation


def steps(derivation: Derivation) -> Derivation:
    return derivation
