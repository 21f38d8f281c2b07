"""Texts that end elsewhere than the server ended them."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from reference_server.behaviour.messages import Answer, Asked, Behaviour, Body, Upstream
from reference_server.behaviour.rewrite import Rewrite

LIMIT = 4
"""Stop sequences of one request; with more of them it is refused."""

Cut = Callable[[Body, str, str], str]
"""``(asked, prompt, generated)``: what is left of the text that was generated."""


def prompt_of(asked: Body, index: int) -> str:
    """The prompt that a choice answers; empty where it was sent as token ids."""
    prompt = asked.get("prompt")
    if isinstance(prompt, list):
        prompt = prompt[index // (asked.get("n") or 1) % len(prompt)]
    return prompt if isinstance(prompt, str) else ""


def sequences(asked: Body) -> list[str]:
    """The sequences of a request that are worth looking for.

    None where one is no text: such a request is the server's to refuse, whatever the fault.
    """
    given = asked.get("stop")
    found = given if isinstance(given, list) else [given]
    if not all(isinstance(one, str | None) for one in found):
        return []
    return [one for one in found if one]


def generates(asked: Body) -> Body:
    """The request without ``stop``, so that there is something to cut.

    What the server has to refuse stays as it is.
    """
    if not 0 < len(sequences(asked)) <= LIMIT:
        return asked
    return {name: value for name, value in asked.items() if name != "stop"}


def cut_elsewhere(cut: Cut) -> Behaviour:
    """Generate without ``stop`` and cut by another rule; what was cut ended for ``stop``.

    Where that leaves the same texts the server's own answer comes back, with its bill and scores.
    """

    def ending(asked: Body, index: int, text: str) -> str:
        prompt = prompt_of(asked, index) if asked.get("echo") else ""
        kept = cut(asked, prompt_of(asked, index), text.removeprefix(prompt))
        return prompt + kept

    def plain(asked: Body, answer: Body) -> Body:
        if not sequences(asked):
            return answer
        return {**answer, "choices": [changed(asked, choice) for choice in answer["choices"]]}

    def changed(asked: Body, choice: Body) -> Body:
        left = ending(asked, choice["index"], choice["text"])
        return (
            choice if left == choice["text"] else {**choice, "text": left, "finish_reason": "stop"}
        )

    def chunks(asked: Body, sent: list[Body]) -> list[Body]:
        if not sequences(asked):
            return sent
        whole: dict[int, str] = {}
        for part in (part for chunk in sent for part in chunk["choices"]):
            whole[part["index"]] = whole.get(part["index"], "") + part["text"]
        left = {index: ending(asked, index, text) for index, text in whole.items()}
        room = {index: len(text) for index, text in left.items()}

        def shortened(part: Body) -> Body:
            index = part["index"]
            kept = part["text"][: room[index]]
            room[index] -= len(kept)
            ended = part["finish_reason"] and left[index] != whole[index]
            return {
                **part,
                "text": kept,
                "finish_reason": "stop" if ended else part["finish_reason"],
            }

        return [{**c, "choices": [shortened(part) for part in c["choices"]]} for c in sent]

    return _WhereTextsDiffer(Rewrite(ask=generates, plain=plain, chunks=chunks))


@dataclass(frozen=True)
class _WhereTextsDiffer:
    """A behaviour that shows only in answers whose texts, or ends, it changes."""

    behaviour: Behaviour

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        """Answer one request."""
        right = await upstream(asked)
        changed = await self.behaviour(asked, upstream)
        both_served = right.status == changed.status == HTTPStatus.OK
        return right if both_served and _ends(right) == _ends(changed) else changed


def _ends(answer: Answer) -> dict[int, tuple[str, str | None]]:
    """The text of each choice of an answer that was served, and why it ended."""
    ends: dict[int, tuple[str, str | None]] = {}
    for whole in answer.chunks if answer.is_stream else [answer.body]:
        for part in whole["choices"]:
            text, reason = ends.get(part["index"], ("", None))
            ends[part["index"]] = text + part["text"], part["finish_reason"] or reason
    return ends
