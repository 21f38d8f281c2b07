"""Validate written files by the published schemas in ``schemas/``."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator, Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

SCHEMAS = Path(__file__).parent / "schemas"


@cache
def schema(name: str) -> dict[str, Any]:
    path = SCHEMAS / name
    read = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found: dict[str, Any] = json.loads(read)
    return found


def mistakes_in_sarif(document: Any) -> list[str]:
    return _mistakes(Draft7Validator(schema("sarif-2.1.0.json.gz")), document)


def mistakes_in_action(document: Any) -> list[str]:
    return _mistakes(Draft7Validator(schema("github-action.json.gz")), document)


def mistakes_in_har(document: Any) -> list[str]:
    parts = schema("har-1.2.json")
    resources = [(part["$id"].removesuffix("#"), Resource(part, DRAFT6)) for part in parts.values()]
    registry = Registry().with_resources(resources)
    return _mistakes(Draft6Validator(parts["har.json"], registry=registry), document)


def _mistakes(validator: Any, document: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(document)
    ]
