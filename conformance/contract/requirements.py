"""Requirements: the suite's own and those of plugins."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.contract.files import ContractError, read_own_yaml, read_yaml, spec_directory
from conformance.model import Level, Requirement, Source
from conformance.plugins import Plugin, plugins


@dataclass(frozen=True, slots=True)
class Statement:
    """A requirement and the features that must be documented besides its subject."""

    requirement: Requirement
    needs: tuple[str, ...]


@cache
def own_statements() -> tuple[Statement, ...]:
    """Read the requirements of ``spec/requirements.yaml``."""
    rows = read_own_yaml(spec_directory() / "requirements.yaml")["requirements"]
    return tuple(map(_statement_of, rows))


def statements_of(
    plugin: Plugin,
    *,
    taken: Collection[str],
    subjects: Collection[str],
    parameters: Collection[str],
) -> tuple[Statement, ...]:
    """Read the requirements of a plugin; empty if it has no file.

    Args:
        plugin: the plugin.
        taken: ids that are already in use.
        subjects: valid subjects.
        parameters: valid needs.

    Raises:
        PluginError: the file is invalid.
    """
    path = plugin.requirements
    if path is None:
        return ()
    try:
        content = read_yaml(path)
    except ContractError as error:
        raise plugin.broken(str(error)) from None
    mistake = best_match(_schema().iter_errors(content))
    if mistake is not None:
        place = mistake.json_path.removeprefix("$.")
        raise plugin.broken(f"{path}: {place}: {mistake.message}")
    statements = tuple(map(_statement_of, content["requirements"]))
    wrong = next(_mistakes(statements, set(taken), subjects, parameters), None)
    if wrong is not None:
        raise plugin.broken(f"{path}: {wrong}")
    return statements


def _mistakes(
    statements: Collection[Statement],
    taken: set[str],
    subjects: Collection[str],
    parameters: Collection[str],
) -> Iterator[str]:
    """Yield mistakes that the schema cannot detect: duplicate ids and unknown names."""
    for statement in statements:
        requirement = statement.requirement
        if requirement.id in taken:
            yield f"the id {requirement.id} is already in use; prefix ids with your own namespace"
        taken.add(requirement.id)
        if requirement.subject not in subjects:
            yield (
                f"{requirement.id} has the subject `{requirement.subject}`, which is not a "
                "parameter, a response field, or another subject in spec/requirements.yaml"
            )
        for need in statement.needs:
            if need.partition(".")[0] not in parameters:
                yield f"{requirement.id} needs `{need}`, which is not a parameter"


@cache
def _schema() -> Draft202012Validator:
    schema = (spec_directory() / "requirements.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


@cache
def statements(parameters: frozenset[str], fields: frozenset[str]) -> tuple[Statement, ...]:
    """Read all requirements.

    Args:
        parameters: names of all parameters in the OpenAPI description.
        fields: paths of all response fields in it.

    Raises:
        PluginError: the requirements of a plugin are invalid.
    """
    found = list(own_statements())
    subjects = {statement.requirement.subject for statement in found} | parameters | fields
    for plugin in plugins():
        taken = {statement.requirement.id for statement in found}
        found += statements_of(plugin, taken=taken, subjects=subjects, parameters=parameters)
    return tuple(found)


def _statement_of(row: Mapping[str, Any]) -> Statement:
    requirement = Requirement(
        id=row["id"],
        statement=row["statement"],
        statement_zh=row["statement_zh"],
        level=Level(row["level"]),
        area=row["id"].partition(".")[0],
        subject=row["subject"],
        scope=row["scope"],
        sources=tuple(
            Source(source["document"], source["says"], source["says_zh"])
            for source in row["sources"]
        ),
    )
    return Statement(requirement, tuple(row.get("needs", ())))
