"""Find the exchanges that show what a check says, if the check does not name them.

A judgement is raised where a response is judged: the innermost function of its traceback that has a
response, a completion or an exchange of the check in a variable is the one that judges it. With two
such responses they are compared, and the one whose request asks for more deviates. A check that
compares only what it has taken from responses leaves none there: then the last request with the
parameter in question is the probe, and the one most like it the control.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType

from conformance.evidence import Evidence, compared, differing, names_in
from conformance.judgement import Failure, Judgement, Refusal
from conformance.model import Exchange, Finding, Request, Role
from conformance.protocol.completion import Choice, Completion
from conformance.protocol.error_response import ErrorResponse
from conformance.protocol.response import Response

MAX_COMPARED = 2
"""Responses in variables of a function that compares them; of more it is unclear which it does."""


def evidence_of(
    outcome: BaseException | None, exchanges: Sequence[Exchange], subject: str
) -> Evidence | None:
    """Return the exchanges that show an outcome; None if it is no deviation, or has none.

    Args:
        outcome: what the check raised.
        exchanges: what the check made or refers to, in order.
        subject: the parameter or field that the check is about.
    """
    if not isinstance(outcome, Failure | Refusal):
        return None
    if outcome.evidence is not None:
        return outcome.evidence
    return _in_variables(outcome, exchanges) or _about(subject, exchanges)


def resting_on(
    finding: Finding, others: Collection[Finding], requests: Mapping[str, Request]
) -> Finding:
    """Say which checks send the requests that show a finding, for a check that reads the run.

    Such a check may send a request again to confirm a suspicion, after another has sent it.

    Args:
        finding: of the check that reads the run.
        others: the findings of the checks before it.
        requests: the request of each exchange of the run and of the finding, by its id.
    """
    known = [(key, role) for key, role in finding.roles.items() if key in requests]
    probes, controls, repeats = (
        [key for key, own in known if own is role]
        for role in (Role.PROBE, Role.CONTROL, Role.REPEAT)
    )
    # Of two responses to one request, the second is a repeat: both have to come again.
    left = {*probes[:1], *controls, *repeats[:1]}
    makers: dict[str, None] = {}
    earlier = [other for other in others if other.id != finding.id]
    for other in earlier:
        if made := left & set(other.exchanges):
            makers[other.id] = None
            left -= made
    wanted = {requests[key] for key in left.difference(repeats)}
    for other in earlier:
        if sent := wanted & {requests[key] for key in other.exchanges if key in requests}:
            makers[other.id] = None
            wanted -= sent
    if wanted & {requests[key] for key in probes[:1]}:
        # The check has shrunk the request that made it suspicious, which another check sent.
        listed = set(finding.exchanges).difference(controls)
        origins = [other.id for other in earlier if listed & set(other.exchanges)]
        makers |= dict.fromkeys(origins[:1])
    return replace(finding, rests_on=tuple(makers)) if makers else finding


def _in_variables(outcome: Judgement, exchanges: Sequence[Exchange]) -> Evidence | None:
    own = {exchange.id: place for place, exchange in enumerate(exchanges)}
    for found in reversed(list(_frames(outcome.__traceback__))):
        judged = sorted({key for key in found if key in own}, key=own.__getitem__)
        if 0 < len(judged) <= MAX_COMPARED:
            first, *others = (exchanges[own[key]] for key in judged)
            # Of two alike the later one decides, because nothing deviated before it.
            return compared(others, [first]) if others else Evidence((first,))
    return None


def _frames(traceback: TracebackType | None) -> Iterator[set[str]]:
    """Yield the ids of the exchanges in the variables of each function, the outermost first."""
    while traceback is not None:
        yield {
            exchange.id
            for value in traceback.tb_frame.f_locals.values()
            if (exchange := _exchange_of(value)) is not None
        }
        traceback = traceback.tb_next


def _exchange_of(value: object) -> Exchange | None:
    match value:
        case Exchange():
            return value
        case Choice() | Completion() | ErrorResponse() | Response():
            return value.exchange
    return None


def _about(subject: str, exchanges: Sequence[Exchange]) -> Evidence | None:
    """Return the last exchange, of those that send the parameter in question if there are any.

    Its control is the one whose request is most like it.
    """
    if not exchanges:
        return None
    sending = [one for one in exchanges if subject in names_in(one)]
    probe = (sending or exchanges)[-1]
    others = [
        one
        for one in reversed(exchanges)
        if one.request != probe.request
        # Two that are rejected alike are two examples, and are not compared.
        and (one.status == HTTPStatus.OK or one.status != probe.status)
    ]
    control = min(others, key=lambda other: differing(probe, other), default=None)
    return Evidence((probe,), (control,) if control else ())
