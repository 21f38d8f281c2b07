"""What errors must not contain, and how an error with status 200 is recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
