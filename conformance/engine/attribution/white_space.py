"""White space that is lost or changed explains what compares the texts that have it.

A stop sequence that is cut from a text without its first line break can occur earlier in the text
that was generated; and an echo without the blanks at its end is no longer the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from conformance.engine.attribution.characters import generated_texts
from conformance.engine.attribution.evidence import Evidence, explained, is_invariant
from conformance.engine.attribution.foreign_text import TEXT_CLAIMS
from conformance.judgement import Judgement
from conformance.message import as_message, say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OWNER = "text.whitespace-kept"

Pair = tuple[str, str]
"""A prompt and the text of a choice of it."""


def white_space_is_lost(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about lost white space, for what compares texts that lost some."""
    behind = _behind_an_echo(evidence, finding)
    if behind is not None:
        return explained(behind, say("it is wrong only behind an echo"))
    claims = any(fnmatchcase(finding.requirement, glob) for glob in TEXT_CLAIMS)
    if not claims or finding.effect is Effect.REFUSED:
        return None
    # What echoes alone lack is no white space of texts.
    told = (one for one in evidence.about(OWNER) if one.place is None)
    owners = [one for one in told if not (is_invariant(one) and _echoes(evidence, one))]
    owners += [one for one in evidence.deviations if _echoes_other_space(evidence, one)]
    if not owners or owners[0] is finding:
        return None
    shows = (
        _echoes_other_space(evidence, finding)
        or _differ_in_white_space(finding)
        or _compares_what_lost_some(evidence, finding, owners)
        or (owners[0].place is None and _stops_at_white_space(evidence, finding))
        or _is_cut_but_for_space(evidence, finding)
    )
    why = say("white space of its texts is lost or changed")
    return explained(owners[0], why) if shows else None


def _behind_an_echo(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return the finding about the completion behind an echo, for space that echoes alone lack."""
    if finding.requirement != OWNER or finding.place is not None:
        return None
    if not is_invariant(finding) or not _echoes(evidence, finding):
        return None
    owners = evidence.about("echo.prompt-then-completion", "streaming.echo-once")
    asking = (one for one in owners if one.place is None and not is_invariant(one))
    return next((one for one in asking if evidence.can_own(one, finding)), None)


def _echoes(evidence: Evidence, finding: Finding) -> bool:
    return "echo" in evidence.shared_traits(finding)


def _echoes_other_space(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each echo that is said to be wrong is the prompt but for white space."""
    if finding.place is not Place.ECHO:
        return False
    judged = evidence.judged_by(finding)
    pairs = [pair for one in judged for pair in _pairs(one) if not pair[1].startswith(pair[0])]
    return bool(pairs) and all(_black(text).startswith(_black(prompt)) for prompt, text in pairs)


def _differ_in_white_space(finding: Finding) -> bool:
    """Return whether the two texts that a finding compares are the same but for white space."""
    seen = as_message(finding.seen).arguments if finding.seen is not None else {}
    try:
        values = [json.loads(str(seen[name])) for name in ("one", "other")]
    except (KeyError, ValueError):
        return False
    texts = [value if isinstance(value, list) else [value] for value in values]
    if not all(isinstance(text, str) for each in texts for text in each):
        return False
    return len({tuple(map(_black, each)) for each in texts}) == 1


def _compares_what_lost_some(
    evidence: Evidence, finding: Finding, owners: Iterable[Finding]
) -> bool:
    """Return whether a finding compares with a text whose first white space is said to be lost."""
    lost = {
        pair
        for owner in owners
        for one in evidence.of(owner)
        for pair in _pairs(one)
        if pair[1] and not pair[1][0].isspace()
    }
    compared = (pair for one in evidence.controls_of(finding) for pair in _pairs(one))
    return not lost.isdisjoint(compared)


def _stops_at_white_space(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each request stops at white space, which the texts have changed."""
    requests = evidence.judged_requests(finding)
    try:
        stops = ["".join(request.stops) for request in requests]
    except Judgement:
        return False
    return bool(stops) and all(stop != _black(stop) for stop in stops)


def _is_cut_but_for_space(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each text is what was generated before its stop, but for white space."""
    generated: dict[str, str] = {}
    for prompt, text in generated_texts(evidence):
        generated[prompt] = max(generated.get(prompt, ""), text, key=len)
    found = []
    for exchange in evidence.judged_by(finding):
        try:
            stops, echo = [stop for stop in exchange.request.stops if stop], exchange.request.echo
        except Judgement:
            return False
        for prompt, text in _pairs(exchange) if stops else ():
            whole = generated.get(prompt, "")
            cut = min((whole.partition(stop)[0] for stop in stops), key=len)
            own = text.removeprefix(prompt) if echo else text
            found.append(bool(whole) and _black(cut) == _black(own))
    return bool(found) and all(found)


def _pairs(exchange: RecordedExchange) -> Iterator[Pair]:
    """Yield the prompt and the text of each choice of an answer to texts, one choice for each."""
    try:
        prompts = exchange.request.prompts
        texts = exchange.completion.texts
    except Judgement:
        return
    for prompt, text in zip(prompts, texts, strict=False):
        if isinstance(prompt, str) and len(prompts) == len(texts):
            yield prompt, text


def _black(text: str) -> str:
    """Return a text without its white space."""
    return "".join(text.split())
