"""What is special about a request: the settings without which an answer can be wrong or right.

An answer that is wrong is wrong for every request that asks for the same and more. So the traits of
the requests behind two findings tell which of the two can follow from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conformance.judgement import Judgement
from conformance.protocol.request import CompletionRequest

Traits = frozenset[str]

SEVERAL = "several choices"
TOKENS = "a prompt of token ids"
WIDE = "text beyond ASCII"
SAMPLED = "samples"
SHORT = "no token"

_TELLING: Mapping[str, Callable[[Any], bool]] = {
    "stream": lambda value: value is True,
    "stream_options": lambda value: value is not None,
    "echo": lambda value: value is True,
    "logprobs": lambda value: value is not None,
    "stop": lambda value: value not in (None, [], ""),
    "suffix": lambda value: value is not None,
    "logit_bias": bool,
    "frequency_penalty": bool,
    "presence_penalty": bool,
    "best_of": lambda value: value not in (None, 1),
    "seed": lambda value: value is not None,
    "user": lambda value: value is not None,
    "top_p": lambda value: value not in (None, 1),
}
"""Parameters, and which of their values ask for something."""


def asked_by(request: CompletionRequest) -> frozenset[str]:
    """Return the parameters of which a request asks for something, by name."""
    raw = request.raw
    named = {name for name, is_telling in _TELLING.items() if is_telling(raw.get(name))}
    count = raw.get("n")
    if isinstance(count, int) and not isinstance(count, bool) and count > 1:
        named.add("n")
    return frozenset(named)


def traits_of(request: CompletionRequest) -> Traits:
    """Return what a request asks for beyond one greedy answer to one short text."""
    raw = request.raw
    named = {name for name, is_telling in _TELLING.items() if is_telling(raw.get(name))}
    if has_several(request):
        named.add(SEVERAL)
    if has_ids(raw.get("prompt")):
        named.add(TOKENS)
    if not _is_ascii(raw.get("prompt")):
        named.add(WIDE)
    if raw.get("temperature") != 0:
        named.add(SAMPLED)
    if raw.get("max_tokens") == 0:
        named.add(SHORT)
    return frozenset(named)


def has_several(request: CompletionRequest) -> bool:
    """Return whether a request asks for several choices."""
    try:
        return request.choices > 1
    except Judgement:
        return False


def has_ids(prompt: object) -> bool:
    """Return whether a prompt is token ids."""
    return isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], str)


def _is_ascii(prompt: object) -> bool:
    parts = prompt if isinstance(prompt, list) else [prompt]
    return all(part.isascii() for part in parts if isinstance(part, str))
