"""Verification apart from the engine: brute force on the declared model against what was derived."""

from symem.evaluation.situation import situation
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import Ground
from symem.verification.module_check import first_look
from symem.verification.oracle import Oracle
from symem.verification.records import Rung, Verification
from symem.verification.verifying import numeric_second_order, prepare, verify

__all__ = [
    "Ground",
    "Oracle",
    "Rung",
    "TooLargeError",
    "Verification",
    "first_look",
    "numeric_second_order",
    "prepare",
    "situation",
    "verify",
]
