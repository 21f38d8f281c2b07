"""Tell from a run whether a client works; pure.

A need is met only if the run shows it: each of its requests was sent and read as the client reads
it or, for a need without requests, a check of each of its requirements passed. It is unmet if a
response, a finding or a rejection shows that. A rejection that conforms counts as well: the client
does not ask whether it was promised anything. Otherwise it was not tested.

A requirement is broader than what one client sends, so what another finding explains is no evidence
against it; of a check that sends nearly the same, it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.judgement import Failure, Judgement, Refusal
from conformance.message import NOTHING, Message, bounded, say
from conformance.model import ClientReadiness, Finding, NeedResult, NeedState, Verdict
from conformance.profiles.profile import Need, Profile, Shown
from conformance.profiles.readings import COMPARISONS, READINGS
from conformance.protocol.trace import RecordedExchange

Sent = Mapping[str, RecordedExchange | Message]
"""What came of a profile's requests by their names: the exchange, or why there is none."""

BREAKING = (Verdict.FAIL, Verdict.WARN, Verdict.REFUSED)
"""Verdicts of findings that show a deviation or a rejection, in the order of what they tell."""

NOT_SENT = say("this run did not send what the client sends")


def readiness_of(profile: Profile, sent: Sent, findings: Iterable[Finding]) -> ClientReadiness:
    """Return what a run shows of a client.

    Args:
        profile: the client.
        sent: what came of its requests; empty if the run was about something else.
        findings: the run's findings, with explained ones as such.
    """
    about: dict[str, list[Finding]] = {}
    for finding in findings:
        about.setdefault(finding.requirement, []).append(finding)
        about.setdefault(_check(finding.id), []).append(finding)
    needs = tuple(_result(need, sent, about) for need in profile.needs)
    return ClientReadiness(profile.name, profile.title, needs)


def _result(need: Need, sent: Sent, about: Mapping[str, list[Finding]]) -> NeedResult:
    results = [_read(need, shown, sent) for shown in need.shown_by]
    # In order: behind a request that was not served, the next one says little about this need.
    first = next((result for result in results if result.state is not NeedState.MET), None)
    if first is not None and first.state is NeedState.UNMET:
        return first
    broken = _broken(need, about)
    if broken is not None:
        return broken
    if not need.shown_by:
        return _by_requirements(need, about)
    if first is not None:
        return first
    exchanges = dict.fromkeys(key for result in results for key in result.exchanges)
    return _of(need, NeedState.MET, exchanges=tuple(exchanges))


def _read(need: Need, shown: Shown, sent: Sent) -> NeedResult:
    """Read the response to one request as the client does."""
    seen = sent.get(shown.request, NOT_SENT)
    if isinstance(seen, Message):
        return _of(need, NeedState.NOT_TESTED, seen)
    others = [one for one in sent.values() if isinstance(one, RecordedExchange) and one is not seen]
    where = (seen.exchange.id,)
    for name in shown.reads:
        try:
            if name in COMPARISONS:
                COMPARISONS[name](seen, others)
            else:
                READINGS[name](seen)
        except (Failure, Refusal) as judgement:
            return _of(need, NeedState.UNMET, judgement.said, exchanges=where)
        except Judgement as judgement:
            return _of(need, NeedState.NOT_TESTED, judgement.said, exchanges=where)
        except Exception as error:  # noqa: BLE001 - no response may end a run
            why = say("internal error ({error})", error=type(error).__name__)
            return _of(need, NeedState.NOT_TESTED, why, exchanges=where)
    return _of(need, NeedState.MET, exchanges=where)


def _broken(need: Need, about: Mapping[str, list[Finding]]) -> NeedResult | None:
    """Return which findings show the need unmet; None if none does."""
    found = [finding for name in need.requirements for finding in about.get(name, ())]
    alike = [finding for name in need.checks for finding in about.get(_check(name), ())]
    for verdict in (*BREAKING, Verdict.EXPLAINED):
        shows = [f for f in (*alike, *found) if f.verdict is verdict]
        if verdict is Verdict.EXPLAINED:
            shows = [finding for finding in shows if finding in alike]
        if shows:
            ids = tuple(finding.id for finding in shows)
            return _of(need, NeedState.UNMET, shows[0].message, findings=ids)
    return None


def _check(name: str) -> str:
    """Return a key for a check, whose id can be that of a requirement as well."""
    return f"check {name}"


def _by_requirements(need: Need, about: Mapping[str, list[Finding]]) -> NeedResult:
    """Return the result of a need that requirements alone show, none of which is broken."""
    passed: list[str] = []
    for name in need.requirements:
        found = about.get(name, [])
        passes = [finding.id for finding in found if finding.verdict is Verdict.PASS]
        if not passes:
            why = (
                found[0].message
                if found
                else say("no check of {requirement} ran", requirement=name)
            )
            return _of(need, NeedState.NOT_TESTED, why, findings=tuple(f.id for f in found[:1]))
        passed += passes
    return _of(need, NeedState.MET, findings=tuple(dict.fromkeys(passed)))


def _of(
    need: Need,
    state: NeedState,
    why: Message | None = None,
    *,
    exchanges: tuple[str, ...] = (),
    findings: tuple[str, ...] = (),
) -> NeedResult:
    return NeedResult(
        need.id,
        need.says,
        need.says_zh,
        need.without,
        need.without_zh,
        state,
        NOTHING if why is None else bounded(why),
        exchanges,
        findings,
    )
