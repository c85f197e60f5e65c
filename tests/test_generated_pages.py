"""What the pages take from the package itself leaves nothing out."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from symem import errors
from symem.calculus.laws import LAWS
from symem.commands import COMMANDS
from symem.language.exponential_face import ExponentialFace
from symem.language.families import FAMILIES

pytestmark = pytest.mark.skipif(find_spec("sphinx") is None, reason="there is no Sphinx here")


GENERATORS = Path(__file__).parents[1] / "docs" / "generators"
#: What pages may take of reports: parts by themselves; whole ones are asked of what was derived.
DOORS = {"symem.report.extracts"}


def test_pages_take_reports_by_their_door() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in GENERATORS.glob("*.py")]
    taken = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module for module in taken if module and module.startswith("symem.report")} == DOORS


def test_every_row_of_the_table_has_a_section() -> None:
    from generators.distributions import distributions  # noqa: PLC0415 - needs symem[docs]

    homes = ("real", "positive", "observed", "counting")
    told = "\n".join(distributions(f"symem.language.{home}_families") for home in homes)
    assert [name for name in FAMILIES if f"### {name}\n" not in told] == []


def test_every_face_is_in_the_table_of_conjugate_laws() -> None:
    from generators.distributions import conjugacy  # noqa: PLC0415

    rows = conjugacy("").splitlines()[2:]
    kinds = (row.face[0] if isinstance(row.face, tuple) else row.face for row in FAMILIES.values())
    assert len(rows) == sum(isinstance(face, ExponentialFace) for face in kinds)


def test_every_command_and_every_error_has_an_entry() -> None:
    from generators.commands import commands  # noqa: PLC0415
    from generators.errors import errors as told  # noqa: PLC0415

    assert [name for name in COMMANDS if f"## symem {name}\n" not in commands("")] == []
    assert [
        name for name in vars(errors) if name.endswith(("Error", "Warning")) and name not in told("")
    ] == []


def test_every_law_is_told_on_some_page() -> None:
    from generators.laws import ROOT, _names  # noqa: PLC0415

    pages = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "theory").glob("*.md"))
    others = set(_names("others"))
    assert "{laws} others" in pages
    assert [name for name in LAWS if name not in others and name not in pages and not _in_a_table(name)] == []


def _in_a_table(name: str) -> bool:
    from generators.laws import TABLES  # noqa: PLC0415

    return any(law.name == name for table in TABLES.values() for law in table)
