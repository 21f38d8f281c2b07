"""Targets, requests and exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from conformance.message import Message
from conformance.model.balance import BalanceSource
from conformance.model.cost import Prices
from conformance.model.enums import Credentials

WRONG_KEY = "sk-conformance-this-key-was-never-issued"
"""The key of :attr:`Credentials.WRONG`: well-formed, but never issued."""


DEFAULT_KEY_ENV = "OPENAI_API_KEY"
"""The environment variable that usually holds the key of OpenAI."""


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint under test. Secrets never appear in a ``repr`` and are never recorded.

    Attributes:
        base_url: up to, but without, ``/completions``.
        model: the model id that requests contain.
        contract: the name of the contract under test.
        api_key: the key; None sends no ``Authorization`` header.
        api_key_env: the environment variable that reproduction commands read the key from.
        name: the target's name in ``conformance.toml``; None if it is not from that file.
        headers: headers of every request.
        secrets: the header values that must be redacted.
        shown_headers: the headers as recorded; a secret value is replaced by its environment
            variable, ``$NAME``.
        prices: what its tokens cost, as the user states it; None if nothing is stated.
        balance: where the balance of its account is told; None if the user names no place.
    """

    base_url: str
    model: str
    contract: str
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str = DEFAULT_KEY_ENV
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    shown_headers: Mapping[str, str] = field(default_factory=dict)
    prices: Prices | None = None
    balance: BalanceSource | None = None

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """The names of the headers whose values are secrets."""
        return tuple(name for name, value in self.headers if value in self.secrets)


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How requests are sent.

    Attributes:
        concurrency: maximum concurrent requests.
        rate: maximum requests per second; None is no limit.
        timeout: seconds for one attempt at a request.
        burst: maximum concurrent requests of the checks that send bursts; a concurrency that the
            user sets holds for these, too.
    """

    concurrency: int = 8
    rate: float | None = None
    timeout: float = 60.0
    burst: int = 20

    def at_most(self, concurrency: int | None) -> TransportOptions:
        """Return the options with a concurrency that the user sets; None changes nothing."""
        if concurrency is None:
            return self
        return replace(self, concurrency=concurrency, burst=concurrency)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a check; the transport adds host, key and content type.

    ``headers`` replace headers of every request; an empty value leaves the header out.
    ``path`` is relative to the base URL. ``read_events`` closes the connection after that many
    server-sent events, which bounds the cost of a generation without ``max_tokens``.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials = Credentials.OWN
    read_events: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a request.

    Attributes:
        started: seconds since the start of the run.
        elapsed: seconds until the response was complete or the attempt failed.
        status: the HTTP status; None if there was no response.
        fault: the transport error in one sentence, or None.
        retry_after: the ``Retry-After`` header of an attempt that was retried.
        body: the beginning of the body of an attempt that was retried. The last attempt's body is
            in the exchange.
    """

    started: float
    elapsed: float
    status: int | None
    fault: Message | None
    retry_after: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Arrival:
    """``size`` bytes of the body, read ``at`` seconds after the request was sent."""

    at: float
    size: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and everything received for it.

    Attributes:
        id: unique within the run, in order of sending: ``x0001``.
        request: the request.
        attempts: all attempts; the other attributes describe the last one.
        status: the HTTP status; None if no attempt got a response.
        headers: the response headers in order, redacted.
        body: the response body; incomplete if ``fault`` is set.
        arrivals: the reads that the body arrived in.
        elapsed: seconds of the last attempt.
        fault: the transport error in one sentence, such as a timeout or an oversized body; None if
            the response is complete.
        surplus: the beginning of what the server sent behind the response on the same connection;
            empty if nothing.
    """

    id: str
    request: Request
    attempts: tuple[Attempt, ...]
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrivals: tuple[Arrival, ...]
    elapsed: float
    fault: Message | None = None
    surplus: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first response header of that name, ignoring case; None if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison server's response to the request of one exchange, sent with its own model."""

    exchange: str  # the id of the run's exchange
    answer: Exchange
