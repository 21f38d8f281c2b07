"""Faults of the API key: how a missing or wrong key is handled."""

from reference_server.behaviour.builders import error, status
from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse, Upstream
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS

TRIGGERS = HANDLERS - {Trigger.EVERY_THIRD}
"""Triggers. A run sends a wrong key in only one or two requests."""


class _Admits:
    """Replace the client's key with the server's own, so that the request is served."""

    def __init__(self, *, without_key: bool = False, with_wrong_key: bool = False) -> None:
        self._without_key = without_key
        self._with_wrong_key = with_wrong_key

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        let_in = self._without_key if request.key is None else self._with_wrong_key
        return await upstream(request.with_key(request.server_key) if let_in else request)


@fault("nobody-served", breaks="auth.missing-key", triggers=TRIGGERS)
def nobody_served() -> Behaviour:
    """A request without a key is served."""
    return _Admits(without_key=True)


@fault("strangers-served", breaks="auth.wrong-key", triggers=TRIGGERS)
def strangers_served() -> Behaviour:
    """A request with an unknown key is served."""
    return _Admits(with_wrong_key=True)


@fault("everybody-served", breaks="auth.missing-key auth.wrong-key", triggers=TRIGGERS)
def everybody_served() -> Behaviour:
    """The key is not checked."""
    return _Admits(without_key=True, with_wrong_key=True)


@fault("wrong-key-is-bad-request", breaks="auth.missing-key auth.wrong-key", triggers=TRIGGERS)
def wrong_key_is_bad_request() -> Behaviour:
    """A missing or wrong key is rejected with 400."""
    return status(400, 401)


@fault("missing-key-forbidden", breaks="auth.missing-key", triggers=TRIGGERS)
def missing_key_forbidden() -> Behaviour:
    """A missing key is rejected with 403, the default of some frameworks."""

    def raw(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_status(403) if got.status == 401 and request.key is None else got

    return Rewrite(raw=raw)


@fault("wrong-key-is-server-fault", breaks="auth.missing-key auth.wrong-key", triggers=TRIGGERS)
def wrong_key_is_server_fault() -> Behaviour:
    """A missing or wrong key causes a server error."""
    return status(500, 401)


@fault(
    "wrong-key-code",
    breaks="auth.wrong-key-code",
    # The relay's type and code are in every error.
    also_breaks="errors.bad-input-type model.unknown-is-404",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS - {Trigger.STREAM},
)
def wrong_key_code() -> Behaviour:
    """The error for a wrong key has a code of the relay."""
    return error(code="invalid_token", type="new_api_error")


@fault(
    "wrong-key-as-page",
    breaks="errors.envelope auth.wrong-key auth.missing-key",
    triggers=TRIGGERS,
)
def wrong_key_as_page() -> Behaviour:
    """A missing or wrong key gets an HTML login page."""

    def raw(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 401:
            return got
        page = b"<!doctype html><title>Log in</title><form></form>"
        return got.with_raw(page).with_header("content-type", "text/html")

    return Rewrite(raw=raw)


@fault(
    "key-repeated",
    breaks="auth.key-not-repeated",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS - {Trigger.STREAM},
)
def key_repeated() -> Behaviour:
    """The error for a wrong key contains the key."""

    def raw(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 401 or not request.key:
            return got
        inner = {**got.body["error"], "message": f"Invalid token: {request.key}"}
        return got.with_body({"error": inner})

    return Rewrite(raw=raw)
