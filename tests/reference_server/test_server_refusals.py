"""Invalid requests get the right status and the envelope, and never a 5xx."""

import socket
from typing import Any

import httpx
import pytest

from tests.reference_server.api import MODEL, Api, envelope
from tests.servers import RunningServer

BELOW, ABOVE = "below_min_value", "above_max_value"


@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("max_tokens", -1, f"integer_{BELOW}"),
        ("temperature", -0.1, f"decimal_{BELOW}"),
        ("temperature", 2.1, f"decimal_{ABOVE}"),
        ("top_p", -0.1, f"decimal_{BELOW}"),
        ("top_p", 1.1, f"decimal_{ABOVE}"),
        ("n", 0, f"integer_{BELOW}"),
        ("n", 129, f"integer_{ABOVE}"),
        ("best_of", -1, f"integer_{BELOW}"),
        ("best_of", 21, f"integer_{ABOVE}"),
        ("logprobs", -1, f"integer_{BELOW}"),
        ("logprobs", 6, f"integer_{ABOVE}"),
        ("presence_penalty", -2.1, f"decimal_{BELOW}"),
        ("presence_penalty", 2.1, f"decimal_{ABOVE}"),
        ("frequency_penalty", -2.1, f"decimal_{BELOW}"),
        ("frequency_penalty", 2.1, f"decimal_{ABOVE}"),
        ("seed", 2**63, f"integer_{ABOVE}"),
        ("seed", -(2**63) - 1, f"integer_{BELOW}"),
    ],
)
def test_value_past_a_limit_is_rejected_by_name(
    api: Api, parameter: str, value: Any, code: str
) -> None:
    error = api.refusal(prompt="a", **{parameter: value})
    assert error["type"] == "invalid_request_error"
    assert (error["param"], error["code"]) == (parameter, code)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("temperature", [0, 2, 0.0, 1e-300]),
        ("top_p", [0, 1, 1e-300]),
        ("best_of", [0, 1, 20]),
        ("logprobs", [0, 5]),
        ("presence_penalty", [-2, 2]),
        ("frequency_penalty", [-2, 2]),
        ("seed", [-(2**63), 2**63 - 1]),
        ("logit_bias", [{}, {"100": -100}, {"100": 100}]),
        ("n", [1, 128]),
    ],
)
def test_value_at_a_limit_is_served(api: Api, parameter: str, values: list[Any]) -> None:
    for value in values:
        api.complete(prompt="a", max_tokens=2, **{parameter: value})


WRONG_TYPES: dict[str, list[Any]] = {
    "prompt": [1, True, {}, 1.5, [None], [1, "a"], ["a", 1], [[1], 2], [[True]], [1.5], [["a"]]],
    "suffix": [1, []],
    "max_tokens": ["16", 16.5, True, [], {}],
    "temperature": ["1", True, [], {}],
    "top_p": ["1", False],
    "n": ["1", 1.5, True],
    "best_of": ["1", 1.5, True],
    "stream": ["true", 0, 1],
    "logprobs": [True, "5", 1.5],
    "echo": ["true", 1],
    "stop": [1, True, {}, [1], [None], [["a"]]],
    "presence_penalty": ["1", True],
    "frequency_penalty": ["1", True],
    "logit_bias": [[], "a", {"100": "1"}, {"100": True}, {"100": None}],
    "seed": ["1", 1.5, True],
    "user": [1, None, []],
    "model": [1, [], {}, True],
}


@pytest.mark.parametrize(
    ("parameter", "value"), [(name, v) for name, values in WRONG_TYPES.items() for v in values]
)
def test_value_of_wrong_type_is_rejected_by_name(api: Api, parameter: str, value: Any) -> None:
    error = api.refusal(**{"prompt": "a", parameter: value})
    assert error["code"] == "invalid_type"
    assert error["param"].startswith(parameter)


@pytest.mark.parametrize(
    "parameter", sorted(set(WRONG_TYPES) - {"model", "user"} | {"stream_options"})
)
def test_null_means_the_default(api: Api, parameter: str) -> None:
    api.complete(**{"prompt": "a", parameter: None, "max_tokens": None})


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": [-1]}, "prompt[0]"),
        ({"prompt": [10**9]}, "prompt"),
        ({"prompt": ["a"] * 2049}, "prompt"),
        ({"prompt": ["a"] * 129, "n": 16}, "n"),
        ({"prompt": "a", "logit_bias": {"a": 1}}, "logit_bias"),
        ({"prompt": "a", "logit_bias": {"-1": 1}}, "logit_bias"),
        ({"prompt": "a", "logit_bias": {"01": 1}}, "logit_bias"),
        ({"prompt": "a", "logit_bias": {"1000000000": 1}}, "logit_bias"),
        ({"prompt": "a", "logit_bias": {"100": 101}}, "logit_bias.100"),
        ({"prompt": "a", "stream_options": {"include_usage": True}}, "stream_options"),
        ({"prompt": "a", "stream": True, "stream_options": []}, "stream_options"),
        ({"prompt": "a", "stream": True, "stream_options": {"x": 1}}, "stream_options.x"),
        (
            {"prompt": "a", "stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
        ),
    ],
)
def test_invalid_element_is_named(api: Api, body: dict[str, Any], parameter: str) -> None:
    assert api.refusal(**body)["param"] == parameter


def test_unknown_argument_is_rejected_by_name(api: Api) -> None:
    error = api.refusal(messages=[{"role": "user", "content": "hi"}])
    assert error["message"] == "Unrecognized request argument supplied: messages"


def test_model_must_be_given_and_known(api: Api) -> None:
    for body in (b'{"prompt":"a"}', b'{"prompt":"a","model":null}', b'{"prompt":"a","model":""}'):
        assert envelope(api.raw(body), 400)["param"] == "model"
    error = api.refusal(404, model="gpt-4o", prompt="a")
    assert (error["param"], error["code"]) == ("model", "model_not_found")


def test_wrong_key_is_rejected_and_not_repeated(server: RunningServer) -> None:
    url = f"{server.base_url}/completions"
    body = {"model": MODEL, "prompt": "a"}
    wrong = "sk-a-wrong-key-that-is-long-enough-to-be-masked"
    assert envelope(httpx.post(url, json=body), 401)["type"] == "invalid_request_error"
    for value in ("Bearer", f"Basic {server.key}", server.key):
        envelope(httpx.post(url, json=body, headers={"Authorization": value}), 401)
    response = httpx.post(url, json=body, headers={"Authorization": f"Bearer {wrong}"})
    assert envelope(response, 401)["code"] == "invalid_api_key"
    assert wrong not in response.text
    outlier = {"Authorization": b"Bearer \xff\xfe"}
    assert envelope(httpx.post(url, json=body, headers=outlier), 401)["code"] == "invalid_api_key"
    assert wrong not in "".join(server.log)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/completions", 405),
        ("PUT", "/v1/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/v1/chat/completions", 404),
        ("GET", "/", 404),
        ("GET", "/v1/completions/", 404),
        ("GET", "/v1/%ff%00", 404),
    ],
)
def test_other_paths_and_methods_get_the_envelope(
    server: RunningServer, method: str, path: str, status: int
) -> None:
    root = server.base_url.removesuffix("/v1")
    response = httpx.request(method, root + path, headers=server.headers)
    envelope(response, status)
    assert (status == 405) == ("allow" in response.headers)


def with_prompt(text: bytes) -> bytes:
    return b'{"model":"%s","max_tokens":1,"prompt":%s}' % (MODEL.encode(), text)


HOSTILE = {
    "empty": b"",
    "not JSON": b"hello",
    "cut off": with_prompt(b'"a"')[:-1],
    "two values": with_prompt(b'"a"') * 2,
    "an array": b"[]",
    "null": b"null",
    "a string": b'"a"',
    "NaN": with_prompt(b'"a", "temperature":NaN'),
    "Infinity": with_prompt(b'"a", "temperature":Infinity'),
    "minus Infinity": with_prompt(b'"a", "temperature":-Infinity'),
    "a number beyond all": with_prompt(b'"a", "temperature":1e400'),
    "an endless integer": with_prompt(b'"a", "seed":' + b"9" * 10_000),
    "a name twice": with_prompt(b'"a", "prompt":"b"'),
    "deep nesting": with_prompt(b"[" * 100_000 + b"]" * 100_000),
    "deep objects": b'{"a":' * 100_000,
    "half a surrogate pair": with_prompt(b'"\\ud83d"'),
    "the other half": with_prompt(b'"\\ude00\\ud83d"'),
    "a surrogate in a name": b'{"\\ud800":1}',
    "byte order mark": b"\xef\xbb\xbf" + with_prompt(b'"a"'),
    "Latin-1": with_prompt(b'"\xe9"'),
    "UTF-16": with_prompt(b'"a"').decode().encode("utf-16"),
    "an encoded surrogate": with_prompt(b'"\xed\xa0\x80"'),
    "a control character": with_prompt(b'"\n"'),
    "a trailing comma": b'{"model":"x",}',
    "a comment": b'{"model":"x"} // yes',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_body_with_invalid_json_is_rejected(api: Api, name: str) -> None:
    assert envelope(api.raw(HOSTILE[name]), 400)["type"] == "invalid_request_error"


def test_body_over_the_limit_is_rejected_while_sent(api: Api) -> None:
    envelope(api.raw(with_prompt(b'"' + b"a" * 9 * 2**20 + b'"')), 413)


def test_long_body_is_limited_by_its_tokens(api: Api) -> None:
    error = envelope(api.raw(with_prompt(b'"' + b"word " * 200_000 + b'"')), 400)
    assert "maximum context length" in error["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_other_content_types_are_rejected(api: Api, headers: dict[str, str]) -> None:
    envelope(api.raw(with_prompt(b'"a"'), **headers), 415)


def test_json_may_declare_utf_8(api: Api) -> None:
    kind = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    assert api.raw(with_prompt('"é\\ud83d\\ude00"'.encode()), **kind).status_code == 200


def test_error_for_a_stream_is_non_streaming_json(api: Api) -> None:
    api.refusal(prompt="a", stream=True, temperature=3)
    api.refusal(404, prompt="a", stream=True, model="nobody")


def test_malformed_http_does_not_harm_the_server(api: Api, server: RunningServer) -> None:
    host, _, port = server.base_url.removeprefix("http://").removesuffix("/v1").partition(":")
    for junk in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /v1/completions HTTP/1.1\r\n",
        b"\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(junk)
    assert api.text(prompt="a", max_tokens=1) is not None
