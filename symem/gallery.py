"""A gallery: one report for each model file of a folder, and an index of them in groups, with both steps and pictures.

The pages share a style and a script that lie beside them, and work from a file system as from a server. Everything
is built before anything is written; nothing in it depends on the time or the place of the build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symem.documents import Choices
from symem.em import EM, derive
from symem.errors import DataError, SymemError
from symem.estimate import estimate
from symem.files import ModelFile, load_file
from symem.report import report
from symem.report.fitted import fitted
from symem.report.media.html import assets
from symem.report.sections.catalogue import Card, index
from symem.runtime.wording import _Words
from symem.tables import read_table
from symem.verification import Verification

SHARED = "assets/symem"


@dataclass(frozen=True)
class Exhibit:
    """A model file, what was derived of it and how that was verified, and a fit where there are data."""

    file: ModelFile
    em: EM
    ladder: Verification
    data: Mapping[str, Any] | None
    fit: Any

    @property
    def page(self) -> str:
        return f"{self.file.path.stem}.html"

    @property
    def module(self) -> str | None:
        """The emitted module's file, if there is one."""
        nothing = self.em.derivation.not_derived or self.ladder.is_empty
        return None if nothing else f"{self.file.path.stem}_em.py"

    @property
    def title(self) -> str:
        return self.file.title or self.file.path.stem


def build(
    directory: str | Path, choices: Choices, *, tell: Callable[[str], None], budget: float | None = None
) -> dict[str, str]:
    """Every file of the gallery by its name in it, the index last; `tell` hears what was left out, and why.

    `budget` is that of each derivation.

    Raises:
        DataError: the folder is missing, or states no model.
    """
    exhibits = list(_exhibits(Path(directory), tell, budget))
    if not exhibits:
        raise DataError(f"{directory} holds no Python file with a symem.Model.")
    pages: dict[str, str] = {}
    for exhibit in exhibits:
        pages[exhibit.page] = _page(exhibit, choices)
        if exhibit.module is not None:
            pages[exhibit.module] = exhibit.em.source()
        pages[exhibit.file.path.name] = exhibit.file.path.read_text(encoding="utf-8")
    shared = {f"{SHARED}.css": assets().style, f"{SHARED}.js": assets().script}
    return {**shared, **pages, "index.html": index([_card(exhibit) for exhibit in exhibits], SHARED)}


def _exhibits(directory: Path, tell: Callable[[str], None], budget: float | None) -> Iterator[Exhibit]:
    if not directory.is_dir():
        raise DataError(f"There is no folder {directory}.")
    for path in sorted(directory.glob("*.py")):
        try:
            file = load_file(str(path))
            em = derive(file.model, budget=budget, approximate=file.approximate)
            ladder = _climbed(file, em, tell)
            data, fit = _fitted(file, em, tell)
        except SymemError as error:
            tell(_Words(f"left out {path.name}: ", str(error)))
        else:
            yield Exhibit(file, em, ladder, data, fit)


def _climbed(file: ModelFile, em: EM, tell: Callable[[str], None]) -> Verification:
    """The ladder; a module of which nothing could be checked is left out.

    Raises:
        VerificationError: a rung from V0 to V3 failed.
    """
    ladder: Verification = em.verify()
    if not ladder.is_empty:
        ladder.require("its updates are not shown")
    elif not em.derivation.not_derived:
        tell(f"no module for {file.path.name}: nothing of it could be verified")
    return ladder


def _fitted(file: ModelFile, em: EM, tell: Callable[[str], None]) -> tuple[Mapping[str, Any] | None, Any]:
    """The data of the file, or of a table beside it, and a fit to them."""
    data = file.data or _table_beside(file)
    if data is None or em.derivation.not_derived:
        return None, None
    try:
        return data, em.fit(**data, start=file.start, seed=0)
    except SymemError as error:
        tell(_Words(f"no fit for {file.path.name}: ", str(error)))
        return None, None


def _table_beside(file: ModelFile) -> Mapping[str, Any] | None:
    folder = file.path.parent
    for table in (folder / f"{file.path.stem}.csv", folder / "data" / f"{file.path.stem}.csv"):
        if table.is_file():
            return read_table(table, file.model).arrays
    return None


def _page(exhibit: Exhibit, choices: Choices) -> str:
    own: Choices = {**choices, "title": exhibit.title}
    if exhibit.file.reference:
        own["reference"] = exhibit.file.reference
    if exhibit.data is not None:
        own["data"] = exhibit.data
        if exhibit.file.start is not None:
            own["start"] = exhibit.file.start
    return report.html(exhibit.em.derivation, exhibit.em.options(own), shared=SHARED, back="index.html")


def _card(exhibit: Exhibit) -> Card:
    em, fit = exhibit.em, exhibit.fit
    return Card(
        exhibit.title,
        exhibit.page,
        exhibit.file.path.name,
        exhibit.module,
        em.derivation,
        exhibit.ladder.summary,
        () if fit is None else tuple(estimate(fit)),
        None if fit is None else fitted(em.derivation, fit, em.solver().SOLVER),
        exhibit.file.statement,
        exhibit.file.reference,
    )
