"""A finding that compares texts, tokens or scores rests on answers without its parameter.

If those are wrong already, in a simpler request that has none of what the finding is about, the
comparison fails for that reason. The table says which requirements rest on which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import (
    Evidence,
    Requests,
    all_echoed,
    all_scored,
    all_stream,
    any_echoed,
    any_scored,
    any_several,
    any_streams,
    any_unscored,
    explained,
    is_invariant,
    no_streams,
)
from conformance.engine.attribution.places import BASIC, is_own
from conformance.message import Message, say
from conformance.model import Explanation, Finding, Place


@dataclass(frozen=True, slots=True)
class Basis:
    """Requirements that others rest on.

    Attributes:
        owners: what has to hold, the most basic first.
        claims: globs of the requirements that rest on it.
        why: the end of the sentence that names the owner.
        where: what the requests of a claim have to be like; None is any.
        owned: what the requests of an owner have to be like; None is any.
        place: what an owner could not read; None is any that it is about.
        simpler: whether an owner has to be about requests without the parameters of the claim.
        even_served: whether it explains as well that an invalid request was served.
        within: whether an owner has to be about requests with no more parameters than the claim's.
    """

    owners: tuple[str, ...]
    claims: tuple[str, ...]
    why: Message
    where: Callable[[Requests], bool] | None = None
    owned: Callable[[Requests], bool] | None = None
    simpler: bool = False
    within: bool = False
    even_served: bool = False
    place: Place | None = None


STREAMED_CLAIMS = (
    "streaming.text-equals-plain",
    "streaming.logprobs-as-plain",
    "streaming.echo-once",
    "streaming.stop-never-leaks",
    "streaming.held-text-released",
    "stream-options.include-obfuscation",
    "stop.*",
    "echo.*",
    "max-tokens.*",
    "finish-reason.*",
    "n.count",
    "logprobs-arrays.*",
    "usage.stream-equals-plain",
    "index.*",
    "text-offset.*",
    "logit-bias.*",
)
COUNT_OWNERS = (
    "envelope.choices",
    "n.default-one",
    "prompt.strings",
    "prompt.token-arrays",
    "n.count",
)
TEXT_OWNERS = (
    "text.no-special-tokens",
    "text.present",
    "echo.off-by-default",
    "text.whole-characters",
    "text.whitespace-kept",
)
TEXT_CLAIMS = (
    "stop.*",
    "streaming.stop-never-leaks",
    "streaming.held-text-released",
    "echo.off-by-default",
    "echo.own-prompt-in-batch",
    "echo.prompt-then-completion",
    "echo.scored-equals-generated",
    "echo.zero-tokens-scores-prompt",
    "streaming.echo-once",
    "max-tokens.*",
    "text-offset.*",
    "suffix.*",
    "prompt.batch-as-singles",
    "usage.completion-counts-text",
    "logit-bias.*",
    "stream-options.include-obfuscation",
)
SCORED_CLAIMS = (
    "frequency-penalty.*",
    "presence-penalty.*",
    "logit-bias.*",
    "text-offset.*",
    "echo.*",
    "logprobs.returned",
    "temperature.*",
    "streaming.logprobs-as-plain",
    "logprobs-arrays.*",
    "stop.*",
    "prompt.*",
    "text.whitespace-kept",
)

SPECIAL = frozenset(
    {
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "n",
        "presence_penalty",
        "stop",
        "suffix",
    }
)
"""Parameters that change the text of a greedy answer, or what stands before and behind it."""


BASES = (
    Basis(
        ("stream.true-streams",),
        ("stream-options.*", "best-of.stream-refused", "errors.stream-refused-as-json"),
        say("streams are not served at all"),
        even_served=True,
    ),
    Basis(
        ("stream.plain-unless-asked",),
        ("headers.content-type", "usage.*", "stream-options.without-stream-refused"),
        say("plain requests are answered with streams"),
        even_served=True,
    ),
    Basis(
        ("streaming.done-last",),
        ("streaming.identity-constant", "streaming.created-constant"),
        say("its streams go on after their end"),
        any_streams,
    ),
    Basis(
        ("prompt.verbatim", "echo.prompt-then-completion"),
        ("text-offset.starts-at-prompt-length",),
        say("the endpoint has another prompt than the request"),
    ),
    Basis(
        ("finish-reason.stop-at-sequence", "finish-reason.stop-at-natural-end"),
        (
            "logprobs-arrays.tokens-join-to-text",
            "logprobs-arrays.one-entry-per-token",
            "logprobs.returned",
            "usage.completion-at-limit",
        ),
        say("its finish reasons say what did not end the text"),
    ),
    Basis(
        ("temperature.repeats-vary", "temperature.scales-randomness"),
        ("n.samples-are-independent", "seed.different-seeds-differ", "seed.null-is-none"),
        say("the samples of one request do not vary"),
    ),
    Basis(
        (
            "echo.prompt-then-completion",
            "echo.own-prompt-in-batch",
            "echo.zero-tokens-scores-prompt",
        ),
        (
            "echo.*",
            "streaming.echo-once",
            "text-offset.*",
            "max-tokens.zero-with-echo",
            "stop.prompt-not-searched",
        ),
        say("the echo of its answers is wrong"),
        any_echoed,
        within=True,
    ),
    Basis(
        ("echo.prompt-then-completion", "echo.own-prompt-in-batch"),
        ("usage.*", "stop.*", "finish-reason.*"),
        say("the echo of its answers is wrong"),
        all_echoed,
        within=True,
    ),
    Basis(
        ("streaming.error-framed", "streaming.framing", "streaming.done-last"),
        (
            *STREAMED_CLAIMS,
            "streaming.one-finish-per-choice",
            "stream-options.include-usage",
            "streaming.done-last",
        ),
        say("its streams are broken"),
        any_streams,
    ),
    Basis(
        ("streaming.one-finish-per-choice",),
        (
            "streaming.text-equals-plain",
            "max-tokens.*",
            "n.count",
            "finish-reason.*",
            "streaming.held-text-released",
        ),
        say("its streams have wrong finish reasons"),
        any_streams,
    ),
    Basis(
        ("streaming.text-equals-plain",),
        STREAMED_CLAIMS,
        say("its streams have another text than plain responses"),
        any_streams,
        simpler=True,
    ),
    Basis(
        ("streaming.text-equals-plain",),
        ("text.*",),
        say("its streams have another text than plain responses"),
        all_stream,
    ),
    Basis(
        COUNT_OWNERS,
        ("usage.*", "index.*", "streaming.one-finish-per-choice"),
        say("its answers have a wrong number of choices"),
        any_several,
        owned=no_streams,
        place=Place.CHOICES,
    ),
    Basis(
        ("index.each-once", "index.prompt-major"),
        (
            "streaming.one-finish-per-choice",
            "streaming.text-equals-plain",
            "echo.own-prompt-in-batch",
            "echo.logprobs-cover-prompt",
        ),
        say("the choices of its answers are numbered wrong"),
    ),
    Basis(
        ("index.each-once",),
        ("prompt.batch-as-singles",),
        say("the choices of its answers are numbered wrong"),
    ),
    Basis(
        ("envelope.choices", "n.default-one"),
        (
            "usage.completion-*",
            "streaming.text-equals-plain",
            "streaming.logprobs-as-plain",
            "text.whitespace-kept",
            "max-tokens.limits-answer",
        ),
        say("its answers have a wrong number of choices"),
        place=Place.CHOICES,
    ),
    Basis(
        TEXT_OWNERS,
        TEXT_CLAIMS,
        say("the text of every answer is changed"),
        simpler=True,
    ),
    # Whether the text or the tokens are wrong is known from a text without tokens.
    Basis(
        TEXT_OWNERS,
        ("logprobs-arrays.tokens-join-to-text", "logprobs.returned", "streaming.logprobs-as-plain"),
        say("the text of every answer is changed"),
        owned=any_unscored,
        simpler=True,
    ),
    Basis(
        ("logprobs-arrays.tokens-join-to-text",),
        ("text.whitespace-kept", "text.whole-characters"),
        say("its tokens do not join to the text"),
        all_scored,
    ),
    Basis(
        ("echo.prompt-then-completion",),
        ("text.whitespace-kept",),
        say("the echo that it compares with is wrong"),
        any_echoed,
    ),
    Basis(
        ("streaming.logprobs-as-plain",),
        ("logprobs-arrays.*", "max-tokens.*", "text-offset.*"),
        say("its streams have other log probabilities than plain responses"),
        all_stream,
    ),
    Basis(
        (
            "logprobs-arrays.four-parallel",
            "logprobs-arrays.tokens-join-to-text",
            "logprobs-arrays.one-entry-per-token",
            "logprobs-arrays.never-positive",
            "logprobs-arrays.top-mass-at-most-one",
            "logprobs-arrays.sampled-agrees-with-top",
        ),
        SCORED_CLAIMS,
        say("the tokens and scores of its answers are wrong"),
        any_scored,
        simpler=True,
    ),
)


def wrong_in_a_simpler_answer(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about what is wrong without the parameter of a finding, too."""
    for basis in BASES:
        if finding.place in BASIC and not (basis.even_served and finding.place is Place.SERVED):
            continue
        if not any(fnmatchcase(finding.requirement, glob) for glob in basis.claims):
            continue
        if basis.where and not basis.where(evidence.requests_of(finding)):
            continue
        owners = basis.owners
        if finding.requirement in owners:
            owners = owners[: owners.index(finding.requirement)]
        for owner in evidence.about(*owners):
            if _owns(basis, evidence, owner, finding):
                return explained(owner, basis.why)
    return None


def _owns(basis: Basis, evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    if not evidence.can_own(owner, finding):
        return False
    if basis.within and not _within(evidence, owner, finding):
        return False
    if basis.place is not None and owner.place is not basis.place:
        return False
    if not is_own(owner) or (basis.simpler and not _simpler(evidence, owner, finding)):
        return False
    return basis.owned is None or basis.owned(evidence.requests_of(owner))


def _simpler(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether an owner is about requests without the parameters of a finding."""
    return not _parameters(evidence, owner) & _parameters(evidence, finding)


def _within(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether the requests of a finding have all parameters of those of an owner."""
    sought = _parameters(evidence, owner)
    having = [sought <= _special([request]) for request in evidence.requests_of(finding)]
    return bool(having) and (all(having) if is_invariant(finding) else any(having))


def _parameters(evidence: Evidence, finding: Finding) -> frozenset[str]:
    return _special(evidence.requests_of(finding))


def _special(requests: Requests) -> frozenset[str]:
    """Return the special parameters that requests use; a batch counts as several choices."""
    used = (item for request in requests for item in request.raw.items())
    names = {name for name, value in used if value not in (None, False)}
    return SPECIAL & names | (frozenset({"n"}) if any_several(requests) else frozenset())
