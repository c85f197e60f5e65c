"""Which tests share a worker: those of one model, so that it is derived once; those of all models; the others by file."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

from tests.models import EVERY, MODELS
from tests.trials.derived import TRIALS

#: What a test may be called by -> the model that it derives, of the table or a trial.
HOMES = {
    **{name: name for name in TRIALS},
    EVERY: EVERY,
    **{row.name: row.name for row in MODELS},
    **{row.example: row.name for row in MODELS if row.example},
}


def model_of(nodeid: str) -> str | None:
    """The model that a test is called by."""
    parameters = nodeid.partition("[")[2].rstrip("]").split("-")
    return next((HOMES[name] for name in parameters if name in HOMES), None)


class ByModel(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests of a model together."""

    def _split_scope(self, nodeid: str) -> str:
        return model_of(nodeid) or nodeid.partition("::")[0]
