"""Valid request bodies, chosen from generated ones; they keep rules that the schema cannot state.

A conforming server may reject some combinations although it serves each part: ``echo`` with
``logprobs``, several choices of a greedy completion, a suffix in a batch. These are taken apart
here, so that a rejection is always due to one parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.contract import Contract, Parameter

Body = Mapping[str, Any]

MAX_OPTIONAL_PARAMETERS = 4
"""Optional parameters of one request. With more, one parameter that an endpoint does not serve
would keep too many others from being tested."""


def valid_requests(
    generated: Iterable[Body], contract: Contract, *, non_streaming: int, streamed: int
) -> list[Body]:
    """Choose the requests that together use the most parameters, forms and values.

    Args:
        generated: bodies that fit the schema of requests.
        contract: states the rules between parameters.
        non_streaming: how many non-streaming requests to choose.
        streamed: how many streaming requests to choose, if the contract documents streams.
    """
    bodies = [with_few_options(without(body, "stream"), contract) for body in generated]
    unstreamed = most_diverse(bodies, contract, non_streaming)
    chosen = [without_conflicts(body, contract) for body in unstreamed]
    if contract.parameter("stream").documented:
        others = [body for body in bodies if body not in unstreamed]
        streams = most_diverse(others, contract, streamed)
        chosen += [without_conflicts({**body, "stream": True}, contract) for body in streams]
    return chosen


def with_few_options(body: Body, contract: Contract) -> Body:
    """Return a body with its first :data:`MAX_OPTIONAL_PARAMETERS` optional parameters alone."""
    optional = [name for name in body if name not in always_sent(contract)]
    return without(body, *optional[MAX_OPTIONAL_PARAMETERS:])


def without_conflicts(body: Body, contract: Contract) -> Body:
    """Remove or change parameters that conflict with others, and sort by the contract's order."""
    kept = dict(body)
    streams = kept.get("stream") is True
    if not streams:
        kept.pop("stream_options", None)
        if "stream" in always_sent(contract):
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
    if "temperature.with-top-p-refused" in contract.requirements and are_set(
        kept, "temperature", "top_p"
    ):
        del kept["top_p"]
    if kept.get("echo") is True and are_set(kept, "logprobs"):
        del kept["echo"]
    if are_set(kept, "suffix") and (kept.get("echo") is True or is_batch(kept.get("prompt"))):
        del kept["suffix"]
    order = [parameter.name for parameter in contract.parameters]
    return dict(sorted(kept.items(), key=lambda item: order.index(item[0])))


def are_set(body: Body, *names: str) -> bool:
    """Return whether a body has all of some parameters, and none of them is null."""
    return all(body.get(name) is not None for name in names)


def is_batch(prompt: object) -> bool:
    """Return whether a prompt is an array of prompts."""
    return isinstance(prompt, list) and isinstance(prompt[0], str | list)


def always_sent(contract: Contract) -> frozenset[str]:
    """Return the parameters that every generated request has."""
    required = (parameter.name for parameter in contract.parameters if parameter.required)
    return frozenset(required) | {"model", "prompt", "max_tokens"}


def without(body: Body, *names: str) -> Body:
    """Return a body without some of its parameters."""
    return {name: value for name, value in body.items() if name not in names}


def most_diverse(bodies: Sequence[Body], contract: Contract, count: int) -> list[Body]:
    """Choose bodies greedily: each is the one that adds the most new aspects."""
    chosen: list[Body] = []
    seen: set[tuple[str, str]] = set()
    left = list(bodies)
    while left and len(chosen) < count:
        # `max` returns the first of equals, so the choice depends on the bodies alone.
        best = max(left, key=lambda body: len(aspects(body, contract) - seen))
        chosen.append(best)
        seen |= aspects(best, contract)
        left = [body for body in left if body != best]
    return chosen


def aspects(body: Body, contract: Contract) -> set[tuple[str, str]]:
    """Return what a body tests: each parameter with the kind of its value."""
    return {(name, _kind(contract.parameter(name), value)) for name, value in body.items()}


def _kind(parameter: Parameter, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if parameter.name == "prompt":
        inner = value[0] if isinstance(value, list) else value
        return f"{type(value).__name__} of {type(inner).__name__}"
    limits = (parameter.minimum, parameter.maximum)
    return f"{type(value).__name__}{' at a limit' if value in limits else ''}"
