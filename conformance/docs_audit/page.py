"""A vendor's page as records: parameters, examples and samples, exactly as the page has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Client(StrEnum):
    """The client that sends an example."""

    CURL = "curl"
    OPENAI_PYTHON = "openai-python"
    OPENAI_NODE = "openai-node"
    REQUESTS = "requests"
    FETCH = "fetch"
    OPENAPI = "openapi"
    """The example object of a schema, without a client."""
    FRAGMENT = "fragment"
    """Part of a request body, which cannot be sent alone."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The type of a parameter in another place of the page than its list."""

    place: str
    type: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the page lists it.

    Attributes:
        written: the name as written, which may be two names: ``prompt / messages``.
        type: the type as written; empty if the page gives none.
        required: None if the page does not say.
        default: as written, so not always a value of the type; valid if ``has_default``.
        minimum, maximum: limits of the value, or of the values of a map.
        most: the maximum number of items.
        values: the allowed values; empty if any are allowed.
        greater_than: the parameter that this one must exceed.
        not_with: parameters that must not be sent together with this one.
        stated_in: the parameter whose paragraph describes it, if it has no heading.
        elsewhere: its types in other places of the page.
    """

    written: str
    type: str = ""
    required: bool | None = None
    has_default: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    most: int | None = None
    values: tuple[Any, ...] = ()
    greater_than: str | None = None
    not_with: tuple[str, ...] = ()
    stated_in: str | None = None
    elsewhere: tuple[Elsewhere, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the row, usually one."""
        return tuple(name.strip() for name in self.written.split("/"))


@dataclass(frozen=True, slots=True)
class ListedField:
    """A response field as the page describes it."""

    path: str
    type: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A request that the page shows, and how its code sends it.

    Attributes:
        name: the name within the page.
        client: the client that sends it.
        request: the JSON body; ``${name}`` in a string is a variable of the code.
        url, authorization: the URL, and the value of the header, for curl, requests and fetch.
        base_url, key: the arguments of the client's constructor; None if the code has none.
        defines, uses: names that the code assigns or imports, and names that it needs.
        reads: response fields that the code reads; None if it uses the whole response.
    """

    name: str
    client: Client
    request: Mapping[str, Any]
    url: str | None = None
    authorization: str | None = None
    base_url: str | None = None
    key: str | None = None
    defines: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None

    @property
    def streams(self) -> bool:
        """Whether it requests a stream."""
        return self.request.get("stream") is True


@dataclass(frozen=True, slots=True)
class Sample:
    """A response that the page shows.

    Attributes:
        name: the name within the page.
        answers: the names of the examples that it is the response to.
        kind: ``plain`` for a non-streaming response, ``stream`` for a stream.
        text: as printed, including mistakes; None if it is not printed as JSON.
        payload: its content if ``text`` is None.
    """

    name: str
    answers: tuple[str, ...]
    kind: Literal["plain", "stream"]
    text: str | None = None
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """The transcribed parts of an OpenAPI description on a page.

    Attributes:
        text: as printed.
        security: the security schemes of a request; None if the page does not say.
        servers: the URLs of the servers.
        response: the schema of the response.
    """

    text: str | None = None
    security: tuple[Any, ...] | None = None
    servers: tuple[str, ...] = ()
    response: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A vendor's page.

    Attributes:
        document: the short name.
        title: the title.
        endpoint: the URL that the page gives.
        parameters: the listed parameters.
        examples: the requests that it shows.
        samples: the responses that it shows.
        fields: the described response fields.
        errors: the status codes that it explains.
        openapi: the OpenAPI description on the page, or None.
    """

    document: str
    title: str
    endpoint: str
    parameters: tuple[Parameter, ...]
    examples: tuple[Example, ...]
    samples: tuple[Sample, ...] = ()
    fields: tuple[ListedField, ...] = ()
    errors: tuple[int, ...] = ()
    openapi: Description | None = None

    def parameter(self, name: str) -> Parameter | None:
        """Return a parameter by one of its names, or None if the page does not list it."""
        return next((p for p in self.parameters if name in p.names), None)

    def example(self, name: str) -> Example:
        """Return an example by its name.

        Raises:
            KeyError: the page has none of that name.
        """
        for example in self.examples:
            if example.name == name:
                return example
        raise KeyError(name)

    def undefined(self, example: Example) -> tuple[str, ...]:
        """Return the names that an example's code uses and that are not defined.

        The examples of one client are read as one file, so earlier examples define names as well.
        """
        defined: set[str] = set()
        for earlier in self.examples:
            if earlier.client is example.client:
                defined.update(earlier.defines)
            if earlier is example:
                break
        return tuple(name for name in example.uses if name not in defined)


def requested_choices(request: Mapping[str, Any]) -> int:
    """Return the number of choices that a request asks for: prompts times ``n``."""
    prompt, n = request.get("prompt"), request.get("n")
    # An array of integers is one prompt; all other arrays are batches.
    several = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return (len(prompt) if several and prompt else 1) * (n if type(n) is int and n > 0 else 1)


def requested_stops(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stop sequences of a request, without empty ones."""
    stop = request.get("stop")
    found = stop if isinstance(stop, list) else [stop]
    return tuple(sequence for sequence in found if isinstance(sequence, str) and sequence)
