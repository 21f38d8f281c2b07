"""``usage`` in every response of a run: the counts alone, and compared with the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import join_tokens
from conformance.checks._shared.counts import assert_three_counts
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.requests import MAX_TOKENS_IN_ANY_CONTEXT
from conformance.checks.usage.directed import MAX_OVERHEAD_TOKENS, assert_text_counted, assert_total
from conformance.judgement import Failure, Feature, Judgement, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange, Violation

Prompts = tuple[Prompt, ...]
Counts = Mapping[Prompts, Mapping[int, RecordedExchange]]

MAX_SUMS = 64
"""Sums of a batch that are tried, where prompts are counted now so, now so."""


@invariant("usage.present-everywhere", requirement="usage.present", of=Feature.USAGE)
def every_response_has_usage(exchange: RecordedExchange) -> None:
    """Every non-streaming response has `usage` with three non-negative whole numbers.

    每个非流式响应都带有 `usage`，含三个非负整数。
    """
    completion = exchange.non_streaming
    if any(exchange.generated(number, choice) for number, choice in exchange.numbered):
        assert_three_counts(completion)
    else:  # without generated text, completion_tokens may be missing
        _ = completion.usage.prompt_tokens, completion.usage.total_tokens


@invariant("usage.total-everywhere", requirement="usage.total-is-sum")
def every_total_is_the_sum(exchange: RecordedExchange) -> None:
    """In every response with usage, `total_tokens` is the sum of the other two.

    凡带用量的响应，其 `total_tokens` 都是另外两项之和。
    """
    _ = exchange.usage
    assert_total(exchange.completion)


@invariant("usage.text-counted-everywhere", requirement="usage.completion-counts-text")
def text_is_counted_everywhere(exchange: RecordedExchange) -> None:
    """Every response with generated text has completion tokens.

    凡有生成文本的响应，补全 token 数都大于 0。
    """
    texts = [exchange.generated(number, choice) for number, choice in exchange.numbered]
    if not any(texts):
        raise NotApplicable(say("nothing was generated"))
    _ = exchange.usage
    assert_text_counted(exchange.completion)


@invariant(
    "usage.limit-everywhere",
    requirement="usage.completion-at-limit",
)
def every_response_at_its_limit_counts_the_limit(exchange: RecordedExchange) -> None:
    """Every response of one choice cut at the limit has `max_tokens` completion tokens.

    凡被上限截断的单 choice 响应，补全 token 数都等于 `max_tokens`。
    """
    if exchange.request.choices != 1:
        raise NotApplicable(say("the response has several choices"))
    assert_counted(exchange)


@invariant(
    "usage.choices-summed-everywhere",
    requirement="usage.completion-sums-choices",
)
def all_choices_are_counted(exchange: RecordedExchange) -> None:
    """Every response of several choices counts the tokens of all of them.

    凡有多个 choice 的响应，用量都计入全部 choice 的 token。
    """
    if exchange.request.choices == 1:
        raise NotApplicable(say("the response has one choice"))
    assert_counted(exchange)


@invariant("usage.echo-not-completion-everywhere", requirement="usage.echo-not-completion")
def no_echoed_prompt_is_counted_as_completion(exchange: RecordedExchange) -> None:
    """No response with an echoed prompt has more completion tokens than allowed.

    凡回显 prompt 的响应，补全 token 数都不多于允许的数目。

    A start token or an end token may be counted.
    """
    request = exchange.request
    if not request.echo or request.best_of != request.n:
        raise NotApplicable(say("nothing is echoed, or usage may include candidates"))
    if request.limit == 0:
        raise NotApplicable(
            say("some servers read 0 as 1 or as no limit (covered by other checks)")
        )
    allowed = (request.limit + 1) * request.choices
    expect(exchange.usage.completion_tokens, "completion_tokens").at_most(allowed)


@invariant_across("usage.prompt-alike-everywhere", requirement="usage.prompt-grows-with-text")
def the_same_prompt_has_the_same_usage(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """The same prompt has the same prompt_tokens in every non-streaming response.

    在每个非流式响应中，同一 prompt 的 prompt_tokens 都相同。
    """
    alone = _alone(exchanges)
    for exchange, prompts, counted in usage_of(exchanges):
        if exchange.response.is_stream or exchange.request.best_of > 1 or len(prompts) > 1:
            continue
        usual, before = _usual(alone[prompts])
        if usual is not exchange:
            yield exchange
        if counted != before:
            yield Violation(_usage_of(before, counted), (exchange,), (usual,))


@invariant_across("usage.prompt-once-everywhere", requirement="usage.prompt-counted-once")
def a_prompt_is_counted_once(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """In every response, prompt_tokens do not depend on the number of choices.

    在每个响应中，prompt_tokens 都不因 choice 的多少而变。
    """
    alone = _alone(exchanges)
    for exchange, prompts, counted in usage_of(exchanges):
        if exchange.request.best_of == 1 or prompts not in alone:
            continue
        yield exchange
        other, before = _usual(alone[prompts])
        # What a single choice is counted with as well does not depend on their number.
        if counted not in alone[prompts]:
            yield Violation(_usage_of(before, counted), (exchange,), (other,))


@invariant_across("usage.stream-prompt-everywhere", requirement="usage.stream-equals-plain")
def streams_count_prompts_like_non_streaming(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """In every stream, prompt_tokens are the same as in non-streaming responses.

    每个流的 prompt_tokens 都与非流式响应相同。
    """
    alone = _alone(exchanges)
    for response, prompts, counted in usage_of(exchanges):
        if not response.response.is_stream or prompts not in alone:
            continue
        yield response
        other, before = _usual(alone[prompts])
        if counted not in alone[prompts]:
            yield Violation(_usage_of(before, counted), (response,), (other,))


@invariant_across("usage.batch-sum-everywhere", requirement="usage.prompt-sums-batch")
def every_batch_counts_its_prompts(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """Every non-streaming batch counts its prompts as they count alone.

    每个非流式批次中，各 prompt 所计的 token 数都与单独发送时相同。
    """
    alone = _alone(exchanges)
    for response, prompts, counted in usage_of(exchanges):
        if len(prompts) == 1 or response.response.is_stream:
            continue
        each = [alone[(prompt,)] for prompt in prompts if (prompt,) in alone]
        if len(each) < len(prompts):
            continue
        yield response
        singles = [_usual(counts) for counts in each]
        others, known = [one for one, _ in singles], [tokens for _, tokens in singles]
        if counted not in map(sum, islice(product(*each), MAX_SUMS)):
            expected = say(
                "prompt_tokens = {count}, the prompts' own {counts} together",
                count=sum(known),
                counts=shown(known),
            )
            failure = Failure(expected, say("prompt_tokens = {counted}", counted=counted))
            yield Violation(failure, (response,), tuple(others))


@invariant_across("usage.stream-counts-everywhere", requirement="usage.stream-equals-plain")
def every_stream_has_the_non_streaming_usage(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """Every stream has the usage of the non-streaming response, if the texts are the same.

    若文本相同，则每个流的用量与同一请求的非流式响应一致。

    Both must have the same finish_reasons, too.
    """
    non_streaming: dict[object, tuple[RecordedExchange, int]] = {}
    streamed = []
    for exchange in exchanges:
        try:
            counted = exchange.usage.completion_tokens
            key = _what_came_to_what(exchange)
        except Judgement:
            continue
        if exchange.response.is_stream:
            streamed.append((exchange, key, counted))
        else:
            non_streaming.setdefault(key, (exchange, counted))
    for exchange, key, counted in streamed:
        if key not in non_streaming:
            continue
        yield exchange
        other, before = non_streaming[key]
        if counted != before:
            expected = say(
                "completion_tokens = {count}, as in the non-streaming response", count=before
            )
            seen = Failure(expected, say("completion_tokens = {counted}", counted=counted))
            yield Violation(seen, (exchange, other))


@invariant("usage.ids-counted-everywhere", requirement="usage.prompt-grows-with-text")
def every_prompt_of_ids_counts_its_ids(exchange: RecordedExchange) -> None:
    """A prompt of token ids counts as many tokens as ids, apart from a few added ones.

    凡以 token id 发送的 prompt，除接口自加的几个外，所计的 token 数都等于 id 的数目。

    Each prompt of a batch may have a start token.
    """
    prompts = exchange.request.prompts
    sizes = [len(prompt) for prompt in prompts if isinstance(prompt, tuple)]
    if len(sizes) != len(prompts) or exchange.request.has("suffix"):
        raise NotApplicable(say("the prompts are not token ids, or usage includes a suffix"))
    counted = expect(
        exchange.completion.usage.prompt_tokens,
        say("prompt_tokens of {count} ids", count=sum(sizes)),
    )
    counted.at_least(sum(sizes))
    counted.at_most(sum(sizes) + MAX_OVERHEAD_TOKENS * len(sizes))


@invariant("usage.echoed-counted-everywhere", requirement="usage.prompt-grows-with-text")
def every_echoed_prompt_counts_its_tokens(exchange: RecordedExchange) -> None:
    """A prompt echoed with log probabilities counts as many tokens as are returned.

    凡带对数概率回显的 prompt，所计的 token 数都等于返回的 token 数。

    A start token may be counted and not echoed, or vice versa.
    """
    request = exchange.request
    if (
        not request.echo
        or request.logprobs is None
        or request.choices != 1
        or request.has("suffix")
    ):
        raise NotApplicable(say("no single prompt is echoed with log probabilities"))
    only = exchange.completion.only
    tokens = [token for token in only.logprobs.tokens if isinstance(token, str)]
    generated = exchange.completion.usage.completion_tokens
    whole = only.finish_reason == "length" and generated == request.limit
    if not whole or join_tokens(tokens) != (only.text, True):
        raise NotApplicable(say("not every token of the response has its own entry"))
    expect(
        exchange.completion.usage.prompt_tokens - (len(tokens) - generated),
        say("prompt_tokens beyond those echoed"),
    ).one_of(-1, 0, 1)


def assert_counted(exchange: RecordedExchange) -> None:
    """Assert that choices cut at the limit count that many tokens, and others no more.

    The token that ended a choice may be counted.
    """
    request, choices = exchange.request, [choice for _, choice in exchange.numbered]
    limit = request.limit
    if not 1 <= limit <= MAX_TOKENS_IN_ANY_CONTEXT or request.best_of != request.n:
        raise NotApplicable(
            say("the response may not have ended at the limit, or usage may count more than it")
        )
    cut = sum(choice.finish_reason == "length" for choice in choices)
    ended = len(choices) - cut
    if exchange.usage.completion_tokens == 0:
        raise NotApplicable(say("usage is 0 (covered by another check)"))
    counted = expect(exchange.usage.completion_tokens, "completion_tokens")
    if not ended:
        counted.equals(limit * cut)
    else:
        counted.at_least(limit * cut)
        counted.at_most(limit * cut + (limit + 1) * ended)


def usage_of(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[tuple[RecordedExchange, Prompts, int]]:
    """Yield each response with its prompts and their prompt_tokens, without those with a suffix."""
    for exchange in exchanges:
        try:
            request, prompts = exchange.request, exchange.request.prompts
            counted = exchange.usage.prompt_tokens
            _ = request.best_of
        except Judgement:
            continue
        if not request.has("suffix"):
            yield exchange, prompts, counted


def _alone(exchanges: Sequence[RecordedExchange]) -> Counts:
    """The prompt_tokens of prompts with one choice, not streamed, and a response with each.

    Those of requests with the fewest parameters come first, because what a parameter adds must not
    pass for the usual; of these the most frequent ones, and then those that were first.
    """
    alone: dict[Prompts, dict[int, list[RecordedExchange]]] = {}
    for exchange, prompts, counted in usage_of(exchanges):
        if not exchange.response.is_stream and exchange.request.best_of == 1:
            alone.setdefault(prompts, {}).setdefault(counted, []).append(exchange)
    return {
        prompts: {
            counted: responses[0]
            for counted, responses in sorted(
                counts.items(), key=lambda one: (min(map(_parameters, one[1])), -len(one[1]))
            )
        }
        for prompts, counts in alone.items()
    }


def _parameters(exchange: RecordedExchange) -> tuple[int, int]:
    """Return how many parameters a request has, and of how many null is to be no value."""
    values = exchange.request.raw.values()
    return len(values), sum(value is None for value in values)


def _usual(counts: Mapping[int, RecordedExchange]) -> tuple[RecordedExchange, int]:
    counted = next(iter(counts))
    return counts[counted], counted


def _usage_of(before: int, now: int) -> Failure:
    return Failure(
        say("prompt_tokens = {count}, as for the same prompt", count=before),
        say("prompt_tokens = {now}", now=now),
    )


def _what_came_to_what(exchange: RecordedExchange) -> object:
    """The request without ``stream``, and the texts and endings of its response."""
    shapes = {"stream", "stream_options"}
    request = {name: value for name, value in exchange.request.raw.items() if name not in shapes}
    ends = [(choice.text, choice.finish_reason) for choice in exchange.completion.choices]
    return repr(sorted(request.items())), repr(ends)
