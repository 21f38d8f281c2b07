"""``n`` in every answer of a run: as many choices for each prompt as were requested."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.counts import assert_choice_count, choice_count
from conformance.judgement import Deviation, NotApplicable, Thing
from conformance.protocol.trace import Answered


@invariant("n.choices-everywhere", requirement="n.count", of=Thing.COPIES)
def every_prompt_has_its_copies(answer: Answered) -> None:
    """Every answer to a request with `n` has that many choices for each prompt.

    凡是带 `n` 的请求，其响应对每个 prompt 都有这么多 choice。
    """
    if answer.asked.n == 1:
        raise NotApplicable("one choice was asked for")
    assert_choice_count(answer, Thing.COPIES)


@invariant("n.default-one-everywhere", requirement="n.default-one", of=Thing.CHOICES)
def one_choice_unless_more_are_asked_for(answer: Answered) -> None:
    """Every answer to a request without `n` has one choice for each prompt.

    凡是未设置 `n` 的请求，其响应对每个 prompt 都只有一个 choice。
    """
    if answer.asked.has("n", "best_of"):
        raise NotApplicable("a number of choices or candidates was sent")
    seen, wanted = choice_count(answer), answer.asked.choices
    if seen > wanted:
        raise Deviation(f"{wanted} choices", f"{seen}")
