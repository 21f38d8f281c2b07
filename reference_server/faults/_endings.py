"""Texts that end elsewhere than in the server's own response."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.rewrite import Rewrite

MAX_STOP_SEQUENCES = 4
"""The stop sequences of a request; with more, the server rejects it."""

Cut = Callable[[Body, str, str], str]
"""``(request, prompt, generated)``: what remains of the generated text."""


def prompt_of(request: Body, index: int) -> str:
    """The prompt that a choice completes; empty if it was sent as token ids."""
    prompt = request.get("prompt")
    if isinstance(prompt, list):
        prompt = prompt[index // (request.get("n") or 1) % len(prompt)]
    return prompt if isinstance(prompt, str) else ""


def sequences(request: Body) -> list[str]:
    """The non-empty stop sequences of a request.

    An empty list if one is not a string: the server rejects such a request, whatever the fault.
    """
    given = request.get("stop")
    found = given if isinstance(given, list) else [given]
    if not all(isinstance(one, str | None) for one in found):
        return []
    return [one for one in found if one]


def generates(request: Body) -> Body:
    """The request without ``stop``, so that there is text to cut.

    A request that the server rejects stays as it is.
    """
    if not 0 < len(sequences(request)) <= MAX_STOP_SEQUENCES:
        return request
    return {name: value for name, value in request.items() if name != "stop"}


def cut_elsewhere(cut: Cut) -> Behaviour:
    """Generate without ``stop`` and cut by another rule; choices that were cut end with ``stop``.

    If the texts are the same, the server's own response is sent, unchanged.
    """

    def ending(request: Body, index: int, text: str) -> str:
        prompt = prompt_of(request, index) if request.get("echo") else ""
        kept = cut(request, prompt_of(request, index), text.removeprefix(prompt))
        return prompt + kept

    def non_streaming(request: Body, response: Body) -> Body:
        if not sequences(request):
            return response
        return {**response, "choices": [changed(request, choice) for choice in response["choices"]]}

    def changed(request: Body, choice: Body) -> Body:
        left = ending(request, choice["index"], choice["text"])
        return (
            choice if left == choice["text"] else {**choice, "text": left, "finish_reason": "stop"}
        )

    def chunks(request: Body, sent: list[Body]) -> list[Body]:
        if not sequences(request):
            return sent
        whole: dict[int, str] = {}
        for part in (part for chunk in sent for part in chunk["choices"]):
            whole[part["index"]] = whole.get(part["index"], "") + part["text"]
        left = {index: ending(request, index, text) for index, text in whole.items()}
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

    return _WhereTextsDiffer(Rewrite(request=generates, non_streaming=non_streaming, chunks=chunks))


@dataclass(frozen=True)
class _WhereTextsDiffer:
    """A behaviour that affects only responses whose texts or ends it changes."""

    behaviour: Behaviour

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Respond to one request."""
        right = await upstream(request)
        changed = await self.behaviour(request, upstream)
        both_served = right.status == changed.status == HTTPStatus.OK
        return right if both_served and _ends(right) == _ends(changed) else changed


def _ends(response: ServerResponse) -> dict[int, tuple[str, str | None]]:
    """The text of each choice of a served response, and its finish reason."""
    ends: dict[int, tuple[str, str | None]] = {}
    for whole in response.chunks if response.is_stream else [response.body]:
        for part in whole["choices"]:
            text, reason = ends.get(part["index"], ("", None))
            ends[part["index"]] = text + part["text"], part["finish_reason"] or reason
    return ends
