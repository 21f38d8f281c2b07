"""``prompt`` in every response of a run: a choice for each prompt of a batch."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.counts import assert_choice_count
from conformance.judgement import Feature, NotApplicable
from conformance.message import say
from conformance.protocol.trace import RecordedExchange


@invariant("prompt.choices-everywhere", requirement="prompt.strings", of=Feature.BATCH)
def every_prompt_of_a_batch_has_a_choice(exchange: RecordedExchange) -> None:
    """Every response to several prompts has a choice for each.

    对多个 prompt 的每个响应，每个 prompt 都有一个 choice。
    """
    prompts = exchange.request.prompts
    if exchange.request.n > 1 or len(prompts) == 1 or not isinstance(prompts[0], str):
        raise NotApplicable(say("the request is not a batch of strings with one choice each"))
    assert_choice_count(exchange, Feature.BATCH)
