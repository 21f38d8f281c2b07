"""Members that nobody promised and nobody forbids, and values that the contract leaves open."""

from __future__ import annotations

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.pieces import choices, each_choice, lacks, members, wholes
from reference_server.behaviour.registry import variant


@variant("timings")
def timings() -> Behaviour:
    """Answers and chunks carry ``timings`` of their own, as llama.cpp's do."""
    return members(timings={"predicted_ms": 12.5})


@variant("vllm-members")
def vllm_members() -> Behaviour:
    """Answers and choices carry the members that vLLM adds, most of them null."""

    def change(_: Body, whole: Body) -> Body:
        more = {"stop_reason": None, "token_ids": None, "prompt_logprobs": None}
        told = [{**choice, **more} for choice in whole["choices"]]
        extras = {"service_tier": None, "kv_transfer_params": None}
        return {**whole, "choices": told, **extras}

    return wholes(change)


@variant("sglang-members")
def sglang_members() -> Behaviour:
    """Choices say by ``matched_stop`` what ended them: a token's id, or nothing."""

    def change(_: Body, choice: Body) -> Body:
        ended = choice["finish_reason"] == "stop"
        return {**choice, "matched_stop": 0 if ended else None}

    return each_choice(change)


@variant("usage-details")
def usage_details() -> Behaviour:
    """``usage`` tells of cached, audio and reasoning tokens as well."""

    def change(_: Body, whole: Body) -> Body:
        bill = whole.get("usage")
        if not bill:
            return whole
        more = {
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "prompt_cache_hit_tokens": 0,
        }
        return {**whole, "usage": {**bill, **more}}

    return wholes(change)


@variant("provider-members")
def provider_members() -> Behaviour:
    """Answers name the provider, a region and a cost, as routers add them."""
    return members(provider="Example", region="cn-north-1", cost=0.0001, warnings=[])


@variant("no-fingerprint")
def no_fingerprint() -> Behaviour:
    """There is no ``system_fingerprint``."""
    return lacks("system_fingerprint")


@variant("fingerprint-null")
def fingerprint_null() -> Behaviour:
    """``system_fingerprint`` is null."""
    return members(system_fingerprint=None)


@variant("other-ids")
def other_ids() -> Behaviour:
    """An ``id`` is a bare UUID without a prefix."""

    def identity(old: str) -> str:
        digits = old.encode().hex().ljust(32, "0")[-32:]
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return members(id=identity)


@variant("model-dated")
def model_dated() -> Behaviour:
    """``model`` in the answer is the dated name behind the alias that was asked for."""
    return members(model=lambda old: f"{old}-2026-10-01")


@variant("clock-behind")
def clock_behind() -> Behaviour:
    """The server's clock is two seconds behind."""
    return members(created=lambda old: old - 2)


@variant("clock-ahead")
def clock_ahead() -> Behaviour:
    """The server's clock is two seconds ahead."""
    return members(created=lambda old: old + 2)


@variant("choices-backwards")
def choices_backwards() -> Behaviour:
    """A plain answer lists its choices from the last to the first."""
    return choices(lambda _, of: of[::-1])


@variant("logprobs-left-out")
def logprobs_left_out() -> Behaviour:
    """A choice has no member ``logprobs`` where none were asked for."""

    def change(_: Body, choice: Body) -> Body:
        return {k: v for k, v in choice.items() if k != "logprobs" or v is not None}

    return each_choice(change)


@variant("nulls-left-out")
def nulls_left_out() -> Behaviour:
    """What would be null in a chunk's choice is left out, ``finish_reason`` too."""

    def change(_: Body, choice: Body) -> Body:
        return {name: value for name, value in choice.items() if value is not None}

    return each_choice(change)
