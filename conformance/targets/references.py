"""A comparison server by its names, without its key: which server, model and variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from conformance.contract import CONTRACTS, Contract
from conformance.engine.comparison import Reference, ReferenceMissingError
from conformance.engine.selection import LIVE
from conformance.language import same
from conformance.model import Target
from conformance.targets.bundled import (
    KEY_VARIABLE,
    REFERENCE,
    BundledServerError,
    bundled_server,
)
from conformance.targets.entry import NOT_SET, MissingSecretError
from conformance.targets.parsing import read_key

BUNDLED = "bundled"


@dataclass(frozen=True, slots=True)
class ReferenceNames:
    """What names a comparison server; the key itself is read where the requests are sent.

    Attributes:
        url: its base URL; ``bundled`` is the bundled server.
        model: the model to request; None for the bundled server.
        key_name: the environment variable that holds its key; None if it needs none.
    """

    url: str
    model: str | None = None
    key_name: str | None = None

    def reference(self, contract: Contract, environment: Mapping[str, str]) -> Reference:
        """Return the server with its key.

        Args:
            contract: the contract under test, whose dialect the bundled server emulates.
            environment: the environment variables.

        Raises:
            MissingSecretError: the variable of the key is not set.
            TypedError: its value cannot be sent in a header.
        """
        if self.url == BUNDLED:
            return Reference(BUNDLED, lambda: _bundled(contract))
        key = read_key(self.key_name, environment) if self.key_name else ""
        if self.key_name and not key:
            raise MissingSecretError(NOT_SET.format(name=self.key_name))
        target = Target(self.url, self.model or "", contract.name, key or None)

        def opened() -> AbstractContextManager[Target]:
            return nullcontext(target)

        return Reference(self.url, opened, secrets=(key,) if key else ())


def dialect_of(document: str) -> str:
    """Choose the bundled server's default dialect for a contract.

    A vendor's contract gets that vendor's dialect. The ``openai`` contract and custom contracts get
    the dialect that serves every feature, so that more checks have something to judge.
    """
    return document if document in CONTRACTS and document != LIVE else REFERENCE


@contextmanager
def _bundled(contract: Contract) -> Iterator[Target]:
    """Start the bundled server in the dialect of the contract's document."""
    try:
        with bundled_server(dialect=dialect_of(contract.document)) as server:
            yield Target(server.base_url, server.model, contract.name, server.api_key, KEY_VARIABLE)
    except (BundledServerError, OSError) as error:
        raise ReferenceMissingError(same(str(error))) from None
