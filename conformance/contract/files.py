"""Locate and read the contract's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class ContractError(Exception):
    """A contract cannot be read; the message names the file, the place and the fix."""


def spec_directory() -> Path:
    """Return the folder ``spec``: inside the package in a wheel, at the top of a checkout."""
    inside = Path(__file__).parents[1] / "spec"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "spec"


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        ContractError: it cannot be read or is not valid YAML.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - both loaders are safe
    except OSError as error:
        raise ContractError(f"cannot read {path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ContractError(f"{path}{line}: is not valid YAML ({error.problem})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: is not UTF-8 text") from error


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
