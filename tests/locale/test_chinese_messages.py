"""Messages are translated with the parts that they are made from."""

from __future__ import annotations

import pytest

from conformance.judgement import Failure, Refusal, expect, shown
from conformance.locale import in_chinese, set_between
from conformance.message import Message, as_message, say, verbatim
from tests.cases import for_each_case


def failure_of(value: object, name: str, **words: object) -> Failure:
    method, argument = next(iter(words.items()))
    with pytest.raises(Failure) as found:
        getattr(expect(value, name), method)(argument)
    return found.value


@for_each_case(
    ("message", "chinese"),
    [
        (say("no rate limit was hit"), "未遇到限流"),
        (
            say("budget spent: {requests} requests were allowed", requests=5),
            "预算已用完：只允许 5 个请求",
        ),
        (
            failure_of(1, say("number of choices"), at_least=2).said,
            "预期：choice 数 ≥ 2；实际：choice 数 = 1",
        ),
        (failure_of("a, b", say("text"), lacks="a, b").expected, '文本不含 "a, b"'),
        (failure_of(1, "error.param", one_of=2).expected, "error.param 为 2 之一"),
        (Refusal(400, "no", frozenset()).said, "以 400 拒绝：no"),
        (
            say("{one} vs. {other} (both reproduced)", one=shown("a"), other=shown("b")),
            '"a" 与 "b"（两者均可重现）',
        ),
        (
            say(
                "{seen} ({among})",
                seen=say("status {status}: {body}", status=200, body="{}"),
                among=say(
                    "{count} of {total} responses: those with {traits}",
                    count=2,
                    total=9,
                    traits=("`stop`", say("several prompts")),
                ),
            ),
            "状态码 200：{}（9 个响应中的 2 个：带有 `stop`、多个 prompt 的响应）",
        ),
        (
            say(
                "{path}: {message}",
                path="choices",
                message=say("{value} should be non-empty", value="[]"),
            ),
            "choices：[] 不应为空",
        ),
        (say("{member} is a required property", member="'id'"), "缺少必需的成员 'id'"),
        (
            say(
                "{error}: line {line} column {column} (char {place})",
                error=as_message("Expecting value"),
                line=1,
                column=1,
                place=0,
            ),
            "缺少值，第 1 行第 1 列（字符 0）",
        ),
        (
            say(
                "no response: {fault}",
                fault=say(
                    "timeout: no response from {address} within {seconds} s",
                    address="http://h/v1",
                    seconds="2.5",
                ),
            ),
            "没有响应：超时：http://h/v1 在 2.5 秒内没有响应",
        ),
    ],
)
def test_message_is_translated(message: Message, chinese: str) -> None:
    assert in_chinese(message) == chinese


@for_each_case(
    "message",
    [
        as_message(""),
        as_message("a sentence that no check says"),
        say("budget spent: {many} requests were allowed", many="x"),
        say("a sentence with {a}", a=1),
        as_message("budget spent: 5 requests were allowed"),
    ],
)
def test_unknown_message_has_no_translation(message: Message) -> None:
    assert in_chinese(message) is None


def test_unknown_phrase_stays_english() -> None:
    told = say("no response: {fault}", fault=say("an odd thing"))
    assert in_chinese(told) == "没有响应：an odd thing"


@for_each_case(
    "evidence",
    [
        "x; see stop.string",
        "没有 空格 的",
        "{0} {name} %s \\1 {{x}}",
        "\x00</script>\u202e",
        "no rate limit was hit",
    ],
)
def test_text_from_an_endpoint_is_unchanged(evidence: str) -> None:
    refused = say("refused with {status}: {message}", status=400, message=f"[{evidence}]")
    assert in_chinese(refused) == f"以 400 拒绝：[{evidence}]"
    assert in_chinese(verbatim(evidence)) == evidence


@for_each_case(
    ("pieces", "values", "chinese"),
    [
        (("在", "中"), ("流",), "在流中"),
        (("在", "中"), ("stop",), "在 stop 中"),
        (("在 ", " 中"), ("流",), "在流中"),
        (("在 ", " 中"), ("stop",), "在 stop 中"),
        (("", " ", ""), ("文本", "为空"), "文本为空"),
        (("", " ", ""), ("created", "为数字"), "created 为数字"),
        (("缺少", "；见 ", ""), ('"a"', "b"), '缺少"a"；见 b'),
        (("为 ", ""), (" a",), "为  a"),
        (("", ""), ("",), ""),
    ],
)
def test_blanks_are_where_they_belong(
    pieces: tuple[str, ...], values: tuple[str, ...], chinese: str
) -> None:
    assert set_between(pieces, values) == chinese
