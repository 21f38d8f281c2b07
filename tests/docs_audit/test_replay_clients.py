"""The clients' surroundings: bounds, environment, and what is read of what they write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.docs_audit.clients import ClientRequest, NotInstalledError, program_for
from conformance.docs_audit.clients.curl import Curl
from conformance.docs_audit.clients.libraries import NodeProgram, PythonLibrary
from conformance.docs_audit.clients.process import ERROR_BYTES, Ended, run
from conformance.docs_audit.clients.request import environment_for
from conformance.docs_audit.clients.response import of_body, of_driver
from conformance.docs_audit.page import Client

KEY = "sk-Zk3hT9wQ1vB7nM5xL2cD8f"


def python(program: str, given: bytes = b"", seconds: float = 60.0, limit: int = 100) -> Ended:
    return run(
        [sys.executable, "-c", program],
        given=given,
        environment=os.environ,
        seconds=seconds,
        limit=limit,
    )


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────


def test_a_program_reads_what_it_is_given_and_is_read_to_its_end() -> None:
    program = "import sys; sys.stdout.write(sys.stdin.read()); sys.stderr.write('so'); sys.exit(3)"
    assert python(program, b"hello") == Ended(b"hello", b"so", 3)


def test_a_program_that_writes_without_end_is_ended() -> None:
    ended = python("while True: print('x' * 1000)")
    assert ended.output == b"x" * 100
    assert ended.fault == "more than 100 bytes of output"


def test_exactly_as_much_as_agreed_is_not_too_much() -> None:
    assert python("print('x' * 100, end='')").fault is None


def test_a_program_that_does_not_end_is_ended() -> None:
    ended = python("import threading; threading.Event().wait()", seconds=0.5)
    assert ended.fault == "timeout after 0.5 s"
    assert ended.code != 0


def test_a_program_may_complain_at_length() -> None:
    ended = python(f"import sys; sys.stderr.write('x' * {ERROR_BYTES * 5})")
    assert ended.errors == b"x" * ERROR_BYTES
    assert (ended.code, ended.fault) == (0, None)


def test_a_program_need_not_read_what_it_is_given() -> None:
    assert python("import os; os.close(0)", b"x" * 2**20).code == 0


# ── surroundings ─────────────────────────────────────────────────────────────────────────────────


def test_a_client_gets_the_key_and_no_setting_that_would_send_it_elsewhere() -> None:
    own = {"PATH": "/bin", "OPENAI_BASE_URL": "http://elsewhere", "OPENAI_API_KEY": "another"}
    ask = ClientRequest("https://relay.example/v1", {}, KEY)
    assert environment_for(ask, own) == {"PATH": "/bin", "OPENAI_API_KEY": KEY}
    assert environment_for(ClientRequest("https://relay.example/v1", {}), own) == {"PATH": "/bin"}


def test_no_proxy_stands_between_this_machine_and_itself() -> None:
    own = {"HTTP_PROXY": "http://proxy.example"}
    variables = environment_for(ClientRequest("http://127.0.0.1:8000/v1", {}), own)
    assert variables["NO_PROXY"] == variables["no_proxy"] == "*"


def test_an_ask_does_not_show_its_key() -> None:
    assert KEY not in repr(ClientRequest("http://127.0.0.1/v1", {}, KEY))


def test_the_key_is_taken_out_of_whatever_a_client_writes() -> None:
    ask = ClientRequest("http://127.0.0.1/v1", {}, KEY)
    assert ask.redacted(f"Bearer {KEY}".encode()) == "Bearer $API_KEY"
    assert ask.redacted(KEY.replace("k", "\\u006b").encode()) == "$API_KEY"


# ── what they write ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "response"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"a": NaN}', '{"a": NaN}'),
        ("<html>", "<html>"),
        ("", ""),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_plain_body_is_json_or_the_text_that_it_is(raw: str, response: object) -> None:
    http_response = of_body(raw, status=200, content_type=None, failure=None, streamed=False)
    assert http_response.response == response
    assert http_response.raw == raw
    assert http_response.chunks is None


def test_the_chunks_of_a_streamed_body_are_its_events_without_the_last() -> None:
    raw = 'data: {"a": 1}\n\n: comment\n\ndata: oops\n\ndata: [DONE]\n\n'
    result = json.dumps({"raw": raw, "status": 200})
    for response in (
        of_body(raw, status=200, content_type=None, failure=None, streamed=True),
        of_driver(result, streamed=True),
    ):
        assert response.chunks == ({"a": 1}, "oops")
        assert response.response is None


def test_chunks_that_a_client_took_apart_are_taken_as_they_are() -> None:
    response = of_driver('{"chunks": [{"a": 1}], "failure": "died"}', streamed=True)
    assert response.chunks == ({"a": 1},)
    assert response.failure == "died"


@pytest.mark.parametrize("written", ["", "Traceback", "[]", "null"])
def test_what_no_driver_writes_is_no_reply(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        of_driver(written, streamed=False)


def test_a_client_that_breaks_down_is_quoted() -> None:
    response = PythonLibrary("openai", "no_such_driver").send(
        ClientRequest("http://127.0.0.1:1/v1", {})
    )
    assert response.failure is not None
    assert "No module named" in response.failure
    assert "no_such_driver" in response.failure


# ── what is missing ──────────────────────────────────────────────────────────────────────────────


def test_a_program_that_is_not_there_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    with pytest.raises(NotInstalledError, match="curl is not installed: install it"):
        Curl(binary=missing).version()
    with pytest.raises(NotInstalledError, match=r"Node\.js is not installed: install version 18"):
        NodeProgram("x", "fetch_client.mjs", binary=missing).version()
    with pytest.raises(NotInstalledError, match=r"`no-such-package` is not installed: run pip "):
        PythonLibrary("no-such-package", "openai_client").version()


def test_node_has_to_find_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_PATH", raising=False)
    program = program_for(Client.OPENAI_NODE, tmp_path)
    assert program is not None
    with pytest.raises(NotInstalledError, match=f"no package `openai` in {tmp_path}: run `npm i"):
        program.version()


@pytest.mark.parametrize("inside", ["", "node_modules"])
def test_the_folder_of_packages_is_meant_with_or_without_its_last_part(
    inside: str, tmp_path: Path
) -> None:
    _package(tmp_path / "node_modules" / "openai", "7.8.9")
    program = program_for(Client.OPENAI_NODE, tmp_path / inside)
    assert program is not None
    assert program.version() == "7.8.9"


def test_node_path_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _package(tmp_path / "modules" / "openai", "7.8.9")
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("NODE_PATH", str(tmp_path / "modules"))
    program = program_for(Client.OPENAI_NODE, tmp_path / "here")
    assert program is not None
    assert program.version() == "7.8.9"


def _package(folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "openai", "main": "index.js"}')
    (folder / "index.js").write_text("module.exports = {};")
    (folder / "version.js").write_text(f'exports.VERSION = "{version}";')


def test_an_old_node_is_named(tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v16.20.0\n")
    old.chmod(0o755)
    with pytest.raises(
        NotInstalledError, match=r"Node.js 16\.20\.0 is too old: install version 18 or newer"
    ):
        NodeProgram("x", "fetch_client.mjs", binary=str(old)).version()


@pytest.mark.parametrize(
    "client", [Client.CURL, Client.OPENAPI, Client.OPENAI_PYTHON, Client.REQUESTS, Client.FETCH]
)
def test_a_client_that_is_there_tells_its_version(client: Client) -> None:
    program = program_for(client)
    assert program is not None
    assert program.version()[0].isdigit()


def test_a_part_of_a_body_has_no_client() -> None:
    assert program_for(Client.FRAGMENT) is None


# ── curl's own ways ──────────────────────────────────────────────────────────────────────────────


def test_curl_gets_the_key_and_the_body_where_no_other_user_sees_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def note(command: list[str], **rest: Any) -> Ended:
        seen.update(rest, command=command)
        return Ended(b"{}", b"\n200 application/json\n", 0)

    monkeypatch.setattr("conformance.docs_audit.clients.process.run", note)
    request = {"prompt": 'a "quoted" \\ word\n春', "stream": True}
    response = Curl().send(ClientRequest("http://127.0.0.1:1/v1", request, KEY))
    assert (response.status, response.content_type, response.failure) == (
        200,
        "application/json",
        None,
    )
    assert not [word for word in seen["command"] if KEY in word or "quoted" in word]
    assert "--no-buffer" in seen["command"]
    # Without it the brackets of an IPv6 address would be taken for a range.
    assert "--globoff" in seen["command"]
    assert f'header = "Authorization: Bearer {KEY}"' in seen["given"].decode()


def test_curls_complaint_is_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    result = b"curl: (7) Failed to connect\n\n000 \n"
    monkeypatch.setattr(
        "conformance.docs_audit.clients.process.run", lambda *_, **__: Ended(b"", result, 7)
    )
    response = Curl().send(ClientRequest("http://127.0.0.1:1/v1", {}))
    assert response.failure == "curl: (7) Failed to connect"
    assert response.status is None


def test_drivers_import_nothing_of_the_suite_but_each_other() -> None:
    """A driver starts as often as there are examples, so it must not load the suite."""
    program = (
        "import sys, conformance.docs_audit.drivers._protocol\n"
        "print(*[name for name in sys.modules if name.startswith('conformance')])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert set(loaded.stdout.split()) == {
        "conformance",
        "conformance.docs_audit",
        "conformance.docs_audit.drivers",
        "conformance.docs_audit.drivers._protocol",
    }
