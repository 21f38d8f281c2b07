"""Errors as the API words them: an HTTP status and the envelope ``{"error": {…}}``.

The envelope's four keys and the error types come from OpenAI's error guide; the codes
(``integer_below_min_value``, ``invalid_type``, …) are those of its newer request validator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

BAD_REQUEST = 400
INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"


@dataclass(frozen=True)
class ErrorShape:
    """How a document shapes the error object."""

    has_param: bool = True
    status_as_code: bool = False
    """Whether ``code`` is the number of the status."""
    kinds: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    """The ``type`` of errors by their status, if the document has its own."""
    is_flat: bool = False
    """Whether the members are at the top of the body, beside ``"object": "error"``."""
    detail_status: int | None = None
    """The status of invalid requests, whose errors are a list then, as FastAPI writes it."""

    def lists(self, error: "ApiError") -> bool:
        """Whether an error is sent as a list."""
        return self.detail_status is not None and error.status == BAD_REQUEST

    def status_of(self, error: "ApiError") -> int:
        """The status that an error is sent with."""
        return self.detail_status or error.status if self.lists(error) else error.status


LIVE_SHAPE = ErrorShape()


class ApiError(Exception):
    """A request that gets an error.

    ``kind`` is the envelope's ``type``, ``param`` names the invalid field of the request, ``code``
    is for programs; the latter two may be None and are sent as null then.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID_REQUEST,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def envelope(self, shape: ErrorShape = LIVE_SHAPE) -> dict[str, Any]:
        """The JSON body: all keys of the shape, null if they have no value."""
        if shape.lists(self):
            place = ["body", *([self.param] if self.param else [])]
            return {"detail": [{"loc": place, "msg": self.message, "type": self.code or self.kind}]}
        error: dict[str, Any] = {
            "message": self.message,
            "type": shape.kinds.get(self.status, self.kind),
        }
        if shape.has_param:
            error["param"] = self.param
        error["code"] = self.status if shape.status_as_code else self.code
        return {"object": "error", **error} if shape.is_flat else {"error": error}


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A 400: the request is invalid."""
    return ApiError(400, message, param=param, code=code)


def no_key() -> ApiError:
    """A 401 for a request without a key."""
    return ApiError(
        401,
        "You didn't provide an API key. Send it in an Authorization header using Bearer auth "
        "(Authorization: Bearer YOUR_KEY).",
        headers={"WWW-Authenticate": "Bearer"},
    )


def wrong_key(key: str) -> ApiError:
    """A 401 for a wrong key, which the message contains only masked."""
    masked = f"{key[:3]}{'*' * 8}{key[-4:]}" if len(key) >= 20 and key.isascii() else "*" * 8
    return ApiError(
        401,
        f"Incorrect API key provided: {masked}.",
        code="invalid_api_key",
        headers={"WWW-Authenticate": "Bearer"},
    )


def unknown_model(name: str) -> ApiError:
    """A 404 for a model that the server does not serve."""
    shown = name if len(name) <= 100 else f"{name[:100]}…"
    return ApiError(
        404,
        f"The model '{shown}' does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    )


def unknown_path(method: str, path: str) -> ApiError:
    """A 404 for an unknown path."""
    return ApiError(404, f"Invalid URL ({method} {path[:200]})")


def wrong_method(method: str, path: str, allowed: str) -> ApiError:
    """A 405 for a known path with another method."""
    return ApiError(
        405,
        f"Not allowed to {method} on {path[:200]}. Allowed: {allowed}.",
        code="method_not_supported",
        headers={"Allow": allowed},
    )


def too_large(limit: int) -> ApiError:
    """A 413 for a body over ``limit`` bytes."""
    return ApiError(413, f"The request body is over the limit of {limit} bytes.")


def too_slow() -> ApiError:
    """A 408 for a body that does not arrive; the rest of it is ignored."""
    return ApiError(
        408, "The request's body did not arrive in time.", headers={"Connection": "close"}
    )


def wrong_content(declared: str) -> ApiError:
    """A 415 for a body that is not declared as JSON without encoding."""
    return ApiError(
        415,
        f"Unsupported content type: '{declared[:100]}'. This API method only accepts "
        "'application/json' requests in UTF-8, without content encoding.",
        code="unsupported_content_type",
    )


def over_context(limit: int, prompt_tokens: int, max_tokens: int) -> ApiError:
    """A 400 for a prompt that does not fit with the requested completion; gives both counts."""
    return bad_request(
        f"This model's maximum context length is {limit} tokens, however you requested "
        f"{prompt_tokens + max_tokens} tokens ({prompt_tokens} in your prompt; {max_tokens} for "
        "the completion). Please reduce your prompt; or completion length."
    )


def far_over_context(limit: int, size: int) -> ApiError:
    """A 400 for a text of ``size`` bytes, which cannot fit whatever its tokens are."""
    return bad_request(
        f"This model's maximum context length is {limit} tokens, however your text of {size} bytes "
        "has far more. Please reduce your prompt."
    )


def overloaded(retry_after: int) -> ApiError:
    """A 429 while the queue is full; ``retry_after`` in seconds."""
    return ApiError(
        429,
        "The server has more requests waiting than it takes on. Please retry after a moment.",
        kind="requests",
        code="rate_limit_exceeded",
        headers={"Retry-After": str(retry_after)},
    )


def internal() -> ApiError:
    """A 500, without any details."""
    return ApiError(
        500,
        "The server had an error while processing your request. Sorry about that!",
        kind=SERVER_ERROR,
    )


def shutting_down() -> ApiError:
    """A 503 for a request that does not finish before shutdown."""
    return ApiError(
        503, "The server is shutting down. Please retry your request.", kind=SERVER_ERROR
    )
