"""Expectations for streams: events, one finish reason per choice, and ``[DONE]`` last."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.docs_audit.clients.response import DONE
from conformance.docs_audit.expectations.case import Case
from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.protocol.sse import EventStream, parse_events


def events(case: Case) -> None:
    """The body consists of server-sent events only."""
    parsed = _events(case)
    if parsed.stray:
        raise Failure(
            say("server-sent events"), say("the line {stray}", stray=shown(parsed.stray[0]))
        )
    if parsed.unfinished is not None:
        raise Failure(
            say("a blank line after every event"),
            say("{unfinished} at the end", unfinished=shown(parsed.unfinished)),
        )


def done(case: Case) -> None:
    """The last event is ``[DONE]``, and no other is."""
    data = [event.data.strip() for event in _events(case).events]
    if not data or data[-1] != DONE:
        raise Failure(
            say("{done} as the last event", done=DONE), shown(data[-1]) if data else say("no event")
        )
    if data.count(DONE) > 1:
        raise Failure(say("{done} once", done=DONE), say("{count} times", count=data.count(DONE)))


def endings(case: Case) -> None:
    """Every choice has one finish reason, and no text after it."""
    ended: dict[str, object] = {}
    for document in case.documents:
        parts = document.get("choices")
        for part in parts if isinstance(parts, list) else []:
            if not isinstance(part, Mapping):
                continue
            index, reason = shown(part.get("index")), part.get("finish_reason")
            if index in ended and (reason is not None or part.get("text")):
                raise Failure(
                    say("nothing of choice {index} after its finish_reason", index=index),
                    say("{before}, then {reason}", before=shown(ended[index]), reason=shown(part)),
                )
            if reason is not None:
                ended[index] = reason


def identity(case: Case) -> None:
    """All chunks have the same id and model."""
    for name in ("id", "model"):
        seen = list(dict.fromkeys(shown(document.get(name)) for document in case.documents))
        if len(seen) > 1:
            raise Failure(
                say("one {key} in all chunks", key=name),
                say("{before}, then {reason}", before=seen[0], reason=seen[1]),
            )


def _events(case: Case) -> EventStream:
    raw = case.response.raw or ""
    return parse_events(raw.encode("utf-8", errors="surrogatepass"))
