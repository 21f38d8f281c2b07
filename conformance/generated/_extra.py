"""The libraries that draw requests: an extra, so that the suite itself stays light.

A module of this room imports one of them inside the function that uses it:

    with extra():
        from covertable import make
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.judgement import NotApplicable

_IMPORTING = threading.RLock()


@contextmanager
def extra() -> Iterator[None]:
    """Import what may not be installed.

    Raises:
        NotApplicable: it is not, with the command that installs it.
    """
    try:
        # Threads import at once, and what a library has silenced meanwhile another may let speak.
        with _IMPORTING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ModuleNotFoundError as missing:
        # One of the suite's own modules that cannot be found is a fault of the suite.
        if (missing.name or "").partition(".")[0] == "conformance":
            raise
        raise NotApplicable("needs `pip install 'completions-conformance[generated]'`") from None
