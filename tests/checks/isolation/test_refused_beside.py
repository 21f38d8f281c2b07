"""A refusal is sent again alone, once the other requests are over, before it is believed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.model import Attempt, Effect, Exchange, Finding, Request, Role, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from tests.engine.test_attribution import a_deviation, roots
from tests.report.builders import an_exchange

OPENAI = load_contract("openai")
CHECK = next(check for check in all_checks() if check.id == "isolation.refused-beside-others")
BESIDE = an_exchange("x9999", request={"model": "m", "prompt": "0", "temperature": 0})
WORDS = "temperature must be greater than 0."


def refused(key: str = "x1", words: str = WORDS, **body: Any) -> Exchange:
    error = {"error": {"message": words, "type": "invalid_request_error"}}
    request = {"model": "m", "prompt": "1", **(body or {"temperature": 2})}
    return an_exchange(key, request=request, body=error, status=400)


def reported(exchange: Exchange, check: str = "temperature.maximum-served", **more: Any) -> Finding:
    shown = {"exchanges": (exchange.id,), "roles": {exchange.id: Role.PROBE}}
    return a_deviation(check, **{"effect": Effect.REFUSED, **shown, **more})


class Endpoint:
    """Answers each repeat: as told for its number, the last way from then on."""

    def __init__(self, *statuses: int, started: float = 9.0) -> None:
        self.requests: list[Request] = []
        self._statuses = statuses
        self._started = started

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        assert fresh
        self.requests.append(request)
        number = len(self.requests)
        status = self._statuses[min(number, len(self._statuses)) - 1]
        attempt = Attempt(self._started + number, 0.25, status, None)
        answer = an_exchange(f"x1{number:03d}", status=status)
        return replace(answer, request=request, attempts=(attempt,))


def judged(
    endpoint: Endpoint, *pairs: tuple[Exchange, Finding], beside: tuple[Exchange, ...] = (BESIDE,)
) -> Finding:
    exchanges = [RecordedExchange(one, OPENAI) for one in (*(one for one, _ in pairs), *beside)]
    trace = Trace(tuple(exchanges), tuple(finding for _, finding in pairs))
    return asyncio.run(judge(CHECK, Api(endpoint, OPENAI, "m", trace=trace)))


def alike(count: int) -> list[tuple[Exchange, Finding]]:
    exchanges = [refused(f"x{i + 1}", temperature=2, seed=i) for i in range(count)]
    return [(one, reported(one)) for one in exchanges]


def test_refusal_that_is_gone_alone_fails() -> None:
    endpoint = Endpoint(200)
    finding = judged(endpoint, *alike(1))
    assert finding.verdict is Verdict.FAIL
    assert str(finding.seen) == f"400 beside other requests: {WORDS}; alone, served (4 repeats)"
    repeats = {f"x100{number}": Role.REPEAT for number in range(1, 5)}
    assert finding.roles == {"x1": Role.PROBE, **repeats}
    assert finding.needs_run


def test_refusal_that_stays_alone_is_believed() -> None:
    endpoint = Endpoint(400)
    assert judged(endpoint, *alike(3)).verdict is Verdict.SKIPPED
    assert len(endpoint.requests) == 1


def test_refusal_now_and_then_has_another_cause() -> None:
    assert judged(Endpoint(200, 200, 200, 400), *alike(1)).verdict is Verdict.SKIPPED


def test_refusal_with_nothing_beside_costs_nothing() -> None:
    endpoint = Endpoint(200)
    assert judged(endpoint, *alike(1), beside=()).verdict is Verdict.SKIPPED
    assert endpoint.requests == []


def test_refusal_that_the_document_allows_costs_nothing() -> None:
    endpoint, exchange = Endpoint(200), refused()
    allowed = reported(exchange, verdict=Verdict.REFUSED, effect=None)
    assert judged(endpoint, (exchange, allowed)).verdict is Verdict.SKIPPED
    assert endpoint.requests == []


def test_a_run_repeats_six_refusals_at_most() -> None:
    endpoint = Endpoint(200)
    assert judged(endpoint, *alike(9)).verdict is Verdict.FAIL
    assert len(endpoint.requests) == 6


def test_each_parameter_is_repeated_first() -> None:
    exchange = refused("x8", top_p=0.5)
    endpoint = Endpoint(200)
    judged(endpoint, *alike(7), (exchange, reported(exchange, "top-p.zero-served")))
    assert endpoint.requests[1] == exchange.request


def test_refusal_that_stays_hides_no_other() -> None:
    stays = [refused(f"x{i}", "n is too large.", n=i) for i in (7, 8)]
    pairs = [(one, reported(one, "n.choices")) for one in stays]
    endpoint = Endpoint(400, 200)
    assert judged(endpoint, *pairs, *alike(1)).verdict is Verdict.FAIL
    assert len(endpoint.requests) == 5


def test_answer_beside_others_proves_nothing() -> None:
    # A record without the repeat has another answer to the same request, from the time of others.
    assert judged(Endpoint(200, started=-0.5), *alike(1)).verdict is Verdict.SKIPPED


# ── what follows from it ─────────────────────────────────────────────────────────────────────────


def explained_by_repeat_of(exchange: Exchange, finding: Finding, other: Exchange) -> bool:
    repeated = refused("x1")
    owner = a_deviation(CHECK.id, exchanges=("x1",), effect=Effect.ALTERED)
    known = reported(repeated)
    found = roots(owner, known, finding, exchanges=(repeated, exchange, other))
    assert found[known.id] == CHECK.id
    return found.get(finding.id) == CHECK.id


def test_refusals_in_the_same_words_follow() -> None:
    other = refused("x2", temperature=1.5)
    finding = reported(other, "temperature.with-top-p")
    assert explained_by_repeat_of(other, finding, BESIDE)


def test_allowed_refusal_in_the_same_words_follows() -> None:
    other = refused("x2", temperature=1, n=3)
    finding = reported(other, "temperature.with-top-p", verdict=Verdict.REFUSED, effect=None)
    assert explained_by_repeat_of(other, finding, BESIDE)


def test_refusal_in_other_words_stays() -> None:
    other = refused("x2", "temperature must be at most 1.", temperature=1.5)
    finding = reported(other, "temperature.with-top-p")
    assert not explained_by_repeat_of(other, finding, BESIDE)


def test_refusal_of_another_parameter_stays() -> None:
    other = refused("x2", n=3)
    finding = reported(other, "n.choices")
    assert not explained_by_repeat_of(other, finding, BESIDE)
