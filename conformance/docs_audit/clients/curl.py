"""curl, with the arguments that pages use."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass

from conformance.docs_audit.clients import process
from conformance.docs_audit.clients.request import ClientRequest, NotInstalledError, environment_for
from conformance.docs_audit.clients.response import OUTPUT_LIMIT, ClientResponse, of_body

_VERSION = re.compile(r"curl (\S+)")
_COMPLAINT = re.compile(r"^curl: (\(\d+\) .*)$", re.MULTILINE)
_STATUS = re.compile(r"^(\d{3}) (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Curl:
    """``curl -H … -d … URL``, and ``-N`` for a stream."""

    label: str = "curl"
    binary: str = "curl"

    def version(self) -> str:
        """Return the installed version.

        Raises:
            NotInstalledError: curl is not installed.
        """
        if shutil.which(self.binary) is None:
            raise NotInstalledError(
                "curl is not installed: install it with the system's package manager"
            )
        ended = process.run(
            [self.binary, "--version"], given=b"", environment=os.environ, seconds=30, limit=2**16
        )
        found = _VERSION.search(ended.output.decode("utf-8", errors="replace"))
        return found[1] if found else ""

    def send(self, request: ClientRequest) -> ClientResponse:
        """Send a request; the result has the raw body.

        Raises:
            OSError: curl cannot be started.
        """
        ended = process.run(
            [
                self.binary,
                "--disable",  # ignore the user's .curlrc
                "--globoff",  # brackets of an IPv6 address are not a range
                "--silent",
                "--show-error",
                *(["--no-buffer"] if request.streamed else []),
                "--write-out",
                "%{stderr}\\n%{http_code} %{content_type}\\n",
                "--config",
                "-",
                f"{request.base_url}/completions",
            ],
            given=_configuration(request).encode("utf-8", errors="surrogatepass"),
            environment=environment_for(request, os.environ),
            seconds=request.seconds,
            limit=OUTPUT_LIMIT,
        )
        result = request.redacted(ended.errors)
        complaint, status = _COMPLAINT.search(result), _STATUS.search(result)
        return of_body(
            request.redacted(ended.output),
            status=int(status[1]) or None if status else None,
            content_type=(status[2] or None) if status else None,
            failure=ended.fault or (f"curl: {complaint[1]}" if complaint else None),
            streamed=request.streamed,
        )


def _configuration(request: ClientRequest) -> str:
    """Return the key and the body as a curl configuration; command lines are visible to others."""
    headers = ["Content-Type: application/json"]
    if request.api_key:
        headers.append(f"Authorization: Bearer {request.api_key}")
    body = json.dumps(request.request, ensure_ascii=False)
    lines = [*(f"header = {_quoted(header)}" for header in headers), f"data = {_quoted(body)}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Quote for a curl configuration, whose rules differ from those of JSON and shells."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
