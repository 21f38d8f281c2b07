"""Load a contract: a bundled one by its name, any other overlay by its path."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from conformance.contract.bounds import assert_schemas_bounded
from conformance.contract.contract import CONTRACTS, Contract
from conformance.contract.files import ContractError, read_own_yaml, read_yaml, spec_directory
from conformance.contract.overlay import OverlayError, apply_overlay
from conformance.contract.requirements import statements
from conformance.contract.schemas import Parameter, Schema, read_fields, read_parameters
from conformance.contract.violations import path_of
from conformance.input_files import is_folder, one_line
from conformance.message import Message, as_message, say, verbatim
from conformance.model import Requirement


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
