"""Certificates: checks of a derivation that this module did not make."""

from __future__ import annotations

from symem.derivation import Derivation


def certify(derivation: Derivation) -> Derivation:
    return derivation
