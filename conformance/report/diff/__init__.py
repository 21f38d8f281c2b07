"""Compare two runs: regressions, fixes, newly inconclusive checks, cost and latency.

    result = compare(old, new)
    result.exit_code, result.sentence.of(Language.ENGLISH)

:func:`files` returns the output files; :mod:`.terminal` renders the comparison for a terminal.
"""

from __future__ import annotations

from conformance.report.diff.differences import Differences, Places, compare
from conformance.report.diff.files import File, files

__all__ = ["Differences", "File", "Places", "compare", "files"]
