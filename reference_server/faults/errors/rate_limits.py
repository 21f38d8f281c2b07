"""Faults of rate limits and of the error for chat models."""

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import (
    Behaviour,
    ClientRequest,
    ServerResponse,
    Upstream,
    json_response,
)
from reference_server.behaviour.registry import Evidence, Tier, fault

REQUESTS_PER_LIMIT = 12
"""Requests that are served before one is rejected."""


class _PushesBack:
    """Rejects a request now and then; its retry is served."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        self._status = status
        self._retry_after = retry_after
        self._request = 0

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        self._request += 1
        if self._request % REQUESTS_PER_LIMIT:
            return await upstream(request)
        result = {"message": "Rate limit reached. Please try again.", "type": "requests"}
        response = json_response(
            self._status, {"error": {**result, "param": None, "code": "rate_limit_exceeded"}}
        )
        return response.with_header("retry-after", self._retry_after)


@fault("rate-limit-as-server-fault", breaks="errors.rate-limit", triggers=())
def rate_limit_as_server_fault() -> Behaviour:
    """A rate limit has the status 503."""
    return _PushesBack(503, "0")


@fault("retry-after-missing", breaks="errors.retry-after", evidence=Evidence.SOURCE, triggers=())
def retry_after_missing() -> Behaviour:
    """A 429 has no ``Retry-After``."""
    return _PushesBack(429, None)


@fault("retry-after-in-words", breaks="errors.retry-after", triggers=())
def retry_after_in_words() -> Behaviour:
    """``Retry-After`` of a 429 is a phrase."""
    return _PushesBack(429, "a moment")


@fault(
    "chat-model-bad-request",
    breaks="model.chat-only-refused",
    evidence=Evidence.SOURCE,
    tier=Tier.DEEP,
    triggers=(),
)
def chat_model_bad_request() -> Behaviour:
    """A model that serves only chat is rejected with 400, without naming ``model``."""
    return rejects(
        lambda request: request.get("model") == "gpt-4o",
        "This is a chat model and not supported in the completions endpoint.",
    )
