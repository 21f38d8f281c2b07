"""A request is served with the settings, or the failure, of another one."""

from __future__ import annotations

from collections.abc import Sequence

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)
from reference_server.faults.isolation.crowd import Changing, Crowd, Visit, is_greedy
from reference_server.faults.isolation.reported import (
    ANOTHER_TEXT,
    OWN_SETTINGS,
    SEED,
    reported_fault,
)


class _Inheriting(Changing):
    """A request without some settings gets those of a neighbour."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        if any(body.get(name) for name in self._names):
            return body
        for other in others:
            given = {name: other[name] for name in self._names if other.get(name)}
            if given:
                return {**body, **given}
        return body


@reported_fault("penalty-of-neighbour", breaks=OWN_SETTINGS)
def penalty_of_neighbour() -> Behaviour:
    """If one request of a batch has a frequency penalty, all are generated with it.

    Source: https://github.com/huggingface/text-generation-inference/issues/1810
    """
    return _Inheriting("frequency_penalty")


@reported_fault(
    "bias-of-neighbour",
    breaks=OWN_SETTINGS,
    # The scores are those without the bias.
    also_breaks="index.prompt-major logprobs-arrays.greedy-is-top",
)
def bias_of_neighbour() -> Behaviour:
    """The logits processor of a request is applied to the one behind it in the batch.

    Source: https://github.com/ml-explore/mlx-lm/pull/1225
    """
    return _NextInherits("logit_bias")


class _NextInherits(_Inheriting):
    """Only the request that joined right behind gets the settings."""

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:  # noqa: ARG002 - one counts
        return super().changed(visit, [visit.before.body] if visit.before else [])


@reported_fault(
    "stop-of-neighbour",
    breaks=OWN_SETTINGS,
    # A response without a stop sequence ends at one.
    also_breaks="finish-reason.length-at-limit",
)
def stop_of_neighbour() -> Behaviour:
    """Requests of one batch are cut at the stop sequences with which it was begun.

    Source: https://github.com/raullenchai/Rapid-MLX/pull/665
    """
    return _Inheriting("stop")


class _Refused(Crowd):
    """A sampled request beside a greedy one gets the error that greedy sampling would get."""

    async def answer(
        self, _: ClientRequest, visit: Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        if not visit.body.get("temperature"):
            return right
        if not any(is_greedy(one.body) for one in visit.beside):
            return right
        return Rejected(400, "temperature must be greater than 0.", param="temperature").response


@reported_fault(
    "refused-for-neighbour",
    breaks=OWN_SETTINGS,
    # What is sampled may be refused.
    also_breaks="temperature.range-served temperature.scales-randomness"
    " temperature.with-top-p-served top-p.*-served top-p.narrows-sampling seed.*",
)
def refused_for_neighbour() -> Behaviour:
    """A request with ``temperature: 0`` makes others at the same time fail with its error.

    Source: https://github.com/NVIDIA/TensorRT-LLM/issues/1632
    """
    return _Refused()


class _OtherTemperature(Crowd):
    """A request beside one with another temperature gets a server error."""

    async def answer(
        self, _: ClientRequest, visit: Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        mine = visit.body.get("temperature", 1)
        if all(one.body.get("temperature", 1) == mine for one in visit.beside):
            return right
        message = "Currently only supporting same temperature for all sequences in batch"
        return Rejected(500, message, kind="InternalServerError").response


@reported_fault(
    "other-temperature-beside-breaks",
    breaks=f"{OWN_SETTINGS} errors.few-left-unanswered",
    also_breaks="errors.good-input-no-server-fault prompt.empty"
    " prompt.absent-or-null stop.empty-is-harmless",
)
def other_temperature_beside_breaks() -> Behaviour:
    """Requests with different temperatures at the same time get a server error.

    Source: https://github.com/tenstorrent/vllm/issues/29
    """
    return _OtherTemperature()


class _SeedLost(Changing):
    """A seed has no effect beside a sampled request without one."""

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        unseeded = any(not is_greedy(other) and other.get("seed") is None for other in others)
        if not unseeded or body.get("seed") is None:
            return body
        return {name: value for name, value in body.items() if name != "seed"}


@reported_fault("seed-lost-beside-unseeded", breaks=SEED, also_breaks="seed.*")
def seed_lost_beside_unseeded() -> Behaviour:
    """A seed has no effect if another request of the batch has none.

    Source: https://github.com/vllm-project/vllm/issues/51226
    """
    return _SeedLost()


class _Garbled(Crowd):
    """In a batch of eight, a request that outlives another one is corrupted."""

    async def answer(
        self, _: ClientRequest, visit: Visit, right: ServerResponse, __: Upstream
    ) -> ServerResponse:
        mine = visit.body.get("max_tokens")
        early = any(_ends_before(other.body, mine) for other in visit.beside)
        return _exclaimed(right) if early and len(visit.beside) + 1 >= 8 else right


def _ends_before(other: Body, limit: object) -> bool:
    theirs = other.get("max_tokens")
    return isinstance(theirs, int) and isinstance(limit, int) and theirs < limit


def _exclaimed(response: ServerResponse) -> ServerResponse:
    """Replace the second half of each text by exclamation marks."""
    if response.is_stream:
        chunks = response.chunks
        for chunk in chunks[len(chunks) // 2 :]:
            chunk["choices"] = [_with_marks(choice, 0) for choice in chunk["choices"]]
        return response.with_chunks(chunks)
    body = response.body
    choices = [_with_marks(choice, len(choice["text"]) // 2) for choice in body["choices"]]
    return response.with_body({**body, "choices": choices})


def _with_marks(choice: Body, kept: int) -> Body:
    text = choice["text"]
    return {**choice, "text": text[:kept] + "!" * (len(text) - kept)}


@reported_fault(
    "garbled-by-early-end",
    breaks=OWN_SETTINGS,
    # The tokens that are listed beside the text stay.
    also_breaks=f"{ANOTHER_TEXT} logprobs-arrays.tokens-join-to-text",
)
def garbled_by_early_end() -> Behaviour:
    """In a batch of eight, the early end of one request corrupts those that go on.

    Source: https://github.com/scouzi1966/maclocal-api/issues/140
    """
    return _Garbled()


class _Interleaved(Crowd):
    """Of two streams at once, the second one also gets pieces of the first."""

    async def answer(
        self, request: ClientRequest, visit: Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        response = right
        streams = [one.body for one in visit.beside if one.body.get("stream") is True]
        if not (response.is_stream and streams):
            return response
        theirs = await upstream(request.with_body(streams[0]))
        if not theirs.is_stream or theirs.status != 200:
            return response
        mine, foreign = response.chunks, [c for c in theirs.chunks if c["choices"]]
        texts = [choice["text"] for chunk in foreign for choice in chunk["choices"]]
        for place, text in enumerate(texts[:3]):
            at = 2 * place + 1
            if at < len(mine) and mine[at]["choices"]:
                first, *rest = mine[at]["choices"]
                mine[at]["choices"] = [{**first, "text": first["text"] + text}, *rest]
        return response.with_chunks(mine)


@reported_fault(
    "streams-interleaved",
    breaks=OWN_SETTINGS,
    # The tokens that are listed beside the text stay.
    also_breaks=f"{ANOTHER_TEXT} streaming.logprobs-as-plain streaming.echo-once"
    " streaming.whole-characters interactions.kept-together"
    " logprobs-arrays.tokens-join-to-text logprobs-arrays.four-parallel",
)
def streams_interleaved() -> Behaviour:
    """Of two streams at the same time, tokens of one appear in the other.

    Source: https://github.com/chenhunghan/ialacol/issues/74
    """
    return _Interleaved()
