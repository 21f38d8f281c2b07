"""Imports of the libraries that draw requests, which take a second and warn about each other.

A module of this package imports one of them inside the function that uses it, so that a command
that draws nothing does not pay for it:

    with quietly():
        from covertable import make
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_IMPORTING = threading.RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Import libraries without their warnings."""
    # `catch_warnings` changes process-wide state, so only one thread may import at a time.
    with _IMPORTING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
