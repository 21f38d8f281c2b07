"""Snippets for the openai package repeat the request exactly, or are left out."""

import ast
import json
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model import WRONG_KEY, Credentials, Request
from conformance.report.snippet import KNOWN, MAX_CALL_CHARS, snippet
from tests.report.hostile import ACTING, ATTACKS

BASE = "http://127.0.0.1:9/v1"
KEY = "VENDOR_KEY"
RESPONSE = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": []}


def request(request: Any, **changes: Any) -> Request:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return Request(**{"method": "POST", "path": "/completions", "body": body, **changes})


def sent_by(lines: str, monkeypatch: pytest.MonkeyPatch, response: httpx.Response) -> httpx.Request:
    """Run the lines against a transport that keeps what they send."""
    kept: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        kept.append(request)
        return response

    def client(**words: Any) -> openai.OpenAI:
        transport = httpx.MockTransport(handle)
        return real(**words, http_client=httpx.Client(transport=transport))

    real = openai.OpenAI
    monkeypatch.setattr(openai, "OpenAI", client)
    monkeypatch.setenv(KEY, "sk-of-mine")
    exec(compile(lines, "snippet", "exec"), {})
    monkeypatch.undo()
    (only,) = kept
    return only


def resent(lines: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    return json.loads(sent_by(lines, monkeypatch, httpx.Response(200, json=RESPONSE)).content)


def test_snippet_repeats_the_request_with_the_environments_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"model": "m", "prompt": ["一", "b\n"], "stop": None, "logit_bias": {"5": -100}}
    lines = snippet(request(body), BASE, KEY)
    assert lines is not None
    sent = sent_by(lines, monkeypatch, httpx.Response(200, json=RESPONSE))
    assert json.loads(sent.content) == body
    assert sent.url == f"{BASE}/completions"
    assert sent.headers["authorization"] == "Bearer sk-of-mine"
    assert json.loads(capsys.readouterr().out) == RESPONSE


def test_unknown_parameters_go_into_extra_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"model": "m", "prompt": "a", "top_k": 5, "not a name": [None, True], "max_tokens": 1}
    lines = snippet(request(body), BASE, KEY)
    assert lines is not None
    assert 'extra_body={"top_k": 5, "not a name": [None, True]}' in lines
    assert resent(lines, monkeypatch) == body


@pytest.mark.parametrize(
    "body", [{"model": "m"}, {"prompt": "a"}, {"model": "m", "prompt": "a", "stream": "yes"}, {}]
)
def test_unsupported_requests_are_posted_directly(
    body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = snippet(request(body), BASE, KEY)
    assert lines is not None
    assert resent(lines, monkeypatch) == body


def test_snippet_reads_as_many_events_as_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chunks = "".join(f"data: {json.dumps({**RESPONSE, 'id': str(n)})}\n\n" for n in range(5))
    stream = httpx.Response(
        200, text=f"{chunks}data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
    )
    body = {"model": "m", "prompt": "a", "stream": True}
    lines = snippet(request(body, read_events=2), BASE, KEY)
    assert lines is not None
    assert json.loads(sent_by(lines, monkeypatch, stream).content) == body
    shown = [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["0", "1"]


def test_refusal_is_shown_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = snippet(request({"model": "m", "prompt": "a", "n": 0}), BASE, KEY)
    assert lines is not None
    sent_by(lines, monkeypatch, httpx.Response(400, json={"error": {"message": "no"}}))
    assert capsys.readouterr().out.startswith("400 ")


def test_headers_and_wrong_key_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"model": "m", "prompt": "a"}
    wrong = request(body, credentials=Credentials.WRONG, headers=(("x-trace", "1"),))
    lines = snippet(wrong, BASE, KEY)
    assert lines is not None
    sent = sent_by(lines, monkeypatch, httpx.Response(200, json=RESPONSE))
    assert sent.headers["authorization"] == f"Bearer {WRONG_KEY}"
    assert sent.headers["x-trace"] == "1"
    assert KEY not in lines


def test_keyless_run_names_no_variable() -> None:
    lines = snippet(request({"model": "m", "prompt": "a"}), BASE, None)
    assert lines is not None
    assert "environ" not in lines


@pytest.mark.parametrize("text", [" 1", "一", "\u202e", '"\\'])
def test_repetition_is_written_as_such(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"model": "m", "prompt": ["", f"a{text * 40_000}b"], "logit_bias": {text * 500: 1}}
    lines = snippet(request(body), BASE, KEY)
    assert lines is not None
    assert len(lines) < 600
    assert resent(lines, monkeypatch) == body


def test_query_of_the_base_url_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    base = f"{BASE}?api-version=2024-06-01&a=%20"
    lines = snippet(request({"model": "m", "prompt": "a"}), base, KEY)
    assert lines is not None
    sent = sent_by(lines, monkeypatch, httpx.Response(200, json=RESPONSE))
    assert sent.url.path == "/v1/completions"
    assert sent.url.params.multi_items() == [("api-version", "2024-06-01"), ("a", " ")]
    assert snippet(request({"model": "m", "prompt": "a"}), f"{base}&a=", KEY) is None


@pytest.mark.parametrize(
    "unsendable",
    [
        request(b"{"),
        request(b"[1]"),
        request(b'{"n": 1, "n": 2}'),
        request(b'{"n": NaN}'),
        request(b'{"n": 1e400}'),
        request(b'{"prompt": "\xff"}'),
        request(b'{"prompt": "\\ud800"}'),
        request(b'{"a":' * 40 + b"1" + b"}" * 40),
        request({"prompt": " ".join(map(str, range(MAX_CALL_CHARS)))}),
        request({"model": "m"}, method="GET"),
        request({"model": "m"}, path="/models"),
        request({"model": "m"}, credentials=Credentials.NONE),
    ],
)
def test_unsendable_request_has_no_snippet(unsendable: Request) -> None:
    assert snippet(unsendable, BASE, KEY) is None


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_a_string_literal(attack: str) -> None:
    body = {"model": attack, "prompt": attack, attack: attack}
    lines = snippet(request(body, headers=((attack, attack),)), f"http://x/{attack}", attack)
    if "\ud800" in attack:
        assert lines is None
        return
    assert lines is not None
    assert ACTING.findall(lines) == []
    harmless = snippet(
        request({"model": "m", "prompt": "p", "x": "y"}, headers=(("a", "b"),)), BASE, KEY
    )
    assert harmless is not None
    assert shape(lines) == shape(harmless)


def shape(lines: str) -> list[str]:
    return [type(node).__name__ for node in ast.walk(ast.parse(lines))]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(sorted(KNOWN - {"model", "prompt", "stream"})), VALUES, max_size=4
    )
)
def test_any_value_is_a_python_literal(body: dict[str, Any]) -> None:
    lines = snippet(request({"model": "m", "prompt": "p", **body}), BASE, KEY)
    assert lines is not None
    (call,) = [
        node
        for node in ast.walk(ast.parse(lines))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("completions.create")
    ]
    result = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    assert result == {"model": "m", "prompt": "p", **body}


def test_headers_of_the_run_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"X-Tenant": "acme", "X-Gateway": f"${KEY}", "X-Odd": "$(id)"}
    lines = snippet(request({"model": "m", "prompt": "a"}), BASE, None, headers)
    assert lines is not None
    sent = sent_by(lines, monkeypatch, httpx.Response(200, json=RESPONSE))
    assert sent.headers["x-tenant"] == "acme"
    assert sent.headers["x-gateway"] == "sk-of-mine"
    assert sent.headers["x-odd"] == "$(id)"
