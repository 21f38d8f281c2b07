"""Install a package as files: its modules, and metadata from its pyproject.toml."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path


def install(project: Path, site: Path) -> None:
    """Put a project of one package into a folder that can stand on Python's path."""
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    name, version = about["project"]["name"], about["project"]["version"]
    for package in about["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        made = shutil.ignore_patterns("__pycache__")
        shutil.copytree(project / package, site / package, ignore=made)
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = about["project"]["entry-points"]
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{entry} = {module}" for entry, module in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
