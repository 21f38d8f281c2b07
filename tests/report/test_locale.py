"""Messages of checks have a Chinese translation."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import reason_to_skip
from conformance.judgement import Feature
from conformance.model import Place
from conformance.report.locale import MAX_MESSAGE_CHARS, catalogue, in_chinese, phrase_of
from tests.cases import for_each_case

SUITE = Path(__file__).parents[2] / "conformance"
PACKAGES = ("checks", "engine", "generation", "protocol", "transport", "")
"""Where the messages of checks are written; the last is the package itself."""

SAYS: dict[str, tuple[int | str, ...]] = {
    "NotApplicable": (0,),
    "Inconclusive": (0,),
    "BudgetSpent": (0,),
    "Failure": (0, 1),
    "Missing": (1, 2),
    "expect_agreement": (2, "expected"),
    "expect_alike": (2, "expected"),
    "expect_same_responses": (3, "expected"),
    "expect_same_scores": (3, "expected"),
    "expect_scored_alike": (2, "expected"),
    "expect_variety": (2, 3, "expected"),
    "assert_no_repeat": (2,),
    "assert_same_sample": (2, 3),
    "assert_greedy_in_every_shape": (1,),
    "changed": (1,),
    "assert_each_as_alone": (3,),
    "expect": (1,),
    "satisfies": (1,),
    "TransportError": (0,),
    "RequestShape": (0,),
    "SamplingShape": (0,),
    "explained": (1,),
    "Basis": (2,),
}
"""Which arguments of which calls are sentences, or parts of them, for a reader."""

SAMPLES = (
    "7",
    '"text"',
    "choices[0]",
    "stop.string",
    "minimum",
    "refused with 400: no",
    "logprobs",
)
"""What may stand where an f-string has a value; one of these has to fit the pattern."""


def literals() -> Iterator[tuple[str, str]]:
    """Find the sentences that are written where they are said, as patterns with ``{}``."""
    paths = itertools.chain.from_iterable(
        (SUITE / package).glob("**/*.py" if package else "*.py") for package in PACKAGES
    )
    for path in sorted(paths):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                for place in SAYS.get(name, ()):
                    pattern = pattern_of(argument(node, place))
                    if name == "satisfies":
                        pattern = f"text {pattern}"
                    # A name without blanks is that of a field, and the same in every language.
                    if re.search("[a-z] |[a-z]{2}$", pattern.replace("{}", "")) and " " in pattern:
                        yield f"{path.relative_to(SUITE)}:{node.lineno}", pattern


def argument(call: ast.Call, place: int | str) -> ast.expr | None:
    if isinstance(place, int):
        return call.args[place] if place < len(call.args) else None
    return next((word.value for word in call.keywords if word.arg == place), None)


def pattern_of(node: ast.expr | None) -> str:
    """Write a literal, or an f-string with ``{}`` for each value; empty where it is neither."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return ""


def is_known(pattern: str) -> bool:
    """Return whether a sentence has a translation for any values."""
    literal = tuple(pattern.split("{}"))
    if any(phrase.literals == literal for phrase in catalogue()[1]):
        return True
    values = itertools.product(SAMPLES, repeat=min(len(literal) - 1, 3))
    return any(in_chinese(filled(literal, chosen)) for chosen in values)


def filled(literal: tuple[str, ...], values: tuple[str, ...]) -> str:
    rest = itertools.chain(values, itertools.repeat("7"))
    return literal[0] + "".join(
        value + part for value, part in zip(rest, literal[1:], strict=False)
    )


SENTENCES = sorted({pattern: place for place, pattern in literals()}.items())


def test_sentences_of_the_checks_are_found() -> None:
    found = {sentence for sentence, _ in SENTENCES}
    assert len(found) > 300
    assert "budget spent: {} requests were allowed" in found
    assert "one JSON document" in found


@for_each_case("sentence", [pytest.param(s, id=f"{p} {s}") for s, p in SENTENCES])
def test_every_sentence_has_a_translation(sentence: str) -> None:
    assert is_known(sentence)


@for_each_case("document", DOCUMENTS)
def test_every_reason_of_a_contract_has_a_translation(document: str) -> None:
    contract = load_contract(document)
    requirements = {check.requirement for check in all_checks()}
    reasons = {contract.why_not_in_force(requirement) for requirement in requirements}
    reasons |= {reason_to_skip(check, contract) for check in all_checks()}
    assert [reason for reason in reasons if reason and not in_chinese(reason)] == []


@for_each_case("place", Place)
def test_every_unreadable_place_has_a_translation(place: Place) -> None:
    assert in_chinese(f"its answers have a wrong {place.value}") is not None


@for_each_case("feature", Feature)
def test_every_missing_feature_has_a_translation(feature: Feature) -> None:
    name = in_chinese(feature)
    assert name is not None
    result = in_chinese(f"{feature} is missing; see stop.string")
    assert result is not None
    assert result.replace(" ", "") == f"缺少{name}；见stop.string".replace(" ", "")


# ── how patterns are spoken ──────────────────────────────────────────────────────────────────────


@for_each_case(
    ("english", "chinese"),
    [
        ("no rate limit was hit", "未遇到限流"),
        ("budget spent: 5 requests were allowed", "预算已用完：只允许 5 个请求"),
        ("zero does not say so; gpt-ge and openai do", "zero 没有这样说明；gpt-ge 与 openai 有"),
        ("not in the zero contract (only openai)", "不在 zero 契约中（仅 openai）"),
        ("number of choices ≥ 2", "choice 数 ≥ 2"),
        ('text without "a, b"', '文本不含 "a, b"'),
        ("error.param an object", "error.param 为对象"),
        ("same cause as stop.string", "与 stop.string 原因相同"),
        ("the echoed prompt is missing; see a", "缺少回显的 prompt；见 a"),
        (
            "refused with 400: no; really; see stop.string",
            "以 400 拒绝：no; really；见 stop.string",
        ),
        ('"a" vs. "b" (both reproduced)', '"a" 与 "b"（两者均可重现）'),
        (
            "status 200 with {} (2 of 9 responses: those with `stop`, several prompts)",
            "状态码 200，带有 {}（9 个响应中的 2 个：带有 `stop`、多个 prompt 的响应）",
        ),
        (
            "the echoed prompt did not come back, and a judges that",
            "回显的 prompt 未返回，由 a 判定",
        ),
        (
            "status 200 with {} (2 of 9 answers: those with `stop`, several prompts)",
            "状态码 200，带有 {}（9 个响应中的 2 个：带有 `stop`、多个 prompt 的响应）",
        ),
        (
            "refused with 400: no; really, and stop.string judges that",
            "以 400 拒绝：no; really，由 stop.string 判定",
        ),
        (
            "expected status 400; got status 500: oops",
            "预期：状态码 400；实际：状态码 500：oops",
        ),
        (
            "expected status 400; seen status 500: oops",
            "预期：状态码 400；实际：状态码 500：oops",
        ),
        ("choices: [] should be non-empty", "choices：[] 不应为空"),
        (": 'id' is a required property", "缺少必需的成员 'id'"),
        (
            "Expecting value: line 1 column 1 (char 0): 'ping'",
            "缺少值，第 1 行第 1 列（字符 0）：'ping'",
        ),
        (
            "expected the body in JSON, with at most 4,098 values in 16 characters; got 9 values",
            "预期：JSON 形式的响应体，16 个字符中至多 4,098 个值；实际：9 个值",
        ),
        (
            "expected a stream with at most 4,098 values in 16 characters; got 5,000 values",
            "预期：流的 16 个字符中至多 4,098 个值；实际：5,000 个值",
        ),
        ("an integer of 4,000 digits: '99'", "4,000 位的整数：'99'"),
        (
            "more than 100 levels of arrays and objects: '[['",
            "数组和对象嵌套超过 100 层：'[['",
        ),
        (
            "no answer: http://h/v1 did not answer within 2.5 s",
            "没有响应：http://h/v1 在 2.5 秒内没有响应",
        ),
        (
            "no response: timeout: no response from http://h/v1 within 2.5 s",
            "没有响应：超时：http://h/v1 在 2.5 秒内没有响应",
        ),
    ],
)
def test_message_is_translated(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@for_each_case(
    "english",
    [
        "",
        "a sentence that no check says",
        "budget spent: many requests were allowed",
        "some odd thing = 3",
        "an odd thing found this already",
        "no thing that a check asks for",
        "something in something else",
        '"he went, then [she"',
        '"one against 2"',
        '"text"',
    ],
)
def test_missing_translation_is_reported(english: str) -> None:
    assert in_chinese(english) is None


@for_each_case(
    "evidence",
    [
        "x, and stop.string judges that",
        "没有 空格 的",
        "{0} {name} %s \\1",
        "\x00</script>\u202e",
        "",
    ],
)
def test_text_from_an_endpoint_is_unchanged(evidence: str) -> None:
    assert in_chinese(f"refused with 400: [{evidence}]") == f"以 400 拒绝：[{evidence}]"
    assert in_chinese(f"[{evidence}], cut by a limit") == f"[{evidence}]，被上限截断"
    assert f"[{evidence}]" in (in_chinese(f"the greedy text [{evidence}]") or "")


def test_long_message_is_translated_quickly() -> None:
    assert in_chinese("answered 500: " + "x" * MAX_MESSAGE_CHARS) is None
    fitting = "answered 500: " + "x" * (MAX_MESSAGE_CHARS - len("answered 500: "))
    assert in_chinese(fitting) is not None


def test_each_pattern_matches_its_sentence() -> None:
    """No pattern is hidden behind a more general one, but for those with the very same words."""
    _, patterns = catalogue()
    for phrase in patterns:
        english = "".join(
            literal + SAMPLE[kind]
            for literal, (_, kind) in zip(phrase.literals, phrase.slots, strict=False)
        )
        result = in_chinese(english + phrase.literals[-1])
        assert result is not None
        assert all(fragment.strip() in result for fragment in phrase.chinese), english


SAMPLE = {"": '"e"', "=": '"e"', "#": "7", "@": "a.name", "!": "a.name", "?": '"w"', "*": "a.name"}
"""What stands in a slot of each kind."""


def test_patterns_with_different_slots_are_rejected() -> None:
    with pytest.raises(ValueError, match="different slots"):
        phrase_of("{count#} choices", "{number} 个 choice")
    assert phrase_of("{a#} of {b#}", "{b} 个中的 {a} 个").order == ("b", "a")
