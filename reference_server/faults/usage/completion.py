"""Faults of ``usage``: a wrong count of completion tokens."""

import math
from collections.abc import Callable

from reference_server.behaviour.builders import chunks, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._usage import IN_USAGE, added_up, by_length, by_words


@fault(
    "usage-completion-zero",
    breaks="usage.completion-counts-text",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE,
)
def usage_completion_zero() -> Behaviour:
    """``completion_tokens`` is 0 although there is text."""
    return usage(lambda _, stated_usage: added_up(stated_usage, completion_tokens=0))


@fault(
    "usage-foreign-tokenizer",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE,
)
def usage_foreign_tokenizer() -> Behaviour:
    """Completions are counted with another model's tokenizer."""
    return _counted_anew(by_words)


@fault(
    "usage-by-length",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE,
)
def usage_by_length() -> Behaviour:
    """Completions count as a quarter of their characters."""
    return _counted_anew(by_length)


@fault(
    "completion-one-more",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    triggers=IN_USAGE,
)
def completion_one_more() -> Behaviour:
    """``completion_tokens`` is too high by one."""
    return usage(
        lambda _, stated_usage: _completion(stated_usage, stated_usage["completion_tokens"] + 1)
    )


@fault(
    "completion-one-less",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    triggers=IN_USAGE,
)
def completion_one_less() -> Behaviour:
    """``completion_tokens`` is too low by one."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, max(0, stated_usage["completion_tokens"] - 1)
        )
    )


@fault(
    "completion-one-less-at-limit",
    breaks="usage.completion-at-limit usage.completion-sums-choices",
    also_breaks="usage.completion-counts-text",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def completion_one_less_at_limit() -> Behaviour:
    """At the limit, ``completion_tokens`` is too low by one: 0 with ``max_tokens: 1``.

    Reported of a chat endpoint, for LM Studio:
    https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2335
    """

    def of(request: Body, stated_usage: Body) -> Body:
        limit, count = request.get("max_tokens", 16), stated_usage["completion_tokens"]
        at_limit = isinstance(limit, int) and limit > 0 and count and count % limit == 0
        return _completion(stated_usage, count - 1) if at_limit else {}

    return usage(of)


@fault(
    "completion-rounded-up",
    breaks="usage.completion-at-limit",
    triggers=IN_USAGE - {Trigger.STREAM, Trigger.BATCH, Trigger.NON_ASCII, Trigger.ECHO},
)
def completion_rounded_up() -> Behaviour:
    """``completion_tokens`` is rounded up to blocks of eight tokens."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, 8 * math.ceil(stated_usage["completion_tokens"] / 8)
        )
    )


@fault(
    "completion-multiplied",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    triggers=IN_USAGE,
)
def completion_multiplied() -> Behaviour:
    """``completion_tokens`` is too high by a fifth."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, math.ceil(1.2 * stated_usage["completion_tokens"])
        )
    )


@fault(
    "completion-is-the-limit",
    breaks="usage.completion-at-limit usage.echo-not-completion max-tokens.zero-with-echo",
    triggers={Trigger.NON_STREAMING, Trigger.ECHO, Trigger.EVERY_THIRD},
)
def completion_is_the_limit() -> Behaviour:
    """A completion counts as at least 64 tokens."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, max(64, stated_usage["completion_tokens"])
        )
    )


@fault(
    "n-undercounted",
    breaks="usage.completion-sums-choices",
    evidence=Evidence.REPORTED,
    triggers=IN_USAGE,
)
def n_undercounted() -> Behaviour:
    """Only the first of several choices is counted."""

    def of(request: Body, stated_usage: Body) -> Body:
        limit = request.get("max_tokens", 16)
        return _completion(stated_usage, min(limit, stated_usage["completion_tokens"]))

    return usage(of)


@fault(
    "echo-billed",
    breaks="usage.echo-not-completion",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE - {Trigger.ECHO},
)
def echo_billed() -> Behaviour:
    """An echoed prompt is counted in ``completion_tokens``, too."""

    def of(request: Body, stated_usage: Body) -> Body:
        if request.get("echo") is not True:
            return {}
        return _completion(
            stated_usage, stated_usage["completion_tokens"] + stated_usage["prompt_tokens"]
        )

    return usage(of)


@fault(
    "echo-billed-as-completion",
    breaks="usage.echo-not-completion usage.prompt-grows-with-text",
    also_breaks="usage.prompt-sums-batch",
    triggers=IN_USAGE - {Trigger.ECHO},
)
def echo_billed_as_completion() -> Behaviour:
    """An echoed prompt is counted in ``completion_tokens`` instead of ``prompt_tokens``."""

    def of(request: Body, stated_usage: Body) -> Body:
        if request.get("echo") is not True:
            return {}
        return {"prompt_tokens": 0, "completion_tokens": stated_usage["total_tokens"]}

    return usage(of)


@fault(
    "stream-billed-by-chunk",
    breaks="usage.stream-equals-plain usage.completion-at-limit",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def stream_billed_by_chunk() -> Behaviour:
    """Usage of a stream counts its chunks, including the one with the usage."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        return [
            {**c, "usage": {**c["usage"], **_completion(c["usage"], len(sent))}}
            if c.get("usage")
            else c
            for c in sent
        ]

    return chunks(of)


@fault(
    "stream-billed-without-prompt",
    breaks="usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    triggers=IN_USAGE - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def stream_billed_without_prompt() -> Behaviour:
    """Usage of a stream does not count the prompt."""
    return Rewrite(
        chunks=usage(lambda _, stated_usage: added_up(stated_usage, prompt_tokens=0)).chunks
    )


def _completion(usage: Body, count: int) -> Body:
    return added_up(usage, completion_tokens=count)


def _counted_anew(count: Callable[[str], int]) -> Rewrite:
    """Count the text of each choice, of non-streaming responses and of streams."""

    def non_streaming(_: Body, response: Body) -> Body:
        counted = sum(count(choice["text"]) for choice in response["choices"])
        return {
            **response,
            "usage": {**response["usage"], **_completion(response["usage"], counted)},
        }

    def streamed(_: Body, sent: list[Body]) -> list[Body]:
        whole: dict[int, str] = {}
        for part in (part for chunk in sent for part in chunk["choices"]):
            whole[part["index"]] = whole.get(part["index"], "") + part["text"]
        counted = sum(map(count, whole.values()))
        return [
            {**c, "usage": {**c["usage"], **_completion(c["usage"], counted)}}
            if c.get("usage")
            else c
            for c in sent
        ]

    return Rewrite(non_streaming=non_streaming, chunks=streamed)
