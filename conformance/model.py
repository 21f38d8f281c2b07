"""The records everything else is made of: frozen, without I/O, standard library only.

Times are seconds. ``at`` counts from the moment the request was sent, ``started`` from the
start of the run. Bodies are bytes as they crossed the wire, after redaction of the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Level(StrEnum):
    """How binding a requirement is, in the sense of RFC 2119."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Tier(StrEnum):
    """How much a run may cost; each tier holds the checks of the ones before it."""

    SMOKE = "smoke"
    STANDARD = "standard"
    DEEP = "deep"

    def holds(self, other: Tier) -> bool:
        """Tell whether a run of this tier includes a check of the ``other`` tier."""
        order = list(Tier)
        return order.index(other) <= order.index(self)


class Stage(StrEnum):
    """How a check comes by its requests."""

    DIRECTED = "directed"
    """Somebody wrote them down, to judge one sentence."""
    GENERATED = "generated"
    """They are drawn from everything that the contract allows or forbids."""


class Verdict(StrEnum):
    """What one check concluded; ``info`` is about something that the document does not promise."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    INFO = "info"
    ERROR = "error"


class Effect(StrEnum):
    """How a broken promise shows: the request had no effect, another one, or was declined."""

    IGNORED = "ignored"
    ALTERED = "altered"
    REFUSED = "refused"


class State(StrEnum):
    """What became of one parameter or response field over a whole run."""

    HONOURED = "honoured"
    ALTERED = "altered"
    IGNORED = "ignored"
    REFUSED = "refused"
    UNTESTED = "untested"


class Conclusion(StrEnum):
    """What a whole run says of its target."""

    CONFORMING = "conforming"
    NOT_CONFORMING = "not conforming"
    UNDECIDED = "could not judge"
    NOTHING_RAN = "nothing ran"
    INCOMPLETE = "broken off"


class ExitCode(IntEnum):
    """The exit codes of the command line; the meaning of each is pytest's."""

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
    """Which API key a request presents."""

    OWN = "own"
    NONE = "none"
    WRONG = "wrong"


WRONG_KEY = "sk-conformance-this-key-was-never-issued"
"""The key that :attr:`Credentials.WRONG` presents: well-formed, and nobody's."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one document states something, and what it says there, in our words."""

    document: str
    says: str
    says_zh: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable sentence of the contract.

    ``subject`` is the request parameter (``stop``) or the response field
    (``choices[].finish_reason``) that the sentence is about. ``scope`` is ``protocol`` where every
    contract inherits it, ``document`` where only the documents among the sources promise it.
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
"""The environment variable that holds the API key where nobody names another."""


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint under judgement. No secret appears in a ``repr``, and none is ever recorded.

    ``api_key_env`` names the environment variable in which a reader of the reports keeps the key.
    ``name`` is what its owner calls it. ``headers`` go with every request; ``secrets`` are those of
    their values that nobody else may see, and ``shown_headers`` what may be recorded of all: for a
    secret the variable that holds it, ``$NAME``.
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
    """One request as a check wants it sent; the wire adds host, key and content type.

    ``read_events`` closes the connection after that many SSE events, which bounds what a generation
    without a limit of its own can cost.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials = Credentials.OWN
    read_events: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at sending a request: a status, or the fault that came instead of one.

    Of a try that was followed by another, ``retry_after`` and ``body`` keep what it answered: the
    header of that name, and the beginning of the body. The last try's answer is the exchange's.
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
    """One request and everything that came back.

    ``status`` is None when no attempt was answered; ``fault`` then says why, in one sentence.
    A body that broke off or outgrew the limit keeps what had arrived, with ``fault`` set.
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
        """Return the first response header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the reference answered to the request of one exchange, its own model's name in it."""

    exchange: str  # the id of the run's exchange
    answer: Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check concluded, and the exchanges that show it.

    ``id`` is the check's id, ``requirement`` the id of the sentence it judged. Here as elsewhere
    what ends in ``_zh`` is the same in Chinese, and empty in the files of older runs.
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
    """One parameter or response field as the chosen contract knows it.

    ``promise`` puts the contract's words for it in a line; ``says`` maps a document's short name to
    what that document states.
    """

    name: str
    kind: str  # "parameter" or "field"
    documented: bool
    promise: str
    says: Mapping[str, str]
    promise_zh: str = ""
    says_zh: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may spend; None is no limit."""

    requests: int | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How requests are sent, whatever they are for.

    Attributes:
        concurrency: requests in flight at a time.
        rate: requests a second at most; None is no limit.
        timeout: seconds that one attempt at a request may take.
    """

    concurrency: int = 8
    rate: float | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run spent: requests that reached the wire, and tokens as the endpoint billed them.

    ``estimated_tokens`` counts the upper bound of answers whose usage the endpoint did not state.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All tokens together."""
        return self.prompt_tokens + self.completion_tokens + self.estimated_tokens


@dataclass(frozen=True, slots=True)
class Header:
    """What was to be judged, by which contract: the first line of a run file.

    ``api_key_env`` names the variable that held the key, so that reports can repeat a request;
    None says that no key was sent. ``document`` is the short name of the document that the contract
    speaks for, which an overlay of one's own shares with a page. ``target`` is what the endpoint's
    owner calls it, where it has a name; ``headers`` went with every request, a secret as the
    variable that holds it, ``$NAME``; ``stage`` is the only one whose checks were to ask, or None;
    ``reference`` is whom deviations were to be compared with:
    ``bundled``, a base URL, or nobody. ``recorded_by`` is the suite version that sent the requests,
    where ``suite_version`` has judged the record again.
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
    """How a run ended: the last line of its file. A run without one broke off.

    ``reference_cost`` is what the reference billed, which is no part of ``cost``; None where it was
    not asked.
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
    """A whole run as its file tells it; ``footer`` is None when it broke off."""

    header: Header
    exchanges: tuple[Exchange, ...]
    findings: tuple[Finding, ...]
    footer: Footer | None
    comparisons: tuple[Comparison, ...] = ()

    @property
    def conclusion(self) -> Conclusion:
        """The footer's conclusion; a run without a footer broke off, whatever it had found."""
        return self.footer.conclusion if self.footer else Conclusion.INCOMPLETE
