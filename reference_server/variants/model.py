"""The model's name in responses, and error messages for an unknown model."""

from __future__ import annotations

from reference_server.behaviour.builders import fields
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("model-dated")
def model_dated() -> Behaviour:
    """``model`` in responses is the dated name behind the requested alias."""
    return fields(model=lambda old: f"{old}-2026-10-01")


@variant("unknown-model-in-other-words")
def unknown_model_in_other_words() -> Behaviour:
    """The error for an unknown model has a relay's message, with the usual status and code."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = envelope["error"]
        if inner["code"] != "model_not_found":
            return envelope
        return {"error": {**inner, "message": "当前分组下对于该模型无可用渠道", "param": None}}

    return Rewrite(refusal=refusal)
