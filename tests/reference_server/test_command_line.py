"""The command: one line when ready, one sentence on an error, and a clean end."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.reference_server.api import MODEL, envelope
from tests.servers import DEMO_KEY, running_server


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, which must come by itself."""
    return subprocess.run(
        [sys.executable, "-m", "reference_server", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "none"],
        ["--port", "70000"],
        ["--unknown"],
        ["--log-level", "loud"],
        ["--model", "/no/such/folder"],
        ["--max-running", "0"],
        ["--api-key", "schlüssel"],
    ],
)
def test_wrong_usage_is_one_sentence_and_code_4(arguments: list[str]) -> None:
    ended = start(*arguments)
    assert ended.returncode == 4
    assert ended.stdout == ""
    assert ended.stderr.startswith("reference-server: ")
    assert ended.stderr.count("\n") == 1


def test_missing_model_is_one_sentence_and_code_3(tmp_path: Path) -> None:
    ended = start("--port", "0", "--model", str(tmp_path))
    assert ended.returncode == 3
    assert ended.stderr == (
        f"reference-server: there is no model in {tmp_path}: it has no config.json\n"
    )


def test_broken_model_is_one_sentence_and_code_3(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    ended = start("--port", "0", "--model", str(tmp_path))
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    assert f"the model in {tmp_path} cannot be loaded" in ended.stderr


def test_busy_port_is_one_sentence_and_code_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = start("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 3
    assert "cannot listen on 127.0.0.1 port" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "extra"),
    [("uvicorn", "server"), ("onnxruntime", "server"), ("torch", "transformers")],
)
def test_missing_extra_is_named_with_code_3(tmp_path: Path, package: str, extra: str) -> None:
    # A module of that name that cannot be imported, found before the installed one.
    stand_in = f"raise ModuleNotFoundError('No module named {package}', name='{package}')"
    (tmp_path / f"{package}.py").write_text(stand_in, "utf-8")
    (tmp_path / "config.json").write_text("{}", "utf-8")
    model = ["--model", str(tmp_path)] if extra == "transformers" else []
    ended = start("--port", "0", *model, PYTHONPATH=str(tmp_path))
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    assert f"{package} is not installed" in ended.stderr
    assert f"completions-conformance[{extra}]" in ended.stderr


def test_server_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "reference_server", "--port", "0", "--exit-with-stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"what is said there does not matter")
        server.stdin.flush()
        assert server.stdout.readline().startswith(b"Listening on ")
        server.stdin.close()
        assert server.wait(60) == 0


def test_names_and_key_are_configurable() -> None:
    with running_server("--served-model-name", "a", "b", key="other-key") as server:
        listed = httpx.get(f"{server.base_url}/models", headers=server.headers).json()
        assert [card["id"] for card in listed["data"]] == ["a", "b"]
        demo = {"Authorization": f"Bearer {DEMO_KEY}"}
        envelope(httpx.get(f"{server.base_url}/models", headers=demo), 401)
        health = server.base_url.removesuffix("/v1") + "/healthz"
        assert httpx.get(health).json() == {"status": "ok"}


def test_key_option_overrides_the_environment() -> None:
    with running_server("--api-key", "from-the-flag", key="from-the-environment") as server:
        url = f"{server.base_url}/models"
        assert httpx.get(url, headers={"Authorization": "Bearer from-the-flag"}).is_success
        envelope(httpx.get(url, headers=server.headers), 401)


def test_log_has_one_redacted_line_per_request() -> None:
    with running_server() as server:
        body = {"model": MODEL, "prompt": "a private matter", "max_tokens": 3, "user": "someone"}
        url = f"{server.base_url}/completions"
        for stream in (False, True):
            request = {**body, "stream": stream}
            response = httpx.post(url, json=request, headers=server.headers, timeout=60)
            assert response.headers["x-request-id"].startswith("req_")
    lines = [json.loads(line) for line in server.log]
    assert [(line["path"], line["status"], line["stream"]) for line in lines] == [
        ("/v1/completions", 200, False),
        ("/v1/completions", 200, True),
    ]
    assert lines[1]["total_tokens"] == lines[0]["total_tokens"] > 3
    assert "private" not in "".join(server.log)
    assert server.key not in "".join(server.log)
