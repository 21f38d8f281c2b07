"""Faults of ``user``: who asks makes a difference."""

from reference_server.behaviour.builders import asks, rejects, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Shows, fault
from reference_server.faults._hiding import NON_STREAMING_ONLY

EFFECT = "user.no-effect"


@fault("user-refused", breaks=EFFECT, modifiers=NON_STREAMING_ONLY, shows=Shows.REFUSED)
def user_refused() -> Behaviour:
    """A request with ``user`` is refused."""
    return rejects(lambda request: request.get("user") is not None, param="user")


@fault(
    "user-not-ascii-breaks",
    breaks=f"{EFFECT} errors.good-input-no-server-fault",
    modifiers=NON_STREAMING_ONLY,
)
def user_not_ascii_breaks() -> Behaviour:
    """A ``user`` beyond ASCII is a server fault, as when it is put into a header."""
    return rejects(
        lambda request: not str(request.get("user") or "").isascii(),
        "'latin-1' codec can't encode characters",
        status=500,
        kind="server_error",
    )


@fault("user-in-prompt", breaks=EFFECT, modifiers=NON_STREAMING_ONLY)
def user_in_prompt() -> Behaviour:
    """The name of the user is put before the prompt."""

    def ask(request: Body) -> Body:
        named = isinstance(request.get("user"), str) and isinstance(request.get("prompt"), str)
        return (
            {**request, "prompt": f"{request['user']}: {request['prompt']}"} if named else request
        )

    return asks(ask)


@fault("user-billed", breaks=EFFECT, modifiers=NON_STREAMING_ONLY)
def user_billed() -> Behaviour:
    """The tokens of the user's name are billed."""

    def change(request: Body, stated_usage: Body) -> Body:
        more = 3 if request.get("user") else 0
        return {name: stated_usage[name] + more for name in ("prompt_tokens", "total_tokens")}

    return usage(change)
