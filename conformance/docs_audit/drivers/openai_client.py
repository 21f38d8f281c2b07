"""The ``openai`` package from PyPI: ``client.completions.create(**request)``, streamed or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import openai

from conformance.docs_audit.drivers._protocol import error_text, serve

NO_KEY = "no-key-needed"
"""The client requires a key, even if the endpoint does not."""


def send(base_url: str, request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Send a request as the page's code does and return the client's view of the response.

    Retries are off, so that one example costs one request.
    """
    http_response: dict[str, Any] = {}

    def keep_status(response: httpx.Response) -> None:
        http_response["status"] = response.status_code
        http_response["content_type"] = response.headers.get("content-type")

    http = openai.DefaultHttpxClient(event_hooks={"response": [keep_status]})
    with openai.OpenAI(
        base_url=base_url, api_key=key or NO_KEY, max_retries=0, http_client=http
    ) as client:
        try:
            made: Any = client.completions.create(**request)
            if isinstance(made, openai.Stream):
                http_response["chunks"] = chunks = []
                for chunk in made:
                    chunks.append(_as_json(chunk))  # noqa: PERF401 - an incomplete stream is kept
            else:
                http_response["answer"] = _as_json(made)
        except Exception as error:  # noqa: BLE001 - every exception of a client is a result
            http_response["failure"] = error_text(error)
    return http_response


def _as_json(made: object) -> object:
    """Convert a client's object to JSON; a body that was not JSON is already a string."""
    if isinstance(made, openai.BaseModel):
        return made.to_dict(mode="json", warnings=False)
    return made


if __name__ == "__main__":
    serve(send)
