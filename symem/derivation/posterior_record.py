"""What all kinds of posteriors have: a latent at one plate position, its density, and what elimination leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from sympy import Expr, S

from symem.derivation.definition import Definition
from symem.language.model import Variable
from symem.language.plates import Axis


@dataclass(frozen=True, kw_only=True)
class PosteriorRecord:
    """p(latent | data, latents eliminated later, theta^(t)) at one plate position: what all kinds have.

    `axes` are the latent's own plates followed by one axis for each label it is conditioned on; `labels` pairs
    each such label with its axis. `log_density` are the gathered terms, `log_normaliser` is what elimination
    leaves behind, `joint` what was left of the complete-data log-likelihood of rows that count once when the latent's turn came, `condition`
    the bracket outside which the latent does not exist, `count` how often its row counts (`weights=`). `expectations` maps each statistic of the latent to its
    conditional mean, which `moments` define. An `inline` posterior depends on another latent that is no label: its
    arguments are polynomials in it.
    """

    latent: Variable
    atom: Expr
    axes: tuple[Axis, ...]
    family: str
    log_density: Expr
    log_normaliser: Definition
    joint: Expr = S.Zero
    labels: tuple[tuple[Expr, Axis], ...] = ()
    condition: Expr | None = None
    count: Expr = S.One
    expectations: Mapping[Expr, Expr] = field(default_factory=dict)
    moments: tuple[Definition, ...] = ()

    #: The fields that hold definitions, in an order in which they can be computed.
    defining: ClassVar[tuple[str, ...]]
    #: The fields that are axes beside the plates.
    axial: ClassVar[tuple[str, ...]] = ()
    #: The letters that the books have for fields.
    letters: ClassVar[dict[str, str]] = {}
    #: Whether all definitions are told one after another, for they are no arguments of a law.
    line_by_line: ClassVar[bool] = False

    @property
    def defining_fields(self) -> tuple[str, ...]:
        """Those fields, of which some may be missing."""
        return self.defining

    @property
    def joint_axes(self) -> tuple[Axis, ...]:
        """The axes of the position over which all latents go in one act: none, where each goes by itself."""
        return ()

    @property
    def inline(self) -> bool:
        return False

    @property
    def present(self) -> Expr:
        """How often a row counts, where it is."""
        return self.count * (S.One if self.condition is None else self.condition)

    @property
    def parameters(self) -> tuple[Definition, ...]:
        """The arguments that have names: a table has none."""
        return ()

    @property
    def interval(self) -> tuple[Expr, Expr]:
        """The ends between which the latent lies."""
        return self.latent.support.bounds

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All names that this posterior brings in, in an order in which they can be computed."""
        if self.inline:
            return self.parameters
        return tuple(each for name in self.defining_fields for each in _listed(getattr(self, name)))

    def rewritten(self, change: Callable[[Definition], Definition], **others: Any) -> Self:
        """The same with every definition changed, in the order of `definitions`, and other fields replaced."""
        changed: dict[str, Any] = {
            name: _changed(getattr(self, name), change) for name in self.defining_fields
        }
        return replace(self, **(changed | others))


def _listed(value: Definition | tuple[Definition, ...]) -> tuple[Definition, ...]:
    return value if isinstance(value, tuple) else (value,)


def _changed(
    value: Definition | tuple[Definition, ...], change: Callable[[Definition], Definition]
) -> Definition | tuple[Definition, ...]:
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)
