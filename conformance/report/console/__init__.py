"""Terminal output: the progress of a run and its result.

A terminal gets colours and a progress bar; a file or pipe gets only the result, and with
``--verbose`` one plain line per check. Control
characters from an endpoint are made visible, so that no response can move the cursor, change
colours or reorder a line.
"""

from __future__ import annotations

from conformance.report.console.outcome import show
from conformance.report.console.progress import Progressing
from conformance.report.console.styles import (
    CONCLUSIONS,
    MAX_VALUE_CHARS,
    STATE_MARKS,
    VERDICT_MARKS,
    console_for,
    marked,
)
from conformance.report.console.verbosity import Verbosity

__all__ = [
    "CONCLUSIONS",
    "MAX_VALUE_CHARS",
    "STATE_MARKS",
    "VERDICT_MARKS",
    "Progressing",
    "Verbosity",
    "console_for",
    "marked",
    "show",
]
