"""The pytest plugin: ``pytest --conformance-base-url URL`` collects each check as an item.

Without that option the plugin is inactive and imports only this module, because it is loaded in
every pytest session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.contract import Contract
    from conformance.pytest_plugin.blocking import BlockingApi
    from conformance.pytest_plugin.suite import Suite

SUITE = "conformance-suite"
"""The name under which the suite is registered with pytest."""

NEEDS_BASE_URL = "needs --conformance-base-url"


@dataclass(frozen=True, slots=True)
class Setting:
    """An option, which can also be set in pytest's configuration file.

    On the command line the prefix is ``--conformance-``, in a file ``conformance_`` with
    underscores; an option that ``repeats`` takes one line per value there.
    """

    name: str
    metavar: str | None
    help: str
    repeats: bool = False
    in_file: bool = True

    @property
    def option(self) -> str:
        """The command-line option."""
        return f"--conformance-{self.name}"

    @property
    def key(self) -> str:
        """The key in pytest's configuration."""
        return f"conformance_{self.name.replace('-', '_')}"


SETTINGS = (
    Setting("base-url", "URL", "base URL of the endpoint, without /completions"),
    Setting("path", "PATH", "path of the endpoint on its host, instead of that of the base URL"),
    Setting("model", "ID", "model to request"),
    Setting(
        "api-key-env",
        "NAME",
        "environment variable that holds the API key (default: OPENAI_API_KEY, for OpenAI only)",
    ),
    Setting(
        "header",
        "'NAME: VALUE'",
        "send this header with every request; may be repeated",
        repeats=True,
    ),
    Setting(
        "header-env",
        "'NAME: VARIABLE'",
        "send a header whose value is in an environment variable; may be repeated",
        repeats=True,
    ),
    Setting("contract", "NAME|PATH", "contract to test against (default: openai)"),
    Setting("tier", "TIER", "test depth: smoke, standard (default) or deep"),
    Setting("stage", "STAGE", "run only checks of this stage: directed, generated or together"),
    Setting(
        "select",
        "GLOB",
        "run only checks whose id, requirement or area matches; may be repeated",
        repeats=True,
    ),
    Setting(
        "exclude",
        "GLOB",
        "leave out checks whose id, requirement or area matches; may be repeated",
        repeats=True,
    ),
    Setting(
        "profile",
        "NAME|PATH",
        "test what this client needs, and fail if it does not work; may be repeated",
        repeats=True,
    ),
    Setting(
        "prices",
        "NAME=PRICE,…",
        "prices of a million tokens, such as input=1.50,output=2.00,currency=USD",
    ),
    Setting(
        "tokenizer",
        "PATH|NAME",
        "the model's tokenizer, whose counts prompt_tokens is compared with",
    ),
    Setting(
        "balance",
        "NAME=VALUE,…",
        "where the account's balance is told, such as path=/user/balance,pointer=/total,unit=USD; "
        "also rises=true and api-key-env=VARIABLE",
    ),
    Setting(
        "expected",
        "FILE",
        "YAML file of known deviations: each is an xfail, and one that is gone fails",
    ),
    Setting(
        "max-requests", "N", "maximum requests for all checks, and the same for your own tests"
    ),
    Setting(
        "max-spend-tokens", "N", "maximum tokens for all checks, and the same for your own tests"
    ),
    Setting("concurrency", "N", "maximum number of concurrent requests"),
    Setting("rate", "N", "maximum requests per second"),
    Setting("timeout", "S", "timeout in seconds for each attempt at a request"),
    Setting("seed", "N", "random seed; the same seed generates the same requests"),
    Setting(
        "out",
        "DIR",
        "output folder for the record and the reports; must be new or empty",
        in_file=False,
    ),
    Setting("strict", None, "treat warnings as failures", in_file=False),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("conformance", "conformance tests for a completions endpoint")
    for setting in SETTINGS:
        if setting.metavar is None:
            group.addoption(setting.option, action="store_true", help=setting.help)
            continue
        action = "append" if setting.repeats else "store"
        group.addoption(setting.option, metavar=setting.metavar, action=action, help=setting.help)
        if setting.in_file:
            if setting.repeats:
                parser.addini(setting.key, setting.help, type="linelist")
            else:
                parser.addini(setting.key, setting.help, type="string")


def given(config: pytest.Config, setting: Setting) -> str | list[str] | None:
    """Return the value from the command line or the configuration file, or None."""
    typed: str | list[str] | None = config.getoption(setting.key)
    if not typed and setting.in_file:
        written: str | list[str] | None = config.getini(setting.key)
        return written or None
    return typed or None


def pytest_configure(config: pytest.Config) -> None:
    """Activate the suite if a base URL is given."""
    config.addinivalue_line(
        "markers",
        "conformance(requirement, area, level, tier, stage): a check of the conformance suite, "
        "which is also marked with its area, level, tier and stage",
    )
    if given(config, SETTINGS[0]):
        from conformance.pytest_plugin.suite import Suite  # noqa: PLC0415 - only who asks pays

        config.pluginmanager.register(Suite.of(config), SUITE)


def _suite(request: pytest.FixtureRequest) -> Suite:
    suite: Suite | None = request.config.pluginmanager.getplugin(SUITE)
    if suite is None:
        pytest.skip(NEEDS_BASE_URL)
    return suite


@pytest.fixture(scope="session")
def conformance_contract(request: pytest.FixtureRequest) -> Contract:
    """The contract under test: parameters with their defaults and limits."""
    return _suite(request).contract


@pytest.fixture(scope="session")
def conformance_api(request: pytest.FixtureRequest) -> BlockingApi:
    """The API object of checks, for your own test functions."""
    return _suite(request).blocking_api()
