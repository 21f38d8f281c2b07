"""Python code that reproduces a request with the openai package.

The key is read from the environment, so that a report can be shared. Unknown parameters are sent as
``extra_body``; a request without required parameters uses ``client.post``. Requests that the
package cannot send (not a JSON object, another method, no key) have only the curl command. A long
string that repeats itself is written as a repetition.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from conformance.model import WRONG_KEY, Credentials, Request
from conformance.report.curl import NONE, key_variable, variable_in
from conformance.report.repetition import Piece, pieces_of
from conformance.report.sanitize import line

MAX_BODY_BYTES = 1_000_000
"""Maximum bytes of a body that is read to write a snippet."""

MAX_CALL_CHARS = 9_000
"""Maximum characters of the call; longer ones are only in the record."""

DEEPEST = 20
"""Maximum nesting depth of a body for a snippet."""

KNOWN = frozenset(
    {"model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs"}
    | {"max_tokens", "n", "presence_penalty", "seed", "stop", "stream", "stream_options"}
    | {"suffix", "temperature", "top_p", "user"}
)
"""Keyword arguments of ``client.completions.create``."""


def is_steered(body: Mapping[str, Any], names: Collection[str]) -> bool:
    """Return whether a request uses one of these parameters, or one that is not the live API's.

    Parameters of single servers, such as ``min_p``, change what is generated.
    """
    return any(body.get(name) for name in names) or not body.keys() <= KNOWN


def snippet(
    request: Request, base_url: str, key_env: str | None, headers: Mapping[str, str] = NONE
) -> str | None:
    """Return the code, or None if the client cannot send the request.

    Args:
        request: the request.
        base_url: the endpoint's base URL.
        key_env: the environment variable that holds the key, or None if no key was sent.
        headers: headers of every request; ``$NAME`` is read from the environment.
    """
    body = _readable(request)
    if body is None:
        return None
    call = "\n".join(f"    {line}" if line else line for line in _call(request, body))
    if len(call) > MAX_CALL_CHARS:
        return None
    key = _key(request, key_env)
    base, _, query = base_url.partition("?")
    parameters = parse_qsl(line(query), keep_blank_values=True)
    if len(dict(parameters)) < len(parameters):
        return None
    others = _with_every_request(headers)
    if parameters:
        others += f", default_query={_literal(dict(parameters))}"
    imports = "import os\n\n" if "os.environ[" in key + others else ""
    return (
        f"{imports}import openai\n\n"
        f"client = openai.OpenAI(base_url={_text(base)}, api_key={key}{others}"
        ", max_retries=0)\n"
        f"try:\n{call}\n"
        "except openai.APIStatusError as error:\n"
        "    print(error.status_code, error.response.text)\n"
    )


def _readable(request: Request) -> Mapping[str, Any] | None:
    """Parse the body; None if the client cannot reproduce it."""
    sendable = (request.method, request.path) == ("POST", "/completions")
    anonymous = request.credentials is Credentials.NONE
    if not sendable or anonymous or len(request.body) > MAX_BODY_BYTES:
        return None
    try:
        read = json.loads(request.body, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) and _fits(read) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary; raise ValueError for duplicate names."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _fits(value: object, depth: int = 0) -> bool:
    """Return whether a value survives a round trip through Python."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return depth < DEEPEST and all(_fits(inner, depth + 1) for inner in value.values())
    if isinstance(value, list):
        return depth < DEEPEST and all(_fits(inner, depth + 1) for inner in value)
    return True


def _key(request: Request, key_env: str | None) -> str:
    """Return the expression for the key."""
    if request.credentials is Credentials.WRONG:
        return _text(WRONG_KEY)
    name = key_variable(request, key_env)
    # The client requires a key; an endpoint without keys ignores it.
    return f'os.environ["{name}"]' if name else '"none"'


def _with_every_request(headers: Mapping[str, str]) -> str:
    """Return the default_headers argument, or an empty string."""
    if not headers:
        return ""
    result = [
        f'{_text(name)}: os.environ["{variable}"]'
        if (variable := variable_in(value))
        else f"{_text(name)}: {_text(value)}"
        for name, value in headers.items()
    ]
    return f", default_headers={{{', '.join(result)}}}"


def _call(request: Request, body: Mapping[str, Any]) -> Iterator[str]:
    headers = dict(request.headers)
    stream = body.get("stream")
    by_name = {"model", "prompt"} <= body.keys() and isinstance(stream, bool | None)
    if not by_name:
        yield "answer = client.post("
        yield '    "/completions",'
        yield "    cast_to=object,"
        yield f"    body={_literal(body)},"
        if headers:
            yield f'    options={{"headers": {_literal(headers)}}},'
        yield ")"
        yield "print(answer)"
        return
    yield "answer = client.completions.create("
    yield from (f"    {name}={_literal(body[name])}," for name in body if name in KNOWN)
    foreign = {name: value for name, value in body.items() if name not in KNOWN}
    if foreign:
        yield f"    extra_body={_literal(foreign)},"
    if headers:
        yield f"    extra_headers={_literal(headers)},"
    yield ")"
    yield from _shown(request, stream=bool(stream))


def _shown(request: Request, *, stream: bool) -> Iterable[str]:
    if not stream:
        return ("print(answer.to_json())",)
    if request.read_events is None:
        return ("for chunk in answer:", "    print(chunk.to_json(indent=None))")
    return (
        f"for _, chunk in zip(range({request.read_events}), answer):",
        "    print(chunk.to_json(indent=None))",
    )


def _text(text: str) -> str:
    return _literal(line(text))


def _literal(value: object) -> str:
    """Write a JSON value as a Python literal, in ASCII if it contains unsafe characters."""
    match value:
        case str():
            return " + ".join(map(_piece, pieces_of(value))) or '""'
        case dict():
            inner = ", ".join(f"{_literal(name)}: {_literal(of)}" for name, of in value.items())
            return f"{{{inner}}}"
        case list():
            return f"[{', '.join(_literal(inner) for inner in value)}]"
        case _:
            return repr(value)


def _piece(piece: Piece) -> str:
    written = json.dumps(piece.text, ensure_ascii=False)
    written = written if line(written) == written else ascii(piece.text)
    return written if piece.times == 1 else f"{written} * {piece.times}"
