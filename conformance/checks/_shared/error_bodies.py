"""What errors must not contain, and how an error with status 200 is recognised."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.protocol.response import Response

LEAK = re.compile(
    r"Traceback \(most recent call last\)|\bgoroutine \d+ \[|\n[^\S\n]+at \S+ \(.*:\d+:\d+\)"
    r'|File "/[^"]+", line \d+'
    r"|\bdial tcp\b|\b(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}:\d{2,5}\b"
    r"|https?://(?:(?!https?://)[^\s\"'<>])+/v\d+/(?:chat/)?completions|\bsk-[A-Za-z0-9_-]{20,}",
)
"""Matches stack traces, internal addresses and keys, but not links to a manual.

Each part ends where the next match of it could begin, so that a search takes linear time.
"""

MAX_MESSAGE_CHARS = 4_096
"""The beginning of an error that is searched for names."""
NO_PARAM = say("the message names the parameter, and the error has no param")
"""Why nothing is known of ``error.param``; another check reports that it is missing."""

_NUMBER = re.compile(r"(?<!\d)\d{1,18}(?!\d)")


def numbers_in(message: str) -> list[int]:
    """Return the numbers of up to 18 digits in an error message; longer ones count nothing."""
    return [int(number) for number in _NUMBER.findall(message)]


IN_WORDS: Mapping[str, str] = {
    "n": r"number of (?:choices|completions|samples|sequences)|choice count",
    "best_of": r"number of candidates",
    "model": "模型",
    "prompt": "提示词?",
    "temperature": "温度",
    "stop": "停止",
    "seed": "种子",
}
"""What else names a parameter in a sentence."""


def is_named(parameter: str, text: str) -> bool:
    """Return whether a text names a parameter: as it is, or in words, such as ``Top-p``."""
    if re.search(rf"(?<![A-Za-z0-9_]){re.escape(parameter)}(?![A-Za-z0-9_])", text):
        return True
    words = [re.escape(word) for word in parameter.split("_")]
    spoken = r"[\s_-]?".join(words)
    # A single letter is no word.
    names = [spoken] if len(parameter) > 1 else []
    names += [IN_WORDS[parameter]] if parameter in IN_WORDS else []
    pattern = "|".join(rf"(?<![A-Za-z]){name}(?![A-Za-z])" for name in names)
    return bool(names) and re.search(pattern, text, re.IGNORECASE) is not None


WHOLE_REQUEST = frozenset(
    {"body", "request", "request_body", "json", "payload", "url", "path", "endpoint", "method"}
)
"""What ``param`` may name besides a parameter or a header: the request as a whole."""

NAMED_MODEL = re.compile(
    r"(?:\bmodels?\b|模型)[^\w`'\"]{0,3}[`'\"]?([A-Za-z][\w.:@/-]{0,80})|[`'\"]([A-Za-z][\w.:@/-]{0,80})[`'\"]",
    re.IGNORECASE,
)
"""A name after the word for a model, or in quotes."""

OF_THE_BODY = re.compile(
    r"body|array|list|sequence|object|json|dict|\bmap\b|\bstruct\b|unmarshal|pars(?:e|ing)|decode"
    r"|数组|列表|对象|请求体|解析",
    re.IGNORECASE,
)
"""Matches an error that is about the form of a body."""


def names_part_of(request: Collection[str], param: str) -> bool:
    """Return whether a ``param`` names a part of a request: by name, by path, or as a whole.

    Args:
        request: names of parameters and of headers.
        param: the member of an error.
    """
    if param.strip().lower() in WHOLE_REQUEST:
        return True
    return any(is_named(name, param) for name in request)


def other_models_in(message: str, known: Collection[str]) -> list[str]:
    """Return the names in a message that look like those of models, but for ``known`` ones.

    Only a name with a digit or a hyphen counts, so that it is no word of the sentence.
    """
    names = [one or other for one, other in NAMED_MODEL.findall(message[:MAX_MESSAGE_CHARS])]
    names = [name.rstrip(".:") for name in names]
    return [name for name in names if re.search(r"\d|\w-\w", name) and name not in known]


def assert_no_error_inside(response: Response) -> None:
    """Assert that a response with status 200 does not contain an error."""
    if response.status != 200:
        return
    text = response.exchange.body.decode("utf-8", errors="replace")
    data = [event.data for event in response.events] if response.is_stream else [text]
    result = [one for one in data if re.match(r'\s*\{\s*"error"\s*:\s*[{"]', one)]
    if result:
        raise Failure(
            say("an error status"), say("status 200 with {error}", error=shown(result[0]))
        )
