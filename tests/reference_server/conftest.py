import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.api import Api
from tests.reference_server.scripted import tiny_tokenizer_json
from tests.servers import RunningServer


@pytest.fixture(scope="session")
def api(server: RunningServer) -> Iterator[Api]:
    with httpx.Client(base_url=server.base_url, headers=server.headers, timeout=60) as client:
        yield Api(client)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """A byte-level vocabulary with a few longer tokens, to script texts with."""
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    (folder / "tokenizer.json").write_text(tiny_tokenizer_json(), "utf-8")
    (folder / "config.json").write_text(json.dumps({"eos_token_id": 0}), "utf-8")
    return Tokenizer(folder)
