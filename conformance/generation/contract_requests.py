"""The valid and invalid requests that all schema checks of a run share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from conformance.api import Api
from conformance.contract import Contract
from conformance.generation.bodies_invalid import Defect, InvalidRequest, invalid_requests
from conformance.generation.bodies_valid import Body, always_sent, valid_requests
from conformance.generation.schemathesis_driver import generate_bodies
from conformance.generation.threads import in_daemon_thread

VALID_BODIES, INVALID_BODIES = 40, 80
"""Bodies that are generated; few of them are chosen, since only sending is expensive."""

NON_STREAMING, STREAMED = 3, 2
"""Valid requests that the deep tier sends, non-streaming and streaming."""

WANTED = {Defect.TYPE: 3, Defect.RANGE: 2, Defect.MODEL: 1, Defect.JSON: 1}
"""Invalid requests that are sent, by the kind of their defect."""


@dataclass(frozen=True, slots=True)
class GeneratedRequests:
    """The requests of a run."""

    valid: tuple[Body, ...]
    invalid: tuple[InvalidRequest, ...]

    @property
    def few(self) -> tuple[Body, ...]:
        """The most diverse valid request: one with a stream, if the contract documents streams."""
        streamed = (body for body in self.valid if body.get("stream") is True)
        return (next(streamed, self.valid[0]),)


async def generated_requests(api: Api, minimal: Mapping[str, Any]) -> GeneratedRequests:
    """Return the requests for an endpoint's contract, model and seed; generated once and cached.

    Args:
        api: has the contract, the model and the seed.
        minimal: members of a cheap request; each defect is put into a request with these.
    """
    members = tuple(minimal.items())
    return await in_daemon_thread(_generate_once, api.contract, api.model, api.seed, members)


_generating = Lock()


def _generate_once(
    contract: Contract, model: str, seed: int, minimal: tuple[tuple[str, Any], ...]
) -> GeneratedRequests:
    # Concurrent checks want the same requests: one generates them, the others wait for the cache.
    with _generating:
        return _generate(contract, model, seed, minimal)


@lru_cache(maxsize=64)
def _generate(
    contract: Contract, model: str, seed: int, minimal: tuple[tuple[str, Any], ...]
) -> GeneratedRequests:
    fitting = generate_bodies(contract, model, "positive", VALID_BODIES, seed)
    valid = valid_requests(fitting, contract, non_streaming=NON_STREAMING, streamed=STREAMED)
    # Defects go into a request that is cheap in case the endpoint serves it.
    required = {name: value for name, value in valid[0].items() if name in always_sent(contract)}
    violating = generate_bodies(contract, model, "negative", INVALID_BODIES, seed)
    invalid = invalid_requests(violating, {**required, **dict(minimal)}, contract, WANTED)
    return GeneratedRequests(tuple(valid), tuple(invalid))
