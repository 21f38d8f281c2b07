"""The suite's own profiles are well-formed, and what they name exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.contract import load_contract
from conformance.contract.files import read_yaml
from conformance.engine.discovery import all_checks
from conformance.engine.estimate import plan
from conformance.engine.selection import PRICES, Options, globs_for
from conformance.model import Tier
from conformance.profiles import (
    COMPARISONS,
    READINGS,
    Profile,
    ProfileError,
    bundled_profiles,
    load_profile,
)
from conformance.profiles.mistakes import _SAID
from conformance.profiles.reading import mistakes_in
from tests.cases import for_each_case

SPEC = Path(__file__).parents[2] / "spec"
FILES = sorted((SPEC / "profiles").glob("*.yaml"))

REQUESTS = {
    "continue": 8,
    "continue-fim": 9,
    "cursortab": 8,
    "guidellm": 6,
    "langchain": 9,
    "litellm": 12,
    "lm-eval": 7,
    "lm-eval-batch": 6,
    "openai-node": 14,
    "openai-python": 14,
    "proxyai": 8,
    "tabby": 8,
    "vllm-bench": 5,
}
"""What a run for each client sends to a conforming endpoint, pinned."""

OWN: dict[str, Any] = {
    "profile": "mine",
    "title": "My client",
    "about": "It asks.",
    "sources": [{"repository": "me/mine", "file": "a.py", "version": "1", "date": "2026-12-01"}],
    "requests": {"ask": {"body": {"prompt": "1, 2, 3,", "max_tokens": 4}}},
    "needs": [
        {
            "id": "text",
            "says": "A completion has text.",
            "without": "It stops.",
            "shown_by": [{"request": "ask", "reads": ["text"]}],
        }
    ],
}


def written(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(content), "utf-8")  # JSON is YAML, too
    return str(path)


@for_each_case("path", FILES)
def test_profiles_fit_their_schema(path: Path) -> None:
    schema = json.loads((SPEC / "profiles.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    content = read_yaml(path)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(content)] == []
    assert content["profile"] == path.stem


@for_each_case("profile", bundled_profiles())
def test_whatever_a_profile_names_exists(profile: Profile) -> None:
    assert list(mistakes_in(profile)) == []
    assert set(profile.checks) <= {check.id for check in all_checks()}


@for_each_case("profile", bundled_profiles())
def test_sentences_are_whole_in_both_languages(profile: Profile) -> None:
    for need in profile.needs:
        assert need.says.endswith("."), need.id
        assert need.without.endswith("."), need.id
        assert need.says_zh.endswith("。"), need.id
        assert need.without_zh.endswith("。"), need.id
    assert profile.about.endswith(".")
    assert profile.about_zh.endswith("。")


def test_readings_say_what_they_read() -> None:
    used = {
        name for p in bundled_profiles() for n in p.needs for s in n.shown_by for name in s.reads
    }
    assert used == {*READINGS, *COMPARISONS} - {"whole-stream"}  # no client of these needs it
    assert all(
        (reading.__doc__ or "").split("\n")[0].endswith(".")
        for reading in (*READINGS.values(), *COMPARISONS.values())
    )


@for_each_case("profile", bundled_profiles(), ids=lambda profile: profile.name)
def test_run_for_a_client_costs_little(profile: Profile) -> None:
    options = Options(select=globs_for([profile]), profiles=(profile,))
    cost = plan(load_contract("openai"), options)
    assert cost.requests == REQUESTS[profile.name] <= PRICES[Tier.SMOKE].requests
    assert cost.tokens <= PRICES[Tier.SMOKE].tokens


def test_profile_of_ones_own_is_read(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, OWN))
    assert (profile.name, profile.title) == ("mine", "My client")
    assert profile.requests[0].body == {"prompt": "1, 2, 3,", "max_tokens": 4}


ASKED = {"prompt": "1", "max_tokens": 1}


def test_every_rule_has_its_sentence() -> None:
    schema = json.loads((SPEC / "profiles.schema.json").read_text("utf-8"))
    about = {"description", "title", "properties", "items", "propertyNames", "$defs", "$ref"}
    others = {"$schema", "additionalProperties", "oneOf", "dependentRequired"}
    assert rules_of(schema) - about - others == set(_SAID)


def rules_of(schema: dict[str, Any]) -> set[str]:
    """Return the keywords of a schema and of those within it."""
    within = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    within += [schema[name] for name in ("items", "propertyNames", "not") if name in schema]
    rest = schema.get("additionalProperties")
    within += [rest] if isinstance(rest, dict) else []
    return set(schema).union(*map(rules_of, within))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"profile": "lm-eval"}, "the name lm-eval is that of a profile of the suite"),
        ({"needs": []}, "needs is an empty list"),
        ({"requests": {"ask": {"body": {"prompt": "1"}}}}, "requests.ask.body has no max_tokens"),
        ({"title": 3}, "title has to be a text in quotes, and is 3"),
        (
            {"abouts": "A."},
            'the file has "abouts", which a profile does not have there',
        ),
        ({"profile": "My Client"}, "profile has to be a name of small letters, digits and single"),
        ({"requests": {"Ask": {"body": ASKED}}}, 'requests has the name "Ask", which has to be'),
        (
            {"requests": {"ask": {"body": {**ASKED, "model": "m"}}}},
            "requests.ask.body has a model, which is that of the target",
        ),
        ({"needs": [{"id": "a", "says": "A.", "without": "B."}]}, "needs[0] needs either shown_by"),
        ({"requests": {}}, "names the request ask, which does not exist"),
        (
            {"requests": {"ask": {"body": {"prompt": "{{piece of no}}", "max_tokens": 1}}}},
            "has a piece of no, which is not sent before it",
        ),
        (
            {"needs": [{**OWN["needs"][0], "shown_by": [{"request": "ask", "reads": ["soul"]}]}]},
            "the need text reads soul; choose from",
        ),
        (
            {"needs": [{"id": "a", "says": "A.", "without": "B.", "requirements": ["no.such"]}]},
            "the need a has an unknown requirement `no.such`",
        ),
        ({"needs": OWN["needs"] * 2}, "two needs have the id text"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(said)):
        load_profile(written(tmp_path, {**OWN, **change}))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lm-evl", "did you mean lm-eval?"),
        ("nobody", "known: continue, continue-fim"),
        ("nobody", "vllm-bench. A path names a profile of your own"),
        ("no/such.yaml", "there is no file no/such.yaml"),
        ("a\0b", "there is no profile a\\x00b"),
    ],
)
def test_unknown_profile_is_named(name: str, said: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(said)):
        load_profile(name)
