"""Characters that are broken or lost explain what is searched for in a text.

An echo of broken characters is not the prompt; and where some are lost, a stop sequence can occur
in a text although it does not in the tokens that were generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from conformance.checks._shared.characters import REPLACEMENT, assert_utf_8, join_tokens
from conformance.engine.attribution.evidence import Evidence, all_stream, explained
from conformance.engine.attribution.places import BASIC
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OF_STREAMS = "streaming.whole-characters"
OWNERS = (
    "text.whole-characters",
    OF_STREAMS,
    "logprobs-arrays.tokens-join-to-text",
    "text.present",
)
FRAMING = "streaming.framing"
STOPS = ("stop.*", "streaming.stop-never-leaks")


def characters_are_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about broken or lost characters, for what is searched for in them."""
    judged = evidence.judged_by(finding)
    if finding.requirement == OF_STREAMS and judged and all(map(_is_in_no_utf_8, judged)):
        encoded = (one for one in evidence.about(FRAMING) if one.place is Place.BODY)
        return explained(next(encoded, None), say("its streams are not in UTF-8"))
    if finding.effect is Effect.REFUSED or finding.requirement in OWNERS:
        return None
    if finding.place is Place.ECHO:
        shows = bool(judged) and all(map(_echoes_broken, judged))
    elif finding.place is None and any(fnmatchcase(finding.requirement, glob) for glob in STOPS):
        generated = dict(generated_texts(evidence))
        shows = bool(judged) and all(_stops_nowhere(one, generated) for one in judged)
    else:
        shows = False
    streamed = all_stream(evidence.judged_requests(finding))
    able = (
        one
        for one in evidence.about(*OWNERS)
        # A check that could not read its answers says nothing of their characters; and what echoes
        # alone have is the echo's.
        if one.place not in BASIC
        and (one.requirement != OF_STREAMS or streamed)
        and "echo" not in evidence.shared_traits(one)
    )
    why = say("characters of its texts are broken or lost")
    return explained(next(able, None), why) if shows else None


def _is_in_no_utf_8(exchange: RecordedExchange) -> bool:
    """Return whether an answer is not in UTF-8, so that its characters cannot be read."""
    try:
        assert_utf_8(exchange.exchange)
    except Judgement:
        return True
    return False


def _echoes_broken(exchange: RecordedExchange) -> bool:
    """Return whether an answer echoes whole characters as broken ones."""
    try:
        prompts, texts = exchange.request.prompts, exchange.completion.texts
    except Judgement:
        return False
    whole = all(isinstance(one, str) and REPLACEMENT not in one for one in prompts)
    # One that the limit cut is at the end.
    return whole and any(_has_broken(text.rstrip(REPLACEMENT)) for text in texts)


def _has_broken(text: str) -> bool:
    """Return whether a text has broken characters, or halves of them."""
    return REPLACEMENT in text or any("\ud800" <= char <= "\udfff" for char in text)


def generated_texts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield prompts that were completed alone and greedily, and the text of their tokens."""
    for exchange in evidence.everything:
        try:
            request, choices = exchange.request, exchange.completion.choices
            if request.echo or request.stops or request.raw.get("temperature") != 0:
                continue
            joined, known = join_tokens(choices[0].logprobs.tokens)
        except (Judgement, TypeError, IndexError):
            continue
        if known and isinstance(request.raw.get("prompt"), str):
            yield request.raw["prompt"], joined


def _stops_nowhere(exchange: RecordedExchange, generated: Mapping[str, str]) -> bool:
    """Return whether its texts have stop sequences that the tokens of its prompts have not."""
    try:
        request, numbered = exchange.request, exchange.numbered
        stops, prompts = request.stops, request.prompts
        found = [
            (stop, str(prompts[number]))
            for number, choice in numbered
            for stop in stops
            if stop and stop in choice.text
        ]
    except (Judgement, IndexError):
        return False
    return bool(found) and all(stop not in generated.get(prompt, stop) for stop, prompt in found)
