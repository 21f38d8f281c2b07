"""Cached tokens: a part of the prompt's tokens, told alike by streams and plain responses.

No request is sent only for them, except to confirm a difference. Every run repeats its prompts, so
a server with a cache answers the same prompt with and without cached tokens. How many are cached
depends on blocks, on what was sent before and on the replica that answers; so only what contradicts
itself each time is reported. Caches that begin at a thousand tokens show nothing in so short
prompts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.api import Api
from conformance.checks import check, invariant, invariant_across
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import ONE_TOKEN_REQUEST, non_streaming, streamed
from conformance.evidence import Evidence
from conformance.judgement import (
    Failure,
    Inconclusive,
    Judgement,
    NotApplicable,
    expect,
    shown,
)
from conformance.message import Message, say
from conformance.protocol.cached_tokens import cached_tokens, stated_cached
from conformance.protocol.completion import Completion
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange, Violation

Prompts = tuple[Prompt, ...]

ENOUGH = 2
"""Responses that have to agree before their number counts as that of the prompt."""

CONFIRMATIONS = 3
"""Further pairs that have to differ alike: neighbours can take a slot of a cache now and then."""


@invariant("usage.cached-within-prompt-everywhere", requirement="usage.cached-within-prompt")
def cached_tokens_are_tokens_of_the_prompt(exchange: RecordedExchange) -> None:
    """Every stated number of cached tokens is an integer from 0 to `prompt_tokens`.

    凡给出已缓存的 token 数，都是 0 到 `prompt_tokens` 之间的整数。
    """
    usage = exchange.completion.usage
    stated = list(stated_cached(usage.raw))
    if not stated:
        raise NotApplicable(say("usage states no cached tokens"))
    for path, value in stated:
        if not isinstance(value, int) or isinstance(value, bool):
            wanted = say("{path} an integer ≥ 0", path=path)
            raise Failure(wanted, say("{name} = {value}", name=path, value=shown(value)))
        expect(value, path).at_least(0)
        expect(value, path).at_most(usage.prompt_tokens)


@invariant_across("usage.cached-in-prompt-everywhere", requirement="usage.cached-in-prompt")
def cached_tokens_stay_in_prompt_tokens(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """The same prompt has the same prompt_tokens with any number of cached tokens.

    无论已缓存多少 token，同一 prompt 的 prompt_tokens 都相同。
    """
    for same in _by_prompts(_counted(exchanges)).values():
        # With several choices, a server may count the prompt again, which is no matter of a cache.
        alone = [one for one in same if one.exchange.request.best_of == 1]
        least = min(alone, key=lambda one: one.cached, default=None)
        for one in alone:
            if least is None or one.cached == least.cached:
                continue
            yield one.exchange
            more = one.prompt_tokens - least.prompt_tokens
            if abs(more) != one.cached - least.cached:
                continue
            wanted = say(
                "prompt_tokens = {count}, as with {cached} cached tokens",
                count=least.prompt_tokens,
                cached=least.cached,
            )
            failure = Failure(wanted, _counted_beside(one, twice=more > 0))
            yield Violation(failure, (one.exchange,), (least.exchange,))


@invariant_across("usage.cached-sums-batch-everywhere", requirement="usage.cached-sums-batch")
def the_cached_tokens_of_a_batch_are_those_of_its_prompts(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """Batches report the cached tokens of all their prompts, not those of one.

    批次上报全部 prompt 的已缓存 token 数，而不是其中一个的。
    """
    counted = list(_counted(exchanges))
    alone = {prompts[0]: warm for prompts, warm in _warm(counted).items() if len(prompts) == 1}
    compared: list[tuple[_Counted, list[_Warm]]] = []
    for one in counted:
        each = [alone[prompt] for prompt in one.prompts if prompt in alone]
        if len(one.prompts) > 1 and len(each) == len(one.prompts) and _all_before(each, one):
            compared.append((one, each))
    yield from (one.exchange for one, _ in compared)
    # A replica or a full cache can lack a prompt, but not the same one each time.
    if len(compared) < ENOUGH or not all(_is_of_one(one, each) for one, each in compared):
        return
    for one, each in compared:
        known = [warm.cached for warm in each]
        wanted = say(
            "{count} cached tokens, the prompts' own {counts} together",
            count=sum(known),
            counts=shown(known),
        )
        failure = Failure(wanted, say("{count} cached tokens", count=one.cached))
        yield Violation(failure, (one.exchange,), tuple(warm.example for warm in each))


@check("usage.cached-streamed", requirement="usage.cached-streamed")
async def a_stream_reports_the_same_cached_tokens(api: Api) -> None:
    """A stream reports as many cached tokens as a non-streaming response to the same prompt.

    对同一 prompt，流上报的已缓存 token 数与非流式响应相同。

    A difference is no deviation before further responses of both kinds show it each time.
    """
    # The first request of every run, which leaves the prompt in a cache.
    await api.complete(**ONE_TOKEN_REQUEST)
    plain, stream = await non_streaming(api), await _with_usage(api)
    if _stated(plain) is None and _stated(stream) is None:
        raise NotApplicable(say("usage states no cached tokens"))
    each: list[tuple[int, int]] = []
    while len(each) < CONFIRMATIONS:
        if _cached(plain) == _cached(stream):
            return
        if not api.retest_budget.take(2):
            raise Inconclusive(say("no requests are left to repeat both"))
        plain, stream = await non_streaming(api, fresh=True), await _with_usage(api, fresh=True)
        each.append((_cached(plain), _cached(stream)))
    if _cached(plain) == _cached(stream):
        return
    if len(set(each)) > 1:
        # As with the slots of llama.cpp, which other requests take in between.
        raise NotApplicable(say("the number of cached tokens changes from response to response"))
    wanted = say("{count} cached tokens, as in the non-streaming response", count=_cached(plain))
    failure = Failure(wanted, say("{count} cached tokens", count=_cached(stream)))
    raise failure.shown_by(Evidence((stream.exchange,), (plain.exchange,)))


async def _with_usage(api: Api, *, fresh: bool = False) -> Completion:
    return await streamed(api, COUNTING, fresh=fresh, stream_options={"include_usage": True})


def _stated(completion: Completion) -> int | None:
    return cached_tokens(completion.usage.raw)


def _cached(completion: Completion) -> int:
    return _stated(completion) or 0


@dataclass(frozen=True, slots=True)
class _Counted:
    """A response with usage: its prompts, and how many of their tokens were cached."""

    exchange: RecordedExchange
    prompts: Prompts
    prompt_tokens: int
    cached: int

    @property
    def started(self) -> float:
        """Seconds since the start of the run."""
        return self.exchange.exchange.attempts[-1].started

    @property
    def ended(self) -> float:
        """Seconds since the start of the run."""
        return self.started + self.exchange.exchange.attempts[-1].elapsed


@dataclass(frozen=True, slots=True)
class _Warm:
    """Prompts that the cache has: the number of tokens that each later response reports."""

    cached: int
    since: float
    """Seconds since the start of the run when that number was reported for the second time."""
    example: RecordedExchange


def _counted(exchanges: Iterable[RecordedExchange]) -> Iterator[_Counted]:
    """Yield the responses of endpoints that state cached tokens, without echoes and suffixes.

    To score an echoed prompt, servers compute it again.
    """
    read: list[_Counted] = []
    states_cached = False
    for exchange in exchanges:
        try:
            request, usage = exchange.request, exchange.usage
            if request.echo or request.has("suffix") or not exchange.exchange.attempts:
                continue
            _ = request.best_of
            cached = cached_tokens(usage.raw)
            read.append(_Counted(exchange, request.prompts, usage.prompt_tokens, cached or 0))
        except Judgement:
            continue
        states_cached = states_cached or cached is not None
    if states_cached:
        yield from read


def _by_prompts(counted: Iterable[_Counted]) -> Mapping[Prompts, Sequence[_Counted]]:
    by_prompts: dict[Prompts, list[_Counted]] = {}
    for one in counted:
        by_prompts.setdefault(one.prompts, []).append(one)
    return by_prompts


def _warm(counted: Iterable[_Counted]) -> Mapping[Prompts, _Warm]:
    """Return what each prompt reports once it is cached, if that is the same number each time."""
    warm = {}
    for prompts, same in _by_prompts(counted).items():
        positive = [one for one in sorted(same, key=lambda one: one.started) if one.cached]
        if len(positive) < ENOUGH or len({one.cached for one in positive}) > 1:
            continue
        cold = [one for one in same if not one.cached and one.started >= positive[0].ended]
        if not cold:
            second = positive[ENOUGH - 1]
            warm[prompts] = _Warm(second.cached, second.ended, second.exchange)
    return warm


def _all_before(warm: Iterable[_Warm], one: _Counted) -> bool:
    return all(known.since <= one.started for known in warm)


def _is_of_one(one: _Counted, each: Sequence[_Warm]) -> bool:
    """Return whether a batch reports the number of one of its prompts alone, and not the sum."""
    known = [warm.cached for warm in each]
    return one.cached in known and one.cached < sum(known)


def _counted_beside(one: _Counted, *, twice: bool) -> Message:
    values = {"now": one.prompt_tokens, "cached": one.cached}
    if twice:
        return say(
            "prompt_tokens = {now} with {cached} cached tokens: these are counted twice", **values
        )
    return say("prompt_tokens = {now} with {cached} cached tokens: these are left out", **values)
