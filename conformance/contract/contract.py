"""A contract: the OpenAPI description with one document's overlay applied.

    contract = load_contract("zhizengzeng")
    contract.parameter("max_tokens").default_unlimited   # True
    contract.why_not_in_force("stop.at-most-four")       # None: it is in force
    contract.validate_completion(body)                   # (), or the violations in the body

Limits, defaults and promises are read from the description, never written into a check.
:mod:`conformance.contract.loading` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from conformance.contract.files import ContractError
from conformance.contract.schemas import Field, Parameter, Schema
from conformance.contract.violations import SchemaViolation, validator_of, violations_of
from conformance.message import Message
from conformance.model import Requirement, Subject

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

    def __reduce__(self) -> tuple[type[Contract], tuple[object, ...]]:
        """Return what makes it again in another process, without what was computed from it."""
        return Contract, tuple(getattr(self, one.name) for one in fields(self))

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
