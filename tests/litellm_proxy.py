"""LiteLLM's proxy, as a relay in front of the reference server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.environments import python_of
from tests.processes import free_port, listening
from tests.servers import RunningServer

REQUIREMENTS = Path(__file__).parent / "clients" / "environments" / "litellm.txt"
KEY = "sk-Local-9f2c7e61aa55d0b3"
MODEL = "relayed"


@contextmanager
def litellm_proxy(behind: RunningServer) -> Iterator[str]:
    """Run the proxy, which serves ``MODEL`` for ``KEY``, and yield its base URL."""
    model = {
        "model": "text-completion-openai/davinci-002",
        "api_base": behind.base_url,
        "api_key": behind.key,
    }
    configuration = {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(yaml.safe_dump(configuration), "utf-8")
        # Called as a module: the scripts of an environment do not survive its move into place.
        start = [python_of(REQUIREMENTS), "-c", "from litellm import run_server; run_server()"]
        where = ["--config", folder / "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
        base_url = f"http://127.0.0.1:{port}/v1"
        # Otherwise it fetches a list of prices from the network.
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with listening([*start, *where], f"{base_url}/models", env=env, cwd=folder):
            yield base_url
