"""The suite inside pytest: ``pytest --conformance-base-url URL`` collects each check as an item.

Without that option nothing happens, and nothing but this file is imported: every pytest session of
an environment pays for what stands here.
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
"""The name under which what a session judges is registered with pytest."""

OFF = "needs --conformance-base-url"


@dataclass(frozen=True, slots=True)
class Setting:
    """One option, which a project can also set in its configuration file.

    ``name`` follows ``--conformance-``; in a file it is ``conformance_`` with underscores, and one
    that ``repeats`` takes a line for each value.
    """

    name: str
    metavar: str | None
    help: str
    repeats: bool = False
    in_file: bool = True

    @property
    def option(self) -> str:
        """As it is typed."""
        return f"--conformance-{self.name}"

    @property
    def key(self) -> str:
        """As pytest and a configuration file know it."""
        return f"conformance_{self.name.replace('-', '_')}"


SETTINGS = (
    Setting("base-url", "URL", "the endpoint, up to and without /completions"),
    Setting("model", "ID", "the model to ask for"),
    Setting(
        "api-key-env",
        "NAME",
        "the environment variable that holds the API key (default: OPENAI_API_KEY, if set)",
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
        "send a header whose secret value that variable holds; may be repeated",
        repeats=True,
    ),
    Setting("contract", "NAME|PATH", "what the endpoint is held to (default: openai)"),
    Setting("tier", "TIER", "how much may be spent: smoke, standard (the default) or deep"),
    Setting("stage", "STAGE", "let only these checks ask: directed or generated"),
    Setting(
        "select",
        "GLOB",
        "only checks, requirements or areas of that name; may be repeated",
        repeats=True,
    ),
    Setting(
        "max-requests", "N", "the checks send no more than N requests, nor do tests of one's own"
    ),
    Setting("max-spend-tokens", "N", "the checks spend at most N tokens, as do tests of one's own"),
    Setting("concurrency", "N", "requests in flight at a time"),
    Setting("rate", "N", "requests a second at most"),
    Setting("timeout", "S", "seconds for one attempt at a request"),
    Setting("seed", "N", "makes a run's own choices repeatable"),
    Setting("out", "DIR", "a new or empty folder for the record and the reports", in_file=False),
    Setting("strict", None, "fail also for lesser deviations", in_file=False),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options of ``conformance run`` that say what is judged and at what price."""
    group = parser.getgroup("conformance", "hold a completions endpoint against its contract")
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
    """Return what was typed, or else what the configuration file says, or else None."""
    typed: str | list[str] | None = config.getoption(setting.key)
    if not typed and setting.in_file:
        written: str | list[str] | None = config.getini(setting.key)
        return written or None
    return typed or None


def pytest_configure(config: pytest.Config) -> None:
    """Switch the suite on where an endpoint is named."""
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
        pytest.skip(OFF)
    return suite


@pytest.fixture(scope="session")
def conformance_contract(request: pytest.FixtureRequest) -> Contract:
    """What the endpoint is held to: its parameters with their defaults and limits."""
    return _suite(request).contract


@pytest.fixture(scope="session")
def conformance_api(request: pytest.FixtureRequest) -> BlockingApi:
    """The endpoint as checks see it, for test functions of one's own."""
    return _suite(request).blocking_api()
