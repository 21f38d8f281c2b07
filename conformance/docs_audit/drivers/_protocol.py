"""The protocol of the Python drivers: they read an order, write a reply, and limit their memory."""

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
"""Maximum bytes of address space, so that an endless body cannot exhaust the memory."""

KEY_VARIABLE = "OPENAI_API_KEY"

Send = Callable[[str, Mapping[str, Any], str], Mapping[str, Any]]
"""Sends a request to a base URL with a key (empty for none) and returns a reply."""


def serve(send: Send) -> None:
    """Read an order, send it, and write the reply; an exception of ``send`` becomes the reply."""
    _bound_memory()
    order = json.load(sys.stdin)
    try:
        response = send(order["base_url"], order["request"], os.environ.get(KEY_VARIABLE, ""))
    except Exception as error:  # noqa: BLE001 - every exception of a client is a result
        response = {"failure": error_text(error), "status": getattr(error, "status_code", None)}
    # ASCII, so that neither lone surrogates nor the system's encoding cause errors.
    sys.stdout.write(json.dumps(response, default=repr) + "\n")


def error_text(error: BaseException) -> str:
    """Format a client's exception."""
    return f"{type(error).__name__}: {error}"


def _bound_memory() -> None:
    if sys.platform != "win32":
        # macOS does not support the limit; the suite limits the size of a reply as well.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
