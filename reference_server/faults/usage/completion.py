"""Faults of the bill: completion tokens that were never generated, or are left out."""

import math
from collections.abc import Callable

from reference_server.behaviour.builders import chunks, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._bill import IN_USAGE, added_up, by_length, by_words


@fault(
    "usage-completion-zero",
    breaks="usage.completion-counts-text",
    evidence=Evidence.SOURCE,
    modifiers=IN_USAGE,
)
def usage_completion_zero() -> Behaviour:
    """``completion_tokens`` is 0 beside text."""
    return usage(lambda _, stated_usage: added_up(stated_usage, completion_tokens=0))


@fault(
    "usage-foreign-tokenizer",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    modifiers=IN_USAGE,
)
def usage_foreign_tokenizer() -> Behaviour:
    """The completion is counted anew, by another model's tokens."""
    return _counted_anew(by_words)


@fault(
    "usage-by-length",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    modifiers=IN_USAGE,
)
def usage_by_length() -> Behaviour:
    """The completion is counted as a quarter of its characters."""
    return _counted_anew(by_length)


@fault(
    "completion-one-more",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    modifiers=IN_USAGE,
)
def completion_one_more() -> Behaviour:
    """Every completion is billed with a token more than was generated."""
    return usage(
        lambda _, stated_usage: _completion(stated_usage, stated_usage["completion_tokens"] + 1)
    )


@fault(
    "completion-one-less",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    modifiers=IN_USAGE,
)
def completion_one_less() -> Behaviour:
    """The first token is not on the bill, or the last."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, max(0, stated_usage["completion_tokens"] - 1)
        )
    )


@fault(
    "completion-rounded-up",
    breaks="usage.completion-at-limit",
    modifiers=IN_USAGE - {Modifier.STREAM, Modifier.BATCH, Modifier.NON_ASCII, Modifier.ECHO},
)
def completion_rounded_up() -> Behaviour:
    """Completions are billed by the block of eight tokens."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, 8 * math.ceil(stated_usage["completion_tokens"] / 8)
        )
    )


@fault(
    "completion-multiplied",
    breaks="usage.completion-at-limit usage.completion-sums-choices usage.stream-equals-plain",
    modifiers=IN_USAGE,
)
def completion_multiplied() -> Behaviour:
    """Completions are billed with a fifth on top."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, math.ceil(1.2 * stated_usage["completion_tokens"])
        )
    )


@fault(
    "completion-is-the-limit",
    breaks="usage.completion-at-limit usage.echo-not-completion max-tokens.zero-with-echo",
    modifiers={Modifier.NON_STREAMING, Modifier.ECHO, Modifier.EVERY_THIRD},
)
def completion_is_the_limit() -> Behaviour:
    """An answer costs at least 64 tokens, however short it is."""
    return usage(
        lambda _, stated_usage: _completion(
            stated_usage, max(64, stated_usage["completion_tokens"])
        )
    )


@fault(
    "n-undercounted",
    breaks="usage.completion-sums-choices",
    evidence=Evidence.REPORTED,
    modifiers=IN_USAGE,
)
def n_undercounted() -> Behaviour:
    """Of several choices only the first is billed."""

    def of(request: Body, stated_usage: Body) -> Body:
        limit = request.get("max_tokens", 16)
        return _completion(stated_usage, min(limit, stated_usage["completion_tokens"]))

    return usage(of)


@fault(
    "echo-billed",
    breaks="usage.echo-not-completion",
    evidence=Evidence.SOURCE,
    modifiers=IN_USAGE - {Modifier.ECHO},
)
def echo_billed() -> Behaviour:
    """An echoed prompt is billed as completion as well."""

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
    modifiers=IN_USAGE - {Modifier.ECHO},
)
def echo_billed_as_completion() -> Behaviour:
    """An echoed prompt is billed as completion instead of as prompt."""

    def of(request: Body, stated_usage: Body) -> Body:
        if request.get("echo") is not True:
            return {}
        return {"prompt_tokens": 0, "completion_tokens": stated_usage["total_tokens"]}

    return usage(of)


@fault(
    "stream-billed-by-chunk",
    breaks="usage.stream-equals-plain usage.completion-at-limit",
    evidence=Evidence.SOURCE,
    modifiers=IN_USAGE - {Modifier.STREAM, Modifier.NON_STREAMING},
)
def stream_billed_by_chunk() -> Behaviour:
    """A stream is billed with its chunks, the one with the bill among them."""

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
    modifiers=IN_USAGE - {Modifier.STREAM, Modifier.NON_STREAMING},
)
def stream_billed_without_prompt() -> Behaviour:
    """A stream is billed without its prompt."""
    return Rewrite(
        chunks=usage(lambda _, stated_usage: added_up(stated_usage, prompt_tokens=0)).chunks
    )


def _completion(usage: Body, count: int) -> Body:
    return added_up(usage, completion_tokens=count)


def _counted_anew(count: Callable[[str], int]) -> Rewrite:
    """Count the text of each choice, of plain answers and of streams."""

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
