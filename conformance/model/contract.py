"""What a contract states: requirements and their subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.model.enums import Level


@dataclass(frozen=True, slots=True)
class Source:
    """What one document says about a requirement, paraphrased in English and Chinese."""

    document: str
    says: str
    says_zh: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable sentence of the contract.

    Attributes:
        id: the permanent id, whose first part is the area: ``stop.string``.
        statement: the sentence in English; ``statement_zh`` is the same in Chinese.
        level: how binding it is.
        area: the area that it is filed under.
        subject: the parameter (``stop``) or response field (``choices[].finish_reason``) that it
            is about.
        scope: ``protocol`` if every contract inherits it, ``document`` if only the documents among
            the sources promise it, ``extension`` if every contract does whose document adds the
            parameter or field to the live API's.
        sources: the documents that state it.
    """

    id: str
    statement: str
    statement_zh: str
    level: Level
    area: str
    subject: str
    scope: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One parameter or response field of the contract.

    Attributes:
        name: the parameter's name or the field's path.
        kind: ``parameter`` or ``field``.
        documented: whether the contract's document mentions it.
        promise: the contract's promise in one line.
        says: what each document says about it, by the document's name.
    """

    name: str
    kind: str
    documented: bool
    promise: str
    says: Mapping[str, str]
    promise_zh: str = ""
    says_zh: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Common:
    """The promises that all of several documents make.

    Attributes:
        documents: their names.
        requirements: ids of the requirements in force in each of their contracts.
        subjects: names of the parameters and response fields that each of them documents.
    """

    documents: tuple[str, ...] = ()
    requirements: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
