"""Disagreements between the documents, computed from ``spec/``.

    for section in contradictions(pages):
        for row in section.rows:
            print(row.topic, row.says["zero"], row.says["openai"])

The five pages are read from their transcriptions (``spec/pages``), the live API from its contract,
and longer explanations from ``spec/openapi.yaml``. There is a row only if two documents differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from conformance.contract import DOCUMENTS, Contract, Field, load_contract
from conformance.docs_audit.json_types import types_in
from conformance.docs_audit.page import Page

LIVE = "openai"
SILENT = "not said"
ABSENT = "–"
"""The value for a document that lacks the parameter or field."""


class Disagreement(StrEnum):
    """How the documents differ in one row."""

    CONTRADICTION = "contradiction"
    """At least two documents contradict each other."""
    SILENCE = "silence"
    """Some documents are silent, and the others agree."""


@dataclass(frozen=True, slots=True)
class Row:
    """One topic on which the documents differ; ``says`` maps each document to what it says."""

    topic: str
    kind: Disagreement
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind. ``in_words``: the values are sentences, too long for table cells."""

    title: str
    rows: tuple[Row, ...]
    in_words: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """What one document says about one parameter.

    None: the document is silent. ``ABSENT``: it lacks the parameter.
    """

    listed: str | None = None
    required: str | None = ABSENT
    types: str | None = ABSENT
    default: str | None = ABSENT
    minimum: str | None = ABSENT
    maximum: str | None = ABSENT
    most: str | None = ABSENT
    null: str | None = ABSENT


def contradictions(pages: Iterable[Page]) -> tuple[Section, ...]:
    """Compare pages with each other and with the live API; sections without rows are omitted."""
    pages = tuple(pages)
    live = load_contract(LIVE)
    said = {
        name: {
            **{page.document: _on_page(page, name) for page in pages},
            LIVE: _live(live, name),
        }
        for name in _names(pages, live)
    }
    there = {
        name: {document: one.listed for document, one in each.items()}
        for name, each in said.items()
    }
    columns: dict[str, Callable[[_Said], str | None]] = {
        "What is required": lambda one: one.required,
        "Types": lambda one: one.types,
        "Defaults": lambda one: one.default,
        "Lower limits": lambda one: one.minimum,
        "Upper limits": lambda one: one.maximum,
        "Number of items": lambda one: one.most,
        "Null as a value": lambda one: one.null,
    }
    compared = (
        _section(
            title,
            {
                name: {document: pick(one) for document, one in each.items()}
                for name, each in said.items()
            },
        )
        for title, pick in columns.items()
    )
    sections = (
        _section("Which parameters there are", there, silent=ABSENT),
        *compared,
        _section("Forms of a prompt", _forms(pages)),
        _section("Which response fields are described", _described(pages, live), silent=ABSENT),
        _section("Values of response fields", _values(pages, live)),
        _section("How it is read", dict(_in_words(pages, live)), in_words=True),
    )
    return tuple(section for section in sections if section.rows)


def about(sections: Iterable[Section], documents: Iterable[str]) -> tuple[Section, ...]:
    """Keep the rows in which one of these documents is not silent."""
    chosen = set(documents)

    def is_about_chosen(row: Row) -> bool:
        return any(row.says.get(name, ABSENT) not in {SILENT, ABSENT} for name in chosen)

    kept = (
        Section(s.title, tuple(row for row in s.rows if is_about_chosen(row)), s.in_words)
        for s in sections
    )
    return tuple(section for section in kept if section.rows)


def _section(
    title: str,
    rows: Mapping[str, Mapping[str, str | None]],
    *,
    silent: str = SILENT,
    in_words: bool = False,
) -> Section:
    made = (_row(topic, says, silent) for topic, says in rows.items())
    return Section(title, tuple(row for row in made if row is not None), in_words)


def _row(topic: str, says: Mapping[str, str | None], silent: str) -> Row | None:
    """Return a row, or None if the documents do not differ."""
    spoken = {words for words in says.values() if words not in {None, ABSENT}}
    if len(spoken) < 2 and not (spoken and None in says.values()):
        return None
    kind = Disagreement.CONTRADICTION if len(spoken) > 1 else Disagreement.SILENCE
    return Row(topic, kind, {name: silent if w is None else w for name, w in says.items()})


# ── parameters ───────────────────────────────────────────────────────────────────────────────────


def _names(pages: Iterable[Page], live: Contract) -> list[str]:
    known = [parameter.name for parameter in live.parameters]
    more = (name for page in pages for parameter in page.parameters for name in parameter.names)
    return list(dict.fromkeys([*known, *more]))


def _on_page(page: Page, name: str) -> _Said:
    parameter = page.parameter(name)
    if parameter is None:
        return _Said()
    types = [kind for kind in types_in(parameter.type) if kind != "null"]
    nullable = "null" in types_in(parameter.type) or (
        parameter.has_default and parameter.default is None
    )
    return _Said(
        listed="listed",
        required=None if parameter.required is None else _required(parameter.required),
        types=_alternatives(types),
        default=_default(parameter.has_default, parameter.default, required=parameter.required),
        minimum=_limit(parameter.minimum),
        maximum=_limit(parameter.maximum),
        most=f"at most {parameter.most}" if parameter.most is not None else None,
        null="allowed" if nullable else None,
    )


def _live(live: Contract, name: str) -> _Said:
    parameter = live.parameter(name)
    if not parameter.documented:
        return _Said()
    return _Said(
        listed="listed",
        required=_required(parameter.required),
        types=_alternatives(kind for kind in parameter.types if kind != "null"),
        default=_default(parameter.has_default, parameter.default, required=parameter.required),
        minimum=_limit(parameter.minimum),
        maximum=_limit(parameter.maximum),
        most=f"at most {parameter.max_items}" if parameter.max_items is not None else None,
        null="allowed" if parameter.nullable else "not allowed",
    )


def _forms(pages: Iterable[Page]) -> dict[str, dict[str, str | None]]:
    """Return the forms of a prompt that each document names, which only its contract lists."""
    names = [page.document for page in pages if page.document in DOCUMENTS]
    known = {name: load_contract(name).parameter("prompt").forms for name in (*names, LIVE)}
    every = dict.fromkeys(form for forms in known.values() for form in forms)
    return {
        form: {name: "named" if form in forms else None for name, forms in known.items()}
        for form in every
    }


# ── responses and errors ─────────────────────────────────────────────────────────────────────────


def _described(pages: Iterable[Page], live: Contract) -> dict[str, dict[str, str | None]]:
    """Return the response fields that each page describes, other than by samples."""
    return {
        path: {
            **{page.document: "described" if path in _paths(page) else None for page in pages},
            LIVE: "described",
        }
        for path, _ in _response(live)
    }


def _values(pages: Iterable[Page], live: Contract) -> dict[str, dict[str, str | None]]:
    """Return the values that each page lists for fields that are enumerations."""
    return {
        path: {
            **{page.document: _alternatives(_paths(page).get(path, ())) for page in pages},
            LIVE: _alternatives(map(str, field.values)),
        }
        for path, field in _response(live)
        if field.values
    }


def _response(live: Contract) -> Iterator[tuple[str, Field]]:
    """Yield the fields of a response by their path in the JSON."""
    for field in live.fields:
        if not field.path.startswith("error"):
            yield field.path.removeprefix("response."), field


def _paths(page: Page) -> dict[str, list[str]]:
    return {field.path: [str(value) for value in field.values] for field in page.fields}


# ── in words ─────────────────────────────────────────────────────────────────────────────────────


def _in_words(
    pages: Iterable[Page], live: Contract
) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Quote the description for subjects that documents interpret differently.

    These are subjects of requirements with scope ``document``, and response fields with several
    values.
    """
    names = [*(page.document for page in pages), LIVE]
    in_force = (r for name in DOCUMENTS for r in load_contract(name).requirements.values())
    read_differently = dict.fromkeys(r.subject for r in in_force if r.scope == "document")
    for subject in read_differently:
        says = live.parameter(subject).says
        yield subject, {name: says.get(name, ABSENT) for name in names}
    for field in live.fields:
        if len(field.values) > 1 or field.path == "error":
            yield field.path, {name: field.says.get(name) for name in names}


# ── words ────────────────────────────────────────────────────────────────────────────────────────

_ORDER = ("string", "array", "integer", "number", "boolean", "object")


def _alternatives(names: Iterable[str]) -> str | None:
    """Join names: "a, b or c"; types are always in the same order."""
    known = sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else -1)
    if not known:
        return None
    *others, last = known
    return f"{', '.join(others)} or {last}" if others else last


def _required(required: bool) -> str:
    return "required" if required else "optional"


def _limit(limit: float | None) -> str | None:
    return None if limit is None else _value(limit)


def _default(given: bool, default: object, *, required: bool | None) -> str | None:
    """Format a default; a required parameter needs none."""
    if given:
        return _value(default)
    return ABSENT if required else None


def _value(value: object) -> str:
    """Format a value as JSON; 1.0 as 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
