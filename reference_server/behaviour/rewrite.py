"""The usual behaviour: the request is rewritten on its way in, the answer on its way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reference_server.behaviour.messages import Answer, Asked, Body, Declined, Upstream


@dataclass(frozen=True)
class Rewrite:
    """What is rewritten; whatever is None passes untouched.

    Every function returns what goes on in place of what it was given, which it must not change, and
    may raise :class:`Declined` instead. ``asked`` is always the client's own request.

    Attributes:
        ask: the request's JSON, before the server sees it.
        plain: ``(asked, answer)`` of a plain answer with status 200.
        chunks: ``(asked, chunks)`` of a stream, all of them; ``[DONE]`` follows by itself.
        refusal: ``(asked, envelope)`` of an answer with an error status.
        raw: the finished answer, last of all, whatever it is.
    """

    ask: Callable[[Body], Body] | None = None
    plain: Callable[[Body, Body], Body] | None = None
    chunks: Callable[[Body, list[Body]], list[Body]] | None = None
    refusal: Callable[[Body, Body], Body] | None = None
    raw: Callable[[Asked, Answer], Answer] | None = None

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        """Answer one request."""
        try:
            # A body that is no JSON object is the server's to refuse.
            sent = asked.with_body(self.ask(dict(asked.body))) if self.ask and asked.body else asked
            answer = self._rewritten(asked.body, await upstream(sent))
        except Declined as declined:
            answer = declined.answer
        return self.raw(asked, answer) if self.raw else answer

    def _rewritten(self, asked: Body, answer: Answer) -> Answer:
        if answer.status >= 400:
            return answer.with_body(self.refusal(asked, answer.body)) if self.refusal else answer
        if answer.is_stream:
            return answer.with_chunks(self.chunks(asked, answer.chunks)) if self.chunks else answer
        return answer.with_body(self.plain(asked, answer.body)) if self.plain else answer
