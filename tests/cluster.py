"""Dask, and what is run on the workers of a cluster under test: bytes that they write, counted."""

from __future__ import annotations

from typing import Any

import dask.array as arrays
import dask.dataframe as frames
import distributed
import pandas as pd
from distributed.comm.tcp import TCP

__all__ = ["arrays", "bytes_written", "count_bytes", "distributed", "frames", "pd"]

_WRITTEN = [0]


def count_bytes() -> None:
    """From now on, count what this process writes to others."""
    write = TCP.write

    async def counted(self: Any, *args: Any, **options: Any) -> Any:
        found = await write(self, *args, **options)
        _WRITTEN[0] += found or 0
        return found

    if write.__name__ != "counted":
        TCP.write = counted


def bytes_written() -> int:
    return _WRITTEN[0]
