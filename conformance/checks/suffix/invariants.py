"""``suffix`` in every response of a run: it is used, and not returned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.greedy import OTHER_STEERING
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.token_scores import Scored, scores_of, tokens_of
from conformance.checks.suffix.directed import CHINESE_SUFFIX, LONG_SUFFIX
from conformance.judgement import Failure, Judgement, NotApplicable, shown
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange, Violation

MIN_EQUAL_SCORES = 3
"""Minimum equal scores that practically never agree to the last digit by chance."""

MAX_TELLING_LOGPROB = -0.05
"""A log probability below this depends on the model's input; 0 is the same for any text."""


@invariant("suffix.not-appended-everywhere", requirement="suffix.not-appended")
def no_suffix_is_returned_anywhere(exchange: RecordedExchange) -> None:
    """No insertion ends with its suffix, streaming or not.

    任何响应，无论流式与否，插入的文本都不以其 suffix 结尾。

    Only for a suffix that is longer than any insertion: a short one can occur by chance.
    """
    suffix = exchange.request.raw.get("suffix")
    if suffix not in (LONG_SUFFIX, CHINESE_SUFFIX):
        raise NotApplicable(say("the request has no suffix that is long enough to judge"))

    def assert_inserted(choice: Choice) -> None:
        if choice.text.rstrip().endswith(suffix.strip()):
            raise Failure(
                say("text without {suffix} at its end", suffix=shown(suffix)), shown(choice.text)
            )

    assert_each(exchange.completion.choices, assert_inserted)


@invariant_across("suffix.conditions-everywhere", requirement="suffix.conditions-insertion")
def every_suffix_changes_the_scores(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """With a suffix, the log probabilities of a greedy text differ from those without it.

    贪心插入的得分，不会与同一 prompt 未设置 suffix 时续写的得分完全相同。
    """
    non_streaming: dict[Prompt, list[tuple[RecordedExchange, Scored]]] = defaultdict(list)
    inserted: list[tuple[RecordedExchange, Prompt, Scored]] = []
    for exchange in exchanges:
        for prompt, scored in _scored(exchange):
            if exchange.request.raw.get("suffix"):
                inserted.append((exchange, prompt, scored))
            else:
                non_streaming[prompt].append((exchange, scored))
    for exchange, prompt, scored in inserted:
        if non_streaming[prompt]:
            yield exchange
        for other, continued in non_streaming[prompt]:
            if _are_one(scored, continued):
                yield Violation(
                    Failure(say("scores that differ from those without `suffix`"), shown(scored)),
                    (exchange, other),
                )
                break


def _scored(exchange: RecordedExchange) -> list[tuple[Prompt, Scored]]:
    """Return the prompts and token scores of a greedy response; empty if they cannot be read."""
    try:
        request = exchange.request
        if not request.is_greedy or request.echo or request.has(*OTHER_STEERING):
            return []
        return [
            (request.prompts[number], list(zip(tokens_of(choice), scores_of(choice), strict=False)))
            for number, choice in exchange.numbered
            if choice.has_logprobs
        ]
    except Judgement:
        return []


def _are_one(inserted: Scored, continued: Scored) -> bool:
    """Return whether two lists of scores agree exactly, as far as both go."""
    both = list(zip(inserted, continued, strict=False))
    unsure = sum(score is not None and score < MAX_TELLING_LOGPROB for (_, score), _ in both)
    return unsure >= MIN_EQUAL_SCORES and all(one == other for one, other in both)
