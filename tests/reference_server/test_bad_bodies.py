"""Generated bodies cause no 5xx and no hang, and leave nothing behind."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from conformance.contract import load_contract
from tests.lanes import sample_size
from tests.reference_server.api import Api, envelope
from tests.reference_server.bad_bodies import VALID, bodies
from tests.servers import running_server

CONTRACT = load_contract("openai")
PARTS = 4
SECONDS = 30.0
"""Within which every answer has to be there: far more than any of these needs."""


@pytest.fixture(scope="module")
def apart() -> Iterator[Api]:
    """A separate server, so that any remaining state comes from these requests."""
    with (
        running_server("--max-waiting", "128") as server,
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=SECONDS) as client,
    ):
        yield Api(client)


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_bodies_get_a_response(
    apart: Api, part: int, request: pytest.FixtureRequest
) -> None:
    statuses: Counter[int] = Counter()
    count = sample_size(request.config, "--bad-bodies", default=300, full=2000)

    @seed(part)
    @settings(
        max_examples=count // PARTS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies)
    def judge(body: bytes) -> None:
        response = apart.raw(body)
        statuses[response.status_code] += 1
        if response.status_code == 200:
            judge_answer(response, body)
        else:
            judge_refusal(response)

    judge()
    # A draw that is all refused at the first glance, or all served, would show little.
    assert statuses[200] > sum(statuses.values()) / 20
    assert statuses[400] > sum(statuses.values()) / 2
    # The queue accepts 128 at once only if it is empty.
    result = apart.complete(prompt="a", n=128, max_tokens=1)
    assert len(result["choices"]) == 128


def judge_refusal(response: httpx.Response) -> None:
    assert 400 <= response.status_code < 500, response.text
    error = envelope(response, response.status_code)
    assert CONTRACT.validate_error(response.json()) == ()
    assert error["type"] == "invalid_request_error"
    parameter = error["param"]
    assert parameter is None or parameter.replace("[", ".").split(".")[0] in VALID


def judge_answer(response: httpx.Response, body: bytes) -> None:
    """What was served was a request, and the answer is one to it."""
    request = json.loads(body, parse_constant=pytest.fail)
    if request.get("stop") == []:  # asks for nothing here, as the server's README says
        del request["stop"]
    assert CONTRACT.validate_request(request) == ()
    wanted = request.get("n") or 1
    prompt = request.get("prompt")
    if isinstance(prompt, list) and not isinstance(prompt[0], int):
        wanted *= len(prompt)
    if request.get("stream"):
        assert response.headers["content-type"].startswith("text/event-stream")
        events = response.text.split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
        for chunk in chunks:
            assert CONTRACT.validate_chunk(chunk) == ()
        finished = [c["index"] for chunk in chunks for c in chunk["choices"] if c["finish_reason"]]
    else:
        assert response.headers["content-type"] == "application/json"
        result: dict[str, Any] = response.json()
        assert CONTRACT.validate_completion(result) == ()
        finished = [choice["index"] for choice in result["choices"]]
    assert sorted(finished) == list(range(wanted))
