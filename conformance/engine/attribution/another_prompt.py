"""Another prompt than that of the request shows in the echo and in the bill, which are both right.

An echo with other text in front of the prompt may as well be wrong by itself. It is not, if the
prompt's bill has more tokens than the prompt, and the text is the same in front of every prompt.
A parameter can make it another prompt as well; then the text of the answer is another one, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import (
    Evidence,
    all_echoed,
    explained,
    is_combined,
    is_invariant,
)
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place, Role
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange

OWNER = "prompt.verbatim"
IGNORED = "prompt.decides-answer"
"""The requirement that different prompts are not read as the same one."""

BILL = "usage.prompt-grows-with-text"
CLAIMS = (
    "echo.*",
    "streaming.echo-once",
    "max-tokens.zero-with-echo",
    "text-offset.*",
    "usage.prompt-*",
    "stop.prompt-not-searched",
)
"""What is said of the prompt of a request, where the endpoint has another one."""

OF_BEGINNINGS = ("text.*",)
"""What is said of how a text begins, compared with the same behind an echo."""

OF_BATCHES = ("prompt.batch-as-singles", "usage.prompt-sums-batch")
"""What is wrong of a batch whose prompts are read one behind the other."""

ECHO_OWNERS = frozenset({"echo.prompt-then-completion"})
"""Requirements about what an echo begins with, which can show another prompt."""

ESCAPE = b"\\u"
"""What the body of a request has where characters are written as escapes."""

PLACES = frozenset({Place.ECHO, Place.PROMPT_SCORES})


def prompt_is_another(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that prompts are changed, for what is said of them and their echo."""
    billed = _billed_as_another(evidence, finding)
    if billed is not None or finding.effect is Effect.REFUSED:
        return billed
    if _reads_batches_in_one(evidence, finding):
        batch = next(evidence.about(*OF_BATCHES), None)
        return explained(batch, say("each prompt of a batch is read behind the others"))
    longer = _is_longer(evidence, finding)
    if longer is not None:
        return longer
    claims = any(fnmatchcase(finding.requirement, glob) for glob in CLAIMS)
    if claims or finding.place in PLACES or finding.requirement == OWNER:
        return _of_every_prompt(evidence, finding)
    return None


def _is_longer(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain what is said of texts and echoes where the same text is added behind every prompt.

    What is added behind the prompt stands between it and the completion, so that the completion
    does not begin as it does behind the echo.
    """
    globs = (*CLAIMS, *OF_BEGINNINGS)
    claims = any(fnmatchcase(finding.requirement, glob) for glob in globs) or (
        # What is generated is what stands behind the prompt of an echo.
        finding.place is None and all_echoed(evidence.judged_requests(finding))
    )
    owners = (one for one in evidence.about(OWNER, *ECHO_OWNERS) if one.place is None)
    owner = next(owners, None)
    if owner is None or owner is finding or not claims or not _added_behind(evidence):
        return None
    return explained(owner, say("text is added to every prompt"))


def _added_behind(evidence: Evidence) -> str:
    """Return what all echoes of nothing but a prompt have behind it; empty if they differ."""
    echoes: dict[str, set[str]] = {}
    plain: list[str] = []
    for exchange in evidence.everything:
        try:
            request, text = exchange.request, exchange.non_streaming.choices[0].text
            prompt, is_empty = request.prompt, request.raw.get("max_tokens") == 0
        except (Judgement, IndexError):
            continue
        if not request.echo:
            plain.append(text)
        elif is_empty and isinstance(prompt, str) and text.startswith(prompt):
            echoes.setdefault(prompt, set()).add(text.removeprefix(prompt))
    added = {one for each in echoes.values() for one in each}
    behind = next(iter(added), "")
    is_same = len(echoes) > 1 and len(added) == 1 and behind != ""
    return behind if is_same and not any(text.endswith(behind) for text in plain) else ""


def _of_every_prompt(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain what is said of a prompt that is replaced, or has the same text in front of it."""
    ignored = next((one for one in evidence.about(IGNORED) if one.effect is Effect.IGNORED), None)
    if ignored is not None:
        return explained(ignored, say("every prompt is read as the same one"))
    owner = next((one for one in evidence.about(OWNER) if one.place is None), None)
    if owner is None or finding.requirement == OWNER or not _is_same_for_all(evidence):
        return None
    return explained(owner, say("text is added to every prompt"))


def _billed_as_another(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain a bill that is another one only in the answers that have another text, too."""
    if finding.requirement == BILL or (is_combined(finding) and finding.subject == "usage"):
        escaped = _written_otherwise(evidence, finding)
        if escaped is not None:
            return explained(escaped, say("prompts written with escapes are read as others"))
    if finding.requirement != BILL or not is_invariant(finding):
        return None
    deviating = {one.exchange.id for one in evidence.judged_by(finding)}
    for owner in evidence.deviations:
        if is_invariant(owner) or owner.place or owner.subject.startswith("usage"):
            continue
        own = deviating <= set(owner.exchanges) and _differ(evidence, owner)
        if deviating and (own or _have_unknown_key(evidence, finding, owner)):
            return explained(owner, say("its requests are answered like those with another prompt"))
    return None


def _written_otherwise(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return the finding about escaped prompts, where either side of a bill has escapes alone.

    The same prompt can be written in JSON as it is, or with an escape for each character.
    """
    judged, controls = (
        {ESCAPE in one.exchange.request.body for one in side}
        for side in (evidence.judged_by(finding), evidence.controls_of(finding))
    )
    if len(judged) != 1 or len(controls) != 1 or judged == controls:
        return None
    for owner in (*evidence.deviations, *evidence.drawn):
        about_prompt = owner.place is Place.ECHO or owner.subject == "prompt"
        shown = evidence.judged_by(owner)
        if about_prompt and shown and all(ESCAPE in one.exchange.request.body for one in shown):
            return owner
    return None


def _have_unknown_key(evidence: Evidence, finding: Finding, owner: Finding) -> bool:
    """Return whether all requests have a key without effect, to which an owner found one."""
    known = {parameter.name for parameter in evidence.contract.parameters}
    keys = [set(request.raw).difference(known) for request in evidence.judged_requests(finding)]
    return owner.subject == "unknown-key" and owner.place is None and all(keys)


def _differ(evidence: Evidence, finding: Finding) -> bool:
    """Return whether the answer that deviates has another text than that it is compared with."""
    texts: dict[Role, str] = {}
    for exchange in evidence.of(finding):
        try:
            role = finding.roles[exchange.exchange.id]
            texts.setdefault(role, exchange.completion.choices[0].text)
        except (Judgement, IndexError, KeyError):
            continue
    probe, control = texts.get(Role.PROBE), texts.get(Role.CONTROL)
    return None not in {probe, control} and probe != control


def _reads_batches_in_one(evidence: Evidence, finding: Finding) -> bool:
    """Return whether a finding is about a batch whose echoes show each prompt behind the others.

    What is said of the scores of a batch, compared with those of its prompts alone, has no echo
    of its own.
    """
    echoes = finding.place is Place.ECHO or (is_combined(finding) and finding.subject == "echo")
    if echoes or not is_combined(finding):
        return echoes and _follow_others(evidence, finding)
    of_batch = all(len(one.request.prompts) > 1 for one in evidence.judged_by(finding))
    of_each = all(len(one.request.prompts) == 1 for one in evidence.controls_of(finding))
    shown = (one for one in evidence.deviations if one.place is Place.ECHO)
    return of_batch and of_each and any(_follow_others(evidence, one) for one in shown)


def _follow_others(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each wrong echo of a batch is another prompt, and then its own."""
    found = []
    for exchange in evidence.judged_by(finding):
        try:
            for number, choice in exchange.numbered:
                own, *others = _own_and_others(exchange.request.prompts, number)
                if not choice.text.startswith(own):
                    behind = own in choice.text
                    found.append(behind and any(map(choice.text.startswith, others)))
        except Judgement:
            continue
    return bool(found) and all(found)


def _own_and_others(prompts: Sequence[Prompt], number: int) -> list[str]:
    """Return the prompt with a number, then those before and after it; each as text."""
    texts = [str(prompt) for prompt in prompts]
    return [texts[number], *texts[:number], *texts[number + 1 :]]


def _is_same_for_all(evidence: Evidence) -> bool:
    """Return whether the echoes of several prompts have one text in front of them, and all do."""
    seen = {
        (prompt, text[: text.find(prompt)])
        for exchange in evidence.everything
        for prompt, text in _echo(exchange)
    }
    added = {before for _, before in seen}
    return len({prompt for prompt, _ in seen}) > 1 and len(added) == 1 and "" not in added


def shows_another_prompt(evidence: Evidence, owner: Finding) -> bool:
    """Return whether a finding is about echoes, and one has more than the prompt.

    It is before the prompt, or where nothing is generated.
    """
    if owner.requirement not in ECHO_OWNERS:
        return False
    for exchange in (*evidence.judged_by(owner), *evidence.everything):
        try:
            request = exchange.request
            if not request.echo:
                continue
            prompt, text = request.prompt, exchange.completion.choices[0].text
            none = request.limit == 0
        except (Judgement, IndexError):
            continue
        if isinstance(prompt, str) and prompt and prompt in text:
            start = text.find(prompt)
            if start > 0 or (none and text != prompt):
                return True
    return False


def _echo(exchange: RecordedExchange) -> Iterator[tuple[str, str]]:
    """Yield a prompt and the text that echoes it."""
    try:
        request = exchange.request
        prompt, text = request.prompt, exchange.non_streaming.choices[0].text
    except (Judgement, IndexError):
        return
    if request.echo and isinstance(prompt, str) and prompt and prompt in text:
        yield prompt, text
