"""Which tests share a worker: those of one model, so that it is derived once; those of all models; the others by file."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

from tests.models import BY_NAME, EVERY


class ByModel(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests of a model together."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        parameters = test.partition("[")[2].rstrip("]").split("-")
        return next((name for name in parameters if name in BY_NAME or name == EVERY), file)
