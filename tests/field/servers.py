"""The recorded servers: how each is installed and started."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import litellm_proxy
from tests.environments import python_of
from tests.processes import free_port, listening
from tests.servers import running_server

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / "environments"
WEIGHTS = HERE.parents[1] / "reference_server" / "weights"
GGUF = HERE.parent / "benchmarks" / "gguf_file.py"
KEY = "sk-field-7d1f4b6a90c2"
NO_KEY = "no-key"
"""The key for servers without authentication; the suite treats it as a placeholder."""
LOAD_SECONDS = 120.0
OFFLINE = {"HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Endpoint:
    """A server that answers: where, as what, and to whom."""

    base_url: str
    model: str
    key: str


@contextmanager
def llama_cpp_python() -> Iterator[Endpoint]:
    """The server of llama-cpp-python, which compiles llama.cpp when it is installed."""
    python = python_of(ENVIRONMENTS / "llama-cpp-python.txt")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        subprocess.run([python, GGUF, WEIGHTS, model], check=True)
        endpoint = _endpoint("bundled")
        # Without the last two nothing is scored, and a request that comes in ends the one before.
        words = ["--model", model, "--model_alias", endpoint.model, "--api_key", KEY]
        words += ["--n_ctx", "2048", "--logits_all", "true", "--interrupt_requests", "false"]
        # Its threads wait for each other without pause, which on a busy machine takes minutes.
        words += ["--n_threads", "1", "--n_threads_batch", "1"]
        with listening(
            [python, "-m", "llama_cpp.server", *words, *_address(endpoint)],
            f"{endpoint.base_url}/models",
        ):
            yield endpoint


@contextmanager
def llama_cpp_server() -> Iterator[Endpoint]:
    """llama.cpp's own HTTP server, which xllamacpp embeds."""
    python = python_of(ENVIRONMENTS / "llama-cpp-server.txt")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        subprocess.run([python, GGUF, WEIGHTS, model], check=True)
        endpoint = _endpoint("bundled")
        words = [model, endpoint.model, _port(endpoint), KEY]
        with listening(
            [python, HERE / "llama_cpp_server.py", *words], f"{endpoint.base_url}/models"
        ):
            await_loaded(endpoint)
            yield endpoint


@contextmanager
def transformers_serve() -> Iterator[Endpoint]:
    """``transformers serve``; it takes any key, and calls the model by its folder."""
    python = python_of(ENVIRONMENTS / "transformers-serve.txt", layered=True)
    endpoint = _endpoint(str(WEIGHTS), NO_KEY)
    main = "from transformers.cli.transformers import main; main()"
    words = [python, "-c", main, "serve", WEIGHTS, "--device", "cpu"]
    with listening([*words, *_address(endpoint)], f"{endpoint.base_url}/models", env=OFFLINE):
        yield endpoint


@contextmanager
def fastchat() -> Iterator[Endpoint]:
    """FastChat: a controller, a worker with the model, and the server that faces the clients."""
    python = python_of(ENVIRONMENTS / "fastchat.txt", layered=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_older_checkpoint(folder / "model")
        controller, worker = _endpoint(""), _endpoint("")
        endpoint = _endpoint("bundled")
        report = ["--controller-address", _root(controller)]
        # A client that leaves a stream keeps its place in the line for good; five are the default.
        many = ["--limit-worker-concurrency", "1000"]
        model = ["--model-path", folder / "model", "--model-names", endpoint.model, *many]
        parts = (
            ("controller", controller, []),
            ("model_worker", worker, [*report, "--worker-address", _root(worker), *model]),
            ("openai_api_server", endpoint, [*report, "--api-keys", KEY]),
        )
        for module, part, words in parts:
            command = [python, "-m", f"fastchat.serve.{module}", *_address(part), *words]
            if module == "model_worker":
                command += ["--device", "cpu"]
            stack.enter_context(listening(command, part.base_url, env=OFFLINE, cwd=folder))
        yield endpoint


@contextmanager
def basaran() -> Iterator[Endpoint]:
    """Basaran, which asks for no key."""
    python = python_of(ENVIRONMENTS / "basaran.txt", layered=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_older_checkpoint(folder / "model")
        endpoint = _endpoint("bundled", NO_KEY)
        env = {
            "MODEL": str(folder / "model"),
            "MODEL_LOCAL_FILES_ONLY": "true",
            "SERVER_MODEL_NAME": endpoint.model,
            "HOST": "127.0.0.1",
            "PORT": _port(endpoint),
        }
        with listening(
            [python, "-m", "basaran"],
            f"{endpoint.base_url}/models",
            env={**OFFLINE, **env},
            cwd=folder,
        ):
            yield endpoint


@contextmanager
def litellm() -> Iterator[Endpoint]:
    """LiteLLM's proxy, with the reference server behind it."""
    with running_server() as behind, litellm_proxy.litellm_proxy(behind) as base_url:
        yield Endpoint(base_url, litellm_proxy.MODEL, litellm_proxy.KEY)


@contextmanager
def vllm() -> Iterator[Endpoint]:
    """vLLM on the processor; its first start takes minutes."""
    python = python_of(ENVIRONMENTS / "vllm.txt", layered=True, complete=True)
    endpoint = _endpoint("bundled")
    words = ["--model", WEIGHTS, "--served-model-name", endpoint.model, "--api-key", KEY]
    words += ["--dtype", "float32", "--max-model-len", "1024", "--max-num-seqs", "16"]
    env = {
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_HOST_IP": "127.0.0.1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    command = [python, "-m", "vllm.entrypoints.openai.api_server", *words, *_address(endpoint)]
    with listening(command, f"{endpoint.base_url}/models", env={**OFFLINE, **env}):
        yield endpoint


@contextmanager
def vllm_router() -> Iterator[Endpoint]:
    """vLLM's router, with the reference server behind it, which checks the key."""
    python = python_of(ENVIRONMENTS / "vllm-router.txt")
    # It adds parameters of vLLM to each request.
    with running_server("--variant", "unknown-keys-ignored") as behind:
        endpoint = _endpoint("davinci-002", behind.key)
        words = ["--worker-urls", behind.base_url.removesuffix("/v1"), "--policy", "round_robin"]
        # Its counters are served on a port of their own.
        words += ["--prometheus-host", "127.0.0.1", "--prometheus-port", str(free_port())]
        command = [python, "-m", "vllm_router.launch_router", *words, *_address(endpoint)]
        with listening(command, f"{endpoint.base_url}/models"):
            yield endpoint


def await_loaded(endpoint: Endpoint) -> None:
    """Wait for a server that answers 503 until its model is loaded."""
    headers = {"Authorization": f"Bearer {endpoint.key}"}
    body = {"prompt": "1", "max_tokens": 1}
    url = f"{endpoint.base_url}/completions"
    end = time.monotonic() + LOAD_SECONDS
    while httpx.post(url, json=body, headers=headers, timeout=LOAD_SECONDS).status_code == 503:
        if time.monotonic() > end:
            raise RuntimeError(f"{endpoint.base_url} does not load its model")
        time.sleep(0.2)


SERVERS: Mapping[str, Callable[[], AbstractContextManager[Endpoint]]] = {
    "basaran": basaran,
    "fastchat": fastchat,
    "litellm": litellm,
    "llama-cpp-python": llama_cpp_python,
    "llama-cpp-server": llama_cpp_server,
    "transformers-serve": transformers_serve,
    "vllm": vllm,
    "vllm-router": vllm_router,
}
"""By the name of the record's file."""


def write_older_checkpoint(folder: Path) -> None:
    """Write the bundled checkpoint as transformers 4 wants it."""
    folder.mkdir()
    for name in ("model.safetensors", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(WEIGHTS / name, folder)
    config = json.loads((WEIGHTS / "config.json").read_text("utf-8"))
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    tokenizer = json.loads((WEIGHTS / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["merges"] = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")


def _endpoint(model: str, key: str = KEY) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{free_port()}/v1", model, key)


def _root(endpoint: Endpoint) -> str:
    return endpoint.base_url.removesuffix("/v1")


def _port(endpoint: Endpoint) -> str:
    return _root(endpoint).rpartition(":")[2]


def _address(endpoint: Endpoint) -> list[str]:
    return ["--host", "127.0.0.1", "--port", _port(endpoint)]
