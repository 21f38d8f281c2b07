"""The response to a wrong key."""

from __future__ import annotations

from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("disabled-key")
def disabled_key() -> Behaviour:
    """A wrong key is rejected with 403, as a disabled key."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_status(403) if got.status == 401 and request.key else got

    return Rewrite(raw=change)


@variant("challenged-key")
def challenged_key() -> Behaviour:
    """The error for a wrong key has a ``WWW-Authenticate`` header, as HTTP requires."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_header("www-authenticate", 'Bearer realm="api"')

    return Rewrite(raw=lambda request, got: change(request, got) if got.status == 401 else got)
