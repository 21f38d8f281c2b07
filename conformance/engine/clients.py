"""Send what clients send, and tell from a run which of them work.

A run that is for a client sends its requests. Any other run sends some of them anyway, because its
checks share them; what these show of a client costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from conformance.api import Api
from conformance.engine.selection import Options
from conformance.judgement import Judgement, NotApplicable
from conformance.message import Message, say
from conformance.model import ClientReadiness, Credentials, Finding, NeedResult
from conformance.profiles import ClientRequest, Profile, Sent, bundled_profiles, readiness_of
from conformance.protocol.trace import RecordedExchange
from conformance.transport.redact import Redactor

PIECE_CHARS = 3
"""Characters of a piece of generated text: enough that it is not everywhere in the text."""


async def send_as(profile: Profile, api: Api) -> Sent:
    """Send a client's requests in order, and return what came of each by its name."""
    sent: dict[str, RecordedExchange | Message] = {}
    for request in profile.requests:
        try:
            sent[request.name] = await _sent(request, api, sent)
        except Judgement as judgement:
            sent[request.name] = judgement.said
    return sent


async def _sent(request: ClientRequest, api: Api, sent: Sent) -> RecordedExchange:
    """Send one request; one that the server fails at is sent twice.

    Raises:
        Judgement: it cannot be sent, because the run is over or an earlier request had no text.
    """
    body = {"model": api.model, **request.filled(lambda name: _piece(name, sent))}
    response = await api.post(body, read_events=request.leave_after)
    if response.exchange.status is not None and response.exchange.status >= 500:
        response = await api.post(body, fresh=True, read_events=request.leave_after)
    return RecordedExchange(response.exchange, api.contract)


def _piece(name: str, sent: Sent) -> str:
    """Return a piece from the middle of the text that an earlier request returned.

    Raises:
        Judgement: there is none.
    """
    seen = sent[name]
    if not isinstance(seen, RecordedExchange):
        raise NotApplicable(seen)
    if not seen.response.is_served:
        raise NotApplicable(
            say("the request `{name}`, which comes before, was not served", name=name)
        )
    whole = seen.completion.choices[0].text.strip()
    start = (len(whole) - PIECE_CHARS) // 2
    if start < 1:
        raise NotApplicable(say("the request `{name}` returned too little text", name=name))
    return whole[start : start + PIECE_CHARS]


def sent_anyway(
    profile: Profile, trace: Iterable[RecordedExchange], model: str
) -> Mapping[str, RecordedExchange]:
    """Return the exchanges of a run whose requests are, member for member, those of a client.

    Args:
        profile: the client.
        trace: the exchanges of the run in order; of equal ones the first counts.
        model: the model that requests contain.
    """
    known: dict[str, RecordedExchange] = {}
    for seen in trace:
        made = seen.exchange.request
        if made.credentials is Credentials.OWN and not made.headers:
            with suppress(NotApplicable, RecursionError):  # some checks send what nests deeply
                known.setdefault(_form(seen.request.raw, made.read_events), seen)
    sent: dict[str, RecordedExchange] = {}
    for request in profile.requests:
        with suppress(Judgement, KeyError):  # a piece of what was not sent, or had no text
            body = {"model": model, **request.filled(lambda name: _piece(name, sent))}
            sent[request.name] = known[_form(body, request.leave_after)]
    return sent


def _form(body: Mapping[str, Any], leave_after: int | None) -> str:
    """Write a request so that equal ones are written alike, whatever the order of members."""
    return json.dumps([body, leave_after], sort_keys=True)


class Clients:
    """What a run learns of clients.

    Args:
        options: the options of the run, which name the clients that it is for.
        model: the model that requests contain.
        redactor: redacts what is said of them.
    """

    def __init__(self, options: Options, model: str, redactor: Redactor) -> None:
        self._asked = options.profiles
        self._model, self._redactor = model, redactor
        self._sent: dict[str, Sent] = {}

    async def send(self, api_for: Callable[[], Api]) -> None:
        """Send what the clients send that the run is for, one after the other."""
        for profile in self._asked:
            self._sent[profile.name] = await send_as(profile, api_for())

    def readiness(
        self, trace: Sequence[RecordedExchange], findings: Sequence[Finding]
    ) -> tuple[ClientReadiness, ...]:
        """Return what the run shows of each client: those that it is for, then the suite's own.

        Args:
            trace: the exchanges of the run's checks, in order.
            findings: the run's findings, with explained ones as such.
        """
        profiles = {profile.name: profile for profile in (*self._asked, *bundled_profiles())}

        def result(profile: Profile) -> ClientReadiness:
            sent = self._sent.get(profile.name)
            known = sent_anyway(profile, trace, self._model) if sent is None else sent
            shown = readiness_of(profile, known, findings)
            return replace(shown, needs=tuple(map(self._redacted, shown.needs)))

        return tuple(map(result, profiles.values()))

    def _redacted(self, need: NeedResult) -> NeedResult:
        return replace(need, why=self._redactor.message(need.why))
