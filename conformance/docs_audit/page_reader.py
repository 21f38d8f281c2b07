"""Read transcribed pages into the records of :mod:`conformance.docs_audit.page`.

    page = load_page("zero")
    page.example("curl").request          # {"model": "gpt-3.5-turbo-instruct", …}
    page.samples[0].text                  # as printed, including mistakes

``spec/pages.schema.json`` is the schema of the files.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.contract import DOCUMENTS, spec_directory
from conformance.contract.files import ContractError, read_own_yaml, read_yaml
from conformance.contract.violations import path_of
from conformance.docs_audit.page import (
    Client,
    Description,
    Elsewhere,
    Example,
    ListedField,
    Page,
    Parameter,
    Sample,
)
from conformance.input_files import is_folder, one_line

PAGES: tuple[str, ...] = tuple(name for name in DOCUMENTS if name != "openai")
"""The documents that are pages; ``openai`` is observed behaviour."""


class PageError(Exception):
    """A page cannot be read; the message names the file and the place."""

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence, MAX_SENTENCE_CHARS))


MAX_SENTENCE_CHARS = 600


def load_page(name_or_path: str) -> Page:
    """Load one of the five pages by its short name, or any transcribed page by its path.

    Raises:
        PageError: there is no such page or file, or the file is invalid.
    """
    if name_or_path in PAGES:
        return _bundled(name_or_path)
    path = Path(name_or_path)
    if is_folder(path) or not os.path.exists(path):  # noqa: PTH110 - never raises
        raise PageError(
            f"unknown page `{one_line(name_or_path, 200)}`; choose one of {', '.join(PAGES)}, or "
            "give the path of a transcribed page"
        )
    return read_page(path)


@cache
def _bundled(name: str) -> Page:
    return read_page(spec_directory() / "pages" / f"{name}.yaml")


def read_page(path: Path) -> Page:
    """Read a transcribed page.

    Raises:
        PageError: the file cannot be read, is not YAML, or is invalid.
    """
    rows = _rows_in(path)
    if worst := best_match(_validator().iter_errors(rows)):
        place = path_of(worst.absolute_path) or "the file as a whole"
        raise PageError(f"{path}: {place}: {_cut(worst.message)}; see spec/pages.schema.json")
    page = _page_of(rows)
    if mistake := _mistake_in(page):
        raise PageError(f"{path}: {mistake}")
    return page


def _rows_in(path: Path) -> Any:
    """Read YAML as JSON, because requests are sent as JSON, whose keys are strings."""
    is_ours = path.parent == spec_directory() / "pages"
    try:
        value = read_own_yaml(path) if is_ours else read_yaml(path, any_keys=True)
        return json.loads(json.dumps(value, allow_nan=False))
    except ContractError as error:
        raise PageError(str(error)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise PageError(
            f"{path}: has values that JSON cannot represent ({_cut(str(error))})"
        ) from error


@cache
def _validator() -> Draft202012Validator:
    schema = (spec_directory() / "pages.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


def _cut(message: str, limit: int = 200) -> str:
    return message if len(message) <= limit else f"{message[: limit - 1]}…"


def _mistake_in(page: Page) -> str | None:
    """Return a mistake that the schema cannot detect: a reserved, duplicate or unknown name."""
    if page.document in DOCUMENTS and page.document not in PAGES:
        return f"document: `{page.document}` is reserved for the live API; choose another name"
    for what, names in (
        ("parameters", [name for p in page.parameters for name in p.names]),
        ("fields", [f.path for f in page.fields]),
        ("examples", [e.name for e in page.examples]),
        ("samples", [s.name for s in page.samples]),
    ):
        if twice := _twice(names):
            return f"{what}: `{twice}` occurs twice"
    known = {example.name for example in page.examples}
    for sample in page.samples:
        for name in sample.answers:
            if name not in known:
                return f"samples: `{sample.name}` refers to `{name}`, which is not an example"
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
        response=row.get("answer"),
    )
