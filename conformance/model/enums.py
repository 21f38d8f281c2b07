"""Enumerations of the data model."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class Level(StrEnum):
    """The level of a requirement, as defined in RFC 2119."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Tier(StrEnum):
    """The depth and maximum price of a run; each tier includes the checks of the cheaper ones."""

    SMOKE = "smoke"
    STANDARD = "standard"
    DEEP = "deep"

    def holds(self, other: Tier) -> bool:
        """Return whether a run of this tier includes the checks of the ``other`` tier."""
        order = list(Tier)
        return order.index(other) <= order.index(self)


class Stage(StrEnum):
    """The origin of a check's requests."""

    DIRECTED = "directed"
    """Hand-written for one requirement."""
    GENERATED = "generated"
    """Generated at random from the contract's schema."""
    TOGETHER = "together"
    """Sent in bursts, which must not share the endpoint with requests of other checks."""


class Verdict(StrEnum):
    """The result of one check.

    ``info`` concerns a parameter that the document does not mention; ``explained`` is a deviation
    that another finding of the run is the cause of, and which counts nowhere. ``expected`` is in no
    record: reports show it instead of the verdict of a finding that a file expects.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    EXPLAINED = "explained"
    SKIPPED = "skipped"
    INFO = "info"
    ERROR = "error"
    EXPECTED = "expected"


class Place(StrEnum):
    """A part of an answer that a check has to read before it can judge what it is about.

    The order is that of reading: nothing is known of a choice before the body is.
    """

    STATUS = "status"
    """The status of a rejection; that the request was rejected is known without it."""
    SERVED = "served"
    """That an invalid request was served, whatever its answer is."""
    BODY = "body"
    """One JSON body, in the content type that says so."""
    STREAM = "stream"
    """A stream of events, where one was requested."""
    EVENTS = "events"
    """The chunk in each event of a stream."""
    ERROR = "error"
    """The error envelope of a rejection."""
    MESSAGE = "error.message"
    SCHEMA = "schema"
    """The members that a schema describes, which other checks are about one by one."""
    CHOICES = "choices"
    """As many choices as requested."""
    INDEX = "index"
    TEXT = "text"
    ECHO = "echo"
    """The prompt in front of the completion."""
    FINISH = "finish_reason"
    LOGPROBS = "logprobs"
    ARRAYS = "arrays"
    """The parallel arrays of logprobs."""
    TOKENS = "tokens"
    """Tokens that join to the text."""
    PROMPT_SCORES = "logprobs of the prompt"
    USAGE = "usage"
    STREAM_USAGE = "usage of a stream"


class Effect(StrEnum):
    """How a deviation shows: the parameter had no effect, a wrong one, or was rejected."""

    IGNORED = "ignored"
    ALTERED = "altered"
    REFUSED = "refused"


class Role(StrEnum):
    """What an exchange is to a finding.

    A probe deviates, a control is what it is compared with, and a repeat is one of them once more.
    """

    PROBE = "probe"
    CONTROL = "control"
    REPEAT = "repeat"


class State(StrEnum):
    """The state of one parameter or response field over a whole run."""

    HONOURED = "honoured"
    """No deviation, and its effect was seen; a response field has no effect to see."""
    ACCEPTED = "accepted"
    """No deviation; it is served, but no check of the run would have seen it ignored."""
    ALTERED = "altered"
    IGNORED = "ignored"
    """A deviation shows no effect, and nothing else in the run shows one."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """No deviation, and most of its checks are inconclusive."""
    UNTESTED = "untested"


class Conclusion(StrEnum):
    """The result of a whole run.

    ``as expected`` is in no record: reports show it if a file expects every deviation.
    """

    CONFORMING = "conforming"
    NOT_CONFORMING = "not conforming"
    UNDECIDED = "could not judge"
    NOTHING_RAN = "nothing ran"
    INCOMPLETE = "broken off"
    AS_EXPECTED = "as expected"


class ExitCode(IntEnum):
    """The exit codes of the command line; those up to 5 have the meaning they have for pytest."""

    CONFORMING = 0
    NOT_CONFORMING = 1
    INTERRUPTED = 2
    UNDECIDED = 3
    USAGE = 4
    NOTHING_RAN = 5
    PROPOSED = 6


EXIT_CODES: Mapping[Conclusion, ExitCode] = {
    Conclusion.CONFORMING: ExitCode.CONFORMING,
    Conclusion.NOT_CONFORMING: ExitCode.NOT_CONFORMING,
    Conclusion.UNDECIDED: ExitCode.UNDECIDED,
    Conclusion.NOTHING_RAN: ExitCode.NOTHING_RAN,
    Conclusion.INCOMPLETE: ExitCode.INTERRUPTED,
    Conclusion.AS_EXPECTED: ExitCode.CONFORMING,
}


class Credentials(StrEnum):
    """Which API key a request carries: the target's, none, or an invalid one."""

    OWN = "own"
    NONE = "none"
    WRONG = "wrong"
