"""Right requests, made of what was drawn: they keep the rules that no schema states, and are few.

What a correct server may decline although it serves each half (``echo`` with ``logprobs``, copies
of a greedy answer, a suffix in a batch) is taken apart here, so that whatever is declined in the
end is one parameter's doing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.contract import Contract, Parameter

Body = Mapping[str, Any]

MOST_OPTIONS = 4
"""Optional parameters of one request: with more of them, one that an endpoint does not serve would
keep too many others from being looked at."""


def right_requests(
    drawn: Iterable[Body], contract: Contract, *, plain: int, streamed: int
) -> list[Body]:
    """Choose requests that use as many parameters, forms and values as so few can.

    Args:
        drawn: bodies that fit the schema they were drawn from.
        contract: says which rules hold between parameters.
        plain: how many are to be answered in one piece.
        streamed: how many as a stream, where the contract documents streams.
    """
    bodies = [few_options(without(body, "stream"), contract) for body in drawn]
    pieces = widest(bodies, contract, plain)
    chosen = [settled(body, contract) for body in pieces]
    if contract.parameter("stream").documented:
        others = [body for body in bodies if body not in pieces]
        streams = widest(others, contract, streamed)
        chosen += [settled({**body, "stream": True}, contract) for body in streams]
    return chosen


def few_options(body: Body, contract: Contract) -> Body:
    """Leave out what is optional beyond the first few, in the order in which it was drawn."""
    optional = [name for name in body if name not in always(contract)]
    return without(body, *optional[MOST_OPTIONS:])


def settled(body: Body, contract: Contract) -> Body:
    """Leave out, or mend, what does not go together; the rest stays, in the contract's order."""
    kept = dict(body)
    streams = kept.get("stream") is True
    if not streams:
        kept.pop("stream_options", None)
        if "stream" in always(contract):
            kept["stream"] = False
    if kept.get("best_of") is not None:
        if streams:
            del kept["best_of"]
        else:
            more = "best-of.equal-to-n-refused" in contract.requirements
            kept["best_of"] = max(kept["best_of"], (kept.get("n") or 1) + more)
    several = any((kept.get(name) or 1) > 1 for name in ("n", "best_of"))
    if several and kept.get("temperature") == 0:
        kept["temperature"] = 1
    if "temperature.with-top-p-refused" in contract.requirements and given(
        kept, "temperature", "top_p"
    ):
        del kept["top_p"]
    if kept.get("echo") is True and given(kept, "logprobs"):
        del kept["echo"]
    if given(kept, "suffix") and (kept.get("echo") is True or is_batch(kept.get("prompt"))):
        del kept["suffix"]
    order = [parameter.name for parameter in contract.parameters]
    return dict(sorted(kept.items(), key=lambda item: order.index(item[0])))


def given(body: Body, *names: str) -> bool:
    """Tell whether a body sets all of some parameters to more than null."""
    return all(body.get(name) is not None for name in names)


def is_batch(prompt: object) -> bool:
    """Tell whether a prompt is an array of prompts."""
    return isinstance(prompt, list) and isinstance(prompt[0], str | list)


def always(contract: Contract) -> frozenset[str]:
    """Name the parameters that every drawn request has."""
    required = (parameter.name for parameter in contract.parameters if parameter.required)
    return frozenset(required) | {"model", "prompt", "max_tokens"}


def without(body: Body, *names: str) -> Body:
    """Return a body without some of its parameters."""
    return {name: value for name, value in body.items() if name not in names}


def widest(bodies: Sequence[Body], contract: Contract, count: int) -> list[Body]:
    """Choose so many bodies, each the one that adds the most that none before it has."""
    chosen: list[Body] = []
    seen: set[tuple[str, str]] = set()
    left = list(bodies)
    while left and len(chosen) < count:
        # The first of equals wins, so that a choice depends on nothing but what was drawn.
        best = max(left, key=lambda body: len(aspects(body, contract) - seen))
        chosen.append(best)
        seen |= aspects(best, contract)
        left = [body for body in left if body != best]
    return chosen


def aspects(body: Body, contract: Contract) -> set[tuple[str, str]]:
    """Say what a body tries: each parameter, with the way in which it is set."""
    return {(name, _way(contract.parameter(name), value)) for name, value in body.items()}


def _way(parameter: Parameter, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if parameter.name == "prompt":
        inner = value[0] if isinstance(value, list) else value
        return f"{type(value).__name__} of {type(inner).__name__}"
    limits = (parameter.minimum, parameter.maximum)
    return f"{type(value).__name__}{' at a limit' if value in limits else ''}"
