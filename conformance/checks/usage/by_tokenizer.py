"""``prompt_tokens`` beside the count of the tokenizer that the user names.

The tokenizer may be the wrong one, and then counts differ for a reason that is not the endpoint's.
So a count is reported only where something else shows that the tokenizer fits: the tokens that the
endpoint lists in log probabilities, or its own count of the same prompt in another response. The
same number more for every prompt is no question of the tokenizer. Otherwise it is inconclusive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks._shared.characters import join_tokens
from conformance.checks._shared.invariants import Inspected, conclude
from conformance.checks.usage.directed import MAX_OVERHEAD_TOKENS
from conformance.judgement import Failure, Inconclusive, Judgement, NotApplicable, shown
from conformance.message import Message, say
from conformance.protocol.trace import RecordedExchange, Violation
from conformance.tokenizer import Tokenizer

MIN_COUNTS = 3
"""Different counts that have to differ from the tokenizer's by the same number to call it one."""

USUAL_SHARE = 0.8
"""Share of the prompts for which it has to be the same number."""

LONG = 8
"""Tokens of a text that two tokenizers of different vocabularies hardly ever agree on."""

MAX_CHARS = 20_000
"""Characters of a text that is counted: an endpoint may list any number of tokens."""

MIN_TEXTS = 2
"""Texts of a script with listed tokens that show that a tokenizer fits it."""


class Script(Enum):
    """What tokenizers treat alike: one can be right for English and wrong for Chinese."""

    ASCII = "ascii"
    OTHER = "other"
    EMOJI = "emoji"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A response with usage to prompts of text."""

    exchange: RecordedExchange
    prompts: tuple[str, ...]
    tokens: int
    """By the tokenizer, all prompts together."""
    stated: int

    def excess(self, offset: int) -> int:
        """Tokens that usage states beyond those of the tokenizer, with ``offset`` per prompt."""
        return self.stated - self.tokens - offset * len(self.prompts)

    @property
    def scripts(self) -> frozenset[Script]:
        """The scripts of its prompts."""
        return frozenset(map(script_of, self.prompts))


@check_afterwards("usage.prompt-by-tokenizer-everywhere", requirement="usage.prompt-by-tokenizer")
async def prompts_count_as_the_tokenizer_counts(api: Api) -> None:
    """In every response, prompt_tokens are the count of the tokenizer that the user names.

    在每个响应中，prompt_tokens 都等于用户所指定的分词器的计数。

    A few tokens that mark the beginning of a prompt may be counted with each.
    """
    if api.tokenizer is None:
        raise NotApplicable(say("no tokenizer was named (--tokenizer)"))
    counted = list(_counted(api.trace.exchanges, api.tokenizer))
    if len({one.prompts for one in counted}) < MIN_COUNTS:
        raise NotApplicable(say("too few prompts of text have usage"))
    offset = usual_offset(counted)
    if not 0 <= offset <= MAX_OVERHEAD_TOKENS:
        added = [one for one in counted if not one.excess(offset)]
        each = _each(offset)
        conclude(
            _all(added, [Violation(_differs(one, 0, each), (one.exchange,)) for one in added]), api
        )
    wrong = [one for one in counted if one.excess(offset)]
    if not wrong:
        return
    proof = _Proof(api.trace.exchanges, counted, api.tokenizer, offset)
    proven = [one for one in wrong if proof.covers(one)]
    if not proven:
        raise _does_not_fit(wrong, offset, api.tokenizer)
    violations = [Violation(_differs(one, offset), (one.exchange,)) for one in proven]
    right = [one for one in counted if not one.excess(offset)]
    conclude(_all([*right, *proven], violations), api)


def usual_offset(counted: Sequence[_Counted]) -> int:
    """Return the tokens that usage states beyond the tokenizer's for nearly every single prompt.

    It is 0 if there is no such number. Each prompt counts once, however often it was sent.
    """
    seen: dict[str, _Counted] = {}
    for one in counted:
        if len(one.prompts) == 1:
            seen.setdefault(one.prompts[0], one)
    usual = Counter(one.excess(0) for one in seen.values()).most_common(1)
    if not usual or usual[0][1] < USUAL_SHARE * len(seen):
        return 0
    counts = {one.tokens for one in seen.values() if one.excess(0) == usual[0][0]}
    return usual[0][0] if len(counts) >= MIN_COUNTS else 0


class _Proof:
    """What shows, besides the counts in question, that the tokenizer is the endpoint's own."""

    def __init__(
        self,
        exchanges: Iterable[RecordedExchange],
        counted: Sequence[_Counted],
        tokenizer: Tokenizer,
        offset: int,
    ) -> None:
        listed = dict.fromkeys(item for one in exchanges for item in _listed(one))
        agree = {text: tokenizer.count(text) == tokens for text, tokens in listed}
        self._agreed = {text for text, equal in agree.items() if equal}
        self._right = {one.prompts for one in counted if not one.excess(offset)}
        long = [text for text in agree if tokenizer.count(text) >= LONG]
        self._fitting = {
            script
            for script in Script
            if len(of := [text for text in long if script_of(text) is script]) >= MIN_TEXTS
            and all(agree[text] for text in of)
            and self._is_mostly_wrong(script, counted)
        }

    def covers(self, one: _Counted) -> bool:
        """Return whether a count that differs from the tokenizer's is known to be wrong.

        It is if another response to the same prompts has the tokenizer's count, if the endpoint
        lists as many tokens for each of the prompts, or if it does so for other texts of their
        script, most of whose prompts are counted wrong. Without the last, two vocabularies that
        differ in a few characters would be taken for one.
        """
        return (
            one.prompts in self._right
            or self._agreed.issuperset(one.prompts)
            or one.scripts <= self._fitting
        )

    def _is_mostly_wrong(self, script: Script, counted: Sequence[_Counted]) -> bool:
        prompts = {one.prompts for one in counted if one.scripts == {script} and one.tokens >= LONG}
        return 2 * len(prompts - self._right) > len(prompts)


def script_of(text: str) -> Script:
    """Return the script of a text, the one that tokenizers treat most differently."""
    if text.isascii():
        return Script.ASCII
    return Script.EMOJI if any(ord(character) > 0xFFFF for character in text) else Script.OTHER


def _counted(exchanges: Iterable[RecordedExchange], tokenizer: Tokenizer) -> Iterator[_Counted]:
    """Yield responses to prompts of text; with several choices, some count a prompt again."""
    known: dict[str, int] = {}
    for exchange in exchanges:
        try:
            request, stated = exchange.request, exchange.usage.prompt_tokens
            if request.has("suffix") or request.best_of != 1:
                continue
            prompts = tuple(
                one for one in request.prompts if isinstance(one, str) and _is_text(one)
            )
            if not prompts or len(prompts) != len(request.prompts):
                continue
        except Judgement:
            continue
        for prompt in prompts:
            if prompt not in known:
                known[prompt] = tokenizer.count(prompt)
        yield _Counted(exchange, prompts, sum(known[one] for one in prompts), stated)


def _listed(exchange: RecordedExchange) -> Iterator[tuple[str, int]]:
    """Yield texts with the number of tokens that the endpoint lists for them.

    Of an echo it is the prompt, which the endpoint tokenised itself; a model may also write a text
    in other tokens than its tokenizer would, so generated text counts only if it is greedy.
    """
    try:
        request, choices = exchange.request, exchange.completion.choices
        if request.logprobs is None or len(choices) != 1 or len(request.prompts) != 1:
            return
        tokens, prompt = list(choices[0].logprobs.tokens), request.prompts[0]
    except Judgement:
        return
    if not all(isinstance(token, str) for token in tokens):
        return
    if not _is_text(choices[0].raw.get("text")):
        return
    if request.echo and isinstance(prompt, str) and _is_text(prompt):
        yield from _prefix(prompt, tokens)
    elif not request.echo and request.is_greedy and join_tokens(tokens) == (choices[0].text, True):
        yield choices[0].text, len(tokens)


def _is_text(value: object) -> bool:
    """Return whether a value is text that a tokenizer reads: of UTF-8, and not too long."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CHARS:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def _prefix(prompt: str, tokens: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the prompt with the number of the first tokens that are exactly it, if some are."""
    for number in range(1, len(tokens) + 1):
        text, complete = join_tokens(tokens[:number])
        if complete and text == prompt:
            yield prompt, number
            return
        if len(text) > len(prompt):
            return


def _does_not_fit(wrong: Sequence[_Counted], offset: int, tokenizer: Tokenizer) -> Inconclusive:
    least = min(wrong, key=lambda one: len(one.exchange.exchange.request.body))
    return Inconclusive(
        say(
            "the tokenizer {name} does not fit this endpoint, or its counts are all wrong: "
            "{prompts} has {count} tokens by the tokenizer and prompt_tokens = {stated}; nothing "
            "else shows which of them is right",
            name=tokenizer.name,
            prompts=shown(list(least.prompts) if len(least.prompts) > 1 else least.prompts[0]),
            count=least.tokens + offset * len(least.prompts),
            stated=least.stated,
        )
    )


def _differs(one: _Counted, offset: int, each: Message | None = None) -> Failure:
    wanted = say("prompt_tokens = {count}, as the tokenizer counts", count=one.tokens)
    if offset:
        wanted = say(
            "prompt_tokens = {count}, as the tokenizer counts, with {offset} more for each prompt "
            "as usual here",
            count=one.stated - one.excess(offset),
            offset=offset,
        )
    if each is None:
        return Failure(wanted, say("prompt_tokens = {counted}", counted=one.stated))
    return Failure(wanted, say("prompt_tokens = {counted}: {each}", counted=one.stated, each=each))


def _each(offset: int) -> Message:
    if offset > 0:
        return say("it counts {count} more for every prompt", count=offset)
    return say("it counts {count} fewer for every prompt", count=-offset)


def _all(counted: Iterable[_Counted], violations: Sequence[Violation]) -> Inspected:
    return Inspected(tuple(one.exchange for one in counted), tuple(violations))
