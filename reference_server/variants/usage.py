"""Tokens that usage counts although they are not visible, and additional usage fields."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import TypeVar

from reference_server.behaviour.builders import bodies, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import prompts_of
from reference_server.behaviour.prefix_cache import PrefixCache, details, with_cache
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

T = TypeVar("T")


START = "<s>"


OPENINGS = ("The", "I", "A", "In", "This", "It")
"""What a text may begin with, the most probable first."""


UNLIKELY_LOGPROB = -9.0


@variant("start-token-billed")
def start_token_billed() -> Behaviour:
    """A start token is counted for each prompt, and listed nowhere."""
    return _start_counted()


@variant("start-token-listed")
def start_token_listed() -> Behaviour:
    """A start token is counted for each prompt, and is the first entry of an echoed prompt."""
    return _start_listed(len(START))


@variant("start-token-without-width")
def start_token_without_width() -> Behaviour:
    """A start token is counted and listed, and has no length in ``text_offset``."""
    return _start_listed(0)


@variant("start-token-for-strings")
def start_token_for_strings() -> Behaviour:
    """A start token is counted for prompts that are strings; token ids are used as sent."""
    return _start_counted(of_tokens=False)


@variant("candidates-billed")
def candidates_billed() -> Behaviour:
    """All candidates of ``best_of`` are counted, including those that are not returned."""

    def stated_usage(request: Body, old: Body) -> Body:
        n, most = request.get("n") or 1, request.get("max_tokens")
        unseen = (request.get("best_of") or n) - n
        more = unseen * (16 if most is None else most) * len(prompts_of(request))
        return {name: old[name] + more for name in ("completion_tokens", "total_tokens")}

    return usage(stated_usage)


def _start_counted(*, of_tokens: bool = True) -> Rewrite:
    def stated_usage(request: Body, old: Body) -> Body:
        more = sum(of_tokens or isinstance(prompt, str) for prompt in prompts_of(request))
        return {name: old[name] + more for name in ("prompt_tokens", "total_tokens")}

    return usage(stated_usage)


def _start_listed(width: int) -> Rewrite:
    """List the start token before the entries of an echoed prompt, once for each choice."""
    counted = _start_counted()

    def listed(request: Body, of: list[Body], begun: set[int]) -> list[Body]:
        result = []
        for choice in of:
            first = choice["logprobs"] and choice["index"] not in begun
            if first and request.get("echo") and choice["logprobs"]["tokens"]:
                begun.add(choice["index"])
                scores = _with_start(choice["logprobs"], width, request["logprobs"])
                result.append({**choice, "logprobs": scores})
            elif request.get("echo") and choice["logprobs"]:
                moved = [offset + width for offset in choice["logprobs"]["text_offset"]]
                result.append({**choice, "logprobs": {**choice["logprobs"], "text_offset": moved}})
            else:
                result.append(choice)
        return result

    def non_streaming(request: Body, whole: Body) -> Body:
        return {**whole, "choices": listed(request, whole["choices"], set())}

    def chunks(request: Body, sent: list[Body]) -> list[Body]:
        begun: set[int] = set()
        return [{**chunk, "choices": listed(request, chunk["choices"], begun)} for chunk in sent]

    return Rewrite(
        non_streaming=lambda request, whole: _changed(
            counted.non_streaming, request, non_streaming(request, whole)
        ),
        chunks=lambda request, sent: _changed(counted.chunks, request, chunks(request, sent)),
    )


def _changed(change: Callable[[Body, T], T] | None, request: Body, result: T) -> T:
    return change(request, result) if change else result


def _with_start(scores: Body, width: int, most: int) -> Body:
    """Put the start token first; the first token of the prompt then has a log probability."""
    token = scores["tokens"][0]
    names = [name for name in OPENINGS if name != token][:most]
    opening = {name: -2.0 - at / 10 for at, name in enumerate(names)}
    return {
        "tokens": [START, *scores["tokens"]],
        "token_logprobs": [None, UNLIKELY_LOGPROB, *scores["token_logprobs"][1:]],
        "top_logprobs": [None, {**opening, token: UNLIKELY_LOGPROB}, *scores["top_logprobs"][1:]],
        "text_offset": [0, *(offset + width for offset in scores["text_offset"])],
    }


@variant("usage-details")
def usage_details() -> Behaviour:
    """``usage`` also reports cached, audio and reasoning tokens."""

    def change(_: Body, whole: Body) -> Body:
        usage = whole.get("usage")
        if not usage:
            return whole
        more = {
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "prompt_cache_hit_tokens": 0,
        }
        return {**whole, "usage": {**usage, **more}}

    return bodies(change)


@variant("cached-by-block")
def cached_by_block() -> Behaviour:
    """Cached tokens are reported in blocks of sixteen, and left out where there are none."""
    return with_cache(lambda _, __, cached: details(sum(cached)))


@variant("cached-by-token")
def cached_by_token() -> Behaviour:
    """All tokens of a prompt that was received before are reported as cached, except the last."""
    return with_cache(
        lambda _, __, cached: {"prompt_tokens_details": {"cached_tokens": sum(cached)}},
        block_tokens=1,
    )


@variant("cached-hits-and-misses")
def cached_hits_and_misses() -> Behaviour:
    """Cached tokens are reported under the names of DeepSeek, beside those that were not cached."""
    return with_cache(
        lambda _, counted, cached: {
            "prompt_cache_hit_tokens": sum(cached),
            "prompt_cache_miss_tokens": counted["prompt_tokens"] - sum(cached),
        }
    )


@variant("cached-by-replica")
def cached_by_replica() -> Behaviour:
    """Each of three replicas has a cache of its own, and answers every third request."""
    replicas = cycle([PrefixCache() for _ in range(3)])
    return usage(lambda request, counted: details(sum(next(replicas).hits(request, counted))))


@variant("cached-partly")
def cached_partly() -> Behaviour:
    """A cache that is often full has the whole prompt, half of it or nothing."""
    shares = cycle([1.0, 0.5, 0.0, 1.0, 1.0])
    return with_cache(
        lambda _, __, cached: details(int(next(shares) * sum(cached))), block_tokens=4
    )
