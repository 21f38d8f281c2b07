"""Missing, unused and one-sided explanations are reported."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import Finding, Level, Tier, Verdict
from tests.dialects.explanations import Difference, Unsettled, columns, idle, load, settle

REFUSED = "refused with 400: Unrecognized request arguments supplied: stop, echo"
STOP = Finding(
    id="stop.batch",
    title="…",
    requirement="stop.ends-text",
    level=Level.MUST,
    subject="stop",
    tier=Tier.STANDARD,
    verdict=Verdict.FAIL,
    expected="the request is served",
    seen=REFUSED,
)
NO_STOP = Difference(
    says="lists no `stop`",
    about=("stop",),
    words="`stop`",
    words_zh="`stop`",
    unlisted="stop",
)
ANY_N = Difference(
    says="states no limit of n",
    about=("n",),
    words="any `n`",
    words_zh="`n` 无上限",
    checks=frozenset({"n.above-maximum-refused"}),
)


def test_failure_explained_by_a_line_is_settled() -> None:
    assert settle([NO_STOP], {"zero": [STOP]}) == Unsettled((), ())


def test_failure_without_a_line_is_unexplained() -> None:
    for verdict in (Verdict.FAIL, Verdict.WARN):
        left = settle([], {"zero": [replace(STOP, verdict=verdict)]}).unexplained
        assert left == (f"zero: {verdict} stop.batch: {REFUSED}",)


def test_line_does_not_explain_unrelated_failures() -> None:
    other = replace(STOP, seen="refused with 400: Unrecognized request argument supplied: stops")
    assert settle([NO_STOP], {"zero": [other]}).unexplained
    served = replace(STOP, seen="an answer that goes on after stop")
    assert settle([NO_STOP], {"zero": [served]}).unexplained


def test_missing_parameter_explains_only_where_promised() -> None:
    # gpt-ge has no word on stop, so its contract could not be what the refusal contradicts.
    assert settle([NO_STOP], {"zero": [STOP], "gpt-ge": [STOP]}).unexplained == (
        f"gpt-ge: fail stop.batch: {REFUSED}",
    )


def test_passes_and_clean_refusals_need_no_explanation() -> None:
    fine = [replace(STOP, verdict=v) for v in (Verdict.PASS, Verdict.REFUSED, Verdict.SKIPPED)]
    assert settle([], {"zero": fine}) == Unsettled((), ())


def test_line_that_explains_nothing_is_idle() -> None:
    assert idle([NO_STOP, ANY_N], {"zero": [STOP], "openai": []}) == ("states no limit of n",)


def test_explanation_needs_a_line_of_both_documents() -> None:
    # gpt-ge has no word on stop, so its contract could not be what the finding contradicts.
    silent = replace(ANY_N, about=("stop",), checks=frozenset({STOP.id}))
    assert settle([silent], {"gpt-ge": [STOP]}).one_sided == ("gpt-ge: stop.batch",)


def test_refusals_are_distinguished_by_their_words() -> None:
    null = replace(ANY_N, checks=frozenset(), refusal="but got null instead")
    assert null.explains(replace(STOP, seen="refused with 400: expected x, but got null instead."))
    assert not null.explains(replace(STOP, seen="served, but got null instead."))


def test_every_line_has_exactly_one_shape() -> None:
    for column in columns():
        for difference in load(column):
            shapes = (difference.unlisted, difference.refusal, difference.checks)
            assert sum(map(bool, shapes)) == 1, (column, difference.says)
