"""What is sent at once: requests whose responses are known alone, and neighbours between them.

Most rows are requests that other checks send, too, so a whole run pays only for sending them again.
Their prompts have different continuations, each of which a model chooses with a wide lead, so that
a response shows which prompt it continues. The neighbours have the settings that must not affect
other requests, or end early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.api import Api, encode
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.requests import greedy
from conformance.checks._shared.sampling import STORY, hottest
from conformance.checks._shared.seeded import SEED, seeded
from conformance.contract import Contract
from conformance.message import Message, say

LONG = ", ".join(map(str, range(20, 160))) + ","
"""Some 400 tokens: more than the blocks in which servers keep prompts in a cache."""

FORTIES = "41, 42, 43, 44, 45,"

NEIGHBOUR_TOKENS = 48
"""``max_tokens`` of neighbours: they stay until all rows have ended."""

EVENTS_BEFORE_HANGING_UP = 2

EARLY_STOPS = [" ", ",", "6", "1"]
"""Stop sequences of which one ends any count at once."""


PENALTY = say("a request with penalties")


@dataclass(frozen=True, eq=False)
class Row:
    """One request.

    Attributes:
        name: names it for a reader.
        body: its members without ``model``.
        read_events: the client hangs up after this many events; None reads the whole response.
        ends_early: whether it leaves the batch before the others.
        simpler: is sent instead if the endpoint does not serve this one alone.
        is_long: whether its prompt fills the blocks of a cache.
        is_canary: whether it is sent once more after the burst.
    """

    name: Message
    body: Mapping[str, Any]
    read_events: int | None = None
    ends_early: bool = False
    simpler: Row | None = None
    is_long: bool = False
    is_canary: bool = False

    @property
    def is_greedy(self) -> bool:
        """Whether the response is the model's best, which its log probabilities can confirm."""
        return self.body.get("temperature") == 0

    @property
    def is_streamed(self) -> bool:
        """Whether the response is a stream."""
        return self.body.get("stream") is True

    def written(self, model: str, form: int) -> bytes:
        """Return the same request in bytes of its own for each form.

        A run sends equal bytes once. In the first form it is the request that other checks send.
        """
        members = list(self.body.items())
        members.insert(form, ("model", model))
        return encode(dict(members))

    def is_documented(self, contract: Contract) -> bool:
        """Return whether the contract documents every member."""
        return all(contract.parameter(name).documented for name in self.body)


def _scored(name: Message, prompt: str, *, is_long: bool = False) -> Row:
    """Return a row with two alternatives of each token, which show how far the best one leads."""
    plain = Row(name, greedy(prompt), is_long=is_long, is_canary=is_long)
    return replace(plain, body=greedy(prompt, logprobs=2), simpler=plain)


ROWS = (
    _scored(say("the long count"), LONG, is_long=True),
    Row(say("the count to 12"), greedy(COUNTING), is_canary=True),
    Row(say("the colours"), {"stream": True, **greedy(COLOURS)}),
    Row(say("the emoji"), {"stream": True, **greedy(EMOJI)}),
    _scored(say("the forties"), FORTIES),
    Row(say("the count to 6"), greedy("1, 2, 3, 4, 5, 6,", logprobs=1)),
    Row(say("the flowers and moons"), greedy("🌸🌙\n🌸🌙\n🌸", logprobs=1)),
    Row(say("the Chinese count"), greedy(CHINESE)),
    Row(say("seed {seed}", seed=SEED), seeded()),
    Row(say("seed {seed}", seed=0), seeded(0)),
)


def rows_of(contract: Contract) -> list[Row]:
    """Return the rows that a contract documents, each as simple as it has to be."""
    known = (row if row.is_documented(contract) else row.simpler for row in ROWS)
    return [row for row in known if row is not None and row.is_documented(contract)]


def neighbours_of(api: Api) -> list[Row]:
    """Return the neighbours that the contract documents."""
    story = {"prompt": STORY, "max_tokens": NEIGHBOUR_TOKENS}
    still = {**story, "temperature": 0}
    hot: dict[str, Any] = {"temperature": hottest(api)}
    penalties = {
        name: api.contract.parameter(name).maximum or 2
        for name in ("frequency_penalty", "presence_penalty")
        if api.contract.parameter(name).documented
    }
    rows = [
        # An early end frees a place in the batch, and what was kept of a long prompt is used again.
        # A long prompt takes a while to read, in which the other requests arrive.
        Row(
            say("a request that `stop` ends"),
            {**greedy(LONG), "stop": EARLY_STOPS},
            ends_early=True,
        ),
        Row(say("a sampled request without a seed"), {**story, **hot}),
        Row(say("a request with `n`"), {**story, **hot, "n": 2}),
        Row(
            say("a request with `logit_bias`"), {**still, "logit_bias": {"500": 100, "1000": -100}}
        ),
        Row(PENALTY, {**still, **penalties}),
        Row(
            say("a stream that the client leaves"),
            {"stream": True, **still},
            read_events=EVENTS_BEFORE_HANGING_UP,
            ends_early=True,
        ),
        Row(say("a request for one token"), {**still, "max_tokens": 1}, ends_early=True),
    ]
    if not penalties:
        rows = [row for row in rows if row.name != PENALTY]
    return [row for row in rows if row.is_documented(api.contract)]


UNSEEDED = Row(
    say("a request without a seed"),
    {"prompt": STORY, "max_tokens": NEIGHBOUR_TOKENS, "temperature": 1},
)
OTHER_SEED = Row(say("a request with another seed"), {**UNSEEDED.body, "seed": SEED + 1})
"""A sampled neighbour, and its control."""

PLAIN_NEIGHBOUR = Row(say("a plain request"), {**greedy(STORY), "max_tokens": NEIGHBOUR_TOKENS})
"""The control of a neighbour with a setting."""
