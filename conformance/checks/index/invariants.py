"""``index`` of every choice of a run: each number once, and that of its own prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.counts import choice_count
from conformance.checks._shared.greedy import greedy_in
from conformance.checks._shared.requests import choices_in_chunk
from conformance.judgement import Deviation, Judgement, NotApplicable, expect, shown
from conformance.protocol.trace import Answered, Breach

MIN_TELLING_CHARS = 8
"""Characters of an answer that two prompts do not share by chance."""


@invariant("index.each-once-everywhere", requirement="index.each-once")
def every_choice_has_its_number(answer: Answered) -> None:
    """The choices of every answer are numbered from 0, each number once.

    每个响应的 choice 从 0 起编号，每个编号恰好出现一次。
    """
    wanted, completion = answer.asked.choices, answer.completion
    if choice_count(answer) != wanted:
        raise NotApplicable("there are not as many choices as asked for, which is judged elsewhere")
    if completion.chunks:
        parts = [part for chunk in completion.chunks for part in choices_in_chunk(chunk)]
        numbers = {shown(part.get("index")) for part in parts}
        indexes = sorted(numbers, key=lambda number: (len(number), number))
    else:
        indexes = [shown(choice.raw.get("index")) for choice in completion.choices]
    expect(indexes, "indexes").equals([str(i) for i in range(wanted)])


@invariant_across(
    "index.prompt-major-everywhere",
    requirement="index.prompt-major",
    explained_by=("index.each-once",),
)
def every_choice_answers_its_own_prompt(answers: Sequence[Answered]) -> Iterator[Breach]:
    """No choice of a batch has the number of one prompt and the echo or the answer of another.

    批次中没有任何 choice 使用一个 prompt 的编号，却带着另一个的回显或响应。
    """
    greedy = greedy_in(answers)
    for answer in answers:
        echo = _echo_of_another(answer)
        if echo is not None:
            yield Breach(echo, (answer,))
    for sight in greedy.sights:
        prompts, own = sight.answer.asked.prompts, greedy.settled.get(sight.prompt)
        text = sight.text[:MIN_TELLING_CHARS]
        others = [greedy.settled.get(other) for other in prompts if other != sight.prompt]
        if own is None or sight.stops or len(text) < MIN_TELLING_CHARS or own.startswith(text):
            continue
        if any(other is not None and other.startswith(text) for other in others):
            expected = f"{sight.choice.where} to go on like {shown(own)}"
            yield Breach(Deviation(expected, shown(sight.text)), (sight.answer,))


def _echo_of_another(answer: Answered) -> Deviation | None:
    """Find a choice that echoes another prompt of its batch than its own."""
    try:
        asked = answer.asked
        prompts = asked.prompts if asked.echo else ()
        numbered = answer.numbered
    except Judgement:
        return None
    for number, choice in numbered if len(prompts) > 1 else ():
        own, text = prompts[number], choice.raw.get("text")
        if not isinstance(own, str) or not isinstance(text, str) or text.startswith(own):
            continue
        if any(isinstance(other, str) and text.startswith(other) for other in prompts if other):
            return Deviation(f"{choice.where}.text to start with {shown(own)}", shown(text))
    return None
