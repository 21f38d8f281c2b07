"""What a page lists, sends and shows, as records.

Everything is as the page writes it; nothing here decides whether it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Client(StrEnum):
    """What sends an example."""

    CURL = "curl"
    OPENAI_PYTHON = "openai-python"
    OPENAI_NODE = "openai-node"
    REQUESTS = "requests"
    FETCH = "fetch"
    OPENAPI = "openapi"
    """The example object of a schema, which whoever reads it sends with what they have."""
    FRAGMENT = "fragment"
    """A part of a body, which nobody sends alone."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A type that the page gives a parameter in another place than its list."""

    place: str
    type: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the page lists it.

    Attributes:
        written: its name as written, which may be two names: ``prompt / messages``.
        type: its type as written; empty where the page gives none.
        required: None where the page does not say.
        default: as written, so not always a value of the type; see ``has_default``.
        minimum, maximum: of the value, or of the values of a map.
        most: the largest number of items.
        greater_than: the parameter that this one has to exceed.
        not_with: the parameters that must not be sent beside it.
        stated_in: whose paragraph it stands in, where it has no heading of its own.
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
        """The names that the row stands for, one as a rule."""
        return tuple(name.strip() for name in self.written.split("/"))


@dataclass(frozen=True, slots=True)
class ListedField:
    """A field of the answer as the page describes it."""

    path: str
    type: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A request that the page shows, and how its code sends it.

    Attributes:
        request: the JSON body; a ``${name}`` in a string is a variable of the code.
        url, authorization: where curl, requests and fetch send it, and the whole header.
        base_url, key: what the code gives to a client's constructor; None where it gives none.
        defines, uses: the names that the code sets or imports, and those that it needs.
        reads: the fields it takes from the answer; None where it does not look at single fields.
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
        """Whether a stream is asked for."""
        return self.request.get("stream") is True


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer that the page shows.

    Attributes:
        answers: the names of the examples that it is printed as the answer to.
        text: as printed, mistakes included; None where it is printed as something else than JSON.
        payload: what it says in that case.
    """

    name: str
    answers: tuple[str, ...]
    kind: Literal["plain", "stream"]
    text: str | None = None
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """The OpenAPI description that a page prints, as far as it is transcribed.

    Attributes:
        text: as printed.
        security: the schemes that a request needs; None where nothing is said.
        response: the schema of the answer.
    """

    text: str | None = None
    security: tuple[Any, ...] | None = None
    servers: tuple[str, ...] = ()
    response: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it lists, sends and shows.

    Attributes:
        document: its short name.
        endpoint: the address it gives.
        errors: the status codes that it explains.
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
        """Return a parameter by one of its names, or None where the page does not list it."""
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
        """Name what an example's code needs and neither it nor an earlier one in its language sets.

        A reader runs the examples of one client from top to bottom, as in one file.
        """
        defined: set[str] = set()
        for earlier in self.examples:
            if earlier.client is example.client:
                defined.update(earlier.defines)
            if earlier is example:
                break
        return tuple(name for name in example.uses if name not in defined)


def requested_choices(request: Mapping[str, Any]) -> int:
    """Count the choices that a request asks for: its prompts times n."""
    prompt, n = request.get("prompt"), request.get("n")
    # Ids are the tokens of one prompt; whatever else is in an array is a prompt of its own.
    several = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return (len(prompt) if several and prompt else 1) * (n if type(n) is int and n > 0 else 1)


def requested_stops(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stop sequences of a request, one or several; an empty one stops nothing."""
    stop = request.get("stop")
    found = stop if isinstance(stop, list) else [stop]
    return tuple(sequence for sequence in found if isinstance(sequence, str) and sequence)
