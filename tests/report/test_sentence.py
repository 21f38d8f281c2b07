"""One sentence about a finding says what was sent, what came and what was promised."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest

from conformance.contract import load_contract
from conformance.judgement import either, shown
from conformance.language import Text
from conformance.message import Message, Scalar, say, verbatim
from conformance.model import Exchange, Finding, Level, Place
from conformance.report import templates
from conformance.report.sentence import MAX_CHARS, sentence_of
from conformance.report.summary_rows import CALM
from reference_server.behaviour.registry import all_faults
from tests.checks.catalogue import checks_of
from tests.fake_server import FakeServer, findings_of
from tests.lanes import by_default
from tests.messages import ids_in_code
from tests.report.builders import a_failure, a_finding, a_subject, an_exchange
from tests.report.hostile import ATTACKS

SUBJECTS = {subject.name: subject for subject in load_contract("openai").subjects}
PROMPT = {"model": "m", "prompt": "1"}


def told(finding: Finding, *requests: dict[str, object]) -> Text:
    bodies = [json.dumps({**PROMPT, **request}).encode() for request in requests]
    exchanges = [an_exchange(f"x{place}", request=body) for place, body in enumerate(bodies)]
    return sentence_of(finding, exchanges, SUBJECTS.get(finding.subject))


def deviation(subject: str, expected: str, seen: str, key: str = "a.b") -> Finding:
    return a_failure(
        key, subject=subject, expected=expected, seen=seen, title="T.", title_zh="标题。"
    )


def named(name: str, value: Scalar) -> Message:
    return say("{name} = {value}", name=name, value=value)


def among(seen: Message, count: int, total: int) -> Message:
    tally = say("{count} of {total} responses", count=count, total=total)
    return say("{seen} ({among})", seen=seen, among=tally)


def twice(one: object, other: object) -> Message:
    return say("{one} vs. {other} (both reproduced)", one=shown(one), other=shown(other))


THREE = say("{count} choices", count=3)
LACKING = say(
    "{path}: {message}",
    path="error",
    message=say("{member} is a required property", member="'param'"),
)
ENVELOPE = say('an error envelope {{"error": {{…}}}}')
FULL_ID = say("{name} {expected}", name="id", expected=say("a string that is not empty"))
WRONG = say("status {status}", status=400)
REFUSED = say("status {status}", status=either(400, 422))
SERVED = say("status {status}: {body}", status=200, body='{"id":"cmpl-1","object":"text_comple…')


@pytest.mark.parametrize(
    ("subject", "expected", "seen", "sent", "english", "chinese"),
    [
        (
            *("temperature", REFUSED, SERVED, {"temperature": 2.1}),
            "`temperature: 2.1` was served (status 200); the document allows 0 to 2",
            "`temperature: 2.1` 被接受（状态码 200）；文档允许 0 到 2",
        ),
        (
            *("logit_bias", REFUSED, SERVED, {"logit_bias": {"500": 101}}),
            "`logit_bias` of 101 was served (status 200); the document allows -100 to 100",
            "值为 101 的 `logit_bias` 被接受（状态码 200）；文档允许 -100 到 100",
        ),
        (
            *("stop", REFUSED, SERVED, {"stop": list("abcde")}),
            "`stop` of 5 entries was served (status 200); promised: T",
            "含 5 项的 `stop` 被接受（状态码 200）；契约要求：标题",
        ),
        (
            *("model", WRONG, say("status {status}: {body}", status=500, body="oh"), {"n": 1}),
            '`model: "m"` with `n: 1` was answered with status 500, not 400; promised: T',
            '`model: "m"`（同时设置 `n: 1`）得到状态码 500，而不是 400；契约要求：标题',
        ),
        (
            *("n", THREE, among(verbatim(1), 4, 4), {"n": 3}),
            "`n: 3` returned 1 choice, 3 promised; in 4 of 4 responses",
            "`n: 3` 返回 1 个 choice，契约要求 3 个；4 个响应中有 4 个如此",
        ),
        (
            *(
                "usage.total_tokens",
                named("usage.total_tokens", 5),
                named("usage.total_tokens", 3),
                {"n": 2},
            ),
            "With `n: 2`, `usage.total_tokens` is 3, not 5",
            "发送 `n: 2` 时，`usage.total_tokens` 为 3，应为 5",
        ),
        (
            *(
                "choices[].index",
                named("indexes", '["0", "1"]'),
                among(named("indexes", '["0"]'), 1, 3),
            ),
            {"stream": True, "prompt": ["1", "2"]},
            "`indexes` is 0, not 0, 1; in 1 of 3 responses",
            "`indexes` 为 0，应为 0, 1；3 个响应中有 1 个如此",
        ),
        (
            *("echo", named("completion_tokens", 0), named("completion_tokens", 1)),
            {"max_tokens": 0, "temperature": 0, "echo": True},
            "With `echo: true` and `max_tokens: 0`, `completion_tokens` is 1, not 0",
            "发送 `echo: true` 和 `max_tokens: 0` 时，`completion_tokens` 为 1，应为 0",
        ),
        (
            *(
                "id",
                say("{name} {expected}", name="id", expected=say("a string that is not empty")),
                named("id", "null"),
                {},
            ),
            "`id` has no value, not a text",
            "`id` 没有值，应为非空字符串",
        ),
        (
            *("error", say("an error that matches the schema"), LACKING),
            *({}, "`error.param` is missing from the response", "响应中缺少 `error.param`"),
        ),
        (
            *(
                "error.message",
                say('an error envelope {{"error": {{…}}}}'),
                shown({"error": "no"}),
                {},
            ),
            "The error has no `error` object with message, type, param and code",
            "错误响应中没有含 message、type、param、code 的 `error` 对象",
        ),
        (
            "echo",
            say("the response without `{parameter}`", parameter="echo"),
            twice(["in the wilderness", None], ["in the garden", None]),
            {"echo": True},
            (
                'With `echo: true`, the response has "in the wilderness", not "in the garden"; '
                "promised: the response without `echo`; the same when repeated"
            ),
            (
                '发送 `echo: true` 时，响应为 "in the wilderness"，而不是 "in the garden"；'
                "契约要求：未设置 `echo` 时的响应；重复请求结果相同"
            ),
        ),
    ],
)
def test_sentence_says_what_was_sent_and_came(  # noqa: PLR0917 - one column each
    subject: str, expected: str, seen: str, sent: dict[str, object], english: str, chinese: str
) -> None:
    assert told(deviation(subject, expected, seen), sent) == Text(english, chinese)


ONE_OF = say(
    "{name} one of {values}", name="finish_reason", values=tuple(map(shown, ("stop", "length")))
)


SAME_SCORES = say("the same scores in the stream as in the non-streaming response")


@pytest.mark.parametrize(
    ("subject", "expected", "seen", "sent", "english"),
    [
        (
            *("choices[].finish_reason", ONE_OF, named("finish_reason", '"error"'), {}),
            '`finish_reason` is "error", not one of "stop", "length"',
        ),
        (
            *("prompt", REFUSED, SERVED, {"prompt": {"text": "1"}}),
            "An object as `prompt` was served (status 200); promised: T",
        ),
        (
            *("stream", say("text that arrives later"), say("all of it at once"), {"stream": True}),
            "With `stream: true`, got all of it at once; promised: text that arrives later",
        ),
        (
            "logprobs",
            SAME_SCORES,
            say("{one} vs. {other}", one='[["a", -0.5], ["b', other='[["a", -0.75], ["b'),
            {},
            f"The response has -0.5, not -0.75; promised: {SAME_SCORES}",
        ),
    ],
)
def test_sentence_names_what_is_wrong(
    subject: str, expected: str, seen: str, sent: dict[str, object], english: str
) -> None:
    assert told(deviation(subject, expected, seen), sent).en == english


def test_chinese_reason_ends_with_a_clause() -> None:
    odd = say(
        "{odd} instead of {usual}, {returns} times in {rounds} repeats, although one token leads "
        "by {lead} nats or more before they diverge",
        odd='["a"]',
        usual='["b"]',
        returns=0,
        rounds=18,
        lead="1.6",
    )
    message = say("the response is not deterministic: {what}", what=odd)
    found = told(a_finding("stop.x", "inconclusive", message=message))
    assert found.zh == "未能判定：重复请求得到不同的响应"


def test_only_a_must_is_called_a_promise() -> None:
    must = deviation("seed", "another text", say("{one} vs. {other}", one='"a"', other='"b"'))
    sent = {"seed": 1}
    assert "; promised: another text" in told(must, sent).en
    for level in (Level.SHOULD, Level.MAY):
        found = told(replace(must, level=level), sent)
        assert "; expected: another text" in found.en
        assert "预期" in found.zh


def test_missing_parameter_is_named_as_missing() -> None:
    exchange = an_exchange(request={"prompt": "1"})
    found = sentence_of(deviation("model", WRONG, SERVED), [exchange], SUBJECTS["model"])
    assert found.en.startswith("A request without `model` was served (status 200)")


def test_control_is_not_named_as_the_probe() -> None:
    seen = twice(["a", None], ["b", "length"])
    left_out = deviation("max_tokens", "the response of 16 tokens", seen, "max-tokens.default")
    found = told(left_out, {"max_tokens": 16}, {})
    assert "max_tokens" not in found.en
    echoed = deviation("echo", "the prompt, then the completion", seen, "echo.prompt-first")
    assert "With `echo: true`" in told(echoed, {"logprobs": 1}, {"echo": True, "n": 2}).en
    assert "logprobs" not in told(echoed, {"logprobs": 1}, {"echo": True, "n": 2}).en


def test_values_that_differ_are_not_named() -> None:
    counted = deviation("n", THREE, verbatim(1))
    assert told(counted, {"n": 3}, {"n": 1}).en.startswith("The request returned 1 choice")
    assert told(counted, {"n": 3}, {}).en.startswith("`n: 3` returned 1 choice")


def test_status_is_of_the_request_that_got_it() -> None:
    served = [
        an_exchange(f"x{n}", request={**PROMPT, "stop": ["a"] * n}, body={"id": f"cmpl-{n}"})
        for n in (4, 5, 3)
    ]
    seen = say("status {status}: {body}", status=200, body='{"id": "cmpl-5"}')
    found = sentence_of(deviation("stop", WRONG, seen), served, SUBJECTS["stop"])
    assert found.en.startswith("`stop` of 5 entries was served")


def test_refusal_names_the_parameter() -> None:
    refused = a_finding(
        "suffix.conditions",
        "refused",
        subject="suffix",
        message=say("refused with {status}: {message}", status=400, message="no {x}"),
    )
    assert told(refused, {"suffix": "end"}).en == '`suffix: "end"` was rejected (status 400)'


def test_reason_of_an_undecided_check_has_no_json() -> None:
    message = 'the response is not deterministic: ["a"], then ["b"]'
    found = told(a_finding("seed.x", "inconclusive", message=message))
    assert found.en == "Not judged: the response is not deterministic"
    assert found.zh.startswith("未能判定：")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_no_attack_gets_into_a_sentence(attack: str) -> None:
    for expected in (WRONG, 'a text that starts with "a"', "usage = 3", attack):
        served = say("status {status}: {body}", status=200, body=attack)
        for seen in (attack, f'"{attack}"', served, named("usage", attack), among(served, 1, 2)):
            found = told(deviation("stop", expected, seen), {"stop": attack, attack: attack})
            assert_is_readable(found)


def assert_is_readable(found: Text) -> None:
    for words in (found.en, found.zh):
        assert 0 < len(words) <= MAX_CHARS
        assert not set("{}\n") & set(words)
        assert not re.search(r"\[\[|\[\"|= null|is null", words)
    assert re.search("[\u4e00-\u9fff]", found.zh)


SAMPLE = (
    "stop-ignored",
    "usage-zero",
    "echo-ignored",
    "logprobs-ignored",
    "id-missing",
    "n-ignored",
    "max-tokens-ignored",
    "stream-ignored",
)


@pytest.mark.parametrize("name", by_default(SAMPLE, sorted(all_faults())))
def test_every_fault_is_told_in_a_sentence(name: str) -> None:
    fault = all_faults()[name]
    server = FakeServer(name, fault.contract)
    checks = [check for check in checks_of(fault) if check.asks]
    subjects = {subject.name: subject for subject in load_contract(fault.contract).subjects}
    for finding in asyncio.run(findings_of(server, checks)).values():
        if finding.verdict in CALM:
            continue
        evidence: list[Exchange] = [
            server.exchanges[key] for key in finding.exchanges if key in server.exchanges
        ]
        assert_is_readable(sentence_of(finding, evidence, subjects.get(finding.subject)))


def test_recognised_messages_are_those_of_checks() -> None:
    known = {value for name, value in vars(templates).items() if name.isupper()}
    assert known - {templates.VALUE} <= ids_in_code().keys()


def test_text_of_an_endpoint_is_no_message() -> None:
    quoted = deviation("n", THREE, verbatim("1 choices (3 of 4 responses)"))
    assert "in 3 of 4" not in told(quoted, {"n": 3}).en
    plain = deviation("stop", "status 400", "status 200: served")
    assert "was served" not in told(plain, {"stop": "a"}).en


def test_long_values_are_cut() -> None:
    long = a_failure("stop.x", expected="x" * 500, seen='"' + "y" * 500, title="t" * 400)
    assert_length = sentence_of(long, [], a_subject())
    assert len(assert_length.en) <= MAX_CHARS


def test_error_under_status_200_is_not_called_served() -> None:
    body = 'data: {"error": "must be greater than 0"}'
    inside = say("status {status}: {body}", status=200, body=body)
    finding = replace(deviation("max_tokens", REFUSED, inside), place=Place.STATUS)
    assert told(finding, {"max_tokens": -1}).en == (
        "`max_tokens: -1` was answered with status 200, not 400 / 422; promised: T"
    )
