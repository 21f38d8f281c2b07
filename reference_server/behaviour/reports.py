"""Public reports of bugs: which fault rebuilds each, and which none can.

A fault names its reports in its docstring; nothing is written twice.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from reference_server.behaviour.registry import Fault

_ADDRESS = re.compile(r"https://github\.com/\S+/(?:issues|pull)/\d+")


@dataclass(frozen=True)
class Unseen:
    """A report of what no test of a contract finds.

    Attributes:
        does: what the server does, in one sentence.
        sources: the addresses of the reports.
        because: why no test of a contract finds it, in one sentence.
    """

    does: str
    sources: tuple[str, ...]
    because: str


def sources_of(fault: Fault) -> tuple[str, ...]:
    """Return the addresses of the public reports that a fault rebuilds."""
    return tuple(_ADDRESS.findall(inspect.getdoc(fault.make) or ""))
