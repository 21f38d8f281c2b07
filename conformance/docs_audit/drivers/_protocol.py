"""What the Python drivers share: the order they read, the reply they write, and their bounds."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

if sys.platform != "win32":
    import resource

MEMORY_LIMIT = 2 * 2**30
"""Bytes of address space: enough for any client, and an end for a body that has none."""

KEY_VARIABLE = "OPENAI_API_KEY"

Send = Callable[[str, Mapping[str, Any], str], Mapping[str, Any]]
"""Sends a request to a base URL with a key (empty for none) and makes a reply of what came back."""


def serve(send: Send) -> None:
    """Read an order, have it sent, and write the reply.

    What ``send`` throws is the client's own word on the answer, so it becomes the reply.
    """
    _bound_memory()
    order = json.load(sys.stdin)
    try:
        response = send(order["base_url"], order["request"], os.environ.get(KEY_VARIABLE, ""))
    except Exception as error:  # noqa: BLE001 - whatever a client throws is what its user meets
        response = {"failure": error_text(error), "status": getattr(error, "status_code", None)}
    # ASCII, so that neither a lone surrogate nor the system's encoding can break the reply.
    sys.stdout.write(json.dumps(response, default=repr) + "\n")


def error_text(error: BaseException) -> str:
    """Put what a client threw into words."""
    return f"{type(error).__name__}: {error}"


def _bound_memory() -> None:
    if sys.platform != "win32":
        # macOS refuses the limit; what the suite reads of a reply is bounded there as everywhere.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
