"""``echo`` in every response of a run: the prompt if it was requested, once, and not otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import join_tokens, solid
from conformance.checks._shared.greedy import greedy_in
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.readable_tokens import (
    readable_positions,
    readable_tokens,
    scored_choices,
)
from conformance.checks._shared.requests import assert_echoed
from conformance.judgement import Failure, Feature, Missing, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.request import CompletionRequest
from conformance.protocol.trace import RecordedExchange, Violation

MIN_TELLING_CHARS = 4
"""Characters of a completion that do not recur by chance."""


@invariant(
    "echo-logprobs.covers-everywhere",
    requirement="echo.logprobs-cover-prompt",
    of=Feature.SCORES_OF_PROMPT,
)
def every_echoed_prompt_is_scored(exchange: RecordedExchange) -> None:
    """With `echo` and log probabilities, the prompt's tokens come first, each with a score.

    同时使用 `echo` 与对数概率时，prompt 的 token 都排在最前，且每个都有得分。
    """
    request = exchange.request
    if not request.echo or not request.logprobs:
        raise NotApplicable(say("no prompt scores were requested"))
    for number, choice in exchange.numbered:
        prompt = request.prompts[number]
        if isinstance(prompt, str) and prompt and choice.text.startswith(prompt):
            assert_prompt_scored(choice, prompt)


@invariant("echo-logprobs.first-null-everywhere", requirement="echo.first-token-null")
def no_first_token_is_scored(exchange: RecordedExchange) -> None:
    """The first entry of every echoed prompt is null, since no token precedes it.

    每个回显的 prompt 的第一个条目都为 null，因为该 token 之前没有内容。
    """
    if not exchange.request.echo:
        raise NotApplicable(say("no prompt scores were requested"))

    def judge(choice: Choice) -> None:
        first = readable_positions(choice)[0]
        if not choice.text.startswith(first.token):
            raise NotApplicable(say("the first entry is not a token of the text"))
        expect(first.logprob, say("token_logprobs at the first token")).equals(None)
        expect(first.top, say("top_logprobs at the first token")).equals(None)

    assert_each(scored_choices(exchange), judge)


@invariant(
    "echo.prompt-first-everywhere", requirement="echo.prompt-then-completion", of=Feature.ECHO
)
def every_non_streaming_echo_comes_first(exchange: RecordedExchange) -> None:
    """Every non-streaming response with `echo` and one prompt begins with that prompt.

    每个对单个 prompt 的带 `echo` 的非流式响应都以该 prompt 开头。
    """
    if len(echoing(exchange).prompts) > 1 or exchange.response.is_stream:
        raise NotApplicable(say("the response is a stream, or for several prompts"))
    assert_each_echoed(exchange)


@invariant("echo.own-prompt-everywhere", requirement="echo.own-prompt-in-batch", of=Feature.ECHO)
def every_choice_of_a_batch_echoes_its_prompt(exchange: RecordedExchange) -> None:
    """Every choice of every batch with `echo` begins with its own prompt.

    每个带 `echo` 的批次中，每个 choice 都以自己的 prompt 开头。
    """
    if len(echoing(exchange).prompts) == 1:
        raise NotApplicable(say("the request is not a batch"))
    assert_each_echoed(exchange)


@invariant("echo.zero-everywhere", requirement="echo.zero-tokens-scores-prompt", of=Feature.ECHO)
def nothing_follows_the_echo_of_zero_tokens(exchange: RecordedExchange) -> None:
    """With `echo` and `max_tokens: 0`, no response has text after its prompt.

    带 `echo` 且 `max_tokens: 0` 的响应，在其 prompt 之后没有任何内容。
    """
    if echoing(exchange).max_tokens != 0:
        raise NotApplicable(say("completion tokens were requested"))
    for number, choice in exchange.numbered:
        added = exchange.generated(number, choice)
        if added:
            raise Failure(say("only the prompt in {where}.text", where=choice.where), shown(added))


@invariant("echo.streamed-everywhere", requirement="streaming.echo-once", of=Feature.ECHO)
def every_stream_echoes_its_prompt(exchange: RecordedExchange) -> None:
    """Every choice of every stream with `echo` begins with its prompt.

    每个带 `echo` 的流中，每个 choice 都以其 prompt 开头。
    """
    _ = echoing(exchange)
    if not exchange.response.is_stream:
        raise NotApplicable(say("the response is not a stream"))
    assert_each_echoed(exchange)


@invariant_across("echo.once-everywhere", requirement="streaming.echo-once")
def no_stream_echoes_twice(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """No greedy stream with `echo` has its prompt twice, unless other responses repeat it, too.

    带 `echo` 的贪心流中，prompt 不会出现两次，除非其他响应也重复了它。
    """
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt)
        if usual is None or not isinstance(sight.prompt, str) or not sight.prompt:
            continue
        if not (sight.in_stream and sight.echoes):
            continue
        yield sight.exchange
        if sight.text.startswith(sight.prompt) and not choice_count(usual, sight.prompt):
            expected = say("the prompt once, then {text}", text=shown(usual))
            yield Violation(Failure(expected, shown(sight.choice.text)), (sight.exchange,))


@invariant_across("echo.unasked-everywhere", requirement="echo.off-by-default")
def no_response_echoes_by_default(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No greedy response without `echo` is its prompt followed by the text of other responses.

    未设置 `echo` 的贪心响应，不会由 prompt 加上其他响应的文本组成。
    """
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt)
        if usual is None or sight.echoes or not isinstance(sight.prompt, str) or not sight.prompt:
            continue
        yield sight.exchange
        follows = sight.text.startswith(sight.prompt + usual[:MIN_TELLING_CHARS])
        if follows and len(usual) >= MIN_TELLING_CHARS and not choice_count(usual, sight.prompt):
            expected = say("only the completion, {text}", text=shown(usual))
            yield Violation(Failure(expected, shown(sight.text)), (sight.exchange,))


@invariant("echo.unasked-tokens-everywhere", requirement="echo.off-by-default")
def no_prompt_tokens_by_default(exchange: RecordedExchange) -> None:
    """No choice without `echo` begins with its prompt and lists more tokens than `max_tokens`.

    未设置 `echo` 时，不会有 choice 以其 prompt 开头且列出的 token 多于 `max_tokens`。
    """
    request = exchange.request
    if request.echo:
        raise NotApplicable(say("echo was requested"))
    scored = scored_choices(exchange)
    for number, choice in exchange.numbered:
        prompt = request.prompts[number]
        repeats = isinstance(prompt, str) and prompt != "" and choice.text.startswith(prompt)
        # A model may repeat the prompt, but not generate more tokens than requested.
        if repeats and choice in scored and len(readable_tokens(choice)) > request.limit + 1:
            raise Failure(
                say("only the completion in {where}.text", where=choice.where), shown(choice.text)
            )


def assert_prompt_scored(choice: Choice, prompt: str) -> None:
    """Assert that entries begin with those of a prompt, after a start token, and have scores."""
    tokens = choice.logprobs.raw.get("tokens")
    tokens = readable_tokens(choice) if tokens else []
    joins = [join_tokens(tokens[skipped:]) for skipped in (0, 1)]
    for joined, _ in joins:
        # Some tokenizers put a space before the text.
        if joined.removeprefix(" ").startswith(prompt.removeprefix(" ")):
            scores = [position.logprob for position in readable_positions(choice)]
            whole = _tokens_of_prompt(tokens, prompt)
            unscored = scores[1:whole].count(None)
            expect(unscored, say("prompt tokens without a score, after the first")).equals(0)
            return
    for joined, known in joins:
        if not known and prompt.removeprefix(" ").startswith(solid(joined).removeprefix(" ")):
            raise NotApplicable(
                say("partial characters are written as U+FFFD and cannot be joined")
            )
    expected = say("the tokens of the prompt {prompt} first", prompt=shown(prompt))
    raise Missing(Feature.SCORES_OF_PROMPT, expected, shown(tokens))


def _tokens_of_prompt(tokens: list[str], prompt: str) -> int:
    """Count the tokens at the beginning that certainly belong to the prompt."""
    length, number = 0, 0
    for token in tokens:
        length += len(token)
        if length > len(prompt):
            break
        number += 1
    return number


def echoing(exchange: RecordedExchange) -> CompletionRequest:
    """Return a request with ``echo`` and text prompts."""
    request = exchange.request
    if not request.echo or not all(isinstance(prompt, str) for prompt in request.prompts):
        raise NotApplicable(say("no echo of a text was requested"))
    _ = exchange.completion
    return request


def assert_each_echoed(exchange: RecordedExchange) -> None:
    """Assert that every choice begins with the prompt that its index belongs to.

    A choice that begins with another prompt of the batch has the wrong index; another check judges
    that.
    """
    prompts = [str(prompt) for prompt in exchange.request.prompts]
    for number, choice in exchange.numbered:
        others = [prompt for prompt in prompts if prompt and prompt != prompts[number]]
        if not any(choice.text.startswith(other) for other in others):
            assert_echoed(choice.text, prompts[number])


def choice_count(text: str, prompt: str) -> bool:
    """Return whether a text contains its prompt again, as some models repeat it."""
    return prompt[: 2 * MIN_TELLING_CHARS] in text
