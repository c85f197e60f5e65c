"""The works that laws name."""

from __future__ import annotations

import pytest

from symem.calculus.laws import LAWS
from symem.derivation.exponential_family import CURVED, FORM, FULL
from symem.report.literature import WORKS, cited

#: What everybody knows, or what no work holds.
COMMON = {"algebra", "Bayes' rule", "Fermat", "Lagrange", "see the certificate"}


@pytest.mark.parametrize("law", sorted(LAWS))
def test_every_work_that_a_law_names_is_in_the_list(law: str) -> None:
    source = LAWS[law].source
    found = cited([source])
    assert set(found) <= set(WORKS)
    assert len(found) == len(set(source.split("; ")) - COMMON)


def test_no_work_is_there_in_vain() -> None:
    sources = (*(law.source for law in LAWS.values()), FORM, FULL, CURVED)
    assert set(cited(sources)) == set(WORKS)
