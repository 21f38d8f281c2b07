"""A server for the clients. Clients with a heavy installation are skipped by default."""

from collections.abc import Iterator

import pytest

from tests.servers import RunningServer, running_server


@pytest.fixture(scope="session")
def busy() -> Iterator[RunningServer]:
    """A server that takes on nothing more while it has something to do."""
    with running_server("--max-waiting", "1") as running:
        yield running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--heavy-clients"):
        return
    for item in items:
        if marker := item.get_closest_marker("heavy_client"):
            reason = f"its own environment takes {marker.args[0]}; `make clients` runs it"
            item.add_marker(pytest.mark.skip(reason=reason))
