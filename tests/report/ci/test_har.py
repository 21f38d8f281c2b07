"""HAR 1.2: what was sent and received."""

import json
from dataclasses import replace

import pytest

from conformance.model import Credentials, Request, Role
from conformance.report import har
from tests.report.builders import a_failure, a_run, an_exchange
from tests.report.ci.validity import mistakes_in_har
from tests.report.hostile import ATTACKS, a_hostile_run


def entries_of(run):
    document = json.loads(har.render(run))
    assert mistakes_in_har(document) == []
    return document["log"]["entries"]


def test_entry_has_request_response_and_time() -> None:
    run = a_run(
        a_failure(exchanges=("x1",), roles={"x1": Role.PROBE}),
        exchanges=(an_exchange(),),
        base_url="http://127.0.0.1:8000/v1?api-version=2",
        headers={"X-Tenant": "acme", "X-Gateway": "$GATEWAY"},
    )
    (entry,) = entries_of(run)
    assert entry["startedDateTime"] == "2026-11-21T03:12:00.500+00:00"
    assert (entry["time"], entry["timings"]) == (250, {"send": 0, "wait": 200, "receive": 50})
    request = entry["request"]
    assert request["url"] == "http://127.0.0.1:8000/v1/completions?api-version=2"
    assert request["queryString"] == [{"name": "api-version", "value": "2"}]
    headers = {header["name"]: header["value"] for header in request["headers"]}
    assert headers["authorization"] == "Bearer $OPENAI_API_KEY"
    assert headers["X-Gateway"] == "$GATEWAY"
    assert json.loads(request["postData"]["text"])["stop"] == ["§0"]
    response = entry["response"]
    assert (response["status"], response["statusText"]) == (200, "OK")
    assert response["content"]["text"] == '{"choices":[{"text":" 13"}]}'
    assert entry["comment"] == "x1 · stop.five-refused (fail)"


def test_failed_attempt_has_status_zero() -> None:
    failed = an_exchange(status=None, body=b"", fault="timeout", attempts=(), arrivals=())
    (entry,) = entries_of(a_run(exchanges=(failed,)))
    assert entry["response"]["status"] == 0
    assert entry["comment"] == "x1 · timeout"


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        (Credentials.NONE, []),
        (Credentials.OWN, ["Bearer $OPENAI_API_KEY"]),
        (Credentials.WRONG, ["Bearer sk-conformance-this-key-was-never-issued"]),
    ],
)
def test_key_is_named_never_written(credentials: Credentials, sent: list[str]) -> None:
    request = Request("GET", "/models", credentials=credentials)
    (entry,) = entries_of(a_run(exchanges=(replace(an_exchange(), request=request),)))
    headers = entry["request"]["headers"]
    assert [one["value"] for one in headers if one["name"] == "authorization"] == sent


def test_binary_bodies_are_base64() -> None:
    (entry,) = entries_of(a_run(exchanges=(an_exchange(body=b"\xff\x00"),)))
    assert entry["response"]["content"]["encoding"] == "base64"
    assert entry["response"]["content"]["text"] == "/wA="


def test_huge_bodies_are_cut_visibly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(har, "MAX_BODIES_BYTES", 1_000_000)
    exchanges = tuple(an_exchange(f"x{number}", body=b"x" * 400_000) for number in range(5))
    entries = entries_of(a_run(exchanges=exchanges))
    contents = [entry["response"]["content"] for entry in entries]
    assert [content["size"] for content in contents] == [400_000] * 5
    assert contents[0]["comment"] == "the first 262144 bytes; run.ndjson has all"
    assert sum(len(content["text"]) for content in contents) <= 1_000_000
    assert contents[-1]["comment"] == "the first 0 bytes; run.ndjson has all"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_exchange_is_valid(attack: str) -> None:
    assert har.render(a_hostile_run(attack)).isascii()
    assert len(entries_of(a_hostile_run(attack))) == 1
