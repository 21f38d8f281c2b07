"""``max_tokens`` in every answer of a run: what it cuts has as many tokens as it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conformance.answered import Answered, Breach
from conformance.asked import Prompt
from conformance.checks import invariant_across
from conformance.checks._characters import join_tokens, solid
from conformance.checks._greedy import PROMPTS, Greedy, Sight, greedy_in
from conformance.checks._tokens import readable_tokens
from conformance.checks.usage_everywhere import LONGEST
from conformance.judgement import Deviation, Judgement, shown


@invariant_across("max-tokens.text-everywhere", requirement="max-tokens.limits-answer")
def every_text_is_cut_after_the_tokens_allowed(answers: Sequence[Answered]) -> Iterator[Breach]:
    """No greedy choice that its limit cut has more or fewer tokens than that, by its own text.

    被上限截断的贪心 choice，就其文本而言，token 数不会多于或少于该上限。

    Which tokens make up a text is read from an answer that lists and bills as many.
    """
    greedy = greedy_in(answers)
    spelled = spellings(greedy)
    wrong = [
        (sight, known)
        for sight in greedy.sights
        if (known := spelled.get(sight.prompt))
        and is_miscounted(sight, readable_tokens(known.choice))
    ]
    if len({sight.prompt for sight, _ in wrong}) < PROMPTS:
        return
    for sight, known in wrong:
        expected = f"{sight.limit} tokens in {sight.choice.where}.text"
        deviation = Deviation(expected, f"{shown(sight.text)}, which has more or fewer")
        yield Breach(deviation, (sight.answer, known.answer))


def spellings(greedy: Greedy) -> Mapping[Prompt, Sight]:
    """Find for each prompt the choice that lists the most tokens of what is said to it."""
    found: dict[Prompt, Sight] = {}
    for sight in greedy.sights:
        best = found.get(sight.prompt)
        if _spells(sight, greedy.settled.get(sight.prompt, "")) and (
            best is None or len(sight.text) > len(best.text)
        ):
            found[sight.prompt] = sight
    return found


def is_miscounted(sight: Sight, tokens: Sequence[str]) -> bool:
    """Tell whether a text that its limit cut has more or fewer tokens, by those that make it up.

    What ends within a character may be any number of them, and an empty text none or several.
    """
    text, limit = sight.text, sight.limit
    cut = sight.choice.finish_reason == "length" and not sight.stops
    if not cut or not text or text != solid(text) or not 1 <= limit <= LONGEST:
        return False
    ends = [join_tokens(tokens[:count])[0] for count in range(1, len(tokens) + 1)]
    if limit > len(ends):
        return text in ends
    right = solid(ends[limit - 1])
    return text != right and (text in ends or (right != "" and text.startswith(right)))


def _spells(sight: Sight, settled: str) -> bool:
    """Tell whether a choice lists the tokens of a text that others agree with, one by one."""
    asked = sight.answer.asked
    if asked.echo or asked.stops or asked.choices != 1 or asked.best_of != 1:
        return False
    try:
        tokens = readable_tokens(sight.choice)
        billed = sight.answer.bill.completion_tokens
    except Judgement:
        return False
    joined, known = join_tokens(tokens)
    agreed = bool(joined) and settled.startswith(solid(joined))
    return known and joined == sight.text and len(tokens) == billed and agreed
