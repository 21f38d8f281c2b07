"""How a refused key is answered."""

from __future__ import annotations

from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("disabled-key")
def disabled_key() -> Behaviour:
    """A key that is not valid is answered with 403, as one that was disabled."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_status(403) if got.status == 401 and request.key else got

    return Rewrite(raw=change)


@variant("challenged-key")
def challenged_key() -> Behaviour:
    """A refused key is challenged with ``WWW-Authenticate``, as HTTP wants it."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_header("www-authenticate", 'Bearer realm="api"')

    return Rewrite(raw=lambda request, got: change(request, got) if got.status == 401 else got)
