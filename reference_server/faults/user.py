"""Faults of ``user``: who asks makes a difference."""

from reference_server.behaviour.builders import asks, declines, usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Shows, fault
from reference_server.faults._hiding import PLAINLY

EFFECT = "user.no-effect"


@fault("user-refused", breaks=EFFECT, modifiers=PLAINLY, shows=Shows.REFUSED)
def user_refused() -> Behaviour:
    """A request with ``user`` is refused."""
    return declines(lambda asked: asked.get("user") is not None, param="user")


@fault(
    "user-not-ascii-breaks",
    breaks=f"{EFFECT} errors.good-input-no-server-fault",
    modifiers=PLAINLY,
)
def user_not_ascii_breaks() -> Behaviour:
    """A ``user`` beyond ASCII is a server fault, as when it is put into a header."""
    return declines(
        lambda asked: not str(asked.get("user") or "").isascii(),
        "'latin-1' codec can't encode characters",
        status=500,
        kind="server_error",
    )


@fault("user-in-prompt", breaks=EFFECT, modifiers=PLAINLY)
def user_in_prompt() -> Behaviour:
    """The name of the user is put before the prompt."""

    def ask(asked: Body) -> Body:
        named = isinstance(asked.get("user"), str) and isinstance(asked.get("prompt"), str)
        return {**asked, "prompt": f"{asked['user']}: {asked['prompt']}"} if named else asked

    return asks(ask)


@fault("user-billed", breaks=EFFECT, modifiers=PLAINLY)
def user_billed() -> Behaviour:
    """The tokens of the user's name are billed."""

    def change(asked: Body, bill: Body) -> Body:
        more = 3 if asked.get("user") else 0
        return {name: bill[name] + more for name in ("prompt_tokens", "total_tokens")}

    return usage(change)
