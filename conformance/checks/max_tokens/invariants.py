"""``max_tokens`` in every response of a run: choices cut at the limit have that many tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import ends_of, join_tokens, solid
from conformance.checks._shared.greedy import MIN_PROMPTS, Greedy, Sight, greedy_in
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.readable_tokens import readable_tokens, scored_choices
from conformance.checks._shared.requests import MAX_TOKENS_IN_ANY_CONTEXT
from conformance.judgement import Failure, Judgement, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange, Violation


@invariant(
    "max-tokens.entries-everywhere",
    requirement="max-tokens.limits-answer",
)
def no_choice_has_more_entries_than_tokens_allowed(exchange: RecordedExchange) -> None:
    """No choice lists more tokens than `max_tokens`, apart from an end token.

    除结束 token 外，任何 choice 列出的 token 都不多于 `max_tokens`。
    """
    limit = exchange.request.limit
    if exchange.request.echo:
        raise NotApplicable(say("the prompt also has entries"))

    def judge(choice: Choice) -> None:
        name = say("number of {choice}'s tokens", choice=choice.where)
        expect(len(readable_tokens(choice)), name).at_most(limit + 1)

    assert_each(scored_choices(exchange), judge)


@invariant_across("max-tokens.text-everywhere", requirement="max-tokens.limits-answer")
def every_text_is_cut_after_the_tokens_allowed(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """The text of every greedy choice cut at the limit has exactly that many tokens.

    每个被上限截断的贪心 choice，其文本的 token 数恰好等于该上限。

    The tokens of a text are taken from a response that lists and counts the same number.
    """
    greedy = greedy_in(exchanges)
    spelled = spellings(greedy)
    cut = [
        (sight, known)
        for sight in greedy.sights
        if _is_cut(sight) and (known := spelled.get(sight.prompt))
    ]
    yield from (sight.exchange for sight, _ in cut)
    wrong = [
        (sight, known)
        for sight, known in cut
        if is_miscounted(sight, readable_tokens(known.choice))
    ]
    if len({sight.prompt for sight, _ in wrong}) < MIN_PROMPTS:
        return
    for sight, known in wrong:
        expected = say(
            "{limit} tokens in {where}.text", limit=sight.limit, where=sight.choice.where
        )
        failure = Failure(expected, say("{text}, which has more or fewer", text=shown(sight.text)))
        yield Violation(failure, (sight.exchange, known.exchange))


def spellings(greedy: Greedy) -> Mapping[Prompt, Sight]:
    """Return for each prompt the choice with the most tokens of its greedy text."""
    found: dict[Prompt, Sight] = {}
    for sight in greedy.sights:
        best = found.get(sight.prompt)
        if _spells(sight, greedy.settled.get(sight.prompt, "")) and (
            best is None or len(sight.text) > len(best.text)
        ):
            found[sight.prompt] = sight
    return found


def is_miscounted(sight: Sight, tokens: Sequence[str]) -> bool:
    """Return whether a text cut at its limit has more or fewer tokens than the limit.

    A text that ends within a character, or an empty one, may have any number of tokens.
    """
    text, limit = sight.text, sight.limit
    if (
        not _is_cut(sight)
        or not text
        or text != solid(text)
        or not 1 <= limit <= MAX_TOKENS_IN_ANY_CONTEXT
    ):
        return False
    raw, ends = ends_of(tokens)
    written = text.encode("utf-8", errors="surrogatepass")
    ends_there = raw.startswith(written) and len(written) in ends
    if limit > len(ends):
        return ends_there
    right = solid(raw[: ends[limit - 1]].decode("utf-8", errors="replace"))
    return text != right and (ends_there or (right != "" and text.startswith(right)))


def _is_cut(sight: Sight) -> bool:
    """Return whether the limit ended the text."""
    return sight.choice.finish_reason == "length" and not sight.stops


def _spells(sight: Sight, settled: str) -> bool:
    """Return whether a choice lists each token of its greedy text separately."""
    request = sight.exchange.request
    if request.echo or request.stops or request.choices != 1 or request.best_of != 1:
        return False
    try:
        tokens = readable_tokens(sight.choice)
        counted = sight.exchange.usage.completion_tokens
    except Judgement:
        return False
    joined, known = join_tokens(tokens)
    agreed = bool(joined) and settled.startswith(solid(joined))
    return known and joined == sight.text and len(tokens) == counted and agreed
