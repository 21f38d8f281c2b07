"""What a run leaves behind for those who ask nothing: its exchanges, and who was accused of what.

Each exchange is read once, however many look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.contract import Contract, SchemaViolation
from conformance.judgement import Failure, Judgement, NotApplicable
from conformance.model import Exchange, Finding, Verdict
from conformance.protocol.completion import Choice, Completion, Usage
from conformance.protocol.request import CompletionRequest, read_request
from conformance.protocol.response import Response


@dataclass(frozen=True, eq=False)
class RecordedExchange:
    """One exchange of a run, with its request and its answer read, under the run's contract.

    Every accessor raises :class:`~conformance.judgement.NotApplicable` where there is nothing of
    that kind to judge: what is missing altogether is for the check of that to say.
    """

    exchange: Exchange
    contract: Contract
    shared: Response | None = None
    """The response as the checks that asked for it have read it, if they did."""

    @cached_property
    def response(self) -> Response:
        """The answer as it came."""
        return self.shared or Response(self.exchange)

    @property
    def request(self) -> CompletionRequest:
        """The request, where it was a JSON object that asks for a completion."""
        if self._request is None:
            raise NotApplicable("the request is no JSON object that asks for a completion")
        return self._request

    @property
    def is_whole(self) -> bool:
        """Whether the answer came to its end, and was not hung up on by the suite itself."""
        return self.exchange.fault is None and self.exchange.request.read_events is None

    @property
    def served(self) -> Response:
        """The answer, where it came whole under status 200 to a request for a completion."""
        _ = self.request
        if self.exchange.status != 200 or not self.is_whole:
            raise NotApplicable("no whole answer under status 200")
        return self.response

    @property
    def completion(self) -> Completion:
        """The completion, plain or joined, where a whole one came in the form asked for."""
        if self.request.stream != self.served.is_stream:
            raise NotApplicable("what should be a stream is none, or the other way round")
        read = self._completion
        if isinstance(read, Judgement):
            raise NotApplicable(f"no whole completion: {read}")
        return read

    @property
    def non_streaming(self) -> Completion:
        """The completion, where it came in one piece."""
        if self.served.is_stream:
            raise NotApplicable("the answer is a stream")
        return self.completion

    @property
    def streamed(self) -> Completion:
        """The completion, where it came as a stream that did not break with an error."""
        if not self.served.is_stream:
            raise NotApplicable("the answer is no stream")
        return self.completion

    @cached_property
    def payloads(self) -> tuple[tuple[str, object], ...]:
        """What the events of a stream carry but for ``[DONE]``, beside the JSON that it is.

        What is no strict JSON is beside None.
        """
        payloads = self.response.payloads
        return tuple((data, None if isinstance(j, Failure) else j) for data, j in payloads)

    @cached_property
    def request_violations(self) -> tuple[SchemaViolation, ...]:
        """Where the request breaks the contract's schema."""
        return self.contract.validate_request(self.request.raw)

    @cached_property
    def numbered(self) -> tuple[tuple[int, Choice], ...]:
        """Each choice with the number of its prompt, where the choices are those asked for."""
        wanted = self.request.choices
        indexes = [choice.raw.get("index") for choice in self.completion.choices]
        # Written out, because True and 1.0 are equal to 1 and no indexes.
        if [repr(index) for index in indexes] != [repr(i) for i in range(wanted)]:
            raise NotApplicable("the choices are not those that were asked for")
        n = self.request.n
        return tuple((i // n, choice) for i, choice in enumerate(self.completion.choices))

    @property
    def usage(self) -> Usage:
        """The usage, where it came as it was asked for.

        A stream that repeats it, or states it unasked, is judged for that and not for the numbers;
        so is an answer that leaves out the completion's tokens although there are some.
        """
        usages = [chunk.get("usage") for chunk in self.completion.chunks]
        stated = sum(isinstance(stated_usage, Mapping) for stated_usage in usages)
        if usages and (not self.request.include_usage or stated != 1):
            raise NotApplicable("the stream has not the one bill that was asked for")
        usage = self.completion.usage
        texts = [choice.raw.get("text") for choice in self.completion.choices]
        if "completion_tokens" not in usage.raw and any(texts):
            raise NotApplicable("the bill leaves out the completion")
        return usage

    def generated(self, prompt: int, choice: Choice) -> str:
        """The text that was generated: what follows the prompt, where that was to be echoed."""
        if not self.request.echo:
            return choice.text
        echoed = self.request.prompts[prompt]
        if not isinstance(echoed, str) or not choice.text.startswith(echoed):
            raise NotApplicable("where the echoed prompt ends cannot be told")
        return choice.text[len(echoed) :]

    @cached_property
    def _request(self) -> CompletionRequest | None:
        return read_request(self.exchange.request)

    @cached_property
    def _completion(self) -> Completion | Judgement:
        try:
            return self.served.expect_ok()
        except Judgement as judgement:
            # Without its traceback, which would keep this frame and the exchange alive in a circle.
            return judgement.with_traceback(None)


@dataclass(frozen=True, eq=False)
class Trace:
    """The answers of a run in the order in which they came, and the findings up to now."""

    exchanges: tuple[RecordedExchange, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def reported_failures(self) -> tuple[Finding, ...]:
        """The findings that call something a deviation."""
        return tuple(f for f in self.findings if f.verdict in {Verdict.FAIL, Verdict.WARN})

    def root_cause_of(self, requirement: str) -> str | None:
        """Return the check that found a requirement broken, if one did."""
        result = (f.id for f in self.reported_failures if f.requirement == requirement)
        return next(result, None)

    def root_cause_among(self, checks: Iterable[str]) -> str | None:
        """Return which of some checks found a deviation, if one did."""
        wanted = set(checks)
        return next((f.id for f in self.reported_failures if f.id in wanted), None)


@dataclass(frozen=True, eq=False)
class Violation:
    """Answers that break a requirement, alone or together, and how they do."""

    failure: Failure
    exchanges: tuple[RecordedExchange, ...]
