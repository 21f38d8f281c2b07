"""Client libraries for Python and Node, each driven in a subprocess."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import conformance
from conformance.docs_audit.clients import process
from conformance.docs_audit.clients.request import ClientRequest, NotInstalledError, environment_for
from conformance.docs_audit.clients.response import OUTPUT_LIMIT, ClientResponse, of_driver

DRIVERS = "conformance.docs_audit.drivers"
_PACKAGE = Path(conformance.__file__).parent
_FOLDER = _PACKAGE / "docs_audit" / "drivers"

EXTRA = "pip install 'completions-conformance[clients]'"

OLDEST_NODE = 18
"""The first major version with a built-in ``fetch``."""

NODE_HEAP = "--max-old-space-size=1024"
"""A limit of 1 GiB, so that an endless body cannot exhaust the memory."""


@dataclass(frozen=True, slots=True)
class PythonLibrary:
    """A package from PyPI, run by the interpreter that runs the suite."""

    package: str
    driver: str

    @property
    def label(self) -> str:
        """The display name."""
        return f"{self.package} (PyPI)"

    def version(self) -> str:
        """Return the installed version.

        Raises:
            NotInstalledError: the package is not installed.
        """
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            raise NotInstalledError(
                f"the package `{self.package}` is not installed: run {EXTRA}"
            ) from None

    def send(self, request: ClientRequest) -> ClientResponse:
        """Have the driver send a request."""
        environment = environment_for(request, os.environ)
        # PYTHONPATH lets the driver import the suite; -P excludes the working directory, which may
        # contain modules with the library's name.
        paths = [str(_PACKAGE.parent), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return _driven(
            [sys.executable, "-P", "-m", f"{DRIVERS}.{self.driver}"], request, environment
        )


@dataclass(frozen=True, slots=True)
class NodeProgram:
    """A driver for Node, and the npm package that it uses, if any.

    ``folder`` is the folder in which Node looks for packages: ``node_modules`` or its parent; the
    working directory if None. Node also searches ``NODE_PATH``.
    """

    label: str
    driver: str
    package: str | None = None
    folder: Path | None = None
    binary: str = "node"

    def version(self) -> str:
        """Return the version of the package, or of Node if no package is needed.

        Raises:
            NotInstalledError: Node is not installed or too old, or does not find the package.
        """
        if shutil.which(self.binary) is None:
            raise NotInstalledError(
                f"Node.js is not installed: install version {OLDEST_NODE} or newer"
            )
        node = self._described("--version").removeprefix("v")
        major = node.partition(".")[0]
        if not major.isdecimal() or int(major) < OLDEST_NODE:
            raise NotInstalledError(
                f"Node.js {node} is too old: install version {OLDEST_NODE} or newer"
            )
        if self.package is None:
            return node
        version = self._described(str(_FOLDER / self.driver), "--version")
        if not version:
            where = f"in {self.folder}" if self.folder else "from the working directory"
            raise NotInstalledError(
                f"Node finds no package `{self.package}` {where}: run `npm install "
                f"{self.package}`, and name the folder with --node-modules if it is another"
            )
        return version

    def _described(self, *arguments: str) -> str:
        """Return Node's standard output; empty if it failed."""
        ended = process.run(
            [self.binary, *arguments],
            given=b"",
            environment=os.environ,
            folder=self._folder,
            seconds=30,
            limit=2**16,
        )
        result = ended.output.decode("utf-8", errors="replace").strip()
        return "" if ended.code or ended.fault else result

    def send(self, request: ClientRequest) -> ClientResponse:
        """Have the driver send a request."""
        command = [self.binary, NODE_HEAP, str(_FOLDER / self.driver)]
        return _driven(command, request, environment_for(request, os.environ), self._folder)

    @property
    def _folder(self) -> str | None:
        return None if self.folder is None else str(self.folder)


def _driven(
    command: Sequence[str],
    request: ClientRequest,
    environment: Mapping[str, str],
    folder: str | None = None,
) -> ClientResponse:
    order = {"base_url": request.base_url, "request": request.request}
    ended = process.run(
        command,
        given=json.dumps(order).encode(),
        environment=environment,
        folder=folder,
        seconds=request.seconds,
        limit=OUTPUT_LIMIT,
    )
    if ended.fault:
        return ClientResponse(failure=ended.fault)
    try:
        return of_driver(request.redacted(ended.output), streamed=request.streamed)
    except (ValueError, RecursionError):
        words = request.redacted(ended.errors).strip().splitlines()
        last = words[-1] if words else f"the client exited with code {ended.code} without a message"
        return ClientResponse(failure=f"the client crashed: {last}")
