"""Each model is derived, and its module loaded, once a session."""

from __future__ import annotations

from functools import cache
from typing import Any

from symem.em import EM, derive
from symem.language.fingerprint import fingerprint
from symem.language.model import Model
from tests.models import BY_NAME


@cache
def em(name: str) -> Any:
    """The EM algorithm of that row."""
    return BY_NAME[name].model().derive()


@cache
def solver(name: str) -> Any:
    """Its emitted module."""
    return em(name).solver()


_STATED: dict[str, EM] = {}


def once(
    model: Model, *, budget: float | None = None, numeric: bool = True, approximate: str | None = None
) -> EM:
    """What `derive` gives, once for each statement: for tests of what is done with it."""
    if budget is not None or not numeric or approximate:
        return derive(model, budget=budget, numeric=numeric, approximate=approximate)
    name = fingerprint(model)
    _STATED[name] = _STATED.get(name) or derive(model)
    return _STATED[name]


def named(theta: Any) -> dict[str, Any]:
    """The emitted named tuple as a dict."""
    return dict(theta._asdict())
