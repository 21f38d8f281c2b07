"""One model and one vocabulary for all tests of the oracle."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.oracle.model import Model
from tests.oracle.oracle import Oracle
from tests.oracle.vocabulary import Vocabulary
from tests.servers import RunningServer

WEIGHTS = Path(__file__).parents[2] / "reference_server" / "weights"


@pytest.fixture(scope="session")
def oracle(server: RunningServer) -> Iterator[Oracle]:
    with httpx.Client(base_url=server.base_url, headers=server.headers, timeout=60) as client:
        yield Oracle(client, Model(WEIGHTS), Vocabulary(WEIGHTS))
