"""The choices of every answer of a run: as many as asked for, each with its number and its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.answered import Answered, Breach
from conformance.checks import invariant, invariant_across
from conformance.checks._asking import parts_of
from conformance.checks._greedy import greedy_in
from conformance.judgement import Absence, Deviation, Judgement, NotApplicable, Thing, expect, shown
from conformance.model import Effect

TELLING = 8
"""Characters of an answer that two prompts do not share by chance."""


@invariant("envelope.choices-everywhere", requirement="envelope.choices", of=Thing.CHOICES)
def every_answer_has_its_one_choice(answer: Answered) -> None:
    """Every answer to a request for one choice has one.

    每个只要求一个 choice 的请求，其响应都只有一个 choice。
    """
    if answer.asked.choices != 1:
        raise NotApplicable("several choices were asked for")
    hold_count(answer, Thing.CHOICES)


@invariant("n.choices-everywhere", requirement="n.count", of=Thing.COPIES)
def every_prompt_has_its_copies(answer: Answered) -> None:
    """Every answer to a request with `n` has that many choices for each prompt.

    凡是带 `n` 的请求，其响应对每个 prompt 都有这么多 choice。
    """
    if answer.asked.n == 1:
        raise NotApplicable("one choice was asked for")
    hold_count(answer, Thing.COPIES)


@invariant("n.default-one-everywhere", requirement="n.default-one", of=Thing.CHOICES)
def one_choice_unless_more_are_asked_for(answer: Answered) -> None:
    """Every answer to a request without `n` has one choice for each prompt.

    凡是未设置 `n` 的请求，其响应对每个 prompt 都只有一个 choice。
    """
    if answer.asked.has("n", "best_of"):
        raise NotApplicable("a number of choices or candidates was sent")
    seen, wanted = counted(answer), answer.asked.choices
    if seen > wanted:
        raise Deviation(f"{wanted} choices", f"{seen}")


@invariant("best-of.returns-everywhere", requirement="best-of.returns-best", of=Thing.CHOICES)
def candidates_stay_behind(answer: Answered) -> None:
    """No answer to a request with `best_of` has more choices than `n` for each prompt.

    凡是带 `best_of` 的请求，其响应对每个 prompt 都不会多于 `n` 个 choice。
    """
    if not answer.asked.has("best_of"):
        raise NotApplicable("no candidates were asked for")
    seen, wanted = counted(answer), answer.asked.choices
    if seen > wanted:
        raise Deviation(f"{wanted} choices", f"{seen}")


@invariant("prompt.choices-everywhere", requirement="prompt.strings", of=Thing.BATCH)
def every_prompt_of_a_batch_has_a_choice(answer: Answered) -> None:
    """Every answer to several prompts has a choice for each.

    对多个 prompt 的每个响应，每个 prompt 都有一个 choice。
    """
    prompts = answer.asked.prompts
    if answer.asked.n > 1 or len(prompts) == 1 or not isinstance(prompts[0], str):
        raise NotApplicable("the request is no batch of texts with one choice each")
    hold_count(answer, Thing.BATCH)


@invariant("index.each-once-everywhere", requirement="index.each-once")
def every_choice_has_its_number(answer: Answered) -> None:
    """The choices of every answer are numbered from 0, each number once.

    每个响应的 choice 从 0 起编号，每个编号恰好出现一次。
    """
    wanted, completion = answer.asked.choices, answer.completion
    if counted(answer) != wanted:
        raise NotApplicable("there are not as many choices as asked for, which is judged elsewhere")
    if completion.chunks:
        parts = [part for chunk in completion.chunks for part in parts_of(chunk)]
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
        text = sight.text[:TELLING]
        others = [greedy.settled.get(other) for other in prompts if other != sight.prompt]
        if own is None or sight.stops or len(text) < TELLING or own.startswith(text):
            continue
        if any(other is not None and other.startswith(text) for other in others):
            expected = f"{sight.choice.where} to go on like {shown(own)}"
            yield Breach(Deviation(expected, shown(sight.text)), (sight.answer,))


@invariant(
    "text.present-everywhere",
    requirement="text.present",
    of=Thing.TEXT,
    explained_by=("streaming.chunk-shape",),
)
def every_choice_has_its_text(answer: Answered) -> None:
    """Every choice of every answer has its text, as a string.

    每个响应的每个 choice 都有文本，且为字符串。
    """
    for choice in answer.completion.choices:
        _ = choice.text


def hold_count(answer: Answered, thing: Thing) -> None:
    """Hold that an answer has as many choices as were asked for."""
    seen, wanted = counted(answer), answer.asked.choices
    if seen != wanted:
        effect = Effect.IGNORED if seen == 1 else Effect.ALTERED
        raise Absence(thing, f"{wanted} choices", f"{seen}", effect=effect)


def counted(answer: Answered) -> int:
    """Count the choices of an answer.

    Choices of a stream that share a number are told apart by their ends.
    """
    completion, wanted = answer.completion, answer.asked.choices
    if not completion.chunks:
        return len(completion.choices)
    parts = [part for chunk in completion.chunks for part in parts_of(chunk)]
    ends = sum(part.get("finish_reason") is not None for part in parts)
    numbers = len({shown(part.get("index")) for part in parts})
    return wanted if numbers < wanted == ends else numbers


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
