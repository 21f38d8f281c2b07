"""The headline of a run: its verdict in a word or two, and claims that each lead to their evidence.

A run that judged little must not sound like one that judged all, so the headline says how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.language import Text
from conformance.model import Conclusion, Expected, Header, Verdict
from conformance.report.expected import counts_of, entry_claims
from conformance.report.locale import messages as sentences
from conformance.report.locale.terms import CHECK, HEADLINES, counted, listing
from conformance.report.summary_rows import CutShort, Row
from conformance.report.usage import UsageMismatch

FINDINGS, OPEN, PARAMETERS, FIELDS = "findings", "not-verified", "parameters", "fields"
"""Places of a report that claims lead to."""

MAX_GLOBS = 3
"""Maximum number of globs of a selection that the headline names."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the headline, and the place of a report that shows why it is true.

    ``place`` is the id of a finding, or one of the places of this module.
    """

    text: Text
    place: str


def headline_of(
    conclusion: Conclusion,
    cut_short: CutShort | None,
    judged: int,
    expected: Expected | None = None,
) -> Text:
    """Return the verdict in a word or two; how much was judged if a conforming run was limited.

    With expected deviations it counts those and the news, and says in any case what was left out.

    Args:
        conclusion: the conclusion of the run.
        cut_short: why only a part of the checks was judged; None if nothing limited the run.
        judged: number of checks that evaluated a response.
        expected: what the run makes of the expected deviations; None without any.
    """
    verdict = _verdict_of(conclusion, cut_short, judged, expected)
    if cut_short is None or not cut_short.left_out or conclusion not in _JUDGED:
        return verdict
    return _WITHOUT.format(verdict=verdict, globs=listing(cut_short.left_out, MAX_GLOBS))


def _verdict_of(
    conclusion: Conclusion, cut_short: CutShort | None, judged: int, expected: Expected | None
) -> Text:
    if expected is not None and (expected.known or expected.is_news):
        counts = counts_of(expected)
        if conclusion is Conclusion.UNDECIDED:
            return _COUNTED.format(verdict=HEADLINES[conclusion], counts=counts)
        return counts
    is_limited = cut_short is not None and (cut_short.globs or cut_short.skipped)
    if conclusion is not Conclusion.CONFORMING or cut_short is None or not is_limited:
        return HEADLINES[conclusion]
    words = _CONFORMING_IN if cut_short.skipped else _CONFORMING_IN_SELECTED
    return words.format(judged=f"{judged:,}", checks=counted(judged + cut_short.skipped, CHECK))


def claims_of(
    conclusion: Conclusion,
    verdict: Text,
    *,
    rows: Sequence[Row],
    mismatches: Sequence[UsageMismatch],
    cut_short: CutShort | None,
    worst: str | None,
    ended_early: bool,
    expected: Expected | None = None,
) -> Iterator[Claim]:
    """Yield the sentences about parameters, fields and usage, and the verdict.

    Args:
        conclusion: the conclusion of the run.
        verdict: the verdict in a sentence.
        rows: the parameters and response fields.
        mismatches: what is known about incorrect usage.
        cut_short: why only a part of the checks was judged; None if nothing limited the run.
        worst: the id of the first finding that needs attention, if there is one.
        ended_early: whether something ended the run before all of its checks were judged.
        expected: what the run makes of the expected deviations; None without any.
    """
    found = Claim(verdict, FINDINGS if worst is not None else OPEN)
    # An incomplete or inconclusive run states that first.
    comes_last = conclusion in _JUDGED
    if not comes_last:
        yield found
    fields = [row for row in rows if row.subject.kind == "field"]
    parameters = [row for row in rows if row.subject.kind == "parameter"]
    selected = cut_short is not None and bool(cut_short.globs)
    served = sentences.the_parameters(parameters, selected=selected)
    if served is not None:
        yield Claim(served, PARAMETERS)
    wrong = sentences.the_fields(fields)
    if wrong is not None:
        yield Claim(wrong, FIELDS)
    billed = sentences.usage_sentence(mismatches)
    if billed is not None:
        yield Claim(billed, mismatches[0].finding)
    if comes_last:
        yield found
    if expected is not None:
        for text in entry_claims(expected):
            yield Claim(text, FINDINGS)
    if ended_early and (comes_last or expected is not None):
        yield Claim(_ENDED_EARLY, OPEN)
    if cut_short is not None:
        yield from _limits_of(cut_short)


def _limits_of(cut_short: CutShort) -> Iterator[Claim]:
    if cut_short.clients:
        named = [f"`{name.replace('`', chr(39))}`" for name in cut_short.clients]
        yield Claim(_FOR.format(clients=listing(named, MAX_GLOBS)), OPEN)
    elif cut_short.globs:
        named = [f"`{glob.replace('`', chr(39))}`" for glob in cut_short.globs]
        yield Claim(_ONLY.format(globs=listing(named, MAX_GLOBS)), OPEN)
    if cut_short.left_out:
        named = [f"`{glob.replace('`', chr(39))}`" for glob in cut_short.left_out]
        yield Claim(_LEFT_OUT.format(globs=listing(named, MAX_GLOBS)), OPEN)
    if cut_short.skipped:
        yield Claim(_CUT_SHORT.format(checks=counted(cut_short.skipped, CHECK)), OPEN)


def cut_short_of(header: Header, verdicts: Sequence[tuple[Verdict, str]]) -> CutShort | None:
    """Return what limited a run: a selection or exclusion of checks, or a limit of its cost.

    Args:
        header: the header of the run.
        verdicts: verdict and message of each finding.
    """
    skipped = sum(
        verdict is Verdict.SKIPPED and message.startswith(BUDGET_SPENT)
        for verdict, message in verdicts
    )
    globs = header.select or ((f"stage {header.stage.value}",) if header.stage else ())
    limited = CutShort(globs, skipped, header.exclude, header.profiles)
    return limited if globs or skipped or header.exclude else None


BUDGET_SPENT = "budget spent"
"""How the message of a check begins that a limit of the run kept from being judged."""

_JUDGED = frozenset({Conclusion.CONFORMING, Conclusion.NOT_CONFORMING, Conclusion.AS_EXPECTED})
"""Conclusions that say something about the endpoint."""

_CONFORMING_IN = Text("No deviation in {judged} of {checks}", "{checks}中的 {judged} 项未发现偏差")
_CONFORMING_IN_SELECTED = Text("Conforming in the selected checks", "所选检查均符合契约")
_ENDED_EARLY = Text("The run ended early; the rest is untested.", "运行提前结束，其余未经测试。")
_WITHOUT = Text("{verdict}, without {globs}", "{verdict}（不含 {globs}）")
_COUNTED = Text("{verdict}, {counts}", "{verdict}，{counts}")
_LEFT_OUT = Text("Checks that match {globs} were left out.", "已排除与 {globs} 匹配的检查。")
_FOR = Text("Only what {clients} needs was tested.", "只测试了 {clients} 所需的内容。")
_ONLY = Text("Only checks that match {globs} ran.", "只运行了与 {globs} 匹配的检查。")
_CUT_SHORT = Text(
    "{checks} not run, because the limit of requests or tokens was reached.",
    "因达到请求数或 token 数的上限，{checks}没有运行。",
)
