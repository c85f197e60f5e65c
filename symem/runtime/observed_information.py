"""The information of data at parameters, and of which directions it tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.description import Cut, Model
from symem.runtime.em_steps import _e_step, _slopes
from symem.runtime.held_ends import _at_ends, _nearly_at_ends
from symem.runtime.loop import DataError
from symem.runtime.standard_errors import _LEVEL, Information, _shares, _within
from symem.runtime.tangents import (
    _basis,
    _bounds,
    _derivative,
    _entry_names,
    _first_steps,
    _flat,
    _moves,
    _places,
    _steps,
    _unflat,
    _way_to_end,
)

#: A slope, in standard errors, of no maximum.
_STEEP = 0.05

#: A flat direction moves an entry that goes by more than this share of what the one goes that moves most.
_STILL = 1e-3

#: A share of the information on other entries, and a number of rows, that count as none.
_NOTHING = 1e-12

#: Of more entries than these no information is computed; more of them than these are not named.
_MOST, _NAMED = 5000, 6


def _information(model: Model, theta: Any, data: Cut) -> Information:
    """The information of data, cut, at parameters."""
    if model.slopes is None:
        why = "A mean field raises a free energy, whose curvature is no information on the parameters."
        raise DataError(
            why
            if model.factors
            else "The slopes of Q of this model have no formula, so there is no information."
        )
    if len(_flat(theta)) > _MOST:
        raise DataError(
            f"The parameters have {len(_flat(theta))} entries, too many for a table of each beside each."
        )
    ends, free = _bounds(model, theta), np.any(_basis(model, theta), axis=1)
    room = np.where(free, _way_to_end(model, theta), np.inf)
    held = _at_ends(room, ends)
    complete, missing, score = bends = _bends(model, theta, data, room, held)
    found = _conditioned(model, theta, bends, ends, free & held)
    nearly = _nearly_at_ends(model, theta, held, (complete, complete - missing, score))
    if np.any(nearly):
        other = _conditioned(model, theta, bends, ends, free & (held | nearly))
        return found if other.message and np.any(other.basis) else other
    return found


def _conditioned(model: Model, theta: Any, bends: tuple[Any, Any, Any], ends: Any, held: Any) -> Information:
    """The information, some entries held, and others with them that cannot move alone."""
    complete, missing, score = bends
    basis = _basis(model, theta, held)
    held = np.any(_basis(model, theta), axis=1) & ~np.any(basis, axis=1)
    complete, missing = (np.where(held[:, None] | held, np.nan, table) for table in (complete, missing))
    lacking = np.zeros(len(held), dtype=bool)
    found = Information(
        complete, missing, complete - missing, score, theta, basis, ends, basis, held, lacking
    )  # fmt: skip
    return _identified(_conditional(found))


def _bends(model: Model, theta: Any, data: Cut, room: Any, held: Any) -> tuple[Any, Any, Any]:
    """Complete and missing information, 0 for what is held, and the score."""
    at, expected = _flat(theta), _e_step(model, theta, data)
    moves = [move for move in _moves(model, theta) if not np.any(held[move.entries])]

    def still(flat: Any) -> Any:
        return _flat(_slopes(model, _unflat(theta, flat), theta, expected, data, data))

    def taken(flat: Any) -> Any:
        there = _unflat(theta, flat)
        return _flat(_slopes(model, theta, there, _e_step(model, there, data), data, data))

    steps = _first_steps(at, room)
    complete = np.zeros((len(at), len(at)))
    for _ in range(3):
        complete = -_derivative(still, at, moves, steps)
        steps = _steps(np.diag(complete), steps, room)
    missing = _derivative(taken, at, moves, steps)
    lacking = held | _unseen(theta, np.diag(complete))
    for table in (complete, missing):
        table[lacking], table[:, lacking] = 0.0, 0.0
    return (complete + complete.T) / 2, (missing + missing.T) / 2, still(at)


def _unseen(theta: Any, complete: Any) -> Any:
    """Entries of which complete data tell nothing beside what they tell of others of the same array, nor beside their size:
    those of an empty component.
    """
    found = np.zeros(len(complete), dtype=bool)
    for (_name, place), value in zip(_places(theta), theta, strict=True):
        told = np.abs(complete[place])
        found[place] = (told < _NOTHING * np.max(told, initial=0.0)) & (
            told * np.max(np.abs(value), initial=0.0) ** 2 < _NOTHING
        )
    return found


def _conditional(found: Information) -> Information:
    """What is held is named."""
    if not np.any(found.held):
        return found
    names = _named(found, found.held)
    at_end = f"{names} {'lies at an end of its support' if np.sum(found.held) == 1 else 'lie at ends of their supports'}"
    if not found.basis.shape[1]:
        return found._replace(message=f"{at_end}, and nothing else moves")
    return found._replace(
        notes=(
            (
                "held",
                f"{at_end}: no standard errors there, and those of the others are conditional on these values",
            ),
        )
    )


def _identified(found: Information) -> Information:
    """Of which directions data tell, where the estimate is a maximum; or why it is none."""
    if found.message or not found.basis.shape[1]:
        return found
    complete, observed = found.in_basis(found.complete), found.in_basis(found.observed)
    if not (np.all(np.isfinite(observed)) and np.all(np.isfinite(complete))):
        return found._replace(
            message="what is raised has no second derivatives there in floating-point numbers"
        )
    size = np.sqrt(np.abs(np.diag(complete)))
    scale = np.where(size > 0, size, 1.0)
    shares, ways = np.linalg.eigh(complete / np.outer(scale, scale))
    ways = ways / scale[:, None]
    if shares[0] < -_LEVEL:
        return found._replace(message=f"Q rises along a direction that moves {_moved(found, ways[:, :1])}")
    blind, ways = ways[:, shares <= _LEVEL], ways[:, shares > _LEVEL]
    shares, inner = _shares(_within(ways, observed), _within(ways, complete))
    ways = ways @ inner
    if shares.size and shares[0] < -_LEVEL:
        return found._replace(message=f"ℓ rises along a direction that moves {_moved(found, ways[:, :1])}")
    level, ways, shares = ways[:, shares < _LEVEL], ways[:, shares >= _LEVEL], shares[shares >= _LEVEL]
    moved = np.any(found.basis, axis=1)
    slope = found.basis[moved].T @ found.score[moved]
    if np.any(np.abs(slope @ level) > _STEEP) or np.sum((slope @ ways) ** 2 / shares) > _STEEP**2:
        return found._replace(message="ℓ still rises there: fit to the maximum first, with a smaller tol")
    return _without(found._replace(told=found.basis @ ways), blind, level)


def _without(found: Information, blind: Any, level: Any) -> Information:
    """What Q does not tell of, and what ℓ does not, is named: nothing else is told if there is nothing else."""
    notes = []
    for flat, head, tail in (
        (blind, "Q is flat", ", so that not even complete data tell"),
        (level, "ℓ is flat", ""),
    ):
        if flat.shape[1]:
            ways = "a direction that moves" if flat.shape[1] == 1 else f"{flat.shape[1]} directions that move"
            notes.append(f"{head} along {ways} {_moved(found, flat)}{tail}")
    if not notes:
        return found
    said = "; ".join(notes)
    lacking = np.any(_moving(found, np.hstack([blind, level])), axis=1)
    if np.all(lacking | found.held):
        return found._replace(message=said)
    told = ("not identified", f"{said}: what they move has no standard errors")
    return found._replace(unidentified=lacking, notes=(*found.notes, told))


def _moving(found: Information, ways: Any) -> Any:
    """Which entries each direction moves, (p, directions), each measured by what complete data say of it."""
    size = np.sqrt(np.abs(np.diag(found.complete)))
    moved = np.abs(found.basis @ ways) * np.where(size > 0, size, 1.0)[:, None]
    return moved > _STILL * np.max(moved, axis=0)


def _moved(found: Information, ways: Any) -> str:
    """The entries that directions move."""
    return _named(found, np.any(_moving(found, ways), axis=1))


def _named(found: Information, chosen: Any) -> str:
    names = [name for name, one in zip(_entry_names(found.parameters), chosen, strict=True) if one]
    return ", ".join(
        names if len(names) <= _NAMED else [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    )
