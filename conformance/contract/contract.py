"""A contract: the OpenAPI description with one document's overlay applied.

    contract = load_contract("zhizengzeng")
    contract.parameter("max_tokens").default_unlimited   # True
    contract.why_not_in_force("stop.at-most-four")       # None: it is in force
    contract.validate_completion(body)                   # (), or the violations in the body

Limits, defaults and promises are read from the description, never written into a check. The
bundled contracts are loaded by name, any other overlay of ``spec/openapi.yaml`` by its path.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from conformance.contract.bounds import assert_schemas_bounded
from conformance.contract.files import ContractError, read_own_yaml, read_yaml, spec_directory
from conformance.contract.overlay import OverlayError, apply_overlay
from conformance.contract.requirements import statements
from conformance.contract.schemas import (
    Field,
    Parameter,
    Schema,
    read_fields,
    read_parameters,
)
from conformance.contract.violations import (
    SchemaViolation,
    path_of,
    validator_of,
    violations_of,
)
from conformance.input_files import is_folder, one_line
from conformance.message import Message, as_message, say, verbatim
from conformance.model import Requirement, Subject

__all__ = [
    "CONTRACTS",
    "DOCUMENTS",
    "LIVING",
    "Contract",
    "ContractError",
    "Field",
    "Parameter",
    "SchemaViolation",
    "load_contract",
    "spec_directory",
]

DOCUMENTS: tuple[str, ...] = ("zero", "gpt-ge", "aocheng", "zhizengzeng", "eronmind", "openai")
"""The documents that the contract began with: five vendors' pages, and the live API's behaviour.

Each of the five has its row wherever vendors are compared, whether or not it was tested.
"""

LIVING: tuple[str, ...] = (
    *("vllm", "llama-cpp", "sglang", "ollama", "deepseek-fim"),
    *("cerebras", "fireworks", "siliconflow", "together"),
)
"""Servers that implement the endpoint today, each by its own documentation.

They appear where they are chosen, never as a row of a comparison that did not test them.
"""

CONTRACTS: tuple[str, ...] = (*DOCUMENTS, *LIVING)
"""Names of all bundled contracts."""


@dataclass(frozen=True, eq=False)
class Contract:
    """What one document promises.

    Attributes:
        name: the document's short name, or the stem of the overlay's file name.
        title: the overlay's title; ``title_zh`` is the same in Chinese, or empty.
        document: the document that the overlay describes. Requirements of scope ``document`` are in
            force if it is among their sources.
        parameters: all parameters of all documents, including those not documented here.
        fields: all fields of a response and of an error.
        requirements: the requirements in force, by id.
        openapi: the description with the overlay applied; read-only.
        file: the path of a custom overlay, as it was given; None for a bundled contract.
    """

    name: str
    title: str
    title_zh: str
    document: str
    parameters: tuple[Parameter, ...]
    fields: tuple[Field, ...]
    requirements: Mapping[str, Requirement]
    openapi: Schema = field(repr=False)
    _stated: Mapping[str, Requirement] = field(repr=False)
    _silent: Mapping[str, Message] = field(repr=False)
    file: str | None = None

    def requirement(self, requirement_id: str) -> Requirement:
        """Return a requirement, even if it is not in force in this contract.

        Raises:
            ContractError: there is no such requirement.
        """
        try:
            return self._stated[requirement_id]
        except KeyError:
            raise ContractError(f"unknown requirement `{requirement_id}`") from None

    def why_not_in_force(self, requirement_id: str) -> Message | None:
        """Return why a requirement is not in force in this contract; None if it is."""
        self.requirement(requirement_id)
        return self._silent.get(requirement_id)

    def parameter(self, name: str) -> Parameter:
        """Return a parameter; an unknown one is not ``documented``."""
        known = (parameter for parameter in self.parameters if parameter.name == name)
        return next(known, Parameter(name))

    def field(self, path: str) -> Field:
        """Return a response field by its path.

        Raises:
            ContractError: the contract has no such field.
        """
        for known in self.fields:
            if known.path == path:
                return known
        raise ContractError(f"the {self.name} contract has no response field `{path}`")

    def promises(self, feature: str) -> bool:
        """Return whether the contract promises a feature, such as ``stop`` or ``prompt:batch``."""
        name, _, form = feature.partition(":")
        parameter = self.parameter(name)
        if not form:
            return parameter.promised
        return parameter.forms.get("strings" if form == "batch" else form, False)

    @property
    def default_tokens(self) -> int | None:
        """The default of ``max_tokens``; None if it is not documented."""
        default = self.parameter("max_tokens").default
        return default if isinstance(default, int) else None

    @property
    def has_flat_errors(self) -> bool:
        """Whether the members of an error are at the top of the body, without an envelope."""
        return _truth(self.openapi["components"]["schemas"]["Error"], "x-flat")

    @property
    def hides_special_tokens(self) -> bool:
        """Whether special tokens are documented to be left out of the text."""
        return self.parameter("skip_special_tokens").default is True

    @property
    def refused_together(self) -> tuple[frozenset[str], ...]:
        """Parameters that are documented not to work together in one request."""
        schema = self.openapi["components"]["schemas"]["CreateCompletionRequest"]
        return tuple(map(frozenset, schema.get("x-refused-together", ())))

    @property
    def has_usage_with_last_choice(self) -> bool:
        """Whether the usage of a stream is in its last chunk with a choice, not in one without."""
        chunk = self.openapi["components"]["schemas"]["CompletionChunk"]
        choices = chunk.get("properties", {}).get("choices", {})
        return isinstance(choices, Mapping) and choices.get("minItems", 0) == 1

    @property
    def path(self) -> str:
        """The path of the endpoint on its host, as documented: ``/v1/completions``."""
        servers = self.openapi.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else None
        url = first.get("url") if isinstance(first, dict) else None
        try:
            below = urlsplit(url).path if isinstance(url, str) else "/v1"
        except ValueError:
            below = "/v1"
        return f"{below.rstrip('/')}/completions"

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """The parameters and response fields with the contract's promise in one line.

        Left out is what a server adds to the endpoint and no requirement is about, which no check
        could test.
        """
        tested = {requirement.subject for requirement in self._stated.values()}
        return (
            *(
                _subject(p.name, "parameter", p.documented, p)
                for p in self.parameters
                if p.name in tested
            ),
            *(
                _subject(f.path, "field", self._documents(f), f)
                for f in self.fields
                if f.path in tested
            ),
        )

    def _documents(self, known: Field) -> bool:
        """Return whether the document mentions a field."""
        return self.document in known.says or self.document not in CONTRACTS

    def validate_request(self, body: object) -> tuple[SchemaViolation, ...]:
        """Validate a request against the contract's schema."""
        return self._validate("CreateCompletionRequest", body)

    def validate_completion(self, body: object) -> tuple[SchemaViolation, ...]:
        """Validate a non-streaming response against the contract's schema."""
        return self._validate("Completion", body)

    def validate_chunk(self, body: object) -> tuple[SchemaViolation, ...]:
        """Validate the data of one stream event against the contract's schema."""
        return self._validate("CompletionChunk", body)

    def validate_error(self, body: object) -> tuple[SchemaViolation, ...]:
        """Validate an error body against the contract's schema, whose envelope it may lack."""
        return self._validate("Error", {"error": body} if self.has_flat_errors else body)

    def _validate(self, component: str, body: object) -> tuple[SchemaViolation, ...]:
        return tuple(violations_of(self._validators[component], body))

    @cached_property
    def _validators(self) -> Mapping[str, Draft202012Validator]:
        schemas = self.openapi["components"]["schemas"]
        return {name: validator_of(schemas, name) for name in schemas}


def _truth(schema: object, key: str) -> bool:
    """Return whether a schema has an extension that is true."""
    return isinstance(schema, Mapping) and schema.get(key) is True


def _subject(name: str, kind: str, documented: bool, known: Parameter | Field) -> Subject:
    promise = known.promise
    return Subject(name, kind, documented, promise.en, known.says, promise.zh, known.says_zh)


def load_contract(name_or_path: str) -> Contract:
    """Load a contract by name, or from the path of an overlay file.

    Raises:
        ContractError: the name is unknown, or the file cannot be read or applied.
    """
    if name_or_path in CONTRACTS:
        return _bundled(name_or_path)
    path = Path(name_or_path)
    if _is_bare_name(path):
        raise ContractError(
            f"unknown contract `{one_line(name_or_path, 200)}`{_why_no_file(path)}; choose one of "
            f"{', '.join(CONTRACTS)}, or give the path of an overlay file"
        )
    return replace(_read_contract(path.stem, path, is_ours=False), file=name_or_path)


def _is_bare_name(path: Path) -> bool:
    """Return whether nothing readable is there, so that the text is a wrong name or path.

    A pipe or a device is there; reading it says what is wrong with it.
    """
    return is_folder(path) or not os.path.exists(path)  # noqa: PTH110 - never raises


def _why_no_file(path: Path) -> str:
    """Say in brackets why a path cannot be read; empty for what looks like a name."""
    if is_folder(path):
        return " (it is a folder)"
    looks_like_path = path.suffix in {".yaml", ".yml", ".json"} or len(path.parts) > 1
    return " (there is no such file)" if looks_like_path else ""


# ── reading the files ────────────────────────────────────────────────────────────────────────────


@cache
def _bundled(name: str) -> Contract:
    path = spec_directory() / "documents" / f"{name}.yaml"
    return _read_contract(name, path, is_ours=True)


def _read_contract(name: str, path: Path, *, is_ours: bool) -> Contract:
    base = _base()
    overlay = read_own_yaml(path) if is_ours else read_yaml(path)
    try:
        applied = apply_overlay(base, overlay)
    except OverlayError as error:
        raise ContractError(f"{path}: {error}") from error
    try:
        if not is_ours:
            _assert_schemas_valid(applied, path)
            assert_schemas_bounded(applied["components"]["schemas"])
        return _contract_of(name, str(overlay["info"]["title"]), base, applied)
    except RecursionError:
        raise ContractError(f"{path}: the overlay nests schemas too deeply") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ContractError(
            f"{path}: invalid overlay, the result is not a valid contract ({error}); see "
            "spec/README.md for what an overlay may change"
        ) from error


@cache
def _base() -> Schema:
    document: Schema = read_own_yaml(spec_directory() / "openapi.yaml")
    return document


def _assert_schemas_valid(document: Schema, path: Path) -> None:
    """Check that all schemas are still valid after a custom overlay."""
    for name, schema in document["components"]["schemas"].items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            place = path_of((name, *error.absolute_path))
            raise ContractError(
                f"{path}: the overlay makes {place} an invalid schema ({error.message})"
            ) from error


# ── from the applied document to the contract ────────────────────────────────────────────────────


def _contract_of(name: str, title: str, base: Schema, applied: Schema) -> Contract:
    about = applied["x-conformance"]
    document = _text(about, "document", name)
    parts = applied["components"]["schemas"]
    request = "CreateCompletionRequest"
    parameters = tuple(read_parameters(base["components"]["schemas"][request], parts[request]))
    names = {parameter.name: parameter for parameter in parameters}
    fields = tuple(read_fields(parts, names))
    everywhere = {known.path for known in read_fields(base["components"]["schemas"], names)}
    known_to_all = statements(frozenset(names), frozenset(everywhere))
    scope = _Scope(
        name=name,
        document=document,
        parameters=names,
        fields=frozenset(known.path for known in fields),
        removed=frozenset(everywhere - {known.path for known in fields}),
        excluded=_excluded(about),
    )
    stated = {statement.requirement.id: statement.requirement for statement in known_to_all}
    if unknown := scope.excluded.keys() - stated.keys():
        raise ValueError(f"x-conformance excludes {_unknown(min(unknown), stated)}")
    reasons = {
        statement.requirement.id: scope.why_silent(statement.requirement, statement.needs)
        for statement in known_to_all
    }
    return Contract(
        name=name,
        title=_text(about, "title", title),
        title_zh=_text(about, "title_zh", ""),
        document=document,
        parameters=parameters,
        fields=fields,
        requirements={key: stated[key] for key, reason in reasons.items() if reason is None},
        openapi=applied,
        _stated=stated,
        _silent={key: reason for key, reason in reasons.items() if reason is not None},
    )


def _text(about: Schema, key: str, otherwise: str) -> str:
    value = about.get(key, otherwise)
    if not isinstance(value, str):
        raise TypeError(f"x-conformance.{key} must be a string, not {value!r}")
    return value


def _excluded(about: Schema) -> Mapping[str, Message]:
    rows = about.get("excludes", [])
    if not isinstance(rows, list) or any(
        not isinstance(row, dict) or row.keys() != {"requirement", "because"} for row in rows
    ):
        raise TypeError(
            "x-conformance.excludes must be a list of `requirement` and `because` pairs"
        )
    return {row["requirement"]: as_message(row["because"]) for row in rows}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Decides which requirements are in force in a contract."""

    name: str
    document: str
    parameters: Mapping[str, Parameter]
    fields: frozenset[str]
    removed: frozenset[str]  # response fields that the overlay took away
    excluded: Mapping[str, Message]

    def why_silent(self, requirement: Requirement, needs: tuple[str, ...]) -> Message | None:
        """Return why the requirement is not in force, or None if it is."""
        if requirement.id in self.excluded:
            return self.excluded[requirement.id]
        documents = [source.document for source in requirement.sources]
        if requirement.scope == "document" and self.document not in documents:
            return say(
                "not in the {contract} contract (only {document})",
                contract=self.name,
                document=_listed(documents),
            )
        if requirement.subject in self.removed:
            what = say("`{parameter}`", parameter=requirement.subject)
            return say("{contract} does not document {what}", contract=self.name, what=what)
        adds = requirement.scope == "extension"
        missing = (self._missing(need, adds=adds) for need in (requirement.subject, *needs))
        return next(
            (
                say("{contract} does not document {what}", contract=self.name, what=what)
                for what in missing
                if what
            ),
            None,
        )

    def _missing(self, need: str, *, adds: bool) -> Message | None:
        """Return what a need lacks in the documentation.

        ``adds`` says that only some overlays add the parameter or the response field; otherwise,
        only parameters can lack something.
        """
        name, _, aspect = need.partition(".")
        parameter = self.parameters.get(name)
        if parameter is None:
            return (
                say("`{parameter}`", parameter=need) if adds and need not in self.fields else None
            )
        if parameter.has_own_meaning:
            return say("`{parameter}` as the live API means it", parameter=name)
        if not parameter.documented:
            return say("`{parameter}`", parameter=name)
        return parameter.lacks(aspect) if aspect else None


def _listed(documents: list[str]) -> Message:
    """Join names: "openai", "zero and aocheng"."""
    *others, last = documents
    if not others:
        return verbatim(last)
    return say("{others} and {last}", others=tuple(others), last=last)


def _unknown(name: str, requirements: Collection[str]) -> str:
    """Name an unknown requirement and the most similar known one."""
    near = get_close_matches(name, requirements, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"the unknown requirement `{name}`{hint}"
