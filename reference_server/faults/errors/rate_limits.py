"""Faults of what is told to whom has to wait, or to ask elsewhere."""

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import (
    Behaviour,
    ClientRequest,
    ServerResponse,
    Upstream,
    json_response,
)
from reference_server.behaviour.registry import Evidence, fault

EVERY = 12
"""So many requests are served before one is pushed back."""


class _PushesBack:
    """Pushes a request back now and then; the next one is served again."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        self._status = status
        self._retry_after = retry_after
        self._request = 0

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        self._request += 1
        if self._request % EVERY:
            return await upstream(request)
        result = {"message": "Rate limit reached. Please try again.", "type": "requests"}
        response = json_response(
            self._status, {"error": {**result, "param": None, "code": "rate_limit_exceeded"}}
        )
        return response.with_header("retry-after", self._retry_after)


@fault("rate-limit-as-server-fault", breaks="errors.rate-limit", modifiers=())
def rate_limit_as_server_fault() -> Behaviour:
    """Whoever asks too much is told so with 503."""
    return _PushesBack(503, "0")


@fault("retry-after-missing", breaks="errors.retry-after", evidence=Evidence.SOURCE, modifiers=())
def retry_after_missing() -> Behaviour:
    """A 429 does not say when to come back."""
    return _PushesBack(429, None)


@fault("retry-after-in-words", breaks="errors.retry-after", modifiers=())
def retry_after_in_words() -> Behaviour:
    """A 429 says in words when to come back."""
    return _PushesBack(429, "a moment")


@fault(
    "chat-model-bad-request",
    breaks="model.chat-only-refused",
    evidence=Evidence.SOURCE,
    modifiers=(),
)
def chat_model_bad_request() -> Behaviour:
    """A model that only serves chat is refused with 400, and without naming ``model``."""
    return rejects(
        lambda request: request.get("model") == "gpt-4o",
        "This is a chat model and not supported in the completions endpoint.",
    )
