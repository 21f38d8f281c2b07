"""Where the contract's files are, and how one is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class ContractError(Exception):
    """A contract cannot be read; one sentence names the file, the place and the way out."""


def spec_directory() -> Path:
    """Find the description: beside this file in a wheel, at the top of a checkout."""
    inside = Path(__file__).parent / "spec"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "spec"


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        ContractError: it cannot be read, or is no YAML.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - both loaders are safe
    except OSError as error:
        raise ContractError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ContractError(f"{path}{line}: is not valid YAML ({error.problem})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: is not YAML text in UTF-8") from error


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
