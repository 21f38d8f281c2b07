"""The testable sentences: the suite's own, and those that other packages bring along."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.model import Level, Requirement, Source
from conformance.plugins import Plugin, plugins
from conformance.spec_files import ContractError, read_yaml, spec_directory


@dataclass(frozen=True, slots=True)
class Statement:
    """A requirement, and what has to be documented for it beside its subject."""

    requirement: Requirement
    needs: tuple[str, ...]


@cache
def own_statements() -> tuple[Statement, ...]:
    """Read the requirements of ``spec/requirements.yaml``."""
    rows = read_yaml(spec_directory() / "requirements.yaml")["requirements"]
    return tuple(map(_statement_of, rows))


def statements_of(
    plugin: Plugin,
    *,
    taken: Collection[str],
    subjects: Collection[str],
    parameters: Collection[str],
) -> tuple[Statement, ...]:
    """Read the requirements that another package brings; none where it brings no file.

    Args:
        plugin: the package.
        taken: the ids that others have already.
        subjects: what a requirement can be about.
        parameters: what a requirement can need.

    Raises:
        PluginError: the file cannot be used.
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
    """Say what no schema can: names that are taken, and names that nothing has."""
    for statement in statements:
        requirement = statement.requirement
        if requirement.id in taken:
            yield f"the id {requirement.id} is taken; begin ids with a word of your own"
        taken.add(requirement.id)
        if requirement.subject not in subjects:
            yield (
                f"{requirement.id} is about `{requirement.subject}`, which is no parameter, no "
                "field of an answer, and no other subject of spec/requirements.yaml"
            )
        for need in statement.needs:
            if need.partition(".")[0] not in parameters:
                yield f"{requirement.id} needs `{need}`, which is no parameter"


@cache
def _schema() -> Draft202012Validator:
    schema = (spec_directory() / "requirements.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(schema))


@cache
def statements(parameters: frozenset[str], fields: frozenset[str]) -> tuple[Statement, ...]:
    """Read every requirement there is.

    Args:
        parameters: the names of all parameters of the description.
        fields: the paths of all fields of an answer in it.

    Raises:
        PluginError: those that another package brings cannot be used.
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
