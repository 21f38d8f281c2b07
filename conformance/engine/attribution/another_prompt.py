"""A prompt that the endpoint adds text to shows in its echo and in its bill, which are both right.

An echo with other text in front of the prompt may as well be wrong by itself. It is not, if the
prompt's bill has more tokens than the prompt, and the text is the same in front of every prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import Evidence, explained
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OWNER = "prompt.verbatim"
CLAIMS = (
    "echo.*",
    "streaming.echo-once",
    "max-tokens.zero-with-echo",
    "text-offset.*",
    "usage.prompt-*",
    "stop.prompt-not-searched",
)
"""What is said of the prompt of a request, where the endpoint has another one."""

PLACES = frozenset({Place.ECHO, Place.PROMPT_SCORES})


def prompt_is_another(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that prompts are changed, for what is said of them and their echo."""
    claims = any(fnmatchcase(finding.requirement, glob) for glob in CLAIMS)
    if finding.requirement == OWNER or not (claims or finding.place in PLACES):
        return None
    owner = next((one for one in evidence.about(OWNER) if one.place is None), None)
    if owner is None or not _is_same_for_all(evidence):
        return None
    return explained(owner, say("text is added to every prompt"))


def _is_same_for_all(evidence: Evidence) -> bool:
    """Return whether the echoes of several prompts have one text in front of them, and all do."""
    seen = {
        (prompt, text[: text.find(prompt)])
        for exchange in evidence.everything
        for prompt, text in _echo(exchange)
    }
    added = {before for _, before in seen}
    return len({prompt for prompt, _ in seen}) > 1 and len(added) == 1 and "" not in added


def _echo(exchange: RecordedExchange) -> Iterator[tuple[str, str]]:
    """Yield a prompt and the text that echoes it."""
    try:
        request = exchange.request
        prompt, text = request.prompt, exchange.non_streaming.choices[0].text
    except (Judgement, IndexError):
        return
    if request.echo and isinstance(prompt, str) and prompt and prompt in text:
        yield prompt, text
