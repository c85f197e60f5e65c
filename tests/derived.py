"""Each model is derived, and its module loaded, once a session."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.models import BY_NAME


@cache
def em(name: str) -> Any:
    """The EM algorithm of that row."""
    return BY_NAME[name].model().derive()


@cache
def solver(name: str) -> Any:
    """Its emitted module."""
    return em(name).solver()


def named(theta: Any) -> dict[str, Any]:
    """The emitted named tuple as a dict."""
    return dict(theta._asdict())
