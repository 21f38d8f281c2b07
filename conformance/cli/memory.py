"""Give memory back to the system between a run and its reports.

A run keeps its answers until its last passive check, and its record is read again for the reports.
Without this, a process would hold both: Python leaves cycles to a later collection, and the C
library keeps freed memory for itself.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress


def give_back() -> None:
    """Free what nothing refers to any more, and return it to the system where that is possible."""
    gc.collect()
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 - only a run needs it

    # Only glibc has this function (malloc_trim(3)); musl gives memory back by itself.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
