"""Texts whose end is replaced by one character explain what compares them.

Tokens tell what was generated. If the text beside them goes on with a run of one character instead,
such as ``!``, answers with the same run are no evidence about a limit, a bias or an echo.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks._shared.characters import REPLACEMENT, join_tokens
from conformance.engine.attribution.evidence import Evidence, explained
from conformance.engine.attribution.parts import Part, part_claimed
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OWNER = "logprobs-arrays.tokens-join-to-text"

MIN_RUN = 3
"""The least characters of a run that stand for other text."""


def end_is_garbled(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that texts end in a run that their tokens have not."""
    if finding.place not in {None, Place.ECHO} or finding.effect is Effect.REFUSED:
        return None
    if part_claimed(finding) is not Part.EFFECT:
        return None
    for owner in evidence.about(OWNER):
        runs = {run for one in evidence.judged_by(owner) for run in _runs_of(one)}
        compared = (*evidence.judged_by(finding), *evidence.controls_of(finding))
        if any(text.endswith(run) for one in compared for text in _texts(one) for run in runs):
            return explained(owner, say("characters of its texts are broken or lost"))
    return None


def _runs_of(exchange: RecordedExchange) -> Iterator[str]:
    """Yield the shortest runs that end texts instead of what their tokens say."""
    try:
        choices = exchange.completion.choices
        pairs = [(choice.text, join_tokens(choice.logprobs.tokens)) for choice in choices]
    except (Judgement, TypeError):
        return
    for text, (joined, known) in pairs:
        pairs_of_chars = enumerate(zip(text, joined, strict=False))
        shorter = min(len(text), len(joined))
        rest = text[next((at for at, (one, two) in pairs_of_chars if one != two), shorter) :]
        is_run = len(rest) >= MIN_RUN and len(set(rest)) == 1 and rest[0] != REPLACEMENT
        if known and is_run and not joined.endswith(rest[:MIN_RUN]):
            yield rest[:MIN_RUN]


def _texts(exchange: RecordedExchange) -> tuple[str, ...]:
    try:
        return tuple(exchange.completion.texts)
    except Judgement:
        return ()
