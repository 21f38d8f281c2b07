"""Echoes at another index than their prompt's: is the index wrong, or the echo?

The index is, if each prompt is echoed as often as it has choices, if batches with one choice a
prompt have them in order, and if no echo is continued like the prompt of its index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.engine.attribution.evidence import Evidence, request_of
from conformance.judgement import Judgement
from conformance.model import Finding
from conformance.protocol.trace import RecordedExchange

TELLING_CHARS = 2
"""Characters at the start of a completion that tell two prompts apart."""


def are_in_other_order(evidence: Evidence, finding: Finding) -> bool:
    """Return whether answers have all echoes of several choices a prompt, at another index."""
    judged = [exchange for exchange in evidence.judged_by(finding) if _echoes_copies(exchange)]
    if not judged or not all(map(_has_each_echo, judged)) or _is_wrong_without_n(evidence):
        return False
    begins = dict(_first_characters(evidence))
    return not any(_continues_its_index(exchange, begins) for exchange in judged)


def _echoes_copies(exchange: RecordedExchange) -> bool:
    request = request_of(exchange)
    return request is not None and request.echo and request.raw.get("n", 1) not in (None, 1)


def _has_each_echo(exchange: RecordedExchange) -> bool:
    """Return whether each prompt of a batch is echoed as often as it has choices."""
    try:
        prompts, texts = exchange.request.prompts, exchange.completion.texts
        copies = exchange.request.choices // len(prompts)
    except Judgement:
        return False
    found = [sum(text.startswith(str(prompt)) for text in texts) for prompt in prompts]
    return len(set(prompts)) == len(prompts) and found == [copies] * len(prompts)


def _first_characters(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the text of each prompt that was completed alone, and the prompt before it."""
    for exchange in evidence.everything:
        try:
            request, texts = exchange.request, exchange.non_streaming.texts
        except Judgement:
            continue
        if isinstance(request.raw.get("prompt"), str) and not request.echo and texts[0]:
            yield request.raw["prompt"], texts[0][:TELLING_CHARS]


def _continues_its_index(exchange: RecordedExchange, begins: Mapping[str, str]) -> bool:
    """Return whether an echo of another prompt is continued like the prompt of its index."""
    request = exchange.request
    for number, text in enumerate(exchange.completion.texts):
        own = str(request.prompts[number // request.n])
        echoed = next((str(one) for one in request.prompts if text.startswith(str(one))), own)
        behind = text.removeprefix(echoed)[:TELLING_CHARS]
        if echoed != own and behind and behind == begins.get(own) != begins.get(echoed):
            return True
    return False


def _is_wrong_without_n(evidence: Evidence) -> bool:
    """Return whether batches with one choice a prompt have their echoes in another order, too."""
    owners = evidence.about("echo.own-prompt-in-batch")
    return any(not all(map(_echoes_copies, evidence.judged_by(owner))) for owner in owners)
