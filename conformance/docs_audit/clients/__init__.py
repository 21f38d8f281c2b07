"""The clients that pages name; each sends a request and returns its view of the response."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from conformance.docs_audit.clients.curl import Curl
from conformance.docs_audit.clients.libraries import NodeProgram, PythonLibrary
from conformance.docs_audit.clients.request import ClientRequest, NotInstalledError
from conformance.docs_audit.clients.response import ClientResponse
from conformance.docs_audit.page import Client

__all__ = ["ClientRequest", "ClientResponse", "NotInstalledError", "Program", "program_for"]


class Program(Protocol):
    """A client on this machine."""

    @property
    def label(self) -> str:
        """The display name."""

    def version(self) -> str:
        """Return the installed version.

        Raises:
            NotInstalledError: it is not installed; the message says how to install it.
        """

    def send(self, request: ClientRequest) -> ClientResponse:
        """Send a request; errors of the client are in the result.

        Raises:
            OSError: the client cannot be started.
        """


def program_for(client: Client, node_modules: Path | None = None) -> Program | None:
    """Return the program that sends an example; None for a part of a body.

    Args:
        client: the client that the page names.
        node_modules: a folder with npm packages, if it is not where Node looks for them.
    """
    match client:
        # The example of a schema has no client; curl sends its body unchanged.
        case Client.CURL | Client.OPENAPI:
            return Curl()
        case Client.OPENAI_PYTHON:
            return PythonLibrary("openai", "openai_client")
        case Client.REQUESTS:
            return PythonLibrary("requests", "requests_client")
        case Client.OPENAI_NODE:
            return NodeProgram("openai (npm)", "openai_client.mjs", "openai", node_modules)
        case Client.FETCH:
            return NodeProgram("fetch (Node)", "fetch_client.mjs")
        case Client.FRAGMENT:
            return None
