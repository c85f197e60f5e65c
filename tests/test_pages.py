"""Every listing of the README and of the pages runs, in the order in which it stands, and shows what the page says.

`pytest tests/test_pages.py --update-golden` writes what they show anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.listings import Listing, Session, mended

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md")
#: Those that every run reads; the others are read where slow tests are.
QUICK = {"tutorial"}
LISTED = [path for path in (ROOT / "README.md", *PAGES) if "```python\n" in path.read_text(encoding="utf-8")]


def _page(path: Path) -> Any:
    marks = () if path.stem in QUICK else (pytest.mark.slow,)
    return pytest.param(path, id=path.relative_to(ROOT).with_suffix("").as_posix(), marks=marks)


@pytest.mark.parametrize("path", [_page(path) for path in LISTED])
def test_listings_show_what_the_page_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = path.read_text(encoding="utf-8")
    listings = list(Session().run(text))
    if request.config.getoption("--update-golden"):
        path.write_text(mended(text, listings), encoding="utf-8")
        return
    wrong = [_told(each) for each in listings if not each.is_true]
    assert not wrong, "\n".join(wrong)


def _told(listing: Listing) -> str:
    return f"{listing.code}\nthe page says\n{listing.said}\nshown is\n{listing.shown}"


@pytest.mark.parametrize(
    ("page", "true"),
    [
        ("```python\n1 + 1\n```\n\n```text\n2\n```\n", [True]),
        ("```python\n1 + 1\n```\n\n```text\n3\n```\n", [False]),
        ("```python\na = 1\n```\ntext\n```python\nprint(a)\n```\n\n```text\n1\n```\n", [True, True]),
        ("```console\n$ symem derive none.py\nderived\n```\n", [False]),
    ],
    ids=["right", "wrong", "one session", "a command"],
)
def test_a_listing_can_be_wrong(page: str, true: list[bool]) -> None:
    assert [each.is_true for each in Session().run(page)] == true


def test_what_is_shown_is_written_anew() -> None:
    page = "```python\n1 + 1\n```\n\n```text\n3\n```\n"
    assert mended(page, list(Session().run(page))) == page.replace("3\n", "2\n")
