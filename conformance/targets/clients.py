"""The clients that a run is for, as users name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options, globs_for
from conformance.input_files import one_line
from conformance.profiles import Profile, ProfileError, bundled_names, load_profile


def read_profiles(names: Iterable[str], folder: Path | None = None) -> tuple[Profile, ...]:
    """Read profiles, each once.

    Args:
        names: names of the suite's own profiles, or paths of others.
        folder: what a path is relative to; the current folder if None.

    Raises:
        ProfileError: one of them cannot be read, two have one name, or a check does not exist.
    """
    found = [
        name if folder is None or name in bundled_names() or not _is_path(name) else folder / name
        for name in names
    ]
    profiles = tuple(load_profile(str(name)) for name in dict.fromkeys(found))
    called = [profile.name for profile in profiles]
    twice = next((name for name in called if called.count(name) > 1), None)
    if twice is not None:
        raise ProfileError(f"two profiles have the name {twice}; rename one of them")
    known = {check.id for check in all_checks()} if profiles else set()
    for profile in profiles:
        for name in profile.checks:
            if name not in known:
                raise ProfileError(
                    f"the profile {profile.name} names the check {one_line(name, 100)}, which does "
                    "not exist; run `conformance list` to see all checks"
                )
    return profiles


def for_profiles(options: Options, profiles: tuple[Profile, ...]) -> Options:
    """Return the options of a run for clients, which selects what they need."""
    return replace(options, profiles=profiles, select=globs_for(profiles)) if profiles else options


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith((".yaml", ".yml"))
