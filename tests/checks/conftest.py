"""Fixtures that the tests of checks share."""

import pytest


@pytest.fixture
def simulated_servers(request: pytest.FixtureRequest) -> int:
    """How many correct servers are simulated."""
    return int(request.config.getoption("--simulated-servers"))
