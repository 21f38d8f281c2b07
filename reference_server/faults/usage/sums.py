"""Faults of ``usage``: missing fields and wrong sums."""

from reference_server.behaviour.builders import bodies, chunks, fields, omits, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._usage import IN_USAGE, added_up

PRESENT = "usage.present stream-options.include-usage usage.stream-equals-plain"
"""Requirements that missing usage breaks; in a stream, usage is a chunk of its own."""


@fault("usage-missing", breaks=PRESENT, evidence=Evidence.REPORTED, triggers=IN_USAGE)
def usage_missing() -> Behaviour:
    """There is no ``usage``."""
    return omits("usage")


@fault("usage-null", breaks=PRESENT, triggers=IN_USAGE)
def usage_null() -> Behaviour:
    """``usage`` is null."""
    return fields(usage=None)


@fault("usage-without-completion", breaks=f"{PRESENT} usage.total-is-sum", triggers=IN_USAGE)
def usage_without_completion() -> Behaviour:
    """``usage`` has no ``completion_tokens``."""

    def of(_: Body, whole: Body) -> Body:
        usage = whole.get("usage")
        if not usage:
            return whole
        return {**whole, "usage": {k: v for k, v in usage.items() if k != "completion_tokens"}}

    return bodies(of)


@fault("usage-named-otherwise", breaks=PRESENT, evidence=Evidence.SOURCE, triggers=IN_USAGE)
def usage_named_otherwise() -> Behaviour:
    """The counts have the names of another API: ``input_tokens`` and ``output_tokens``."""

    def of(_: Body, whole: Body) -> Body:
        usage = whole.get("usage")
        if not usage:
            return whole
        counts = (usage["prompt_tokens"], usage["completion_tokens"])
        return {**whole, "usage": dict(zip(("input_tokens", "output_tokens"), counts, strict=True))}

    return bodies(of)


@fault("usage-strings", breaks=PRESENT, triggers=IN_USAGE)
def usage_strings() -> Behaviour:
    """The counts are strings."""
    return usage(lambda _, stated_usage: {name: str(count) for name, count in stated_usage.items()})


@fault("usage-floats", breaks=PRESENT, triggers=IN_USAGE)
def usage_floats() -> Behaviour:
    """The counts are written as decimals: 12.0."""
    return usage(
        lambda _, stated_usage: {name: float(count) for name, count in stated_usage.items()}
    )


@fault("usage-negative", breaks=PRESENT, triggers=IN_USAGE)
def usage_negative() -> Behaviour:
    """The counts are negative, as in a balance."""
    return usage(lambda _, stated_usage: {name: -1 - count for name, count in stated_usage.items()})


@fault(
    "usage-zero",
    breaks="usage.completion-counts-text",
    also_breaks="usage.prompt-grows-with-text",
    evidence=Evidence.REPORTED,
    triggers=IN_USAGE,
)
def usage_zero() -> Behaviour:
    """All three counts are 0."""
    return usage(lambda _, stated_usage: dict.fromkeys(stated_usage, 0))


@fault("total-mismatch", breaks="usage.total-is-sum", evidence=Evidence.REPORTED, triggers=IN_USAGE)
def total_mismatch() -> Behaviour:
    """``total_tokens`` is too high by three."""
    return usage(lambda _, stated_usage: {"total_tokens": stated_usage["total_tokens"] + 3})


@fault("total-of-completion", breaks="usage.total-is-sum", triggers=IN_USAGE)
def total_of_completion() -> Behaviour:
    """``total_tokens`` equals ``completion_tokens``."""
    return usage(lambda _, stated_usage: {"total_tokens": stated_usage["completion_tokens"]})


@fault("total-zero", breaks="usage.total-is-sum", triggers=IN_USAGE)
def total_zero() -> Behaviour:
    """``total_tokens`` is 0."""
    return usage(lambda *_: {"total_tokens": 0})


@fault(
    "usage-of-batch-unsummed",
    breaks="usage.completion-sums-choices usage.prompt-sums-batch",
    also_breaks="usage.prompt-grows-with-text",
    triggers=IN_USAGE,
)
def usage_of_batch_unsummed() -> Behaviour:
    """With several prompts or choices, ``usage`` counts only one of them."""

    def of(request: Body, stated_usage: Body) -> Body:
        prompt = request.get("prompt")
        batch = isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)
        size = len(prompt) if batch and isinstance(prompt, list) else 1
        choices = size * (request.get("n") or 1)
        return added_up(
            stated_usage,
            prompt_tokens=stated_usage["prompt_tokens"] // size,
            completion_tokens=stated_usage["completion_tokens"] // choices,
        )

    return usage(of)


@fault(
    "stream-total-missing",
    breaks="stream-options.include-usage usage.total-is-sum usage.stream-equals-plain",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stream_total_missing() -> Behaviour:
    """``usage`` of a stream has no ``total_tokens``.

    Reported for FastDeploy: https://github.com/PaddlePaddle/FastDeploy/pull/3247
    """

    def of(_: Body, sent: list[Body]) -> list[Body]:
        return [
            {**c, "usage": {k: v for k, v in c["usage"].items() if k != "total_tokens"}}
            if c.get("usage")
            else c
            for c in sent
        ]

    return chunks(of)
