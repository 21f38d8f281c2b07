"""Faults of ``user``: it changes the response."""

from reference_server.behaviour.builders import rejects, rejects_null, rewrites, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.faults._triggers import NON_STREAMING_ONLY

EFFECT = "user.no-effect"


@fault("user-refused", breaks=EFFECT, triggers=NON_STREAMING_ONLY, shows=Shows.REFUSED)
def user_refused() -> Behaviour:
    """A request with ``user`` is rejected."""
    return rejects(lambda request: request.get("user") is not None, param="user")


@fault(
    "user-not-ascii-breaks",
    breaks=f"{EFFECT} errors.good-input-no-server-fault",
    triggers=NON_STREAMING_ONLY,
)
def user_not_ascii_breaks() -> Behaviour:
    """A non-ASCII ``user`` causes a server error, as in a request header."""
    return rejects(
        lambda request: not str(request.get("user") or "").isascii(),
        "'latin-1' codec can't encode characters",
        status=500,
        kind="server_error",
    )


@fault("user-in-prompt", breaks=EFFECT, triggers=NON_STREAMING_ONLY)
def user_in_prompt() -> Behaviour:
    """The value of ``user`` is put before the prompt."""

    def rewrite(request: Body) -> Body:
        named = isinstance(request.get("user"), str) and isinstance(request.get("prompt"), str)
        return (
            {**request, "prompt": f"{request['user']}: {request['prompt']}"} if named else request
        )

    return rewrites(rewrite)


@fault("user-billed", breaks=EFFECT, triggers=NON_STREAMING_ONLY)
def user_billed() -> Behaviour:
    """The tokens of ``user`` are counted in ``prompt_tokens``."""

    def change(request: Body, stated_usage: Body) -> Body:
        more = 3 if request.get("user") else 0
        return {name: stated_usage[name] + more for name in ("prompt_tokens", "total_tokens")}

    return usage(change)


@fault(
    "user-null-refused",
    breaks="user.null-is-none",
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="aocheng",
    dialect="aocheng",
)
def user_null_refused() -> Behaviour:
    """``user: null`` is rejected.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/1503
    """
    return rejects_null("user")
