"""Two runs side by side: what broke, what was mended, what became unsure, and at what price.

    told = compare(old, new)
    told.exit_code, told.sentence.of(Language.ENGLISH)

:func:`files` names the ways to write that down; :mod:`.text` tells it in a terminal.
"""

from __future__ import annotations

from conformance.reports.comparing.differences import Differences, Places, compare
from conformance.reports.comparing.files import File, files

__all__ = ["Differences", "File", "Places", "compare", "files"]
