"""How much a command prints."""

from __future__ import annotations

from enum import StrEnum


class Verbosity(StrEnum):
    """How much a command prints besides its files.

    Progress lines are for a terminal, where a bar replaces them; a log gets them on request.
    """

    QUIET = "quiet"
    """The verdict in one line and the paths of the files."""

    NORMAL = "normal"
    """The verdict and the causes, on one screen."""

    VERBOSE = "verbose"
    """Progress in a log too, and every finding with its evidence."""
