"""A vendor's page as data: the parameters it lists, the requests it sends, the answers it shows.

    page = load_page("zero")
    page.example("curl").request          # {"model": "gpt-3.5-turbo-instruct", …}
    page.samples[0].text                  # as printed, mistakes included

``spec/pages.schema.json`` says what a file of one's own has to look like. Everything is as the page
writes it; nothing here decides whether it is right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.contract import DOCUMENTS, spec_directory
from conformance.schemas import path_of

PAGES: tuple[str, ...] = tuple(name for name in DOCUMENTS if name != "openai")
"""The documents that are a page; the live API's own behaviour is written on none."""


class PageError(Exception):
    """A page cannot be read; one sentence names the file and the place."""


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
        answer: the schema of the answer.
    """

    text: str | None = None
    security: tuple[Any, ...] | None = None
    servers: tuple[str, ...] = ()
    answer: Mapping[str, Any] | None = None


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
    openapi: Description | None = field(default=None)

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


def choices_asked(request: Mapping[str, Any]) -> int:
    """Count the choices that a request asks for: its prompts times n."""
    prompt, n = request.get("prompt"), request.get("n")
    # Ids are the tokens of one prompt; whatever else is in an array is a prompt of its own.
    several = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return (len(prompt) if several and prompt else 1) * (n if type(n) is int and n > 0 else 1)


def stops_asked(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stop sequences of a request, one or several; an empty one stops nothing."""
    stop = request.get("stop")
    found = stop if isinstance(stop, list) else [stop]
    return tuple(sequence for sequence in found if isinstance(sequence, str) and sequence)


def load_page(name_or_path: str) -> Page:
    """Load one of the five pages by its short name, or a transcribed page of one's own by its path.

    Raises:
        PageError: there is no such page or file, or it is not what a page has to look like.
    """
    if name_or_path in PAGES:
        return _bundled(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise PageError(
            f"there is no page `{name_or_path}`: choose one of {', '.join(PAGES)}, or give the "
            "path of a transcribed page"
        )
    return read_page(path)


@cache
def _bundled(name: str) -> Page:
    return read_page(spec_directory() / "pages" / f"{name}.yaml")


def read_page(path: Path) -> Page:
    """Read a transcribed page.

    Raises:
        PageError: the file cannot be read, is no YAML, or is not what a page has to look like.
    """
    try:
        rows = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise PageError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PageError(f"{path}{line}: is not valid YAML ({error.problem})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PageError(f"{path}: is not YAML text in UTF-8") from error
    if worst := best_match(_validator().iter_errors(rows)):
        place = path_of(worst.absolute_path) or "the file as a whole"
        raise PageError(f"{path}: {place}: {_cut(worst.message)}; see spec/pages.schema.json")
    page = _page_of(rows)
    if amiss := _amiss(page):
        raise PageError(f"{path}: {amiss}")
    return page


@cache
def _validator() -> Draft202012Validator:
    schema = (spec_directory() / "pages.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


def _cut(message: str, limit: int = 200) -> str:
    return message if len(message) <= limit else f"{message[: limit - 1]}…"


def _amiss(page: Page) -> str | None:
    """Say what no schema can: names that are not unique, or that nothing bears."""
    for what, names in (
        ("parameters", [name for p in page.parameters for name in p.names]),
        ("fields", [f.path for f in page.fields]),
        ("examples", [e.name for e in page.examples]),
        ("samples", [s.name for s in page.samples]),
    ):
        if twice := _twice(names):
            return f"{what}: `{twice}` stands there twice"
    known = {example.name for example in page.examples}
    for sample in page.samples:
        for name in sample.answers:
            if name not in known:
                return f"samples: `{sample.name}` answers `{name}`, which is no example"
    return None


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


# ── from the file's rows to records ──────────────────────────────────────────────────────────────

_Row = Mapping[str, Any]


def _page_of(rows: _Row) -> Page:
    return Page(
        document=rows["document"],
        title=rows["title"],
        endpoint=rows["endpoint"],
        parameters=tuple(map(_parameter_of, rows["parameters"])),
        examples=tuple(map(_example_of, rows["examples"])),
        samples=tuple(map(_sample_of, rows.get("samples", ()))),
        fields=tuple(
            ListedField(row["path"], row.get("type", ""), tuple(row.get("values", ())))
            for row in rows.get("fields", ())
        ),
        errors=tuple(rows.get("errors", ())),
        openapi=_description_of(rows["openapi"]) if "openapi" in rows else None,
    )


def _parameter_of(row: _Row) -> Parameter:
    return Parameter(
        written=row["name"],
        type=row.get("type", ""),
        required=row.get("required"),
        has_default="default" in row,
        default=row.get("default"),
        minimum=row.get("minimum"),
        maximum=row.get("maximum"),
        most=row.get("most"),
        values=tuple(row.get("values", ())),
        greater_than=row.get("greater-than"),
        not_with=tuple(row.get("not-with", ())),
        stated_in=row.get("stated-in"),
        elsewhere=tuple(
            Elsewhere(other["in"], other["type"]) for other in row.get("elsewhere", ())
        ),
    )


def _example_of(row: _Row) -> Example:
    return Example(
        name=row["name"],
        client=Client(row["client"]),
        request=row["request"],
        url=row.get("url"),
        authorization=row.get("authorization"),
        base_url=row.get("base-url"),
        key=row.get("key"),
        defines=tuple(row.get("defines", ())),
        uses=tuple(row.get("uses", ())),
        reads=tuple(row["reads"]) if "reads" in row else None,
    )


def _sample_of(row: _Row) -> Sample:
    return Sample(
        name=row["name"],
        answers=tuple(row["answers"]),
        kind=row["kind"],
        text=row.get("text"),
        payload=row.get("payload"),
    )


def _description_of(row: _Row) -> Description:
    return Description(
        text=row.get("text"),
        security=tuple(row["security"]) if "security" in row else None,
        servers=tuple(row.get("servers", ())),
        answer=row.get("answer"),
    )
