"""Options and lanes of all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.lanes import names_area, runs_everything
from tests.servers import RunningServer, running_server

# Properties are tested without a deadline: a busy machine is no reason to fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--lane",
        choices=("default", "all"),
        default="default",
        help="`all` runs the exhaustive tests too and draws full samples (default: %(default)s)",
    )
    parser.addoption(
        "--area",
        metavar="AREA",
        help="run only tests whose file, name or case has this area of the requirements as a word",
    )
    for option, drawn, default, full in (
        ("--oracle-requests", "generated requests the oracle judges", 60, 300),
        ("--bad-bodies", "generated bodies are sent to the reference server", 300, 2000),
        ("--stream-requests", "generated requests are compared with their stream", 60, 300),
    ):
        parser.addoption(
            option,
            type=int,
            metavar="N",
            help=f"how many {drawn} (default: {default}; {full} with --lane=all)",
        )
    parser.addoption(
        "--simulated-servers",
        type=int,
        default=400,
        metavar="N",
        help="how many correct servers the statistical checks judge (default: %(default)s)",
    )
    parser.addoption(
        "--heavy-clients",
        action="store_true",
        help="run the clients whose environments are heavy as well, after making these",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "exhaustive: left out of the default lane; see tests/lanes")
    config.addinivalue_line(
        "markers", "heavy_client(size): needs an environment of its own of that size on disk"
    )


def pytest_report_header(config: pytest.Config) -> str:
    if runs_everything(config):
        return "lane: all"
    return "lane: default (run the exhaustive tests too with --lane=all)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole, area = runs_everything(config), config.getoption("--area")
    chosen = [
        item
        for item in items
        if (whole or not item.get_closest_marker("exhaustive"))
        and (area is None or names_area(item.nodeid, area))
    ]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One bundled server a worker, for all tests that only send it requests."""
    with running_server() as running:
        yield running
