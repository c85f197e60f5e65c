"""What is derived, written and told is the same in every process, whatever the seed of its hashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from symem.em import derive
from symem.language.fingerprint import fingerprint
from tests.models import example

ROOT = Path(__file__).parents[1]
PROGRAM = "import json; from tests.test_processes import made; print(json.dumps(made()))"


def made() -> dict[str, str]:
    """Module, report and fingerprints, derived here and now."""
    model = example("old_faithful").model
    em = derive(model)
    others = {name: fingerprint(example(name).model) for name in ("factor_analysis", "dawid_skene")}
    return {"module": em.source(), "report": em.latex(), "fingerprint": fingerprint(model), **others}


def test_all_is_the_same_in_another_process() -> None:
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = made()
    assert json.loads(done.stdout) == here
    assert len(set(here.values())) == len(here)
