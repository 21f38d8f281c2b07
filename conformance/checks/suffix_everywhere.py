"""The suffixes of a whole run: none is returned, in whatever way an insertion was asked for."""

from __future__ import annotations

from conformance.answered import Answered
from conformance.checks import invariant
from conformance.checks._invariants import hold_each
from conformance.checks.suffix import FAR, FAR_CHINESE
from conformance.completion import Choice
from conformance.judgement import Deviation, NotApplicable, shown


@invariant("suffix.not-appended-everywhere", requirement="suffix.not-appended")
def no_suffix_is_returned_anywhere(answer: Answered) -> None:
    """In no answer does an insertion end with its suffix, plain or streamed.

    任何回答，无论流式与否，插入的文本都不以其 suffix 结尾。

    Only of a suffix that is longer than what may be inserted: a short one can be written by chance.
    """
    suffix = answer.asked.raw.get("suffix")
    if suffix not in (FAR, FAR_CHINESE):
        raise NotApplicable("the request has no suffix that tells")

    def hold_inserted(choice: Choice) -> None:
        if choice.text.rstrip().endswith(suffix.strip()):
            raise Deviation(f"text without {shown(suffix)} at its end", shown(choice.text))

    hold_each(answer.completion.choices, hold_inserted)
