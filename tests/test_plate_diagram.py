"""Plate diagrams: the arrows are those of the model, plates hold their own and nothing else, and the drawing is safe."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations

import pytest

from symem.report.document import Figure
from symem.report.figures.plate_diagram import Diagram, plate_diagram
from symem.report.figures.plate_graph import Kind, graph
from symem.report.figures.plate_layout import placed
from symem.report.figures.svg import breadth, runs
from symem.report.notation.lexicon import Lexicon
from symem.report.options import Level
from tests.derived import em
from tests.models import FEW, HALF, MODELS, Row, few_quick, slow_but_for
from tests.told import told

OVER = pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
OVER_FEW = slow_but_for(FEW, HALF)


@cache
def laid_out(name: str) -> Diagram:
    derivation = em(name).derivation
    return Diagram(graph(derivation), Lexicon.of(derivation), derivation)


def arrows(name: str) -> set[tuple[str, str]]:
    found = graph(em(name).derivation)
    return {("/".join(found.nodes[a].names), "/".join(found.nodes[b].names)) for a, b in found.arrows}


def test_arrows_of_declared_distributions() -> None:
    assert arrows("gmm1d_faithful") == {("w", "z"), ("z", "x"), ("mu", "x"), ("sigma", "x")}
    assert arrows("random_effects_dyestuff") == {("s2a", "a"), ("a", "y"), ("mu", "y"), ("s2e", "y")}


def test_arrows_of_a_likelihood() -> None:
    """p and q stand beside z in every term, but only because z selects them."""
    assert arrows("bernoulli_singh") == {("w", "z"), ("z", "x"), ("p", "x"), ("q", "x")}
    assert arrows("weibull_mixture") == {("w", "z"), ("z", "y"), ("lam", "y"), ("k", "y")}
    assert arrows("partially_classified_table") >= {("pi", "u"), ("pi", "v"), ("pi", "full"), ("u", "row")}


def test_hyperparameters_point_at_parameters() -> None:
    assert {("a", "th"), ("b", "th"), ("c", "w")} <= arrows("map_beta_coins")


def test_totals_that_were_seen_are_children() -> None:
    assert ("nCC/nCI/nCT", "nC") in arrows("peppered_moths")
    assert ("pC/pI/pT", "nCC/nCI/nCT") in arrows("peppered_moths")


def test_plates_of_mixtures_and_of_vectors_on_a_simplex() -> None:
    found = graph(em("gmm1d_faithful").derivation)
    plates = {node.names[0]: [str(plate.size) for plate in node.plates] for node in found.nodes}
    assert plates == {"z": ["n"], "w": [], "x": ["n"], "mu": ["K"], "sigma": ["K"]}


def test_missing_data_are_half_shaded() -> None:
    kinds = {node.names[0]: node.kind for node in graph(em("semisup_gmm").derivation).nodes}
    assert kinds["z"] is Kind.PARTLY
    assert kinds["y"] is Kind.OBSERVED


@OVER
def test_every_arrow_joins_what_the_model_joins(row: Row) -> None:
    """All data and latents are drawn, each parameter leads somewhere, and nothing points at a known constant."""
    derivation = em(row.name).derivation
    found = graph(derivation)
    names = {name for node in found.nodes for name in node.names}
    companions = {f"{each.name}_missing" for each in derivation.model.data}
    model = derivation.model
    assert names >= {each.name for each in (*model.data, *model.latents, *model.parameters)} - companions
    assert not any(found.nodes[b].kind is Kind.KNOWN for _, b in found.arrows)
    starts = {a for a, _ in found.arrows}
    assert all(place in starts for place, node in enumerate(found.nodes) if node.kind is Kind.PARAMETER)


@few_quick(MODELS, 2)
def test_plates_hold_their_own_and_nothing_else(row: Row) -> None:
    diagram = laid_out(row.name)
    for plate in diagram.graph.plates:
        left, top, right, bottom = diagram.box(plate)
        for place, (x, y) in enumerate(diagram.places):
            within = left < x < right and top < y < bottom
            assert within == (place in diagram.graph.inside(plate)), (plate, diagram.graph.nodes[place].names)


@few_quick(MODELS, 2)
def test_nodes_do_not_overlap(row: Row) -> None:
    diagram = laid_out(row.name)
    nodes = list(zip(diagram.graph.nodes, diagram.places, strict=True))
    for (one, (x1, y1)), (other, (x2, y2)) in combinations(nodes, 2):
        apart = abs(x1 - x2) >= diagram.reach(one) + diagram.reach(other)
        assert apart or abs(y1 - y2) >= diagram.height(one) + diagram.height(other)


@OVER_FEW
def test_the_drawing_is_well_formed(row: Row) -> None:
    """As it stands in the report."""
    (figure,) = [block for block in told(row.name, Level.TEACHING)[0].blocks if isinstance(block, Figure)]
    texts = [each.tag.rpartition("}")[2] for each in ET.fromstring(figure.svg).iter()]
    assert {"svg", "title", "desc", "text"} <= set(texts)
    assert not {"script", "image", "a", "foreignObject", "use"} & set(texts)


@pytest.mark.parametrize("name", ["dawid_skene", "bivariate_poisson", "factor_analysis_mean"])
def test_the_drawing_is_always_the_same(name: str) -> None:
    """Laid out anew."""
    drawn = laid_out(name).svg()
    placed.cache_clear()
    assert plate_diagram(em(name).derivation) == drawn


def test_scripts_are_runs() -> None:
    assert [(r.text, r.level) for r in runs(r"n_{\mathrm{CC}}")] == [("n", 0), ("C", -1), ("C", -1)]
    assert breadth(r"\mu", 10) < breadth(r"\mu_{k}", 10) < breadth(r"\mu k", 10)
