"""A blocking version of :class:`~conformance.api.Api` for test functions.

def test_short_answers(conformance_api):
    completion = conformance_api.complete(prompt="1, 2, 3,", max_tokens=4).expect_ok()
    assert completion.usage.completion_tokens <= 4
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from conformance.api import Api
from conformance.contract import Contract
from conformance.engine.selection import Options
from conformance.model import Credentials, Target
from conformance.protocol.response import Response
from conformance.transport.budget import Budget
from conformance.transport.coalesce import RequestCoalescer
from conformance.transport.pipeline import open_pipeline
from conformance.transport.redact import is_placeholder

T = TypeVar("T")


class BlockingApi:
    """One endpoint under one contract, with blocking methods.

    Identical requests of a process are sent once, unless ``fresh`` is true. Every method raises
    :class:`~conformance.judgement.BudgetSpent` if a limit forbids the request, and
    :class:`~conformance.judgement.Inconclusive` if the endpoint has stopped responding.

    Args:
        target: the endpoint, the model and the key.
        contract: the contract under test.
        options: limits and transport options; the limits apply to all requests together.
    """

    def __init__(self, target: Target, contract: Contract, options: Options) -> None:
        self.contract = contract
        self.model = target.model
        self._stack = AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        # A daemon thread does not keep an interrupted session alive.
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._api = self._wait_for(self._open(target, contract, options))

    def complete(self, *, fresh: bool = False, **body: Any) -> Response:
        """Request a non-streaming completion; see :meth:`conformance.api.Api.complete`."""
        return self._wait_for(self._api.complete(fresh=fresh, **body))

    def stream(
        self, *, fresh: bool = False, read_events: int | None = None, **body: Any
    ) -> Response:
        """Request a streamed completion; see :meth:`conformance.api.Api.stream`."""
        return self._wait_for(self._api.stream(fresh=fresh, read_events=read_events, **body))

    def post(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        fresh: bool = False,
        credentials: Credentials = Credentials.OWN,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Post a body unchanged; see :meth:`conformance.api.Api.post`."""
        return self._wait_for(
            self._api.post(body, fresh=fresh, credentials=credentials, headers=headers)
        )

    def close(self) -> None:
        """Cancel the requests in flight and close the connections."""
        self._wait_for(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, target: Target, contract: Contract, options: Options) -> Api:
        budget = Budget(options.limits)
        pipeline = open_pipeline(
            target,
            budget,
            options.transport,
            seed=options.seed,
            default_tokens=contract.default_tokens,
        )
        coalescer = RequestCoalescer(await self._stack.enter_async_context(pipeline))
        self._stack.push_async_callback(coalescer.close)
        return Api(
            coalescer,
            contract,
            target.model,
            has_key=not is_placeholder(target.api_key),
            secret_headers=target.secret_headers,
        )

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
