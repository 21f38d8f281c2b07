"""The ``openai`` package from PyPI: ``client.completions.create(**request)``, plain or streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import openai

from conformance.docs_audit.drivers._protocol import error_text, serve

NO_KEY = "no-key-needed"
"""The client insists on a key, also where the endpoint wants none."""


def send(base_url: str, request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Send a request as the page's code does and tell what the client made of the answer.

    Retries are off, so that what is sent is what was announced.
    """
    http_response: dict[str, Any] = {}

    def note(response: httpx.Response) -> None:
        http_response["status"] = response.status_code
        http_response["content_type"] = response.headers.get("content-type")

    http = openai.DefaultHttpxClient(event_hooks={"response": [note]})
    with openai.OpenAI(
        base_url=base_url, api_key=key or NO_KEY, max_retries=0, http_client=http
    ) as client:
        try:
            made: Any = client.completions.create(**request)
            if isinstance(made, openai.Stream):
                http_response["chunks"] = chunks = []
                for chunk in made:
                    chunks.append(_plain(chunk))  # noqa: PERF401 - kept as far as the stream comes
            else:
                http_response["answer"] = _plain(made)
        except Exception as error:  # noqa: BLE001 - whatever a client throws is what its user meets
            http_response["failure"] = error_text(error)
    return http_response


def _plain(made: object) -> object:
    """Take a client's object apart; what is no JSON comes through as the text that it was."""
    if isinstance(made, openai.BaseModel):
        return made.to_dict(mode="json", warnings=False)
    return made


if __name__ == "__main__":
    serve(send)
