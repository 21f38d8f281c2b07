"""The ``requests`` package: ``requests.post(…, json=payload)``, then ``.json()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from conformance.docs_audit.drivers._protocol import error_text, serve


def send(base_url: str, request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Send a request as the page's code does and return the client's view of the response.

    A stream is returned as text, because the library does not parse server-sent events.
    """
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    response = requests.post(  # noqa: S113 - as in the page's code; the process has a timeout
        f"{base_url}/completions", headers=headers, json=request
    )
    http_response: dict[str, Any] = {
        "status": response.status_code,
        "content_type": response.headers.get("content-type"),
        "raw": response.content.decode("utf-8", errors="replace"),
    }
    if not request.get("stream"):
        try:
            http_response["answer"] = response.json()
        except ValueError as error:
            http_response["failure"] = error_text(error)
    return http_response


if __name__ == "__main__":
    serve(send)
