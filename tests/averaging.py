"""The slow evaluator with posterior means: ⟨f(z)⟩ of a Gaussian z, by points.

A quadratic has its mean over the points m ± √d l, l the columns of a root of the covariance: exact, and apart
from the algebra that put the mean there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Indexed, Symbol

from symem.algebra.rewriting import MatrixMean, ScalarMean
from symem.derivation import Derivation
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.matrices import MatrixEntry
from symem.report.notation.moments import Meanings, Moments
from tests.evaluate import Evaluator


@dataclass
class Averaging(Evaluator):
    """An evaluator of formulas as they are printed."""

    derivation: Derivation | None = None

    def __call__(self, expr: Any, scope: Any = None) -> Any:
        if not isinstance(expr, MatrixMean | ScalarMean):
            return super().__call__(expr, scope)
        body, *given = expr.args
        atom, moments = self._latent(body)
        here = _places(moments, atom, given, self, scope or {})
        mean, covariance = (
            np.array(super(Averaging, self).__call__(each, here), dtype=float)
            for each in (moments.mean, moments.covariance)
        )
        return self._averaged(body, atom, mean.reshape(-1), np.atleast_2d(covariance), scope or {})

    def _latent(self, body: Any) -> tuple[Any, Moments]:
        assert self.derivation is not None
        known = {name_of(each.atom): each for each in Meanings.of(self.derivation).moments}
        atoms = {entry for entry in body.atoms(Indexed, Symbol) if name_of(entry) in known} - labels_in(body)
        assert len(atoms) == 1, f"one latent in a mean, not {atoms}"
        return (atom := atoms.pop()), known[name_of(atom)]

    def _averaged(self, body: Any, atom: Any, mean: Any, covariance: Any, scope: Any) -> Any:
        name, places = name_of(atom), tuple(int(self(slot, scope)) for slot in places_of(atom))
        before, found = self.values.get(name), []
        shape = mean.shape if isinstance(atom, MatrixEntry) else ()
        whole = np.zeros([*(place + 1 for place in places), *shape])
        for point in _points(mean, covariance):
            whole[places] = point.reshape(shape)
            self.values[name] = whole
            self.cache.clear()
            found.append(super().__call__(body, scope))
        self.cache.clear()
        self.values[name] = before
        return sum(found[1:], found[0]) / len(found)


def _places(moments: Moments, atom: Any, given: Any, run: Evaluator, scope: Any) -> dict[str, Any]:
    """The indices of the moments at the place of the latent and of the labels given."""
    own = zip(places_of(moments.atom), places_of(atom), strict=True)
    labels = zip(moments.given, given, strict=True)
    shown = {str(index): scope[str(label)] if label.is_Symbol else int(label) - 1 for index, label in labels}
    return {**scope, **{str(index): run(slot, scope) for index, slot in own}, **shown}


def _points(mean: Any, covariance: Any) -> list[Any]:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0) * len(mean))
    return [mean + sign * root[:, column] for column in range(len(mean)) for sign in (1, -1)]
