"""Locate and read the contract's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from conformance.contract.yaml_text import YamlError, parse_yaml
from conformance.input_files import MIB, InputError, one_line, read_file

MAX_YAML_BYTES = 2 * MIB


class ContractError(Exception):
    """A contract cannot be read; the message names the file, the place and the fix.

    It is one bounded, printable sentence, whatever a file contains.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence, MAX_SENTENCE_CHARS))


MAX_SENTENCE_CHARS = 600
"""The sentence about an unknown contract lists all known ones."""


def spec_directory() -> Path:
    """Return the folder ``spec``: inside the package in a wheel, at the top of a checkout."""
    inside = Path(__file__).parents[1] / "spec"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "spec"


def read_yaml(path: Path, *, any_keys: bool = False) -> Any:
    """Read a YAML file that anyone may have written; ``any_keys`` as in :func:`parse_yaml`.

    Raises:
        ContractError: it cannot be read, or :func:`parse_yaml` rejects it.
    """
    try:
        return parse_yaml(read_file(path, MAX_YAML_BYTES), any_keys=any_keys)
    except InputError as error:
        raise ContractError(str(error)) from None
    except YamlError as error:
        sentence = str(error)
        separator = ", " if sentence.startswith("line ") else ": "
        raise ContractError(f"{path}{separator}{sentence}") from None


def read_own_yaml(path: Path) -> Any:
    """Read a YAML file of the suite itself, without the checks of :func:`read_yaml`.

    They cost a third of the time that a run needs to start.

    Raises:
        ContractError: it cannot be read; the installation is damaged.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - both loaders are safe
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise ContractError(f"cannot read {path}; install the package again ({error})") from error


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
