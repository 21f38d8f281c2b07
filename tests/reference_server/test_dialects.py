"""What each dialect accepts and rejects according to its page, without a model."""

from typing import Any

import pytest

from reference_server.cli import main
from reference_server.completions.dialects import DIALECTS, INSTRUCT
from reference_server.completions.errors import ApiError
from reference_server.completions.schema import CompletionRequest, parse
from tests.cases import for_each_case

BASE = "davinci-002"
VENDORS = ("zero", "gpt-ge", "aocheng", "zhizengzeng", "eronmind")


def ask(dialect: str, **body: Any) -> CompletionRequest:
    return parse({"model": INSTRUCT, "prompt": "Hi", **body}, DIALECTS[dialect])


def refusal(dialect: str, **body: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        ask(dialect, **body)
    assert caught.value.status == 400
    return caught.value


KNOWN: dict[str, str] = {
    "zero": "suffix echo logprobs stop presence_penalty frequency_penalty",
    "gpt-ge": "logprobs user presence_penalty frequency_penalty messages",
    "aocheng": "suffix echo logprobs stop presence_penalty frequency_penalty best_of logit_bias "
    "user",
    "zhizengzeng": "suffix echo logprobs stop presence_penalty frequency_penalty best_of "
    "logit_bias user seed",
    "eronmind": "logprobs stop",
}
VALUES: dict[str, Any] = {
    "suffix": " end",
    "echo": True,
    "logprobs": 1,
    "stop": "x",
    "presence_penalty": 1,
    "frequency_penalty": 1,
    "best_of": 2,
    "logit_bias": {"5": 1},
    "user": "me",
    "seed": 7,
    "stream_options": {},
    "messages": [{"role": "user", "content": "Hi"}],
    "reference": 1,
}


@for_each_case("dialect", VENDORS)
@for_each_case("name", VALUES)
def test_parameter_is_known_if_the_page_lists_it(dialect: str, name: str) -> None:
    body = {"model": INSTRUCT, "prompt": "Hi", name: VALUES[name]}
    if name == "messages":
        del body["prompt"]
    if name in KNOWN[dialect].split():
        parse(body, DIALECTS[dialect])
        return
    with pytest.raises(ApiError) as caught:
        parse(body, DIALECTS[dialect])
    assert caught.value.message == f"Unrecognized request argument supplied: {name}"


@for_each_case("dialect", VENDORS)
def test_five_common_parameters_are_known_everywhere(dialect: str) -> None:
    for more in ({"temperature": 0}, {"top_p": 0.5}, {"max_tokens": 3}, {"n": 2}, {"stream": True}):
        ask(dialect, **more)


NULLABLE = {
    "reference": "prompt max_tokens temperature top_p n stream",
    "openai": "prompt max_tokens temperature top_p n stream",
    "zero": "",
    "gpt-ge": "",
    "aocheng": "suffix logprobs stop logit_bias user",
    "zhizengzeng": "best_of echo logit_bias stop suffix temperature top_p",
    "eronmind": "logprobs",
}
DOCUMENTS = ("reference", "openai", *VENDORS)


@for_each_case("dialect", DOCUMENTS)
def test_null_is_accepted_only_if_documented(dialect: str) -> None:
    rules = DIALECTS[dialect].rules_for(INSTRUCT)
    for name in rules.parameters - {"model", "messages", "stream_options"}:
        expected = name in NULLABLE[dialect].split() or dialect in {"reference", "openai"}
        if expected and name != "user":
            ask(dialect, **{name: None})
        elif name not in NULLABLE[dialect].split():
            assert refusal(dialect, **{name: None}).code == "invalid_type", name


LIMITS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("zero", {"stop": list("abcd")}, {"stop": list("abcde")}),
    ("zhizengzeng", {"stop": list("abcd")}, {"stop": list("abcde")}),
    ("eronmind", {"stop": list("abcd")}, {"stop": list("abcde")}),
    ("aocheng", {"stop": [str(i) for i in range(100)]}, {"stop": ["x"] * 257}),
    ("zero", {"presence_penalty": 2}, {"presence_penalty": 2.1}),
    ("gpt-ge", {"frequency_penalty": -2}, {"frequency_penalty": -2.1}),
    ("zhizengzeng", {"frequency_penalty": -2}, {"frequency_penalty": -2.1}),
    ("aocheng", {"frequency_penalty": 30}, {"frequency_penalty": 1001}),
    ("zhizengzeng", {"logit_bias": {"5": 100}}, {"logit_bias": {"5": 101}}),
    ("aocheng", {"logit_bias": {"5": 101}}, {"logit_bias": {"5": 1001}}),
    ("eronmind", {"logprobs": 5}, {"logprobs": 6}),
    ("zero", {"logprobs": 6}, {"logprobs": 21}),
    ("gpt-ge", {"n": 129}, {"n": 2049}),
    ("zhizengzeng", {"best_of": 21}, {"best_of": 2049}),
    *((dialect, {"temperature": 2}, {"temperature": 2.1}) for dialect in VENDORS),
    *((dialect, {"top_p": 0}, {"top_p": 1.1}) for dialect in VENDORS),
]


@for_each_case(("dialect", "within", "beyond"), LIMITS)
def test_limit_follows_the_page(
    dialect: str, within: dict[str, Any], beyond: dict[str, Any]
) -> None:
    ask(dialect, **within)
    refusal(dialect, **beyond)


@for_each_case("dialect", DOCUMENTS)
def test_zhizengzeng_alone_has_unlimited_tokens_and_a_seed(dialect: str) -> None:
    request = ask(dialect)
    special = dialect == "zhizengzeng"
    assert request.max_tokens == (None if special else 16)
    assert request.seed == (1 if special else None)


@for_each_case(
    ("dialect", "served"),
    [
        ("reference", True),
        ("openai", True),
        ("zero", False),
        ("gpt-ge", False),
        ("aocheng", False),
        ("zhizengzeng", True),
        ("eronmind", True),
    ],
)
def test_missing_prompt_follows_the_page(dialect: str, served: bool) -> None:
    body = {"model": INSTRUCT}
    if served:
        assert parse(body, DIALECTS[dialect]).prompts == (None,)
        return
    with pytest.raises(ApiError, match="Missing required parameter: 'prompt'"):
        parse(body, DIALECTS[dialect])


@for_each_case("dialect", DIALECTS)
def test_token_prompts_need_documentation_of_arrays(dialect: str) -> None:
    if dialect in {"ollama", "deepseek-fim", "siliconflow", "together"}:  # a single string
        for prompt in (["a", "b"], [5, 6], [[5], [6]]):
            assert "expected a string, but" in refusal(dialect, prompt=prompt).message
        return
    ask(dialect, prompt=["a", "b"])
    for tokens in ([5, 6], [[5], [6]]):
        if dialect in {"zero", "aocheng"}:
            error = refusal(dialect, prompt=tokens)
            assert "expected a string or an array of strings" in error.message
        else:
            ask(dialect, prompt=tokens)


def test_zhizengzeng_rejects_temperature_with_top_p() -> None:
    ask("zhizengzeng", temperature=0, top_p=None)
    refusal("zhizengzeng", temperature=0, top_p=1)
    ask("aocheng", temperature=0, top_p=1)


def test_zhizengzeng_needs_best_of_above_n() -> None:
    assert ask("zhizengzeng", best_of=1, n=1).best_of == 1
    assert ask("zhizengzeng", n=2).best_of == 2
    assert ask("zhizengzeng", best_of=3, n=2).best_of == 3
    assert refusal("zhizengzeng", best_of=2, n=2).param == "best_of"
    assert ask("aocheng", best_of=2, n=2).best_of == 2


@for_each_case(("value", "alternatives"), [(0, None), (False, None), (True, 0), (3, 3), (3.0, 3)])
def test_logprobs_is_boolean_for_zhizengzeng(value: object, alternatives: int | None) -> None:
    assert ask("zhizengzeng", logprobs=value).logprobs == alternatives


@for_each_case("dialect", ["reference", "zero", "gpt-ge", "aocheng", "eronmind"])
def test_logprobs_is_a_number_elsewhere(dialect: str) -> None:
    assert ask(dialect, logprobs=0).logprobs == 0
    refusal(dialect, logprobs=True)


def test_suffix_is_limited_to_the_documented_model() -> None:
    for dialect in ("zhizengzeng", "openai"):
        ask(dialect, suffix=" end")
        error = refusal(dialect, model=BASE, suffix=" end")
        assert error.param == "suffix"
        assert "not supported for this model" in error.message
    ask("zero", model=BASE, suffix=" end")


def test_openai_instruct_model_rejects_echo_with_logprobs() -> None:
    error = refusal("openai", echo=True, logprobs=0)
    assert error.message == (
        "Setting 'echo' and 'logprobs' at the same time is not supported for this model."
    )
    ask("openai", echo=False, logprobs=0)
    ask("openai", echo=True, logprobs=None)
    ask("openai", model=BASE, echo=True, logprobs=0)


def test_eronmind_accepts_its_example() -> None:
    request = parse(
        {
            "model": INSTRUCT,
            "prompt": "Say this is a test",
            "max_tokens": 7,
            "temperature": 0,
            "top_p": 1,
            "n": 1,
            "stream": False,
            "logprobs": None,
            "stop": "\n",
        },
        DIALECTS["eronmind"],
    )
    assert (request.max_tokens, request.stop, request.logprobs) == (7, ("\n",), None)


def test_eronmind_accepts_its_schema_types() -> None:
    quoted = ask(
        "eronmind", max_tokens="7", temperature="0.5", n="2", stream="false", logprobs="5", stop="1"
    )
    non_streaming = ask(
        "eronmind", max_tokens=7, temperature=0.5, n=2, stream=False, logprobs=5, stop="1"
    )
    assert quoted == non_streaming
    assert refusal("eronmind", max_tokens="seven").code == "invalid_type"
    assert refusal("reference", max_tokens="7").code == "invalid_type"


def test_integral_float_is_accepted_if_documented() -> None:
    assert ask("gpt-ge", max_tokens=16.0).max_tokens == 16
    assert refusal("gpt-ge", max_tokens=16.5).code == "invalid_type"
    assert refusal("gpt-ge", n=2.0).code == "invalid_type"


TURN = {"role": "user", "content": "Hi"}


def test_messages_become_a_transcript() -> None:
    parts = [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}]
    body = {"model": INSTRUCT, "messages": [{"role": "system", "content": parts}, TURN]}
    request = parse(body, DIALECTS["gpt-ge"])
    assert request.prompts == ("system: Be brief.\nuser: Hi\nassistant:",)


@for_each_case(
    ("messages", "param"),
    [
        ("Hi", "messages"),
        ([], "messages"),
        (["Hi"], "messages[0]"),
        ([TURN, {"role": "ghost", "content": ""}], "messages[1].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].type"),
        ([TURN | {"tool_calls": []}], "messages[0].tool_calls"),
    ],
)
def test_invalid_conversation_is_rejected(messages: object, param: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse({"model": INSTRUCT, "messages": messages}, DIALECTS["gpt-ge"])
    assert caught.value.param == param


def test_prompt_with_messages_is_rejected() -> None:
    refusal("gpt-ge", messages=[TURN])


@for_each_case("dialect", DIALECTS)
def test_best_of_below_n_or_streamed_is_rejected(dialect: str) -> None:
    refusal(dialect, best_of=2, n=3)
    refusal(dialect, best_of=2, stream=True)


def test_command_lists_one_dialect_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--list-dialects"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [dialect.name, dialect.summary] for dialect in DIALECTS.values()
    ]


def test_unknown_dialect_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--dialect", "klingon"])
    assert ended.value.code == 4
    assert "'zhizengzeng'" in capsys.readouterr().err


@for_each_case("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_dialect_is_self_consistent(dialect: Any) -> None:
    for rules in (dialect.rules, *dialect.models.values()):
        named = set(rules.nullable) | rules.unsupported | rules.whole_decimals
        named |= {name for group in rules.required for name in group}
        named |= {name for pair in rules.conflicts for name in (pair.first, pair.second)}
        assert dialect.name in {"reference", "openai"} or named <= rules.parameters
