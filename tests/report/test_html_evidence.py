"""Exchanges in the page: compared responses, commands, and a limit of bytes."""

import json
from dataclasses import replace

from conformance.language import Language
from conformance.model import Comparison, Credentials, Run
from conformance.report import html
from conformance.report.html.excerpts import fair_limit, kept_whole
from tests.report.builders import a_failure, a_finding, a_run, an_exchange
from tests.report.pages import Page

RESPONSE = {"id": "cmpl-1", "choices": [{"text": " 13", "finish_reason": "length"}]}


def compared(theirs: object, ours: object) -> Run:
    exchange = an_exchange("x1", body=json.dumps(theirs).encode())
    reference = replace(exchange, body=json.dumps(ours).encode(), status=200)
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,))
    return replace(run, comparisons=(Comparison("x1", reference),))


def test_reference_response_is_shown_with_marked_differences() -> None:
    ours = {"id": "cmpl-2", "choices": [{"text": " 14", "finish_reason": "length"}]}
    written = html.render(compared(RESPONSE, ours))
    text = Page(written).text
    theirs, _, reference = text.partition("Response of the reference server 200")
    assert "Response of the endpoint 200" in theirs
    assert "13" in theirs
    assert "14" in reference
    assert "参考服务器的响应" in Page(written, Language.CHINESE).text
    assert '<i>" </i><mark><i>13</i></mark>' in written
    assert '<i>" </i><mark><i>14</i></mark>' in written
    assert "<mark><i>cmpl" not in written


def test_uncompared_exchange_shows_one_response() -> None:
    run = replace(compared(RESPONSE, RESPONSE), comparisons=())
    assert "reference server answered" not in Page(html.render(run)).text


def test_request_has_commands_for_both_clients() -> None:
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),), api_key_env="MY_KEY")
    text = Page(html.render(run)).text
    assert "curl -sS" in text
    assert 'api_key=os.environ["MY_KEY"]' in text
    assert "Commands and code snippets read the API key from $MY_KEY ." in text.replace(
        "$MY_KEY.", "$MY_KEY ."
    )


def test_unsendable_request_says_so() -> None:
    exchange = an_exchange(request=b"{")
    text = Page(html.render(a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,)))).text
    assert "The openai package cannot send this request; use the curl command." in text
    bare = an_exchange()
    bare = replace(bare, request=replace(bare.request, credentials=Credentials.NONE))
    text = Page(html.render(a_run(a_failure(exchanges=("x1",)), exchanges=(bare,)))).text
    assert "The openai package cannot send this request" in text


def test_large_texts_share_the_remaining_space() -> None:
    assert fair_limit([10, 10, 10], 100, 50) == 50
    assert fair_limit([10, 90, 90], 100, 80) == 45
    assert fair_limit([], 100, 50) == 50
    assert fair_limit([5, 5], 0, 50) == 0


def test_as_many_texts_as_possible_stay_whole() -> None:
    costs = {"a": 50, "b": 30, "c": 40}
    assert kept_whole(costs, 80, 100) == {"b", "c"}
    assert kept_whole(costs, 120, 100) == {"a", "b", "c"}
    assert kept_whole(costs, 120, 45) == {"b", "c"}
    assert kept_whole({"a": 30, "b": 30, "c": 30}, 60, 100) == {"a", "b"}
    assert kept_whole(costs, -5, 100) == frozenset()


def test_failures_get_space_before_passes() -> None:
    long = {"model": "m", "prompt": "word " * 60}
    exchanges = tuple(an_exchange(f"x{number}", request=long) for number in range(400))
    failures = tuple(a_failure(f"stop.bad-{n}", exchanges=(f"x{n}",)) for n in range(300, 310))
    passed = tuple(a_finding(f"stop.good-{n}", exchanges=(f"x{n}",)) for n in range(300))
    written = html.render(a_run(*failures, *passed, exchanges=exchanges))
    assert len(written.encode()) < 1_450_000
    sections = written.split('<details class="finding"')[1:]
    bad, good = (
        [part for part in sections if f'id="stop.{kind}-' in part] for kind in ("bad", "good")
    )
    assert all('class="curl"' in part and 'class="python"' in part for part in bad)
    assert 0 < sum('class="curl"' in part for part in good) < len(good)


def test_long_findings_leave_less_space_for_exchanges() -> None:
    exchanges = tuple(an_exchange(f"x{number}", body=b'"' * 9_000) for number in range(60))
    wordy = tuple(
        a_failure(
            f"stop.c{n}", seen="seen " * 110, expected="asked " * 90, exchanges=(f"x{n % 60}",)
        )
        for n in range(330)
    )
    assert len(html.render(a_run(*wordy, exchanges=exchanges)).encode()) < 1_450_000
