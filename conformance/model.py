"""The shared data model: frozen records without I/O, from the standard library only.

Times are in seconds: ``at`` since the request was sent, ``started`` since the start of the run.
Bodies are the bytes on the wire, with the API key redacted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Verdict(StrEnum):
    """The result of one check; ``info`` concerns a parameter that the document does not mention."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    INFO = "info"
    ERROR = "error"


class Effect(StrEnum):
    """How a deviation shows: the parameter had no effect, a wrong one, or was rejected."""

    IGNORED = "ignored"
    ALTERED = "altered"
    REFUSED = "refused"


class State(StrEnum):
    """The state of one parameter or response field over a whole run."""

    HONOURED = "honoured"
    ALTERED = "altered"
    IGNORED = "ignored"
    REFUSED = "refused"
    UNTESTED = "untested"


class Conclusion(StrEnum):
    """The result of a whole run."""

    CONFORMING = "conforming"
    NOT_CONFORMING = "not conforming"
    UNDECIDED = "could not judge"
    NOTHING_RAN = "nothing ran"
    INCOMPLETE = "broken off"


class ExitCode(IntEnum):
    """The exit codes of the command line; each has the meaning it has for pytest."""

    CONFORMING = 0
    NOT_CONFORMING = 1
    INTERRUPTED = 2
    UNDECIDED = 3
    USAGE = 4
    NOTHING_RAN = 5


EXIT_CODES: Mapping[Conclusion, ExitCode] = {
    Conclusion.CONFORMING: ExitCode.CONFORMING,
    Conclusion.NOT_CONFORMING: ExitCode.NOT_CONFORMING,
    Conclusion.UNDECIDED: ExitCode.UNDECIDED,
    Conclusion.NOTHING_RAN: ExitCode.NOTHING_RAN,
    Conclusion.INCOMPLETE: ExitCode.INTERRUPTED,
}


class Credentials(StrEnum):
    """Which API key a request carries: the target's, none, or an invalid one."""

    OWN = "own"
    NONE = "none"
    WRONG = "wrong"


WRONG_KEY = "sk-conformance-this-key-was-never-issued"
"""The key of :attr:`Credentials.WRONG`: well-formed, but never issued."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one document says about a requirement, paraphrased in English and Chinese."""

    document: str
    says: str
    says_zh: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable sentence of the contract.

    Attributes:
        id: the permanent id, whose first part is the area: ``stop.string``.
        statement: the sentence in English; ``statement_zh`` is the same in Chinese.
        level: how binding it is.
        area: the area that it is filed under.
        subject: the parameter (``stop``) or response field (``choices[].finish_reason``) that it
            is about.
        scope: ``protocol`` if every contract inherits it, ``document`` if only the documents among
            the sources promise it.
        sources: the documents that state it.
    """

    id: str
    statement: str
    statement_zh: str
    level: Level
    area: str
    subject: str
    scope: str
    sources: tuple[Source, ...]


DEFAULT_KEY_ENV = "OPENAI_API_KEY"
"""The default environment variable for the API key."""


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint under test. Secrets never appear in a ``repr`` and are never recorded.

    Attributes:
        base_url: up to, but without, ``/completions``.
        model: the model id that requests contain.
        contract: the name of the contract under test.
        api_key: the key; None sends no ``Authorization`` header.
        api_key_env: the environment variable that reproduction commands read the key from.
        name: the target's name in ``conformance.toml``; None if it is not from that file.
        headers: headers of every request.
        secrets: the header values that must be redacted.
        shown_headers: the headers as recorded; a secret value is replaced by its environment
            variable, ``$NAME``.
    """

    base_url: str
    model: str
    contract: str
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str = DEFAULT_KEY_ENV
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    shown_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a check; the transport adds host, key and content type.

    ``path`` is relative to the base URL. ``read_events`` closes the connection after that many
    server-sent events, which bounds the cost of a generation without ``max_tokens``.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials = Credentials.OWN
    read_events: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a request.

    Attributes:
        started: seconds since the start of the run.
        elapsed: seconds until the response was complete or the attempt failed.
        status: the HTTP status; None if there was no response.
        fault: the transport error in one sentence, or None.
        retry_after: the ``Retry-After`` header of an attempt that was retried.
        body: the beginning of the body of an attempt that was retried. The last attempt's body is
            in the exchange.
    """

    started: float
    elapsed: float
    status: int | None
    fault: str | None
    retry_after: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Arrival:
    """``size`` bytes of the body, read ``at`` seconds after the request was sent."""

    at: float
    size: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and everything received for it.

    Attributes:
        id: unique within the run, in order of sending: ``x0001``.
        request: the request.
        attempts: all attempts; the other attributes describe the last one.
        status: the HTTP status; None if no attempt got a response.
        headers: the response headers in order, redacted.
        body: the response body; incomplete if ``fault`` is set.
        arrivals: the reads that the body arrived in.
        elapsed: seconds of the last attempt.
        fault: the transport error in one sentence, such as a timeout or an oversized body; None if
            the response is complete.
    """

    id: str
    request: Request
    attempts: tuple[Attempt, ...]
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrivals: tuple[Arrival, ...]
    elapsed: float
    fault: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first response header of that name, ignoring case; None if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison server's response to the request of one exchange, sent with its own model."""

    exchange: str  # the id of the run's exchange
    answer: Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Here and elsewhere, attributes that end in ``_zh`` are the same in Chinese; they are empty in
    records of older versions.

    Attributes:
        id: the id of the check.
        title: the headline of the check.
        requirement: the id of the requirement that the check tests.
        level, subject: of the requirement.
        tier: the tier of the check.
        verdict: the result.
        message: the deviation or the reason; empty for a pass.
        expected, seen: the expected and the actual value of a failure.
        effect: how a deviation shows.
        exchanges: ids of the exchanges that the check made or refers to.
    """

    id: str
    title: str
    requirement: str
    level: Level
    subject: str
    tier: Tier
    verdict: Verdict
    message: str = ""
    expected: str | None = None
    seen: str | None = None
    effect: Effect | None = None
    exchanges: tuple[str, ...] = ()
    title_zh: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One parameter or response field of the contract.

    Attributes:
        name: the parameter's name or the field's path.
        kind: ``parameter`` or ``field``.
        documented: whether the contract's document mentions it.
        promise: the contract's promise in one line.
        says: what each document says about it, by the document's name.
    """

    name: str
    kind: str
    documented: bool
    promise: str
    says: Mapping[str, str]
    promise_zh: str = ""
    says_zh: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum requests and tokens of a run; None is no limit."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How requests are sent.

    Attributes:
        concurrency: maximum concurrent requests.
        rate: maximum requests per second; None is no limit.
        timeout: seconds for one attempt at a request.
    """

    concurrency: int = 8
    rate: float | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run spent: requests sent, and tokens as the endpoint's usage reports them.

    ``estimated_tokens`` is the upper bound for responses without usable usage.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_tokens: int = 0

    @property
    def tokens(self) -> int:
        """The sum of all tokens."""
        return self.prompt_tokens + self.completion_tokens + self.estimated_tokens


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a run record: the target, the contract and the options.

    Attributes:
        format: the version of the record's format.
        suite_version: the version of the suite that judged the record.
        api_key_env: the environment variable that held the key; None if no key was sent.
        contract: the name of the contract.
        document: the document that the contract describes; a custom overlay can name one.
        select: globs that selected checks; empty selects all.
        limits: the limits in force, including the tier's own.
        target: the target's name in ``conformance.toml``, or None.
        reference: the comparison server: ``bundled``, a base URL, or None.
        headers: headers of every request; a secret value is its environment variable, ``$NAME``.
        stage: the only stage whose checks sent requests; None is all.
        recorded_by: the version of the suite that sent the requests; None if it is
            ``suite_version``.
    """

    format: int
    suite_version: str
    started_at: str  # ISO 8601, UTC
    base_url: str
    model: str
    api_key_env: str | None
    contract: str
    contract_title: str
    document: str
    tier: Tier
    select: tuple[str, ...]
    strict: bool
    seed: int
    limits: Limits
    subjects: tuple[Subject, ...]
    requirements: tuple[Requirement, ...]
    target: str | None = None
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    contract_title_zh: str = ""
    stage: Stage | None = None
    recorded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Footer:
    """The last line of a run record; a record without one is incomplete.

    Attributes:
        elapsed: the duration in seconds.
        conclusion: the result.
        because: why the run ended before any check, such as a failed preflight; None otherwise.
        counts: the number of findings by verdict.
        cost: what the endpoint's responses cost.
        reference_cost: what the comparison server's responses cost, which is not part of ``cost``;
            None if it got no requests.
    """

    finished_at: str  # ISO 8601, UTC
    elapsed: float
    conclusion: Conclusion
    because: str | None
    counts: Mapping[str, int]
    cost: Cost
    reference_cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its record describes it; ``footer`` is None if it is incomplete."""

    header: Header
    exchanges: tuple[Exchange, ...]
    findings: tuple[Finding, ...]
    footer: Footer | None
    comparisons: tuple[Comparison, ...] = ()

    @property
    def conclusion(self) -> Conclusion:
        """The footer's conclusion; without a footer the run is incomplete, whatever it found."""
        return self.footer.conclusion if self.footer else Conclusion.INCOMPLETE
