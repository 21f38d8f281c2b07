"""``logprobs`` in every answer of a run: there where asked for, nowhere else, and whole."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.answered import Answered
from conformance.checks import invariant
from conformance.checks._asking import parts_of
from conformance.checks._characters import REPLACEMENT, join_tokens, solid
from conformance.checks._invariants import hold_each
from conformance.checks._scores import hold_tokens_make_text
from conformance.checks._tokens import readable_positions, readable_tokens, scored_choices
from conformance.checks.logprobs import hold_count, hold_no_scores
from conformance.checks.logprobs_arrays import hold_parallel, hold_parts_written_as_bytes
from conformance.checks.usage_everywhere import LONGEST
from conformance.completion import Choice, Logprobs
from conformance.judgement import Absence, Deviation, NotApplicable, Thing, expect, shown


@invariant("logprobs.returned-everywhere", requirement="logprobs.returned", of=Thing.LOGPROBS)
def every_choice_carries_what_was_asked_for(answer: Answered) -> None:
    """Every choice with text carries log probabilities where its request asked for some.

    凡是请求要求对数概率之处，每个有文本的 choice 都带有对数概率。
    """
    asked, maximum = answer.asked, answer.contract.parameter("logprobs").maximum
    if not asked.logprobs or asked.logprobs > (maximum or asked.logprobs) or asked.echo:
        raise NotApplicable("no log probabilities were asked for, or in a way judged elsewhere")
    hold_scores_where_text(answer)


@invariant(
    "logprobs.zero-everywhere",
    requirement="logprobs.zero-gives-sampled",
    explained_by=("logprobs.returned",),
)
def zero_scores_every_choice(answer: Answered) -> None:
    """Every choice with text carries log probabilities where `logprobs: 0` asked for them.

    凡是以 `logprobs: 0` 要求之处，每个有文本的 choice 都带有对数概率。
    """
    if answer.asked.logprobs != 0 or answer.asked.echo:
        raise NotApplicable("`logprobs: 0` was not asked for")
    for number, choice in answer.numbered:
        if answer.generated(number, choice) and not choice.has_logprobs:
            raise Deviation(f"{choice.where}.logprobs an object", "none")


@invariant("logprobs.absent-everywhere", requirement="logprobs.absent-unless-asked")
def no_choice_carries_scores_unasked(answer: Answered) -> None:
    """No choice of any answer carries log probabilities that its request did not ask for.

    任何响应的 choice 都不含请求未要求的对数概率。
    """
    if answer.asked.logprobs is not None:
        raise NotApplicable("log probabilities were asked for")
    for choice in answer.completion.choices:
        hold_no_scores(choice.raw.get("logprobs"))


@invariant("logprobs.count-everywhere", requirement="logprobs.alternatives-count")
def every_position_lists_what_was_asked_for(answer: Answered) -> None:
    """Wherever `logprobs: N` was asked for, N alternatives or N + 1 are listed at each position.

    凡是要求 `logprobs: N` 之处，每个位置都列出 N 个或 N + 1 个候选。
    """
    wanted = answer.asked.logprobs or 0
    maximum = answer.contract.parameter("logprobs").maximum
    if not 1 <= wanted <= (maximum or wanted):
        raise NotApplicable("no alternatives were asked for, or more than the document allows")

    def judge(choice: Choice) -> None:
        positions = readable_positions(choice)
        if answer.asked.echo:
            positions = positions[1:]  # what begins a text follows nothing
        hold_count(positions, wanted)

    hold_each(scored_choices(answer), judge)


@invariant(
    "logprobs-arrays.parallel-everywhere",
    requirement="logprobs-arrays.four-parallel",
    of=Thing.ARRAYS,
)
def four_arrays_of_one_length_everywhere(answer: Answered) -> None:
    """Wherever alternatives were asked for, all four arrays are there, and equally long.

    凡是要求候选之处，四个数组都齐备且等长。
    """
    if not answer.asked.logprobs:
        raise NotApplicable("no alternatives were asked for")
    for choice in scored_choices(answer):
        hold_parallel(choice.logprobs)
    for part in (part for chunk in answer.completion.chunks for part in parts_of(chunk)):
        if isinstance(part.get("logprobs"), Mapping):
            hold_parallel(Logprobs(part["logprobs"], "logprobs of a chunk"))


@invariant("logprobs-arrays.join-everywhere", requirement="logprobs-arrays.tokens-join-to-text")
def tokens_join_to_every_plain_text(answer: Answered) -> None:
    """The tokens of every plain choice join to its text.

    每个非流式 choice 的 token 拼接后等于其文本。
    """
    if answer.asked.echo or answer.reply.is_stream:
        raise NotApplicable("the prompt is echoed, or the answer is a stream")
    hold_each(scored_choices(answer), _hold_join)


@invariant("logprobs-arrays.join-streamed-everywhere", requirement="streaming.logprobs-as-plain")
def tokens_join_to_every_streamed_text(answer: Answered) -> None:
    """The tokens of every streamed choice join to its text.

    每个流式 choice 的 token 拼接后等于其文本。
    """
    if answer.asked.echo or not answer.reply.is_stream:
        raise NotApplicable("the prompt is echoed, or the answer is no stream")
    hold_each(scored_choices(answer), _hold_join)


@invariant(
    "logprobs-arrays.one-entry-everywhere",
    requirement="logprobs-arrays.one-entry-per-token",
    explained_by=("max-tokens.limits-answer", "echo.off-by-default"),
)
def one_entry_for_each_token_everywhere(answer: Answered) -> None:
    """Every choice that the limit cut has exactly as many entries as tokens were allowed.

    每个被上限截断的 choice，其条目数恰好等于允许的 token 数。
    """
    limit = answer.asked.limit
    if answer.asked.echo or not 1 <= limit <= LONGEST:
        raise NotApplicable("the prompt has entries as well, or the context may end first")

    def judge(choice: Choice) -> None:
        if choice.finish_reason != "length":
            raise NotApplicable("the choice ended before the limit")
        expect(len(readable_tokens(choice)), f"number of {choice.where}'s tokens").equals(limit)

    hold_each(scored_choices(answer), judge)


@invariant("logprobs-arrays.partial-everywhere", requirement="logprobs-arrays.partial-characters")
def parts_of_characters_are_bytes_everywhere(answer: Answered) -> None:
    """No token of any answer is written with U+FFFD, unless its prompt has that character.

    任何响应的 token 都不会写成 U+FFFD，除非其 prompt 含有该字符。
    """
    if REPLACEMENT in answer.exchange.request.body.decode("utf-8", errors="replace"):
        raise NotApplicable("the request has U+FFFD itself")
    hold_each(scored_choices(answer), hold_parts_written_as_bytes)


@invariant(
    "max-tokens.entries-everywhere",
    requirement="max-tokens.limits-answer",
    explained_by=("echo.off-by-default",),
)
def no_choice_has_more_entries_than_tokens_allowed(answer: Answered) -> None:
    """No choice lists more tokens than `max_tokens`, but for the one that ended it.

    除结束 token 外，没有任何 choice 列出的 token 多于 `max_tokens`。
    """
    limit = answer.asked.limit
    if answer.asked.echo:
        raise NotApplicable("the prompt has entries as well")

    def judge(choice: Choice) -> None:
        name = f"number of {choice.where}'s tokens"
        expect(len(readable_tokens(choice)), name).at_most(limit + 1)

    hold_each(scored_choices(answer), judge)


@invariant(
    "echo-logprobs.covers-everywhere",
    requirement="echo.logprobs-cover-prompt",
    of=Thing.SCORES_OF_PROMPT,
)
def every_echoed_prompt_is_scored(answer: Answered) -> None:
    """Wherever a prompt is echoed with log probabilities, its tokens come first, each scored.

    凡是带对数概率回显 prompt 之处，其 token 都排在最前，且每个都有得分。
    """
    asked = answer.asked
    if not asked.echo or not asked.logprobs:
        raise NotApplicable("no prompt was to be scored")
    for number, choice in answer.numbered:
        prompt = asked.prompts[number]
        if isinstance(prompt, str) and prompt and choice.text.startswith(prompt):
            hold_prompt_scored(choice, prompt)


@invariant("echo-logprobs.first-null-everywhere", requirement="echo.first-token-null")
def no_first_token_is_scored(answer: Answered) -> None:
    """The first entry of every echoed prompt is null, since that token follows nothing.

    每个回显的 prompt 的第一个条目都为 null，因为该 token 之前没有内容。
    """
    if not answer.asked.echo:
        raise NotApplicable("no prompt was to be scored")

    def judge(choice: Choice) -> None:
        first = readable_positions(choice)[0]
        if not choice.text.startswith(first.token):
            raise NotApplicable("the first entry is no token of the text")
        expect(first.logprob, "token_logprobs at the first token").equals(None)
        expect(first.top, "top_logprobs at the first token").equals(None)

    hold_each(scored_choices(answer), judge)


def hold_scores_where_text(answer: Answered) -> None:
    """Hold that every choice with generated text has log probabilities, and numbers for them."""
    for number, choice in answer.numbered:
        if answer.generated(number, choice):
            scores = choice.logprobs.raw.get("token_logprobs")
            if isinstance(scores, list) and scores and set(map(type, scores)) == {type(None)}:
                raise Deviation(f"{choice.where}.logprobs.token_logprobs numbers", shown(scores))


def _hold_join(choice: Choice) -> None:
    _ = readable_tokens(choice)
    hold_tokens_make_text(choice)


def hold_prompt_scored(choice: Choice, prompt: str) -> None:
    """Hold that entries begin with those of a prompt, a start token aside, and have scores."""
    tokens = choice.logprobs.raw.get("tokens")
    tokens = readable_tokens(choice) if tokens else []
    for skipped in (0, 1):
        joined, known = join_tokens(tokens[skipped:])
        # Some tokenizers put a blank before the text.
        begun, text = solid(joined).removeprefix(" "), prompt.removeprefix(" ")
        if joined.removeprefix(" ").startswith(text):
            scores = [position.logprob for position in readable_positions(choice)]
            whole = _tokens_of_prompt(tokens, prompt)
            unscored = scores[1:whole].count(None)
            expect(unscored, "prompt tokens without a score, after the first").equals(0)
            return
        if not known and text.startswith(begun):
            raise NotApplicable("parts of characters are written as U+FFFD, which nobody can join")
    expected = f"the tokens of the prompt {shown(prompt)} first"
    raise Absence(Thing.SCORES_OF_PROMPT, expected, shown(tokens))


def _tokens_of_prompt(tokens: list[str], prompt: str) -> int:
    """Count the tokens at the beginning that lie within the prompt, at least."""
    length, number = 0, 0
    for token in tokens:
        length += len(token)
        if length > len(prompt):
            break
        number += 1
    return number
