"""Options and settings are validated before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from conformance.engine.selection import Options, globs_for
from conformance.model import Limits, Prices, Stage, Tier, TransportOptions
from conformance.pytest_plugin.settings import Settings, read_settings

pytest_plugins = "pytester"

URL = "http://127.0.0.1:9/v1"
NAMED = ("--conformance-base-url", URL, "--conformance-model", "tiny")
BUNDLED = Path(__file__).parents[2] / "reference_server" / "weights"
SECRET = "s3cret-of-the-tenant"


def settings_of(pytester: pytest.Pytester, *words: str, **environment: str) -> Settings:
    """Read settings as a session would; without an endpoint none would be read."""
    # Made without an endpoint, which would begin a session of the suite; then it is typed.
    config = pytester.parseconfig(*(word for word in words if word not in NAMED[:2]))
    if NAMED[0] in words:
        config.option.conformance_base_url = words[words.index(NAMED[0]) + 1]
    return read_settings(config, environment)


def test_defaults_are_those_of_any_run(pytester: pytest.Pytester) -> None:
    settings = settings_of(pytester, *NAMED)
    assert settings.options == Options()
    assert settings.contract.name == "openai"
    assert settings.target.base_url == URL
    assert settings.target.model == "tiny"
    assert settings.target.api_key is None
    assert settings.target.name is None
    assert settings.out is None
    assert settings.notes == ()


def test_every_setting_has_an_option(pytester: pytest.Pytester) -> None:
    settings = settings_of(
        pytester,
        *NAMED,
        *("--conformance-contract", "zero", "--conformance-tier", "deep"),
        *("--conformance-stage", "generated", "--conformance-select", "stop.*"),
        *("--conformance-select", "echo", "--conformance-max-requests", "7"),
        *("--conformance-max-spend-tokens", "70", "--conformance-concurrency", "2"),
        *("--conformance-rate", "1.5", "--conformance-timeout", "3", "--conformance-seed", "-4"),
        *("--conformance-strict", "--conformance-api-key-env", "EXAMPLE_KEY"),
        *("--conformance-header", "X-Tenant: acme", "--conformance-header-env", "X-Pass: TENANT"),
        *("--conformance-out", "report"),
        EXAMPLE_KEY="sk-example-0123456789",
        TENANT=SECRET,
    )
    assert settings.options == Options(
        tier=Tier.DEEP,
        stage=Stage.GENERATED,
        select=("stop.*", "echo"),
        limits=Limits(requests=7, tokens=70),
        transport=TransportOptions(concurrency=2, rate=1.5, timeout=3.0, burst=2),
        seed=-4,
        strict=True,
    )
    target = settings.target
    assert target.contract == settings.contract.name == "zero"
    assert (target.api_key, target.api_key_env) == ("sk-example-0123456789", "EXAMPLE_KEY")
    assert target.headers == (("X-Tenant", "acme"), ("X-Pass", SECRET))
    assert target.secrets == (SECRET,)
    assert target.shown_headers == {"X-Tenant": "acme", "X-Pass": "$TENANT"}
    assert settings.out == Path.cwd() / "report"
    assert settings.notes == ("sending the API key in $EXAMPLE_KEY to 127.0.0.1",)


def test_money_and_clients_have_options(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nconformance_profile =\n    lm-eval\n    tabby")
    settings = settings_of(
        pytester,
        *NAMED,
        *("--conformance-prices", "input=1.50,output=2,currency=USD"),
        f"--conformance-tokenizer={BUNDLED}",  # as a word of its own it would be pytest's root
        *("--conformance-balance", "path=/me,pointer=/left,unit=USD,api-key-env=BALANCE_KEY"),
        BALANCE_KEY=SECRET,
    )
    assert settings.target.prices == Prices(Decimal("1.50"), Decimal(2), "USD")
    assert settings.target.balance is not None
    assert (settings.target.balance.path, settings.target.balance.api_key) == ("/me", SECRET)
    assert settings.notes == ("reading the balance at /me on 127.0.0.1",)
    assert settings.options.tokenizer is not None
    assert [profile.name for profile in settings.options.profiles] == ["lm-eval", "tabby"]
    assert settings.options.select == globs_for(settings.options.profiles)


def test_options_override_the_projects_file(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        """
        [pytest]
        conformance_model = large
        conformance_tier = smoke
        conformance_max_requests = 5
        conformance_select =
            stop.*
            echo.*
        """
    )
    words = ("--conformance-base-url", URL)
    settings = settings_of(pytester, *words, "--conformance-tier", "deep")
    assert settings.target.model == "large"
    assert settings.options.select == ("stop.*", "echo.*")
    assert settings.options.limits == Limits(requests=5)
    assert settings.options.tier is Tier.DEEP


def test_unnamed_key_goes_to_openai_alone(pytester: pytest.Pytester) -> None:
    key = "sk-usual-0123456789"
    openai = ("--conformance-base-url", "https://api.openai.com/v1", "--conformance-model", "m")
    assert settings_of(pytester, *openai, OPENAI_API_KEY=key).target.api_key == key
    elsewhere = settings_of(pytester, *NAMED, OPENAI_API_KEY=key)
    assert elsewhere.target.api_key is None
    (note,) = elsewhere.notes
    assert note.endswith("to send it here, use --conformance-api-key-env OPENAI_API_KEY")


def test_unencrypted_key_is_warned_about(pytester: pytest.Pytester) -> None:
    words = ("--conformance-base-url", "http://far.example/v1", "--conformance-model", "m")
    key = ("--conformance-api-key-env", "EXAMPLE_KEY")
    settings = settings_of(pytester, *words, *key, EXAMPLE_KEY="sk-example-0123456789")
    assert "everyone on the way can read $EXAMPLE_KEY" in settings.notes[-1]


def test_corrected_url_is_reported(pytester: pytest.Pytester) -> None:
    words = ("--conformance-base-url", f"{URL}/completions", "--conformance-model", "tiny")
    (note,) = settings_of(pytester, *words).notes
    assert note == f"--conformance-base-url should end before /completions; using {URL}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["base-url", "ftp://x"], "--conformance-base-url 'ftp://x' needs http:// or https://"),
        (["contract", "nobody"], "--conformance-contract: unknown contract `nobody`"),
        (["tier", "deeper"], "--conformance-tier must be one of smoke, standard, deep"),
        (["stage", "third"], "--conformance-stage must be one of directed, generated, together"),
        (["max-requests", "0"], "--conformance-max-requests must be an integer of at least"),
        (["max-requests", "few"], "--conformance-max-requests must be an integer"),
        (["timeout", "inf"], "--conformance-timeout must be a number greater than 0"),
        (["timeout", "1e300"], "--conformance-timeout must be a number from 0.001 to 86400"),
        (["rate", "nan"], "--conformance-rate must be a number greater than 0"),
        (["rate", "1e-300"], "--conformance-rate must be a number from 0.001 to 86400"),
        (["select", "nothing.*"], "--conformance-select nothing.* matches no check"),
        (["header", SECRET], "--conformance-header must have the form 'NAME: VALUE'"),
        (
            ["header", f"X-Api-Key: {SECRET}"],
            "--conformance-header must not contain the secret value of",
        ),
        (["header-env", "X-Pass: NOT_SET"], "Environment variable NOT_SET is not set"),
        (["api-key-env", "NOT_SET"], "Environment variable NOT_SET is not set or is empty."),
        (["api-key-env", "sk-abc123def456ghi789jkl"], "not the key itself"),
        (["prices", "1.50"], "--conformance-prices must have the form input=1.50,output=2.00"),
        (["prices", "input=1,output=2"], "--conformance-prices has no currency"),
        (["balance", "path=/me"], "--conformance-balance has no pointer; write, for example"),
        (["tokenizer", "no.json"], "--conformance-tokenizer: there is no file no.json"),
        (["profile", "lm-evl"], "--conformance-profile: there is no profile lm-evl; did you mean"),
        (["out", "."], "is not empty; choose a new or empty one"),
    ],
)
def test_invalid_settings_are_usage_errors(
    pytester: pytest.Pytester, words: list[str], sentence: str
) -> None:
    (pytester.path / "older.txt").touch()
    name, value = words
    result = pytester.runpytest_inprocess(*NAMED, f"--conformance-{name}", value)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    reported = result.stderr.str()
    (line,) = reported.strip().splitlines()
    assert line.startswith("ERROR: ")
    assert sentence in line
    assert SECRET not in reported
    assert "sk-abc" not in reported


def test_endpoint_needs_a_model(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--conformance-base-url", URL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --conformance-model is required*"])
