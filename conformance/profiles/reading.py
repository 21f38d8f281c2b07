"""Read profiles: the suite's own by name, others by path."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from conformance.contract import ContractError, load_contract
from conformance.contract.files import read_own_yaml, read_yaml, spec_directory
from conformance.input_files import is_file, one_line
from conformance.profiles.mistakes import mistake_of
from conformance.profiles.profile import ClientRequest, Need, Profile, ReadSource, Shown
from conformance.profiles.readings import COMPARISONS, READINGS


class ProfileError(ValueError):
    """A profile cannot be read; the message is one sentence that names the place and the fix."""

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))


@cache
def bundled_names() -> tuple[str, ...]:
    """Return the names of the suite's own profiles, in the order in which reports show them."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


@cache
def bundled_profiles() -> tuple[Profile, ...]:
    """Return the suite's own profiles."""
    return tuple(_profile_of(read_own_yaml(_path_of(name))) for name in bundled_names())


def load_profile(name_or_path: str) -> Profile:
    """Read one of the suite's own profiles by its name, or a file by its path.

    Raises:
        ProfileError: there is no such profile, or the file is not one.
    """
    if name_or_path in bundled_names():
        return bundled_profiles()[bundled_names().index(name_or_path)]
    path = Path(name_or_path)
    if "\0" in name_or_path or not is_file(path):
        raise ProfileError(_unknown(name_or_path))
    try:
        content = read_yaml(path)
    except ContractError as error:
        raise ProfileError(str(error)) from None
    mistake = mistake_of(_schema().iter_errors(content))
    if mistake is not None:
        raise ProfileError(f"{path}: {mistake}; docs/profiles.md describes a profile")
    profile = _profile_of(content)
    wrong = next(mistakes_in(profile), None)
    if wrong is not None:
        raise ProfileError(f"{path}: {wrong}")
    if profile.name in bundled_names():
        raise ProfileError(
            f"{path}: the name {profile.name} is that of a profile of the suite; take another one"
        )
    return profile


def mistakes_in(profile: Profile) -> Iterator[str]:
    """Yield mistakes that the schema cannot detect: names that stand for nothing."""
    earlier: set[str] = set()
    for request in profile.requests:
        for name in sorted(request.pieces_of - earlier):
            yield f"the request {request.name} has a piece of {name}, which is not sent before it"
        earlier.add(request.name)
    ids = Counter(need.id for need in profile.needs)
    yield from (f"two needs have the id {name}" for name, count in ids.items() if count > 1)
    contract = load_contract("openai")
    for need in profile.needs:
        for shown in need.shown_by:
            if shown.request not in earlier:
                yield f"the need {need.id} names the request {shown.request}, which does not exist"
            for name in shown.reads:
                if name not in READINGS and name not in COMPARISONS:
                    known = ", ".join(sorted((*READINGS, *COMPARISONS)))
                    yield f"the need {need.id} reads {name}; choose from {known}"
        for requirement in need.requirements:
            try:
                contract.requirement(requirement)
            except ContractError as error:
                yield f"the need {need.id} has an {error}"


def _folder() -> Path:
    return spec_directory() / "profiles"


def _path_of(name: str) -> Path:
    return _folder() / f"{name}.yaml"


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((spec_directory() / "profiles.schema.json").read_text("utf-8"))
    )


def _unknown(name: str) -> str:
    shown = one_line(name, 100)
    if os.sep in name or name.endswith((".yaml", ".yml")):
        return f"there is no file {shown}"
    near = get_close_matches(name, bundled_names(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(bundled_names())}."
    return f"there is no profile {shown}; {hint} A path names a profile of your own"


def _profile_of(row: Mapping[str, Any]) -> Profile:
    return Profile(
        name=row["profile"],
        title=row["title"],
        about=row["about"],
        about_zh=row.get("about_zh", ""),
        sources=tuple(ReadSource(**source) for source in row["sources"]),
        requests=tuple(
            ClientRequest(name, request["body"], request.get("leave_after"))
            for name, request in row.get("requests", {}).items()
        ),
        needs=tuple(map(_need_of, row["needs"])),
    )


def _need_of(row: Mapping[str, Any]) -> Need:
    return Need(
        id=row["id"],
        says=row["says"],
        says_zh=row.get("says_zh", ""),
        without=row["without"],
        without_zh=row.get("without_zh", ""),
        shown_by=tuple(
            Shown(shown["request"], tuple(shown["reads"])) for shown in row.get("shown_by", ())
        ),
        requirements=tuple(row.get("requirements", ())),
        checks=tuple(row.get("checks", ())),
    )
