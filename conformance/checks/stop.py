"""``stop``: up to four sequences that end the text before they would appear in it."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._prompts import COUNTING
from conformance.judgement import Deviation, NotApplicable, expect
from conformance.model import Effect

PLAIN = {"prompt": COUNTING, "max_tokens": 16, "temperature": 0}


@check("stop.five-refused", requirement="stop.at-most-four", tier="smoke")
async def one_sequence_too_many_is_refused(api: Api) -> None:
    """The documented number of stop sequences is served; one more is refused."""
    limit = api.contract.parameter("stop").max_items
    if limit is None:
        raise NotApplicable("this document sets no limit to the number of stop sequences")
    served, refused = [[f"§{i}" for i in range(k)] for k in (limit, limit + 1)]
    (await api.complete(prompt=COUNTING, max_tokens=1, stop=served)).expect_ok()
    error = (await api.complete(prompt=COUNTING, max_tokens=1, stop=refused)).expect_error(400, 422)
    expect(error.param, "error.param").one_of("stop", None, "")


@check("stop.ends-before-match", requirement="stop.excluded-from-text", tier="smoke")
async def text_ends_before_the_stop_sequence(api: Api) -> None:
    """A piece of the endpoint's own answer, sent back as `stop`, cuts the text just before it."""
    free = (await api.complete(**PLAIN)).expect_ok().text
    needle = middle_of(free)
    stopped = (await api.complete(**PLAIN, stop=needle)).expect_ok()
    if needle in stopped.text:
        raise Deviation(f"text without {needle!r}", f"text {stopped.text!r}", effect=Effect.IGNORED)
    expect(stopped.only.finish_reason, "finish_reason").equals("stop")
    expect(stopped.text, "text").equals(free[: free.index(needle)])


def middle_of(text: str, size: int = 3) -> str:
    """Cut a needle from the middle of a text the endpoint generated.

    Raises:
        NotApplicable: the text is too short to have a middle.
    """
    if len(text) < 3 * size:
        raise NotApplicable(f"the endpoint's own text {text!r} is too short to cut a stop from")
    start = len(text) // 2
    return text[start : start + size]
