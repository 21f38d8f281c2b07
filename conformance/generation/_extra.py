"""Guarded imports of the libraries in the ``generated`` extra.

A module of this package imports one of them inside the function that uses it:

    with extra():
        from covertable import make
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.judgement import NotApplicable
from conformance.message import say

_IMPORTING = threading.RLock()


@contextmanager
def extra() -> Iterator[None]:
    """Import libraries that may not be installed.

    Raises:
        NotApplicable: one is missing; the message has the command that installs it.
    """
    try:
        # `catch_warnings` changes process-wide state, so only one thread may import at a time.
        with _IMPORTING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ModuleNotFoundError as missing:
        # A missing module of this suite is an internal error, not a missing extra.
        if (missing.name or "").partition(".")[0] == "conformance":
            raise
        raise NotApplicable(
            say("needs `pip install 'completions-conformance[generated]'`")
        ) from None
