"""What each document states, as a reader of its page would read it."""

from __future__ import annotations

from conformance.contract import DOCUMENTS, load_contract
from tests.cases import for_each_case

UNDOCUMENTED = {
    "zero": {"stream_options", "best_of", "logit_bias", "seed", "user"},
    "gpt-ge": {"stream_options", "best_of", "logit_bias", "seed", "stop", "echo", "suffix"},
    "aocheng": {"stream_options", "seed"},
    "zhizengzeng": {"stream_options"},
    "eronmind": {
        *("stream_options", "best_of", "logit_bias", "seed", "echo", "suffix", "user"),
        *("presence_penalty", "frequency_penalty"),
    },
    "openai": set(),
}

ALL_NINE = {
    *("model", "prompt", "max_tokens", "temperature", "top_p", "n", "stream", "logprobs", "stop"),
}


@for_each_case("document", DOCUMENTS)
def test_page_documents_exactly_its_parameters(document: str) -> None:
    parameters = load_contract(document).parameters
    assert {p.name for p in parameters if not p.documented} == UNDOCUMENTED[document]


@for_each_case("document", DOCUMENTS)
def test_undocumented_parameter_keeps_other_documents_statements(document: str) -> None:
    for parameter in load_contract(document).parameters:
        assert parameter.says
        assert (document in parameter.says) == parameter.documented


@for_each_case(
    ("document", "required"),
    [
        ("zero", {"model", "prompt"}),
        ("gpt-ge", {"model", "prompt"}),
        ("aocheng", {"model", "prompt"}),
        ("zhizengzeng", {"model", "prompt"}),
        ("eronmind", ALL_NINE),
        ("openai", {"model"}),
    ],
)
def test_required(document: str, required: set[str]) -> None:
    assert {p.name for p in load_contract(document).parameters if p.required} == required


@for_each_case(
    ("document", "default", "unlimited"),
    [
        ("zero", 16, False),
        ("gpt-ge", None, False),
        ("aocheng", 16, False),
        ("zhizengzeng", None, True),
        ("eronmind", None, False),
        ("openai", 16, False),
    ],
)
def test_default_of_max_tokens(document: str, default: int | None, unlimited: bool) -> None:
    contract = load_contract(document)
    assert contract.parameter("max_tokens").default == default
    assert contract.parameter("max_tokens").default_unlimited is unlimited
    assert contract.default_tokens == default


@for_each_case(
    ("document", "limit"),
    [
        ("zero", 4),
        ("gpt-ge", None),
        ("aocheng", None),
        ("zhizengzeng", 4),
        ("eronmind", 4),
        ("openai", 4),
    ],
)
def test_limit_of_stop(document: str, limit: int | None) -> None:
    assert load_contract(document).parameter("stop").max_items == limit


@for_each_case(
    ("document", "limits"),
    [
        ("zero", (-2, 2)),
        ("gpt-ge", (-2, 2)),
        ("aocheng", (None, None)),
        ("zhizengzeng", (-2, 2)),
        ("eronmind", (None, None)),
        ("openai", (-2, 2)),
    ],
)
@for_each_case("name", ["presence_penalty", "frequency_penalty"])
def test_range_of_the_penalties(document: str, limits: tuple[object, object], name: str) -> None:
    penalty = load_contract(document).parameter(name)
    assert (penalty.minimum, penalty.maximum) == limits


@for_each_case("document", DOCUMENTS)
def test_temperature_ranges_from_zero_to_two(document: str) -> None:
    temperature = load_contract(document).parameter("temperature")
    assert (temperature.minimum, temperature.maximum) == (0, 2)


@for_each_case(
    ("document", "maximum"),
    [
        ("zero", None),
        ("gpt-ge", None),
        ("aocheng", None),
        ("zhizengzeng", None),
        ("eronmind", 5),
        ("openai", 5),
    ],
)
def test_maximum_of_logprobs(document: str, maximum: int | None) -> None:
    assert load_contract(document).parameter("logprobs").maximum == maximum


@for_each_case("document", ["zhizengzeng", "openai"])
def test_bias_is_between_minus_and_plus_one_hundred(document: str) -> None:
    bias = load_contract(document).parameter("logit_bias")
    assert (bias.minimum, bias.maximum) == (-100, 100)


def test_only_openai_limits_n_and_best_of() -> None:
    for name, limit in (("n", 128), ("best_of", 20)):
        maxima = {
            document: load_contract(document).parameter(name).maximum for document in DOCUMENTS
        }
        assert maxima.pop("openai") == limit
        assert set(maxima.values()) == {None}


@for_each_case(
    ("document", "forms"),
    [
        ("zero", {"string": True, "strings": True}),
        ("gpt-ge", {"string": True, "strings": False}),
        ("aocheng", {"string": True, "strings": True}),
        ("zhizengzeng", dict.fromkeys(("string", "strings", "tokens", "token-arrays"), True)),
        ("eronmind", {"string": True, "strings": False, "tokens": False, "token-arrays": False}),
        ("openai", {"string": True, "strings": False, "tokens": False, "token-arrays": False}),
    ],
)
def test_promised_forms_of_a_prompt(document: str, forms: dict[str, bool]) -> None:
    assert load_contract(document).parameter("prompt").forms == forms


@for_each_case(
    ("document", "nullable"),
    [
        ("zero", set()),
        ("gpt-ge", set()),
        ("aocheng", {"suffix", "logprobs", "stop", "logit_bias", "user"}),
        (
            "zhizengzeng",
            {"best_of", "echo", "suffix", "temperature", "top_p", "logit_bias", "stop"},
        ),
        ("eronmind", {"logprobs"}),
        ("openai", {p.name for p in load_contract("openai").parameters} - {"model", "user"}),
    ],
)
def test_null_follows_the_page(document: str, nullable: set[str]) -> None:
    assert {p.name for p in load_contract(document).parameters if p.nullable} == nullable


@for_each_case("document", [d for d in DOCUMENTS if d != "openai"])
def test_documented_parameters_are_promised_unless_reserved(document: str) -> None:
    parameters = load_contract(document).parameters
    documented = {p.name for p in parameters if p.documented}
    reserved = {"suffix"} if document == "zhizengzeng" else set()
    assert {p.name for p in parameters if p.promised} == documented - reserved


def test_openai_contract_promises_common_parameters() -> None:
    promised = {p.name for p in load_contract("openai").parameters if p.promised}
    core = {"model", "prompt", "max_tokens", "temperature", "top_p", "stream", "stop"}
    assert promised == core


def test_zhizengzeng_logprobs_is_a_number_or_boolean() -> None:
    logprobs = load_contract("zhizengzeng").parameter("logprobs")
    assert logprobs.types == ("integer", "boolean")
    assert logprobs.default == 0


def test_zhizengzeng_gives_seed_a_default() -> None:
    assert load_contract("zhizengzeng").parameter("seed").default == 1
    assert not load_contract("openai").parameter("seed").has_default


@for_each_case(
    ("document", "requirement", "in_force"),
    [
        ("zero", "max-tokens.default-sixteen", True),
        ("zhizengzeng", "max-tokens.default-sixteen", False),
        ("zhizengzeng", "max-tokens.default-unlimited", True),
        ("gpt-ge", "stop.excluded-from-text", False),
        ("aocheng", "stop.excluded-from-text", True),
        ("aocheng", "stop.at-most-four", False),
        ("eronmind", "stop.at-most-four", True),
        ("gpt-ge", "echo.logprobs-cover-prompt", False),
        ("zero", "echo.logprobs-cover-prompt", True),
        ("zhizengzeng", "logprobs.zero-gives-sampled", False),
        ("openai", "logprobs.zero-gives-sampled", True),
        ("eronmind", "temperature.with-top-p-served", True),
        ("zhizengzeng", "temperature.with-top-p-served", False),
        ("openai", "best-of.equal-to-n-served", True),
        ("zhizengzeng", "best-of.equal-to-n-refused", True),
    ],
)
def test_requirements_in_force(document: str, requirement: str, in_force: bool) -> None:
    contract = load_contract(document)
    assert (requirement in contract.requirements) is in_force
    assert (contract.why_not_in_force(requirement) is None) is in_force
