"""What a verification found: one record per rung of the ladder."""

from __future__ import annotations

from dataclasses import dataclass

from symem.errors import VerificationError
from symem.runtime.wording import _Option, _Words

#: Rungs of which a failure means that nothing may be emitted.
BLOCKING = frozenset({"V0", "V1", "V2", "V3"})


@dataclass(frozen=True)
class Rung:
    """One identity and how well it held.

    Attributes:
    ----------
    passed:
        True, False, or None where it could not be checked; `detail` then says why.
    number:
        The largest violation found, in the rung's own units; `tolerance` is what rounding may cost.
    points:
        At how many parameter values it was checked.
    """

    name: str
    identity: str
    passed: bool | None
    number: float = float("nan")
    tolerance: float = float("nan")
    points: int = 0
    detail: str = ""

    @property
    def verdict(self) -> str:
        return {True: "passed", False: "FAILED", None: "open"}[self.passed]

    def __str__(self) -> str:
        number = (
            f"{self.number:.1e} ≤ {self.tolerance:.0e}"
            if self.passed
            else f"{self.number:.1e} > {self.tolerance:.0e}"
        )
        shown = "" if self.passed is None else f"  {number}, {self.points} points"
        detail = f"  ({self.detail})" if self.detail else ""
        return f"{self.name}  {self.verdict:<6}  {self.identity}{shown}{detail}"


@dataclass(frozen=True)
class Verification:
    """The ladder V0 to V6, with the data on which it was climbed."""

    rungs: tuple[Rung, ...]
    data: str = ""

    @property
    def verdict(self) -> str:
        """One of "passed", "failed", and "open" where nothing failed and one of V0 to V3 could not be checked."""
        if self.failed:
            return "failed"
        return "open" if {rung.name for rung in self.open} & BLOCKING else "passed"

    @property
    def passed(self) -> bool:
        """Every rung from V0 to V3 was checked and held, and none failed. V4 to V6 may be open: see `open`."""
        return self.verdict == "passed"

    @property
    def failed(self) -> tuple[Rung, ...]:
        return tuple(rung for rung in self.rungs if rung.passed is False)

    @property
    def open(self) -> tuple[Rung, ...]:
        return tuple(rung for rung in self.rungs if rung.passed is None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was checked: all rungs are open."""
        return len(self.open) == len(self.rungs)

    @property
    def blocks_emission(self) -> bool:
        """Whether a rung from V0 to V3 failed, or nothing could be checked at all."""
        return self.is_empty or any(rung.name in BLOCKING for rung in self.failed)

    @property
    def obstacle(self) -> str:
        """Why nothing may be emitted."""
        unverified = _Option("verify", "False")
        nothing = _Words("nothing could be verified: give ", unverified, " to write it all the same")
        return nothing if self.is_empty else "verification failed"

    def require(self, refusal: str) -> None:
        """Let pass what may be emitted.

        Raises:
            VerificationError: a rung from V0 to V3 failed, or nothing could be checked; it begins with `refusal`.
        """
        if self.blocks_emission:
            raise VerificationError(_Words(f"{refusal}, because ", self.obstacle, f".\n{self}"))

    def __getitem__(self, name: str) -> Rung:
        return next(rung for rung in self.rungs if rung.name == name)

    def __str__(self) -> str:
        head = [f"Checked on {self.data}."] if self.data else []
        return "\n".join([*head, *map(str, self.rungs), self.summary])

    @property
    def summary(self) -> str:
        """The verdict, with the rungs that it rests on or lacks."""
        named = {"failed": self.failed, "open": self.open}.get(self.verdict, ())
        if self.verdict == "passed":
            return f"Passed; {_names(self.open)} open." if self.open else "Passed."
        return f"{_names(named)} failed." if self.failed else f"Not passed: {_names(named)} open."


def _names(rungs: tuple[Rung, ...]) -> str:
    return ", ".join(rung.name for rung in rungs)
