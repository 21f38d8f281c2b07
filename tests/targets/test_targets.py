"""``conformance.toml``: accepted settings, and one sentence per mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract import load_contract
from conformance.engine.selection import Options, globs_for
from conformance.model import Limits, Tier, TransportOptions
from conformance.targets import Entry, MissingSecretError, TargetsError, read_targets
from conformance.targets.settings import plain_headers

SMALLEST = """
[targets.zero]
base-url = "https://api.example.com/v1"
model = "tiny"
"""
WHOLE = """
[defaults]
model = "tiny"
tier = "smoke"
timeout = 30
headers = {"X-Tenant" = "acme", "X-Origin" = "here"}

[targets.zero]
base-url = "https://api.example.com/v1/completions"
api-key-env = "ZERO_KEY"
contract = "zero"
max-requests = 50
max-spend-tokens = 9000
rate = 2.5
concurrency = 3
seed = -7
strict = true
headers = {"x-tenant" = "zero"}
headers-env = {"X-Gateway-Token" = "GATEWAY"}

[targets."另一家"]
base-url = "http://127.0.0.1:8000"
model = "large"
tier = "deep"
"""

Read = Callable[[str], tuple[Entry, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str) -> tuple[Entry, ...]:
        path = tmp_path / "conformance.toml"
        path.write_text(text, "utf-8")
        return read_targets(path)

    return reading


def mistakes_in(read: Read, text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(TargetsError) as refused:
        read(text)
    return [mistake.replace(f"{tmp_path}/", "") for mistake in refused.value.mistakes]


def test_smallest_target_is_a_url_and_a_model(read: Read) -> None:
    assert read(SMALLEST) == (Entry("zero", "https://api.example.com/v1", "tiny"),)


def test_target_settings_override_the_defaults(read: Read) -> None:
    zero, other = read(WHOLE)
    assert zero == Entry(
        name="zero",
        base_url="https://api.example.com/v1",
        model="tiny",
        contract="zero",
        api_key_env="ZERO_KEY",
        headers={"X-Origin": "here", "x-tenant": "zero"},
        headers_env={"X-Gateway-Token": "GATEWAY"},
        options=Options(
            tier=Tier.SMOKE,
            limits=Limits(requests=50, tokens=9000),
            transport=TransportOptions(concurrency=3, rate=2.5, timeout=30.0, burst=3),
            seed=-7,
            strict=True,
        ),
    )
    assert (other.name, other.model, other.contract) == ("另一家", "large", "openai")
    assert (other.options.tier, other.options.transport.timeout) == (Tier.DEEP, 30.0)
    assert other.api_key_env is None


def test_region_and_clients_are_options(read: Read) -> None:
    (entry,) = read(SMALLEST + 'region = "eu"\nprofile = ["lm-eval", "tabby"]')
    assert entry.options.region == "eu"
    assert [profile.name for profile in entry.options.profiles] == ["lm-eval", "tabby"]
    assert entry.options.select == globs_for(entry.options.profiles)


def test_custom_contract_is_relative_to_the_file(read: Read, tmp_path: Path) -> None:
    overlay = "overlay: 1.1.0\ninfo: {title: Ours, version: 1.0.0}\nactions:\n"
    (tmp_path / "ours.yaml").write_text(f"{overlay}  - {{target: $, update: {{}}}}\n")
    (entry,) = read(SMALLEST + 'contract = "ours.yaml"')
    assert entry.contract == str(tmp_path / "ours.yaml")


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────

LINES: list[tuple[str, str]] = [
    ("base_url = 'http://x'", "unknown key 'base_url'; did you mean base-url?"),
    ("Base-URL = 'http://x'", "unknown key 'Base-URL'; did you mean base-url?"),
    ("api-key-evn = 'X'", "unknown key 'api-key-evn'; did you mean api-key-env?"),
    ("max-request = 1", "unknown key 'max-request'; did you mean max-requests?"),
    ("colour = 'blue'", "unknown key 'colour'; valid keys: api-key-env, balance, "),
    ("region = ''", "region must be a non-empty string on one line"),
    ("profile = 'lm-evl'", "profile: there is no profile lm-evl; did you mean lm-eval?"),
    ("profile = 'no.yaml'", "profile: there is no file no.yaml"),
    ("profile = []", "profile must be the name of a client, or a list such as"),
    ("tier = 'abyss'", "tier must be one of smoke, standard, deep"),
    ("tier = ['deep']", "tier must be one of smoke, standard, deep"),
    ("strict = 'yes'", "strict must be true or false, without quotes"),
    ("max-requests = 0", "max-requests must be an integer of at least 1"),
    ("max-requests = true", "max-requests must be an integer of at least 1"),
    ("max-spend-tokens = 1.5", "max-spend-tokens must be an integer of at least 1"),
    ("concurrency = 1001", "concurrency must be an integer from 1 to 1000"),
    ("rate = 0", "rate must be a number greater than 0"),
    ("rate = nan", "rate must be a number greater than 0"),
    ("rate = 1e-300", "rate must be a number from 0.001 to 86400"),
    ("timeout = '60'", "timeout must be a number greater than 0"),
    (f"timeout = {10**400}", "timeout must be a number from 0.001 to 86400"),
    ("seed = 1.5", "seed must be an integer"),
    ("contract = 'zeroo'", "did you mean zero?"),
    ("contract = 7", "contract must be a non-empty string on one line"),
    ("headers = 'X: 1'", 'headers must be a table of names and values, such as {"X-Tenant"'),
    ("headers = {'X 1' = 'a'}", "headers has 'X 1', which is not a valid header name"),
    (
        "headers = {'X-1' = \"a\\nb\"}",
        "headers has a value for X-1 that must be a non-empty string",
    ),
    ("headers = {'X-1' = '零'}", "headers has a non-ASCII value for X-1; headers must be ASCII"),
    ("headers = {X-1 = '$TOKEN'}", "headers has a value for X-1 that starts with $"),
    ("headers = {Content-Type = 'a'}", "headers has Content-Type, which the suite sets itself"),
    ("headers = {X-1 = 'a', x-1 = 'b'}", "headers has a duplicate header"),
    (
        "headers = {X-1 = 'a'}\nheaders-env = {x-1 = 'X'}",
        "headers and headers-env both set x-1; remove one of them",
    ),
    (
        "api-key-env = 'A'\nheaders-env = {authorization = 'X'}",
        "headers-env and api-key-env both set Authorization; remove one of them",
    ),
    ("headers-env = {X-1 = 'two words'}", "headers-env has a value for X-1 that must be the name"),
]


@pytest.mark.parametrize(("line", "sentence"), LINES)
def test_mistake_names_file_target_and_key(
    read: Read, tmp_path: Path, line: str, sentence: str
) -> None:
    (mistake,) = mistakes_in(read, f"{SMALLEST}{line}\n", tmp_path)
    assert mistake.startswith("conformance.toml, target 'zero': ")
    assert sentence in mistake
    assert "\n" not in mistake


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "conformance.toml: no targets; add a table [targets.NAME]"),
        ("targets = 3", "conformance.toml: no targets"),
        ("[targets]", "conformance.toml: no targets"),
        ("[targets", "conformance.toml is not valid TOML: "),
        (f"defaults = 1\n{SMALLEST}", "conformance.toml: defaults must be a table, [defaults]"),
        (f"[default]\n{SMALLEST}", "conformance.toml: unknown key 'default'; did you mean"),
        (f"[defaults]\nrate = -1\n{SMALLEST}", "conformance.toml, [defaults]: rate must be"),
        (
            f"[defaults]\napi-key-env = 'K'\n{SMALLEST}",
            "conformance.toml, [defaults]: api-key-env is not allowed in [defaults]",
        ),
        ("[targets]\nzero = 1", "conformance.toml, target 'zero': must be a table"),
        ("[targets.zero]\nmodel = 'm'", "conformance.toml, target 'zero': base-url is required"),
        (
            "[targets.zero]\nbase-url = 'http://x'",
            "conformance.toml, target 'zero': model is required",
        ),
        (
            "[targets.zero]\nbase-url = 'x/v1'\nmodel = 'm'",
            "target 'zero': base-url 'x/v1' needs http:// or https:// and a host",
        ),
        (
            "[targets.zero]\nbase-url = 'http://me:pw@x/v1'\nmodel = 'm'",
            "target 'zero': base-url must not contain a user name or password",
        ),
        (
            SMALLEST + SMALLEST.replace("zero", "Zero"),
            "the targets 'zero' and 'Zero' differ only in case; rename one of them",
        ),
    ],
)
def test_invalid_file_is_reported(read: Read, tmp_path: Path, text: str, sentence: str) -> None:
    (mistake,) = mistakes_in(read, text, tmp_path)
    assert sentence in mistake


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "", ".", "-x", "index.html", "a b", "\\u0000", "\\u202e", "x" * 65]
)
def test_name_with_path_characters_is_rejected(read: Read, tmp_path: Path, name: str) -> None:
    (mistake,) = mistakes_in(read, SMALLEST.replace("zero", f'"{name}"'), tmp_path)
    assert "the name is used as a folder name" in mistake
    assert mistake.isprintable()


def test_all_mistakes_are_reported_together(read: Read, tmp_path: Path) -> None:
    other = SMALLEST.replace("zero", "other").replace("tiny", "")
    text = f"[defaults]\nseed = 'x'\n{SMALLEST}tier = 1\nrate = 0\n{other}"
    mistakes = mistakes_in(read, text, tmp_path)
    assert [mistake.partition(": ")[0] for mistake in mistakes] == [
        "conformance.toml, [defaults]",
        "conformance.toml, target 'zero'",
        "conformance.toml, target 'zero'",
        "conformance.toml, target 'other'",
    ]


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TargetsError, match=r"cannot read .*missing.toml: No such file"):
        read_targets(tmp_path / "missing.toml")


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────

SECRET = "sk-proj-a1b2c3d4e5f6g7h8"


@pytest.mark.parametrize(
    "line",
    [
        f"api-key = '{SECRET}'",
        f"API_KEY = '{SECRET}'",
        f"token = '{SECRET}'",
        f"api-key-env = '{SECRET}'",
        f"headers = {{Authorization = 'Bearer {SECRET}'}}",
        f"headers = {{X-Api-Key = '{SECRET}'}}",
        f"headers = {{X-Harmless = '{SECRET}'}}",
        f"headers-env = {{X-Api-Key = '{SECRET}'}}",
    ],
)
def test_key_in_the_file_is_rejected_and_hidden(read: Read, tmp_path: Path, line: str) -> None:
    (mistake,) = mistakes_in(read, f"{SMALLEST}{line}\n", tmp_path)
    assert SECRET not in mistake
    assert "environment variable" in mistake


def test_secrets_are_read_from_the_environment_and_hidden(read: Read) -> None:
    zero, _ = read(WHOLE)
    target = zero.target(load_contract("zero"), {"ZERO_KEY": f"{SECRET}\n", "GATEWAY": "let-me-in"})
    assert target.api_key == SECRET
    assert target.api_key_env == "ZERO_KEY"
    assert target.name == "zero"
    assert dict(target.headers)["X-Gateway-Token"] == "let-me-in"
    assert target.secrets == ("let-me-in",)
    assert target.shown_headers == {
        "X-Origin": "here",
        "x-tenant": "zero",
        "X-Gateway-Token": "$GATEWAY",
    }
    assert SECRET not in repr(target)
    assert "let-me-in" not in repr(target)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GATEWAY": "x"}, "Environment variable ZERO_KEY is not set or is empty."),
        ({"ZERO_KEY": " ", "GATEWAY": "x"}, "Environment variable ZERO_KEY is not set"),
        ({"ZERO_KEY": "x"}, "Environment variable GATEWAY is not set or is empty"),
        ({"ZERO_KEY": "two words", "GATEWAY": "x"}, "The value of ZERO_KEY is not a valid key"),
    ],
)
def test_missing_secret_is_named(read: Read, environment: dict[str, str], sentence: str) -> None:
    zero, _ = read(WHOLE)
    with pytest.raises(MissingSecretError, match=sentence) as missing:
        zero.target(load_contract("zero"), environment)
    assert "two words" not in str(missing.value)


def test_target_without_a_key_gets_none(read: Read) -> None:
    _, other = read(WHOLE)
    assert other.target(load_contract("openai"), {"OPENAI_API_KEY": SECRET}).api_key is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "base-url",
        "path",
        "model",
        "contract",
        "headers",
        "headers-env",
        "tier",
        "rate",
        "seed",
        "api-key",
    ]
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(document=st.dictionaries(KEYS | st.text(max_size=6), VALUES, max_size=5))
def test_any_table_is_read_or_rejected_with_sentences(
    document: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.toml"
    path.write_text("", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tomllib.load", lambda _: {"targets": {"zero": document}})
        mistakes: tuple[str, ...] = ()
        try:
            (entry,) = read_targets(path)
        except TargetsError as refused:
            entry, mistakes = None, refused.mistakes
    assert (entry is None) == bool(mistakes)
    assert all("\n" not in mistake for mistake in mistakes)


@pytest.mark.parametrize("name", ["x-hotkey-mode", "X-Monkey", "X-Max-Tokens", "X-Author"])
def test_name_with_a_word_inside_is_no_secret(name: str) -> None:
    assert plain_headers({name: "on"}) == {name: "on"}
