"""The trace of a run, which passive checks judge: its exchanges and findings.

An exchange keeps its bytes and no parsed response. Those are shared with the checks of the run,
which keeps a bounded number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.contract import Contract, SchemaViolation
from conformance.judgement import Failure, Judgement, NotApplicable
from conformance.message import Message, say
from conformance.model import Exchange, Finding, Verdict
from conformance.protocol.completion import Choice, Completion, Usage
from conformance.protocol.request import CompletionRequest, read_request
from conformance.protocol.response import Response


@dataclass(frozen=True, eq=False)
class RecordedExchange:
    """One exchange of a run: its parsed request and response, and the run's contract.

    Every accessor raises :class:`~conformance.judgement.NotApplicable` if the exchange has no such
    part; another check reports a part that is missing.
    """

    exchange: Exchange
    contract: Contract
    shared: Callable[[Exchange], Response] | None = None
    """Returns the response to an exchange as other checks parse it; None for one of its own."""

    @property
    def response(self) -> Response:
        """The response, whatever its status."""
        return self._own if self.shared is None else self.shared(self.exchange)

    @property
    def request(self) -> CompletionRequest:
        """The request, if it is a completion request with a JSON object as its body."""
        if self._request is None:
            raise NotApplicable(say("not a completion request with a JSON object as its body"))
        return self._request

    @property
    def is_whole(self) -> bool:
        """Whether the response is complete: no transport error, and not closed early by us."""
        return self.exchange.fault is None and self.exchange.request.read_events is None

    @property
    def served(self) -> Response:
        """The response, if it is a complete 200 response to a completion request."""
        _ = self.request
        if self.exchange.status != 200 or not self.is_whole:
            raise NotApplicable(say("no complete response with status 200"))
        return self.response

    @property
    def completion(self) -> Completion:
        """The completion, if it is complete and streamed exactly if the request says so."""
        if self.request.stream != self.served.is_stream:
            raise NotApplicable(say("the response is not streamed as requested"))
        if self._why_none is not None:
            raise NotApplicable(self._why_none)
        return self.response.expect_ok()

    @property
    def non_streaming(self) -> Completion:
        """The completion, if it is not a stream."""
        if self.served.is_stream:
            raise NotApplicable(say("the response is a stream"))
        return self.completion

    @property
    def streamed(self) -> Completion:
        """The completion, if it is a stream without an error."""
        if not self.served.is_stream:
            raise NotApplicable(say("the response is not a stream"))
        return self.completion

    @property
    def payloads(self) -> tuple[tuple[str, object], ...]:
        """The data of all events except ``[DONE]``, each with its parsed JSON; None if invalid."""
        payloads = self.response.payloads
        return tuple((data, None if isinstance(j, Failure) else j) for data, j in payloads)

    @cached_property
    def request_violations(self) -> tuple[SchemaViolation, ...]:
        """The violations of the contract's schema in the request."""
        return self.contract.validate_request(self.request.raw)

    @property
    def numbered(self) -> tuple[tuple[int, Choice], ...]:
        """Each choice with the position of its prompt, if the indexes are 0 to ``choices`` - 1."""
        wanted = self.request.choices
        indexes = [choice.raw.get("index") for choice in self.completion.choices]
        # Compared by repr, because True and 1.0 equal 1 and are not valid indexes.
        if [repr(index) for index in indexes] != [repr(i) for i in range(wanted)]:
            raise NotApplicable(say("the choices do not have the expected indexes"))
        n = self.request.n
        return tuple((i // n, choice) for i, choice in enumerate(self.completion.choices))

    @property
    def usage(self) -> Usage:
        """The usage, if it was requested and is reported once with the completion's tokens.

        Other checks report a stream with repeated or unrequested usage, and usage without
        ``completion_tokens``.
        """
        usages = [chunk.get("usage") for chunk in self.completion.chunks]
        stated = sum(isinstance(stated_usage, Mapping) for stated_usage in usages)
        if usages and (not self.request.include_usage or stated != 1):
            raise NotApplicable(say("the stream does not report usage exactly once, as requested"))
        usage = self.completion.usage
        texts = [choice.raw.get("text") for choice in self.completion.choices]
        if "completion_tokens" not in usage.raw and any(texts):
            raise NotApplicable(say("usage omits the tokens of the completion"))
        return usage

    def generated(self, prompt: int, choice: Choice) -> str:
        """Return a choice's text without the echoed prompt.

        Args:
            prompt: the position of the choice's prompt in the request.
            choice: one of :attr:`numbered`.
        """
        if not self.request.echo:
            return choice.text
        echoed = self.request.prompts[prompt]
        if not isinstance(echoed, str) or not choice.text.startswith(echoed):
            raise NotApplicable(say("the end of the echoed prompt cannot be determined"))
        return choice.text[len(echoed) :]

    @cached_property
    def _own(self) -> Response:
        return Response(self.exchange)

    @cached_property
    def _request(self) -> CompletionRequest | None:
        return read_request(self.exchange.request)

    @cached_property
    def _why_none(self) -> Message | None:
        """Why there is no completion in a complete response; None if there is one."""
        try:
            self.served.expect_ok()
        except Judgement as judgement:
            return say("no complete completion: {reason}", reason=judgement.said)
        return None


@dataclass(frozen=True, eq=False)
class Trace:
    """The exchanges of a run and its findings so far."""

    exchanges: tuple[RecordedExchange, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def reported_failures(self) -> tuple[Finding, ...]:
        """The findings with verdict fail or warn."""
        return tuple(f for f in self.findings if f.verdict in {Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True, eq=False)
class Violation:
    """A failure of a requirement, and the exchanges that show it, alone or together.

    The first one deviates. ``compared_with`` are exchanges that are right, or may be.
    """

    failure: Failure
    exchanges: tuple[RecordedExchange, ...]
    compared_with: tuple[RecordedExchange, ...] = ()
