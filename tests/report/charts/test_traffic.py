"""What charts read from a record: event times and valid values only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model import Arrival, Credentials
from conformance.report.charts import traffic
from tests.report.builders import a_run, an_exchange
from tests.report.charts.exchanges import compared, non_streaming, record_of, stream


def test_event_time_is_that_of_its_last_byte() -> None:
    event = b'data: {"choices":[{"text":"a"}]}\n\n'
    one_and_a_half = event + event[:5]
    exchange = an_exchange(
        request={"prompt": "1"},
        body=event + event + b"data: [DONE]\n\n",
        arrivals=(
            Arrival(0.1, len(one_and_a_half)),
            Arrival(0.2, len(event) - 5),
            Arrival(0.3, 14),
        ),
    )
    (response,) = record_of(exchange).responses
    assert [chunk.at for chunk in response.chunks] == [0.1, 0.2]
    assert response.is_stream


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_every_line_end_of_the_format_is_recognised(end: bytes) -> None:
    body = (b'data: {"choices":[{"text":"a"}]}' + end) * 3
    exchange = an_exchange(request={"prompt": "1"}, body=body, arrivals=(Arrival(0.1, len(body)),))
    (response,) = record_of(exchange).responses
    assert [traffic.text_in(chunk.data) for chunk in response.chunks] == ["a", "a", "a"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": 400},
        {"status": None},
        {"fault": "it broke off"},
        {"elapsed": float("nan")},
        {"elapsed": -1.0},
        {"elapsed": 1e12},
        {"body": b""},
        {"body": b"[" * 50_000},
        {"body": b"9" * 50_000},
        {"body": b"[1]"},
        {"body": b"\xff\xfe"},
        {"body": b'{"choices":[]' + b" " * traffic.LARGEST + b"}"},
    ],
)
def test_invalid_response_is_not_read(change: dict) -> None:
    assert record_of(replace(non_streaming(), **change)).responses == ()


def test_other_credentials_and_paths_are_not_read() -> None:
    known = non_streaming()
    stranger = replace(known, request=replace(known.request, credentials=Credentials.WRONG))
    listing = an_exchange(request=b"", body={"data": []})
    assert record_of(stranger, listing).responses == ()
    assert len(record_of(known).responses) == 1


def test_endless_stream_is_read_up_to_a_limit() -> None:
    body = b'data: {"a":1}\n\n' * (traffic.MAX_CHUNKS_READ + 10)
    exchange = an_exchange(request={"prompt": "1"}, body=body, arrivals=(Arrival(0.1, len(body)),))
    (response,) = record_of(exchange).responses
    assert len(response.chunks) == traffic.MAX_CHUNKS_READ


def test_events_without_an_arrival_have_no_time() -> None:
    exchange = replace(stream("x1", [0.1, 0.2, 0.3]), arrivals=(Arrival(0.1, 1),))
    assert record_of(exchange).responses == ()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(3, 3), (0, 0), (-1, None), (True, None), (3.0, None), ("3", None), (10**12, None)],
)
def test_count_is_an_integer_of_plausible_size(value: object, wanted: int | None) -> None:
    assert traffic.count(value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (-1, -1.0),
        (0.5, 0.5),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (True, None),
        ("1", None),
        (None, None),
    ],
)
def test_number_is_finite(value: object, wanted: float | None) -> None:
    assert traffic.number(value) == wanted


def test_reference_responses_are_found_by_request() -> None:
    theirs, again = non_streaming("x1"), non_streaming("x2")
    run = compared(a_run(exchanges=(theirs, again)), "x2", non_streaming("r1", elapsed=0.5))
    run = compared(run, "not-on-record", non_streaming("r2"))
    found = traffic.recorded(run).reference
    assert [response.elapsed for response in found.values()] == [0.5]
    assert theirs.request in found
