"""The guard in front of a sender: what it holds back, what it sends, and when it ends the run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from conformance.judgement import BudgetSpent, EndedEarly, Inconclusive
from conformance.model import Attempt, Exchange, Request
from conformance.transport.account_guard import (
    ALIKE_IN_A_ROW,
    MAX_EXPLAINED_IN_A_ROW,
    MAX_QUOTED_CHARS,
    PAUSE_SECONDS,
    RATE_PAUSE_SECONDS,
    AccountGuard,
)
from conformance.transport.retry import MAX_WAIT_SECONDS

MODEL = "m"
OK = b'{"choices": []}'
Answer = tuple[int | None, bytes]
SERVED: Answer = (200, OK)
REVOKED: Answer = (401, b'{"error": {"message": "key revoked"}}')
DENIED: Answer = (403, b'{"error": {"message": "denied, request 20251130171823"}}')
LIMITED: Answer = (429, b'{"error": {"message": "slow down"}}')


def a_request(**more: object) -> Request:
    return Request(
        "POST", "/completions", json.dumps({"model": MODEL, "prompt": "1", **more}).encode()
    )


PROBE = a_request(max_tokens=1)


class Scripted:
    """Answers the probe and all other requests from two lists; the last answers repeat."""

    def __init__(self, probes: list[Answer], others: list[Answer], headers=()) -> None:
        self._probes, self._others = iter_of(probes), iter_of(others)
        self.headers = headers
        self.sent: list[Request] = []

    @property
    def probes(self) -> int:
        return self.sent.count(PROBE)

    async def send(self, request: Request) -> Exchange:
        self.sent.append(request)
        number = len(self.sent)
        await asyncio.sleep(0)
        answer = next(self._probes if request == PROBE else self._others)
        if answer == ("spent", b""):
            raise BudgetSpent("budget spent: 1 requests were allowed")
        status, body = answer
        tried = (Attempt(10.0 + number, 0.5, status, None),)
        return Exchange(f"x{number:04d}", request, tried, status, self.headers, body, (), 0.5)


def iter_of(answers: list[Answer]) -> Iterator[Answer]:
    yield from answers
    while True:
        yield answers[-1]


class Guarded:
    """A guard around an endpoint, armed, with a clock that does not run."""

    def __init__(self, probes: list[Answer], others: list[Answer], headers=()) -> None:
        self.endpoint = Scripted(probes, others, headers)
        self.slept: list[float] = []
        self.withheld: list[Exchange] = []

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        self.guard = AccountGuard(MODEL, self.withheld.append, clock=lambda: 0.0, sleep=sleep)
        self.guard.arm(PROBE)
        self.send = self.guard.around(self.endpoint.send)


def test_refusal_that_is_confirmed_twice_ends_the_run() -> None:
    async def scenario() -> None:
        guarded = Guarded([REVOKED], [SERVED, REVOKED])
        assert (await guarded.send(a_request(n=1))).status == 200
        with pytest.raises(EndedEarly) as ended:
            await guarded.send(a_request(n=2))
        assert (
            str(ended.value)
            == guarded.guard.ended
            == (
                "since request x0002, 12.5 s into the run, the endpoint answers 401 (the API key is"
                " rejected): key revoked; before that it served the same request"
            )
        )
        assert ended.value.exchange is not None
        assert ended.value.exchange.id == AccountGuard.first_withheld(str(ended.value)) == "x0002"
        assert [exchange.id for exchange in guarded.withheld] == ["x0002"]
        assert guarded.slept == [PAUSE_SECONDS]
        with pytest.raises(EndedEarly) as later:
            await guarded.send(a_request(n=3))
        assert later.value.exchange is None
        assert len(guarded.endpoint.sent) == 4

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [200, 400, 422])
def test_unknown_words_to_all_requests_end_the_run(status: int) -> None:
    frozen = (status, '{"error": {"message": "您的帐户已被冻结"}}'.encode())

    async def scenario() -> None:
        guarded = Guarded([frozen], [SERVED, frozen])
        assert (await guarded.send(a_request(n=1))).status == 200
        for number in range(1, ALIKE_IN_A_ROW):
            assert (await guarded.send(a_request(n=number))).status == status
        assert guarded.endpoint.probes == 0
        with pytest.raises(EndedEarly, match="every request gets the same answer"):
            await guarded.send(a_request(stop="a"))
        assert guarded.endpoint.probes == 2

    asyncio.run(scenario())


def test_same_words_about_requests_are_left_to_checks() -> None:
    vague = (400, b'{"error": {"message": "invalid request"}}')

    async def scenario() -> None:
        guarded = Guarded([SERVED], [vague])
        for number in range(3 * ALIKE_IN_A_ROW):
            assert (await guarded.send(a_request(n=number))).status == 400
        assert guarded.guard.ended is None
        assert guarded.endpoint.probes == 3

    asyncio.run(scenario())


def test_different_words_are_not_confirmed() -> None:
    answers = [(400, b'{"error": {"message": "bad %c"}}' % (97 + n)) for n in range(20)]

    async def scenario() -> None:
        guarded = Guarded([SERVED], answers)
        for number in range(20):
            await guarded.send(a_request(n=number))
        assert guarded.endpoint.probes == 0

    asyncio.run(scenario())


def test_eight_in_flight_share_one_confirmation() -> None:
    async def scenario() -> None:
        guarded = Guarded([REVOKED], [REVOKED])
        sending = [guarded.send(a_request(n=n)) for n in range(8)]
        ended = await asyncio.gather(*sending, return_exceptions=True)
        assert all(isinstance(one, EndedEarly) for one in ended)
        assert len({str(one) for one in ended}) == 1
        assert len(guarded.endpoint.sent) == 8 + 2

    asyncio.run(scenario())


def test_parameter_is_confirmed_once() -> None:
    async def scenario() -> None:
        guarded = Guarded([SERVED], [DENIED])
        for n in range(MAX_EXPLAINED_IN_A_ROW):
            exchange = await guarded.send(a_request(suffix="s", n=n))
            assert exchange.status == 403
        assert guarded.endpoint.probes == 1
        await guarded.send(a_request(suffix="s", echo=True))
        assert guarded.endpoint.probes == 2, "too many in a row without one that is served"

    asyncio.run(scenario())


def test_other_parameter_is_confirmed_anew() -> None:
    async def scenario() -> None:
        guarded = Guarded([SERVED], [DENIED])
        for parameters in ({"suffix": "s", "n": 2}, {"n": 2}, {"suffix": "s"}, {"suffix": "s"}):
            await guarded.send(a_request(**parameters))
        assert guarded.endpoint.probes == 2

    asyncio.run(scenario())


def test_account_lost_with_known_words_ends_the_run() -> None:
    async def scenario() -> None:
        guarded = Guarded([SERVED, DENIED], [DENIED])
        await guarded.send(a_request(suffix="s"))
        with pytest.raises(EndedEarly):
            await guarded.send(a_request(echo=True))

    asyncio.run(scenario())


def test_later_answer_is_confirmed_anew() -> None:
    """The account may be lost between the confirmation of one answer and the next answer."""

    async def scenario() -> None:
        guarded = Guarded([SERVED, REVOKED], [DENIED])
        sending = [guarded.send(a_request(suffix="s")), guarded.send(a_request(echo=True))]
        first, second = await asyncio.gather(*sending, return_exceptions=True)
        assert isinstance(first, Exchange)
        assert isinstance(second, Exchange | EndedEarly)

    asyncio.run(scenario())


def test_block_that_passes_sends_the_request_again() -> None:
    async def scenario() -> None:
        guarded = Guarded([DENIED, SERVED], [DENIED, SERVED])
        assert (await guarded.send(a_request(n=2))).status == 200
        assert guarded.guard.ended is None

    asyncio.run(scenario())


def test_block_that_returns_is_left_open() -> None:
    async def scenario() -> None:
        guarded = Guarded([DENIED, SERVED, SERVED], [DENIED])
        with pytest.raises(Inconclusive, match=r"^answered 403: denied"):
            await guarded.send(a_request(n=2))
        assert guarded.guard.ended is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "probes", [[LIMITED], [(None, b"")], [REVOKED, (503, b"")], [("spent", b"")]]
)
def test_confirmation_without_an_answer_is_left_open(probes: list[Answer]) -> None:
    async def scenario() -> None:
        guarded = Guarded(probes, [REVOKED])
        with pytest.raises(Inconclusive, match=r"^answered 401: key revoked$"):
            await guarded.send(a_request(n=2))
        assert guarded.guard.ended is None
        assert guarded.endpoint.probes <= 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("asked", "pause"), [("7", 7.0), ("0", PAUSE_SECONDS), ("3600", MAX_WAIT_SECONDS)]
)
def test_pause_is_the_one_asked_for(asked: str, pause: float) -> None:
    async def scenario() -> None:
        guarded = Guarded([DENIED], [DENIED], (("Retry-After", asked),))
        with pytest.raises(EndedEarly):
            await guarded.send(a_request(n=2))
        assert guarded.slept == [pause]

    asyncio.run(scenario())


def test_rate_limit_with_403_is_waited_for() -> None:
    async def scenario() -> None:
        limited: Answer = (403, b'{"error": {"message": "rate limit exceeded"}}')
        guarded = Guarded([limited, SERVED], [limited, SERVED])
        assert (await guarded.send(a_request(n=2))).status == 200
        assert guarded.slept == [RATE_PAUSE_SECONDS]

    asyncio.run(scenario())


def test_unarmed_guard_changes_nothing() -> None:
    async def scenario() -> None:
        endpoint = Scripted([REVOKED], [REVOKED])
        send = AccountGuard(MODEL).around(endpoint.send)
        assert (await send(PROBE)).status == 401
        assert len(endpoint.sent) == 1

    asyncio.run(scenario())


def test_endpoint_that_refuses_most_is_asked_little_more() -> None:
    async def scenario() -> None:
        guarded = Guarded([SERVED], [DENIED])
        for _ in range(90):
            assert (await guarded.send(a_request(max_tokens=1, temperature=1))).status == 403
        assert guarded.endpoint.probes <= 90 / 3 + 10

    asyncio.run(scenario())


def test_sentence_is_short_whatever_is_said() -> None:
    async def scenario() -> None:
        long: Answer = (401, b"\x1b[31m" + b"x" * 10**6)
        guarded = Guarded([long], [long])
        with pytest.raises(EndedEarly) as ended:
            await guarded.send(a_request())
        assert len(str(ended.value)) < 200 + MAX_QUOTED_CHARS
        assert str(ended.value).isprintable()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "sentence", ["", "answered 401: since request x0001, ", "since request , "]
)
def test_other_sentences_name_no_exchange(sentence: str) -> None:
    assert AccountGuard.first_withheld(sentence) is None
