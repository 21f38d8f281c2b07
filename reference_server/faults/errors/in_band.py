"""Faults of a backend that fails at a valid request, and whose failure is passed off as a success.

The backend here cannot insert before a ``suffix`` in a non-streaming response, so that a client
gets no completion that heeds it, either.
"""

from __future__ import annotations

import json

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite

ERROR = {
    "message": "The backend could not process the request.",
    "type": "server_error",
    "param": None,
    "code": None,
}
UNSERVED = "suffix.conditions-insertion suffix.with-echo-or-batch"
"""What is not served, whichever form the failure takes."""


def _is_unserved(request: Body) -> bool:
    return bool(request.get("suffix"))


def _failed(text: str, reason: str) -> Rewrite:
    """Replace completions by choices without tokens."""

    def change(request: Body, whole: Body) -> Body:
        if not _is_unserved(request):
            return whole
        failed = {"text": text, "finish_reason": reason, "logprobs": None}
        usage = whole["usage"]
        return {
            **whole,
            "choices": [{**choice, **failed} for choice in whole["choices"]],
            "usage": {**usage, "completion_tokens": 0, "total_tokens": usage["prompt_tokens"]},
        }

    return Rewrite(non_streaming=change)


@fault(
    "failure-as-200",
    breaks="errors.never-as-success",
    also_breaks=UNSERVED,
    evidence=Evidence.REPORTED,
    triggers=(),
)
def failure_as_200() -> Behaviour:
    """Where the backend fails, its error is the response, with status 200.

    Source: https://github.com/kubernetes-sigs/inference-perf/issues/713
    """
    return Rewrite(
        non_streaming=lambda request, whole: {"error": ERROR} if _is_unserved(request) else whole
    )


@fault("failure-as-text", breaks="errors.never-as-success", also_breaks=UNSERVED, triggers=())
def failure_as_text() -> Behaviour:
    """Where the backend fails, its error is the text of a completion without tokens."""
    return _failed(json.dumps({"error": ERROR}), "stop")


@fault(
    "failure-as-finish-reason",
    breaks="finish-reason.known-value",
    also_breaks=UNSERVED,
    evidence=Evidence.REPORTED,
    triggers=(),
)
def failure_as_finish_reason() -> Behaviour:
    """Where the backend fails, the completion is empty and has the finish reason ``error``.

    Source: https://github.com/LostRuins/koboldcpp/issues/2481
    """
    return _failed("", "error")
