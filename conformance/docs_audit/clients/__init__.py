"""The real clients that pages name, each of which sends a request and tells what came of it."""

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
    """A client as it is found on this machine."""

    @property
    def label(self) -> str:
        """Its name for a reader."""

    def version(self) -> str:
        """Return its version.

        Raises:
            NotInstalledError: it is missing; the sentence says how to get it.
        """

    def send(self, ask: ClientRequest) -> ClientResponse:
        """Send a request; whatever happens to it is in the reply.

        Raises:
            OSError: the client cannot be started.
        """


def program_for(client: Client, node_modules: Path | None = None) -> Program | None:
    """Return what an example is sent with; None where nobody sends it alone.

    Args:
        client: as pages name it.
        node_modules: a folder with packages from npm, where Node would not look for them.
    """
    match client:
        # The example of a schema is a body without a client, and curl adds nothing to a body.
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
