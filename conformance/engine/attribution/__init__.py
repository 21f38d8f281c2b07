"""Find the root causes of a run: which findings follow from which; pure.

One defect of an endpoint makes many checks fail: those that are about it, and those that cannot
judge what they are about because of it. :func:`explanations_of` tells them apart, by rules that
each answer one question about one finding: does another finding of the run explain it? They are
tried in this order, and each is a module of this package:

======================  ==========================================================================
``dead_since``          no request is served since that of another finding
``refused_beside``      a request is refused because of others, and is served alone
``kinds``               the answer is of another kind than its request's: an error told as success
``nulls``               no value is read as one, and it is wrong only where that is sent
``sampling``            temperature 0 samples, and greedy answers are compared
``mixed_up``            answers belong to other requests, and differ now and then
``another_prompt``      the endpoint has another prompt than that of the request
``lost_choices``        streams lack their end, and the choices whose events come last
``places``              the check could not read its answer, and another one reports that
``refusals``            a request was refused because of a parameter that is refused anyway
``members``             a schema is violated by a member that another check is about
``counts``              a count is wrong, and another of the three counts is the wrong one
``one_way``             several counts are wrong in one and the same way
``same_count``          a count is wrong wherever a setting is, and each check reads such answers
``token_ids``           ids name other tokens, or another token ended the text
``finish``              a finish reason names the limit where something else ended the text
``foreign_text``        the text of every answer has something added, or is lost
``white_space``         white space is lost at the ends of the texts that are compared
``changed_text``        an echo is changed as the texts of all answers are
``characters``          characters of the texts are broken or lost
``garbled``             texts end in a run that their tokens have not
``combined``            settings are wrong in combination, and one of them alone is as well
``unanswered``          a request is never answered as a whole, and checks cannot judge
``simpler``             what the finding rests on is wrong in a simpler answer, too
``presupposed``         what the finding takes for granted is wrong in its answers
``same_promise``        the same requirement is broken in the answers of another check
======================  ==========================================================================

A rule explains along what a claim needs, never by order alone: two causes in one answer both stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.contract import Contract
from conformance.engine.attribution.another_prompt import prompt_is_another
from conformance.engine.attribution.changed_text import text_is_changed
from conformance.engine.attribution.characters import characters_are_wrong
from conformance.engine.attribution.combined import alone_is_wrong, wrong_with_a_setting
from conformance.engine.attribution.counts import another_count_is_wrong
from conformance.engine.attribution.dead_since import nothing_is_served_since
from conformance.engine.attribution.evidence import DEVIATING, Evidence, is_generated, is_invariant
from conformance.engine.attribution.finish import limit_is_named
from conformance.engine.attribution.foreign_text import text_is_foreign
from conformance.engine.attribution.garbled import end_is_garbled
from conformance.engine.attribution.kinds import of_another_kind
from conformance.engine.attribution.lost_choices import choices_are_cut_off
from conformance.engine.attribution.members import another_member_violates
from conformance.engine.attribution.mixed_up import answers_are_mixed_up
from conformance.engine.attribution.nulls import null_is_read
from conformance.engine.attribution.one_way import counted_wrong_in_one_way
from conformance.engine.attribution.places import unreadable
from conformance.engine.attribution.presupposed import taken_for_granted
from conformance.engine.attribution.refusals import refused_anyway, refused_together
from conformance.engine.attribution.refused_beside import served_when_alone
from conformance.engine.attribution.same_count import same_count_is_wrong
from conformance.engine.attribution.same_promise import told_already
from conformance.engine.attribution.sampling import greedy_is_sampled
from conformance.engine.attribution.simpler import TWIN, wrong_in_a_simpler_request
from conformance.engine.attribution.token_ids import ids_are_wrong
from conformance.engine.attribution.unanswered import never_answered
from conformance.engine.attribution.white_space import white_space_is_lost
from conformance.message import Message
from conformance.model import Explanation, Finding, Role, Tier, Verdict
from conformance.protocol.trace import RecordedExchange

__all__ = ["explanations_of"]

RULES = (
    nothing_is_served_since,
    served_when_alone,
    of_another_kind,
    null_is_read,
    greedy_is_sampled,
    answers_are_mixed_up,
    prompt_is_another,
    choices_are_cut_off,
    unreadable,
    refused_anyway,
    another_member_violates,
    another_count_is_wrong,
    counted_wrong_in_one_way,
    same_count_is_wrong,
    ids_are_wrong,
    limit_is_named,
    text_is_foreign,
    white_space_is_lost,
    characters_are_wrong,
    end_is_garbled,
    text_is_changed,
    alone_is_wrong,
    wrong_with_a_setting,
    wrong_in_a_simpler_request,
    taken_for_granted,
    told_already,
)


def explanations_of(
    findings: Iterable[Finding], trace: Iterable[RecordedExchange], contract: Contract
) -> Mapping[str, Explanation]:
    """Return the findings that another one explains, by id, each with the root of its chain.

    Args:
        findings: all findings of the run; only those that fail or warn are explained or explain,
            and those of a refused request; and those are explained that had no whole answer.
        trace: the exchanges of the run.
        contract: the contract of the run.
    """
    exchanges = {one.exchange.id: one for one in trace}
    told = sorted(findings, key=lambda finding: _order(finding, exchanges))
    deviations = [finding for finding in told if finding.verdict in DEVIATING]
    refusals = [finding for finding in told if finding.verdict is Verdict.REFUSED]
    if not deviations and len(refusals) < 2:
        return {}
    # What is drawn at random shows a defect of what was drawn, and seldom explains another claim.
    known = tuple(finding for finding in deviations if not is_generated(finding))
    drawn = tuple(finding for finding in deviations if is_generated(finding))
    evidence = Evidence(known, exchanges, contract, drawn)
    causes: dict[str, Explanation] = {}
    for rule in RULES:
        if rule is unreadable:
            # Answers of another kind, as to a request that had to be refused, explain no more.
            left = tuple(one for one in known if one.id not in causes)
            evidence = Evidence(left, exchanges, contract, drawn)
        if rule is told_already:
            # What is explained belongs to another cause.
            of_known, of_drawn = (
                tuple(one for one in of_kind if one.id not in causes) for of_kind in (known, drawn)
            )
            evidence = Evidence(of_known, exchanges, contract, of_drawn)
        for finding in deviations:
            if finding.id in causes:
                continue
            cause = rule(evidence, finding)
            # Of two that would explain each other, the one that came first stays.
            if cause is not None and _root(cause.by, causes) != finding.id:
                causes[finding.id] = cause
    undecided = [finding for finding in told if finding.verdict is Verdict.INCONCLUSIVE]
    whole = Evidence(known, exchanges, contract, drawn)
    causes.update(never_answered(whole, undecided))
    for finding in refusals:
        if (cause := served_when_alone(whole, finding)) is not None:
            causes[finding.id] = cause
    for check, cause in refused_together(evidence, refusals):
        if check not in causes and _root(cause.by, causes) != check:
            causes[check] = cause
    return {key: Explanation(_root(key, causes), _why(key, causes)) for key in causes}


def _why(check: str, causes: Mapping[str, Explanation]) -> Message:
    """Return the reason that is about the end of a chain of causes.

    What a cause between says is not true of the answers, because it is explained itself; unless it
    says the same as the end.
    """
    why = causes[check].why
    while (check := causes[check].by) in causes:
        why = why if causes[check].why == TWIN else causes[check].why
    return why


def _order(
    finding: Finding, exchanges: Mapping[str, RecordedExchange]
) -> tuple[int, bool, int, str]:
    """Sort by the size of the request that shows a finding: which response came first is chance."""
    probes = [one for one in finding.exchanges if finding.roles.get(one) is not Role.CONTROL]
    sizes = [len(exchanges[one].exchange.request.body) for one in probes if one in exchanges]
    size = min(sizes, default=0)
    return list(Tier).index(finding.tier), is_invariant(finding), size, finding.id


def _root(check: str, causes: Mapping[str, Explanation]) -> str:
    """Return the end of a chain of causes."""
    while check in causes:
        check = causes[check].by
    return check
