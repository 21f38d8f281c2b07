from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reference_server.variants.variant_client import Shown
from tests.servers import running_server


@pytest.fixture(scope="session")
def shown() -> Iterator[Shown]:
    """One server that shows every variant."""
    with running_server("--showcase") as server, Shown.at(server) as shown:
        yield shown
