"""The HTML page: one file, readable without scripts, complete."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from conformance.language import Language
from conformance.locale import in_chinese
from conformance.message import say
from conformance.model import Attempt, Credentials, Effect, Explanation, Level, Verdict
from conformance.report import formats, html
from conformance.report.diagnosis import cause_of
from conformance.report.locale.terms import VERDICTS
from conformance.transport.errors import no_answer
from tests.report.builders import (
    a_failure,
    a_finding,
    a_run,
    a_subject,
    an_exchange,
)
from tests.report.pages import Page


def page_of(run) -> Page:
    return Page(html.render(run))


def test_verdict_is_a_sentence() -> None:
    page = page_of(a_run(a_failure()))
    assert "Not conforming" in page.text
    assert "1 of 1 check failed." in page.text
    assert "118 requests, 14,210 tokens" in page.text


def test_headline_links_to_its_evidence() -> None:
    subjects = (a_subject(), a_subject("id", kind="field"))
    failures = (a_failure(), a_failure("id.present", subject="id"))
    page = page_of(a_run(*failures, subjects=subjects))
    links = {link["href"] for link in page.tags("a")}
    assert {"#parameters", "#row-stop", "#fields", "#row-id", "#findings"} <= links
    assert {link.removeprefix("#") for link in links if link} <= set(page.ids)


def test_page_loads_nothing_and_runs_one_script() -> None:
    page = page_of(a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),)))
    assert page.tags("script") == [{}]
    links = [attributes.get("href") or "" for _, attributes in page.elements]
    assert all(link.startswith(("#", "data:,")) for link in links if link)
    assert not any("src" in attributes for _, attributes in page.elements)
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert not any("style" in attributes for _, attributes in page.elements)


@pytest.mark.parametrize("element", ["style", "script"])
def test_policy_allows_only_the_pages_style_and_script(element: str) -> None:
    text = html.render(a_run(a_finding()))
    (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    (policy,) = [
        meta["content"] or ""
        for meta in Page(text).tags("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    assert f"{element}-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_each_finding_has_an_address() -> None:
    page = page_of(a_run(a_failure("stop.five-refused"), a_finding("stop.ends-before-match")))
    assert {"stop.five-refused", "stop.ends-before-match"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_link_has_a_target() -> None:
    skipped = a_finding("stop.other", "skipped", message="the budget is spent")
    shared = (a_failure(exchanges=("x1",)), a_failure("stop.again", exchanges=("x1",)), skipped)
    page = page_of(a_run(*shared, exchanges=(an_exchange(),)))
    targets = {link["href"] for link in page.tags("a")}
    assert targets <= {f"#{name}" for name in page.ids}


def test_expected_value_names_what_was_sent() -> None:
    sent = an_exchange(request={"model": "m", "prompt": "a", "n": 129})
    failure = a_failure("n.most", subject="n", exchanges=("x1",))
    written = html.render(a_run(failure, exchanges=(sent,)))
    assert "Expected of <code>n: 129</code>" in written
    assert "对 <code>n: 129</code> 的预期" in written


def test_explained_finding_lies_in_its_roots_card() -> None:
    follower = a_finding("usage.b", "explained", explained_by="stop.a", message="expected 2; got 1")
    why = {"usage.b": Explanation("stop.a", say("streams are not served at all"))}
    written = html.render(a_run(a_failure("stop.a"), follower, explained=why))
    root, inner = written.index('id="stop.a"'), written.index('id="usage.b"')
    fold = written.index('<details class="folded explains">')
    assert root < fold < inner
    assert 'data-area="usage"' not in written[:fold]
    assert "Explains 1 finding, which count nowhere" in Page(written).text
    for reason in ("streams are not served at all", "流式请求一概未得到处理"):
        assert reason in written[inner:]


def test_explained_finding_without_root_stays_listed() -> None:
    follower = a_finding("usage.b", "explained", explained_by="gone.a", message="expected 2; got 1")
    page = page_of(a_run(a_failure("stop.a"), follower))
    assert "usage.b" in page.ids
    assert "Explained by gone.a" in " ".join(page.text.split())


def test_few_failures_are_open_and_more_are_folded() -> None:
    few = (a_failure("stop.bad"), a_finding("stop.good"))
    assert stand_open(page_of(a_run(*few))) == [True, False]
    many = [a_failure(f"stop.bad-{number}") for number in range(4)]
    assert stand_open(page_of(a_run(*many))) == [False] * 4


def stand_open(page: Page) -> list[bool]:
    findings = [fold for fold in page.tags("details") if fold.get("class") == "finding"]
    return ["open" in fold for fold in findings]


def test_expected_seen_requirement_and_sources_are_shown() -> None:
    text = page_of(a_run(a_failure())).text
    assert "Expected status 400 Actual status 200" in text
    assert ": a completion" in text
    assert "must At most four stop sequences are accepted; a fifth is refused." in text
    assert "zero 最多四个序列。" in text
    assert "Ignored: it had no effect here." in text


def test_accepted_parameter_says_what_its_checks_miss() -> None:
    page = page_of(a_run(a_finding(), subjects=(a_subject(),)))
    assert "1 check passed, which would not show it ignored." not in page.text
    blind = a_finding(sees_effect=False)
    assert "1 check passed, which would not show it ignored." in page_of(a_run(blind)).text


def test_parameter_table_shows_promise_state_and_evidence() -> None:
    silent = a_subject("seed", documented=False, says={})
    text = page_of(a_run(a_failure(), subjects=(a_subject(), silent))).text
    assert "stop ignored null, string or array of 1 to 4 openai Up to 4 sequences" in text
    assert "stop.five-refused The request was served (status 200); promised: the doc" in text
    assert "seed untested Not documented. Not checked in this run." in text


def test_what_deviates_comes_first() -> None:
    subjects = (a_subject("echo"), a_subject("n"), a_subject("stop"))
    text = page_of(a_run(a_finding("n.a", subject="n"), a_failure(), subjects=subjects)).text
    table = text[text.index("Documented Results") :]
    assert table.index("stop ignored") < table.index("echo untested") < table.index("n honoured")


def test_statement_of_a_requirement_is_written_once() -> None:
    run = a_run(a_failure("stop.a"), a_failure("stop.b"), a_finding("stop.c"))
    assert page_of(run).text.count("At most four stop sequences are accepted") == 1


def test_finding_begins_with_its_sentence_not_json() -> None:
    seen = say("status {status}: {body}", status=200, body='{"id":"cmpl-1"}')
    failure = a_failure(seen=seen, exchanges=("x1",))
    page = html.render(a_run(failure, exchanges=(an_exchange(),)))
    (brief,) = re.findall('<span class="brief">(.*?)</summary>', page, re.DOTALL)
    assert "was served (status 200)" in brief
    assert "{" not in brief


def test_undocumented_parameter_is_informational() -> None:
    silent = a_subject("seed", documented=False, says={})
    seen = a_finding(
        "seed.repeats", "info", subject="seed", effect=Effect.IGNORED, seen="another text"
    )
    text = page_of(a_run(a_finding(), seen, subjects=(a_subject(), silent))).text
    assert (
        "seed ignored Not documented. seed.repeats another text 1 check, informational only" in text
    )
    assert "No failures" in text


def test_exchange_shows_request_response_headers_and_command() -> None:
    body = {"choices": [{"text": " 13", "index": 0}]}
    exchange = an_exchange(body=body)
    text = html.render(a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,)), "VENDOR_KEY")
    page = Page(text)
    assert "200 POST /completions 250 ms" in page.text
    assert "x-request-id: req-1" in page.text
    assert 'Bearer $VENDOR_KEY"' in page.text
    assert '{ "text" : " 13" , "index" : 0}' in page.text


def test_failure_has_its_likely_cause_in_both_languages() -> None:
    cause = cause_of("stop.at-most-four", Effect.IGNORED)
    page = html.render(a_run(a_failure()))
    assert f"Likely cause {cause.cause}" in Page(page).text
    assert cause.cause_zh in Page(page, Language.CHINESE).text
    assert cause.remedy_zh.partition("`")[0] in Page(page, Language.CHINESE).text
    assert "Likely cause" not in page_of(a_run(a_finding())).text


def test_differences_and_evidence_are_marked() -> None:
    body = {"choices": [{"text": " 13", "finish_reason": "eos"}], "usage": {"total_tokens": 3}}
    failure = a_failure(
        expected='finish_reason of choice 0 = "length"',
        seen='finish_reason of choice 0 = "eos"',
        exchanges=("x1",),
    )
    page = html.render(a_run(failure, exchanges=(an_exchange(body=body),)))
    marked = re.findall("<mark>(.*?)</mark>", page)
    assert list(dict.fromkeys(marked)) == ["length", "eos", '<b>"finish_reason"</b>: <i>"eos"</i>']


def test_page_names_the_key_variable_of_the_run() -> None:
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),), api_key_env="VENDOR_KEY")
    assert "$VENDOR_KEY" in formats()["html"].render(run)
    assert "$ANOTHER_KEY" in formats("ANOTHER_KEY")["html"].render(run)


def test_keyless_runs_page_has_keyless_commands() -> None:
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),), api_key_env=None)
    text = page_of(run).text
    assert "curl -sS" in text
    assert "Bearer" not in text
    assert "read the key from" not in text


def test_own_document_is_the_first_source() -> None:
    run = a_run(a_failure(), document="zero")
    assert "Sources zero 最多四个序列。 openai Up to 4" in page_of(run).text


def test_finding_says_if_its_document_is_silent() -> None:
    says = {"aocheng": "an array", "openai": "Up to 4 sequences."}
    run = a_run(a_failure(), document="aocheng", subjects=(a_subject(says=says),))
    assert "aocheng about stop : an array. This requirement comes from" in page_of(run).text
    run = a_run(a_failure(), document="gpt-ge", subjects=(a_subject(says=says),))
    assert (
        "gpt-ge does not mention it; this requirement comes from the protocol." in page_of(run).text
    )


def test_shared_exchange_is_shown_once_and_linked() -> None:
    findings = (a_failure("stop.a", exchanges=("x1",)), a_failure("stop.b", exchanges=("x1",)))
    page = page_of(a_run(*findings, exchanges=(an_exchange(),)))
    assert page.ids.count("x-x1") == 1
    assert [link["href"] for link in page.tags("a")].count("#x-x1") == 1


def test_every_failure_has_a_command() -> None:
    findings = (a_failure("stop.a", exchanges=("x1",)), a_failure("stop.b", exchanges=("x1",)))
    page = html.render(a_run(*findings, exchanges=(an_exchange(),)))
    result = page.split('<div class="inside" id="')[1:]
    assert ["curl -sS" in finding for finding in result] == [True, True]


def test_retries_and_faults_are_reported() -> None:
    attempts = (
        Attempt(0.5, 0.25, 429, None, "1", b"later"),
        Attempt(2.0, 1.5, None, "the connection was reset"),
    )
    exchange = an_exchange(
        status=None, attempts=attempts, fault="no attempt was answered", body=b""
    )
    text = page_of(a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,))).text
    assert "no response POST /completions" in text
    assert "at 2.0 s, 1.5 s: the connection was reset" in text
    assert "no attempt was answered" in text


def test_transport_error_is_shown_in_both_languages() -> None:
    fault = no_answer("127.0.0.1", 5.0).sentence
    attempts = (Attempt(0.5, 0.25, 503, None), Attempt(2.0, 5.0, None, fault))
    exchange = an_exchange(status=None, attempts=attempts, fault=fault, body=b"")
    page = html.render(a_run(a_failure(exchanges=("x1",)), exchanges=(exchange,)))
    assert Page(page).text.count(fault) == 2
    chinese = Page(page, Language.CHINESE).text
    assert chinese.count(in_chinese(fault) or "-") == 2
    assert fault not in chinese


def test_keyless_request_has_a_keyless_command() -> None:
    exchange = an_exchange()
    bare = replace(exchange, request=replace(exchange.request, credentials=Credentials.NONE))
    text = page_of(a_run(a_failure(exchanges=("x1",)), exchanges=(bare,))).text
    assert "curl -sS" in text
    assert "Bearer" not in text


def test_incomplete_run_is_marked() -> None:
    text = page_of(a_run(a_finding(), incomplete=True)).text
    assert "This run is incomplete. The results below are not a verdict on the endpoint." in text
    assert "Incomplete" in text


def test_complete_run_without_findings_is_rendered() -> None:
    page = page_of(a_run(reason="the endpoint answers with an HTML page"))
    assert "the endpoint answers with an HTML page" in page.text
    assert "No findings." in page.text


@pytest.mark.parametrize("verdict", ["warn", "refused", "inconclusive", "error"])
def test_every_verdict_has_a_word_and_a_colour(verdict: str) -> None:
    finding = a_finding(verdict=verdict, message="no response ended before its limit")
    page = html.render(a_run(finding))
    assert re.search(f"{verdict} [^.]*he documented number", Page(page).text)
    chinese = VERDICTS[Verdict(verdict)].zh
    text = Page(page, Language.CHINESE).text
    assert re.search(f"{chinese} [^。]*he documented number", text)


@pytest.mark.parametrize(("verdict", "word"), [("pass", "pass"), ("skipped", "skipped")])
def test_passes_and_skips_are_grouped(verdict: str, word: str) -> None:
    text = page_of(a_run(a_finding(verdict=verdict), a_finding("stop.b", verdict))).text
    assert f"{word} 2 checks The documented number" in text


def test_page_has_both_languages_and_opens_in_one() -> None:
    run = a_run(a_failure(title_zh="第五个停止序列应被拒绝。"))
    page = html.render(run, language=Language.CHINESE)
    assert '<html lang="zh">' in page
    assert re.search(r'id="language-zh"[^>]* checked', page)
    assert not re.search(r'id="language-en"[^>]* checked', page)
    chinese = Page(page, Language.CHINESE).text
    assert "第五个停止序列应被拒绝" in chinese
    assert "最多接受四个停止序列，第五个会被拒绝。" in chinese
    assert "one more is refused" not in chinese
    assert "one more is refused" in Page(page).text
    assert Page(page).tags("title")[0]["data-en"].startswith("Not conforming: http")


def test_findings_have_filter_attributes() -> None:
    page = page_of(a_run(a_failure("stop.a"), a_finding("stop.b", level=Level.MAY)))
    found = [fold for fold in page.tags("details") if fold.get("class") == "finding"]
    request = [(fold["data-verdict"], fold["data-level"]) for fold in found]
    assert request == [("fail", "must"), ("pass", "may")]
    assert [area["data-area"] for area in page.tags("section") if "data-area" in area] == ["stop"]
    (form,) = page.tags("form")
    assert "hidden" in form


def test_shared_reason_is_told_once() -> None:
    """After a key was revoked, every parameter has the same reason."""
    reason = "the API key was rejected with 401: it was revoked in the middle of the run"

    def page(count: int) -> str:
        findings = [
            a_finding(f"stop.{name}", verdict=Verdict.INCONCLUSIVE, message=reason, subject=name)
            for name in "abcde"[:count]
        ]
        subjects = tuple(a_subject(name) for name in "abcde"[:count])
        return html.render(a_run(*findings, subjects=subjects))

    few, many = page(3), page(5)
    assert many.count("Inconclusive, see Not verified.") == 5
    assert "无法判定，见“未验证”。" in many
    assert reason in many
    assert "see Not verified" not in few
