"""Additional fields of a response, and how its JSON is written."""

from __future__ import annotations

import json

from reference_server.behaviour.builders import bodies, each_choice, fields, omits
from reference_server.behaviour.messages import Behaviour, Body, ClientRequest, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("json-indented")
def json_indented() -> Behaviour:
    """A non-streaming response is indented, and non-ASCII characters are escaped."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.is_stream:
            return got
        return got.with_raw(json.dumps(json.loads(got.raw), indent=4).encode() + b"\n")

    return Rewrite(raw=change)


@variant("json-after-blanks")
def json_after_blanks() -> Behaviour:
    """Blank lines precede a non-streaming response, as sent by a gateway to keep it alive."""
    return Rewrite(raw=lambda _, got: got if got.is_stream else got.with_raw(b"\n\n \n" + got.raw))


@variant("timings")
def timings() -> Behaviour:
    """Responses and chunks have a ``timings`` field, as in llama.cpp."""
    return fields(timings={"predicted_ms": 12.5})


@variant("vllm-members")
def vllm_members() -> Behaviour:
    """Responses and choices have the fields that vLLM adds, most of them null."""

    def change(_: Body, whole: Body) -> Body:
        more = {"stop_reason": None, "token_ids": None, "prompt_logprobs": None}
        result = [{**choice, **more} for choice in whole["choices"]]
        extras = {"service_tier": None, "kv_transfer_params": None}
        return {**whole, "choices": result, **extras}

    return bodies(change)


@variant("sglang-members")
def sglang_members() -> Behaviour:
    """``matched_stop`` of a choice tells what ended it: a token's id, or null."""

    def change(_: Body, choice: Body) -> Body:
        ended = choice["finish_reason"] == "stop"
        return {**choice, "matched_stop": 0 if ended else None}

    return each_choice(change)


@variant("provider-members")
def provider_members() -> Behaviour:
    """Responses contain the provider, a region and a cost, as added by routers."""
    return fields(provider="Example", region="cn-north-1", cost=0.0001, warnings=[])


@variant("no-fingerprint")
def no_fingerprint() -> Behaviour:
    """There is no ``system_fingerprint``."""
    return omits("system_fingerprint")


@variant("fingerprint-null")
def fingerprint_null() -> Behaviour:
    """``system_fingerprint`` is null."""
    return fields(system_fingerprint=None)


@variant("other-ids")
def other_ids() -> Behaviour:
    """``id`` is a UUID without a prefix."""

    def identity(old: str) -> str:
        digits = old.encode().hex().ljust(32, "0")[-32:]
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return fields(id=identity)


@variant("clock-behind")
def clock_behind() -> Behaviour:
    """The server's clock is two seconds slow."""
    return fields(created=lambda old: old - 2)


@variant("clock-ahead")
def clock_ahead() -> Behaviour:
    """The server's clock is two seconds fast."""
    return fields(created=lambda old: old + 2)
