"""Sampling that is narrowed to few tokens: to the best one, or to those of a set.

Parameters such as ``top_p``, ``top_k`` and ``min_p`` leave out tokens that are less probable. How a
text shows that, without knowing the model: a choice that leaves one token gives the greedy text,
and where log probabilities are listed, no sampled token is outside the set that they describe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import REPEATS
from conformance.checks._shared.nondeterminism import NEAR_TIE_NATS, lead_before, parting_of
from conformance.checks._shared.readable_tokens import readable_positions
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.sampling import STORY, sampled
from conformance.checks._shared.token_scores import Position, alternatives
from conformance.judgement import Failure, Inconclusive, NotApplicable, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect

MAX_TOKENS = 32
"""Tokens of a sampled response that is judged token by token."""

ROUNDING_NATS = 0.05
"""How far rounding may move a listed log probability."""

MIN_OUTSIDE = 2
"""Tokens outside the set before a response is reported; a server may force a single one."""

HOT = 2.0
"""The temperature at which less probable tokens come often, unless the document allows less."""

Outside = Callable[[float, Sequence[float]], bool]
"""Whether a token's log probability is outside the set, given those listed, the best first."""


def freely(api: Api, prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Return the shared sampled request with ``more``, and nothing else that narrows the choice.

    A server may have defaults of ``top_p`` and ``min_p`` that keep only a few tokens.
    """
    wide = {"top_p": 1, "min_p": 0}
    known = {name: v for name, v in wide.items() if api.contract.parameter(name).documented}
    return sampled(prompt, **{**known, **more})


def hot(api: Api) -> float:
    """Return a high temperature that the document allows."""
    return min(HOT, api.contract.parameter("temperature").maximum or HOT)


async def assert_narrow_as_greedy(
    api: Api, narrow: Mapping[str, Any], *, tells_ignored: bool = False
) -> None:
    """Assert that a request that leaves one token gives the greedy text, if that is deterministic.

    ``tells_ignored`` says that a parameter which leaves several tokens would show otherwise, so
    that samples which all differ mean that it is ignored.

    Raises:
        Failure: the greedy text repeats, and none of several narrow samples equals it.
        Inconclusive: the greedy text changes, or only some of the samples differ.
    """
    prompt = narrow["prompt"]
    greedy = (await non_streaming(api, prompt)).text
    texts = [(await api.complete(**narrow)).expect_ok().text]
    if texts[0] == greedy:
        return
    # A near-tie can flip twice in a row, so one repeat does not show a deterministic text.
    again = [(await non_streaming(api, prompt, fresh=True)).text for _ in range(REPEATS)]
    texts += [(await api.complete(fresh=True, **narrow)).expect_ok().text for _ in range(2)]
    if {*again} != {greedy} or greedy in texts:
        raise Inconclusive(
            say(
                "greedy texts {greedy}, narrow ones {narrow}",
                greedy=shown([greedy, *again]),
                narrow=shown(texts),
            )
        )
    if len(set(texts)) == 1:
        await assert_no_near_tie(api, prompt, greedy, texts[0])
    differ = len(set(texts)) == len(texts)
    effect = Effect.IGNORED if differ and tells_ignored else Effect.ALTERED
    raise Failure(say("the greedy text {text}", text=shown(greedy)), shown(texts), effect=effect)


async def assert_no_near_tie(api: Api, prompt: str, greedy: str, narrow: str) -> None:
    """Assert that a best token leads wherever the greedy text may part from the narrow one.

    Batches and caches decide near-ties otherwise, each time alike, and not for sampled requests.

    Raises:
        Inconclusive: two tokens are nearly as probable.
    """
    difference = say("{one} vs. {other}", one=shown(greedy), other=shown(narrow))

    async def ask(fresh: bool) -> str:
        return (await non_streaming(api, prompt, fresh=fresh)).text

    try:
        lead = await lead_before(parting_of(greedy, narrow), [ask], api, difference)
    except (Failure, Refusal):
        return
    if lead is not None and lead < NEAR_TIE_NATS:
        raise Inconclusive(
            say(
                "{difference}; before they diverge, two tokens are {lead} nats apart, "
                "and below {near_tie_nats} this is a near-tie",
                difference=difference,
                lead=f"{lead:.2f}",
                near_tie_nats=NEAR_TIE_NATS,
            )
        )


async def assert_inside(
    api: Api, request: Mapping[str, Any], outside: Outside, expected: Message
) -> None:
    """Assert that the tokens of a sampled response are in the set that a parameter leaves.

    Raises:
        Failure: two or more tokens are not, by the response's own log probabilities.
        NotApplicable: the response lists no log probabilities to judge by, or unreadable ones.
    """
    body = {**request, "max_tokens": MAX_TOKENS, "logprobs": alternatives(api)}
    choice = (await api.complete(**body)).expect_ok().only
    positions = [p for p in readable_positions(choice) if p.logprob is not None and p.top]
    if not positions:
        raise NotApplicable(say("the response lists no alternatives"))
    found = list(_outside(positions, outside))
    if len(found) < MIN_OUTSIDE:
        return
    worst = min(found, key=lambda position: position.logprob or 0.0)
    raise Failure(
        expected,
        say(
            "{off} of {all} tokens are not, such as {token} with {score}, listed: {best}",
            off=len(found),
            all=len(positions),
            token=shown(worst.token),
            score=worst.logprob,
            best=shown(worst.top),
        ),
        effect=Effect.IGNORED if 2 * len(found) > len(positions) else Effect.ALTERED,
    )


def beyond(count: int) -> Outside:
    """Return whether a token is not among the ``count`` most probable ones."""

    def outside(score: float, listed: Sequence[float]) -> bool:
        return sum(other > score + ROUNDING_NATS for other in listed) >= count

    return outside


def less_likely(share: float) -> Outside:
    """Return whether a token is less probable than this share of the best one's probability."""

    def outside(score: float, listed: Sequence[float]) -> bool:
        return score < listed[0] + math.log(share) - ROUNDING_NATS

    return outside


def _outside(positions: Iterable[Position], outside: Outside) -> Iterable[Position]:
    for position in positions:
        listed = sorted((position.top or {}).values(), reverse=True)
        if position.logprob is not None and outside(position.logprob, listed):
            yield position
