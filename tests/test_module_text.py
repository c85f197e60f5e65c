"""The text of what is emitted: a model that is short, a runtime that is the same everywhere, clean lines; the plain style."""

from __future__ import annotations

import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, cos, symbols

from symem import Categorical, Model, Normal, Poisson
from symem.codegen.emit import emit_runtime, load
from symem.codegen.numpy.runtime_text import runtime
from symem.errors import ExistingFileError, NotDerivedError
from tests.answers import gap
from tests.derived import em, named, solver
from tests.models import BY_NAME, FEW, MODELS, Row, few_quick

ROOT = Path(__file__).parents[1]
#: Labels, missing entries, sums of data alone, ECM with old parameters, no row plate, special functions.
SHOWN = [
    "gmm1d_faithful",
    "gmm_mv_full",
    "mvn_missing_murray",
    "lmm_random_slope",
    "rao_linkage",
    "tobit",
    "ibm_model1",
]
MARK = "# ---- symem runtime, verbatim, the same in every module ----"


def parts(text: str) -> tuple[str, str]:
    """The model's part, and the runtime's."""
    model, _, rest = text.partition(MARK)
    return model, rest.partition("# ---- what this module offers")[0].strip()


@pytest.mark.parametrize("name", SHOWN)
def test_the_runtime_is_the_same_in_every_module(name: str) -> None:
    assert parts(em(name).source())[1] == runtime()


def test_the_frame_is_short() -> None:
    assert len((ROOT / "templates" / "solver.py.j2").read_text().splitlines()) <= 60


#: Examples whose model is longer than it should be, with the length that it must not pass; the list only gets shorter.
LONGER: dict[str, int] = {}


@pytest.mark.parametrize("row", [row for row in MODELS if row.example], ids=lambda row: row.example)
def test_the_model_part_is_short(row: Row) -> None:
    """Records, functions and tables; the docstring, which is as long as the derivation, the imports, special functions,
    which are kernels as those of the runtime are, the laws from which data are drawn and what predict adds apart.
    """
    text, _, beside = parts(em(row.name).source())[0].partition("# ---- ")
    for name in ("draw", "means"):
        assert len(beside.partition(f"def {name}(")[2].partition("\n\n\n")[0].splitlines()) <= 28
    lines = text[text.index("class Parameters") :].rstrip().splitlines()
    assert len(lines) <= LONGER.get(str(row.example), 120)
    assert max(map(len, lines)) <= 120


def test_a_module_that_shares_its_runtime_offers_what_others_do(tmp_path: Path) -> None:
    (tmp_path / "symem_runtime.py").write_text(emit_runtime(), encoding="utf-8")
    text = em("gmm1d_faithful").source(runtime="shared")
    assert all(f'    "{name}",' in text for name in ("DataError", "Fit", "fit"))
    assert "    DataError,\n" in text


def test_a_refusal_says_once_that_there_is_no_closed_form() -> None:
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, a, v = map(IndexedBase, "xzwav")
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(cos(a[z[i]] * v[i]), 1)}, latent=[z], known=[v])
    with pytest.raises(NotDerivedError) as refused:
        model.derive().source()
    assert str(refused.value).lower().count("no closed form") == 1
    assert ".." not in str(refused.value)


def test_a_table_of_long_names_has_a_line_for_each() -> None:
    n, z, x, a = symbols("n", integer=True, positive=True), *map(IndexedBase, "zxa")
    i, weights = Idx("i", n), symbols([f"weight_of_{letter * 34}" for letter in "abc"])
    found = Model({z[i]: Categorical(*weights), x[i]: Poisson(a[z[i]])}, latent=[z]).derive()
    told = parts(found.source())[0].partition("def model()")[2].partition("\n\n\n")[0]
    assert max(map(len, told.splitlines())) <= 110
    theta = {str(weight): share for weight, share in zip(weights, (0.2, 0.3, 0.5), strict=True)} | {
        "a": [1, 4, 9]
    }
    new = found.solver().em_step(theta, x=np.array([0.0, 3.0, 11.0]))
    assert sum(getattr(new, str(weight)) for weight in weights) == pytest.approx(1)


def test_the_docstring_states_the_algorithm() -> None:
    told = str(solver("gmm1d_faithful").__doc__)
    assert told.startswith("EM for z[i] ~ Categorical(w[k]), x[i] ~ Normal(mu[z[i]], sigma[z[i]])")
    assert "N_k = Σ_i γ_ik" in told
    assert "w_k = N_k/n     μ_k = m_k" in told
    assert "Each is the unique maximum of Q (proved). Needs" in told
    assert "log(pi)" not in told


def test_what_is_emitted_is_clean(tmp_path: Path) -> None:
    """By the linter and the formatter of this project."""
    for name in SHOWN:
        (tmp_path / f"{name}.py").write_text(em(name).source(), encoding="utf-8")
        (tmp_path / f"{name}_shared.py").write_text(em(name).source(runtime="shared"), encoding="utf-8")
    (tmp_path / "symem_runtime.py").write_text(emit_runtime(), encoding="utf-8")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--config", f"src=['{tmp_path}']", str(tmp_path)]
    for command in (["check", "--ignore", "INP001", "--no-cache"], ["format", "--check", "--no-cache"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout


@pytest.mark.slow
def test_its_types_are_accepted(tmp_path: Path) -> None:
    for name in SHOWN:
        (tmp_path / f"{name}.py").write_text(em(name).source(), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "c"),
         *map(str, sorted(tmp_path.glob("*.py")))],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


# -- a shared runtime --------------------------------------------------------------------------------------


def test_modules_may_share_their_runtime(tmp_path: Path) -> None:
    for name in ("gmm1d_faithful", "rao_linkage"):
        em(name).write(tmp_path / f"{name}.py", runtime="shared", verify=False)
    assert MARK not in (tmp_path / "rao_linkage.py").read_text(encoding="utf-8")
    script = (
        "import sys, gmm1d_faithful as module\n"
        "print(module.em_step({'w': [.5, .5], 'mu': [0, 5], 'sigma': [1, 1]}, x=[0.0, 1.0, 5.0, 6.0]).mu)\n"
        "assert not {'symem', 'sympy'} & set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    wanted = solver("gmm1d_faithful").em_step(
        {"w": [0.5, 0.5], "mu": [0, 5], "sigma": [1, 1]}, x=[0.0, 1.0, 5.0, 6.0]
    )
    assert run.stdout.strip() == str(wanted.mu)


def test_another_runtime_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "symem_runtime.py").write_text("mine = 1\n", encoding="utf-8")
    with pytest.raises(ExistingFileError, match="symem_runtime"):
        em("rao_linkage").write(tmp_path / "rao_linkage.py", runtime="shared", verify=False)
    assert not (tmp_path / "rao_linkage.py").exists()
    em("rao_linkage").write(tmp_path / "rao_linkage.py", runtime="shared", verify=False, force=True)
    assert (tmp_path / "symem_runtime.py").read_text(encoding="utf-8") == emit_runtime()


# -- the plain style ---------------------------------------------------------------------------------------


def test_the_plain_style_is_short() -> None:
    text = em("gmm1d_faithful").source(style="plain")
    assert len(text.splitlines()) <= 60
    assert "symem" not in text.partition('"""\n\n')[2]


def plainly(row: Row, theta: dict[str, Any], **options: Any) -> tuple[dict[str, Any], float]:
    """Parameters and log-likelihood as the plain function gives them."""
    found = em(row.name)
    function = load(found.source(style="plain"), f"plain_{row.name}").em
    names = [each.name for each in found.model.parameters]
    given = {name: np.asarray(theta[name], dtype=float) for name in names} | row.data | options
    with np.errstate(all="ignore"):
        *values, value = function(
            **{name: given[name] for name in signature(function).parameters if name in given}
        )
    return dict(zip(names, values, strict=True)), float(value)


@few_quick(MODELS, 1, few=FEW[::2])
def test_the_plain_style_gives_the_same_step(row: Row) -> None:
    if em(row.name).derivation.not_derived or row.climbed:
        with pytest.raises(NotDerivedError):
            em(row.name).source(style="plain")
        return
    theta, module = row.theta(row.file["start"]), solver(row.name)
    step, value = plainly(row, theta, max_iter=1)
    assert gap(step, named(module.em_step(theta, **row.data))) < 1e-9
    objective = getattr(module, "log_posterior", module.log_likelihood)
    assert value == pytest.approx(objective(theta, **row.data), rel=1e-9)


def test_the_plain_style_comes_to_the_same_end() -> None:
    row = BY_NAME["gmm1d_faithful"]
    theta = row.theta(row.file["start"])
    fit = solver(row.name).fit(start=theta, tol=1e-12, **row.data)
    found, value = plainly(row, theta, tol=1e-12)
    assert value == pytest.approx(fit.log_likelihood)
    assert gap(found, named(fit.parameters)) < 1e-6
