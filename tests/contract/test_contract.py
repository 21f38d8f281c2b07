"""The contract reader: content, accepted input and messages about mistakes."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import CONTRACTS, DOCUMENTS, Contract, ContractError, load_contract
from conformance.language import Text
from conformance.model import Level
from tests.cases import for_each_case

HEAD = "overlay: 1.1.0\ninfo: {title: Ours, version: 1.0.0}\nactions:\n"
UNKNOWN = "{requirement: stop.five, because: we say so}"
STOP = "$.components.schemas.CreateCompletionRequest.properties.stop"


def overlay_file(folder: Path, actions: str) -> str:
    path = folder / "ours.yaml"
    path.write_text(HEAD + actions, "utf-8")
    return str(path)


def sentence_of(name_or_path: str) -> str:
    with pytest.raises(ContractError) as caught:
        load_contract(name_or_path)
    return str(caught.value)


# ── what a check asks ────────────────────────────────────────────────────────────────────────────


def test_parameter_has_the_documented_limits() -> None:
    stop = load_contract("zero").parameter("stop")
    assert stop.documented
    assert stop.promised
    assert not stop.required
    assert stop.types == ("string", "array")
    assert stop.max_items == 4
    assert stop.says["zhizengzeng"].startswith("string or array")


def test_undocumented_parameter_has_no_limits_or_promises() -> None:
    stop = load_contract("gpt-ge").parameter("stop")
    assert not stop.documented
    assert not stop.promised
    assert stop.max_items is None
    assert "gpt-ge" not in stop.says


def test_own_meaning_of_a_parameter_promises_nothing() -> None:
    echo = load_contract("together").parameter("echo")
    assert echo.has_own_meaning
    assert not echo.documented
    assert not echo.promised
    assert "`prompt`" in echo.says["together"]


def test_unknown_parameter_is_not_documented() -> None:
    assert not load_contract("openai").parameter("top_k").documented


@for_each_case(
    ("document", "name", "en", "zh"),
    [
        ("zero", "temperature", "number, 0 to 2, default 1", "数值，0 到 2，默认 1"),
        ("zero", "prompt", "string or strings, required", "字符串或字符串数组，必填"),
        ("gpt-ge", "stop", "not documented", "文档未提及"),
        (
            "zhizengzeng",
            "max_tokens",
            "integer, at least 0, default unlimited",
            "整数，不小于 0，默认不限",
        ),
        (
            "zhizengzeng",
            "stop",
            "string, array or null, at most 4 items, default null",
            "字符串、数组或 null，至多 4 项，默认 null",
        ),
        ("eronmind", "stream", "boolean, required", "布尔值，必填"),
        ("openai", "echo", "boolean or null, default false", "布尔值或 null，默认 false"),
    ],
)
def test_promise_fits_in_a_line(document: str, name: str, en: str, zh: str) -> None:
    assert load_contract(document).parameter(name).promise == Text(en, zh)


def test_field_promises_its_values_in_both_languages() -> None:
    promise = load_contract("openai").field("choices[].finish_reason").promise
    assert promise == Text("stop, length or content_filter", "stop、length 或 content_filter")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_subject_says_everything_in_both_languages(document: str) -> None:
    contract = load_contract(document)
    assert contract.title_zh
    for subject in contract.subjects:
        assert subject.promise_zh
        assert list(subject.says) == list(subject.says_zh)
    for requirement in contract.requirements.values():
        assert all(source.says_zh for source in requirement.sources)


def test_custom_contract_may_have_a_chinese_title(tmp_path: Path) -> None:
    about = "  - target: $\n    update: {x-conformance: {document: openai%s}}\n"
    assert load_contract(overlay_file(tmp_path, about % ", title_zh: 我们的")).title_zh == "我们的"
    assert load_contract(overlay_file(tmp_path, about % "")).title_zh == ""


def test_response_field_is_found_by_its_path() -> None:
    contract = load_contract("openai")
    assert contract.field("choices[].finish_reason").values == ("stop", "length", "content_filter")
    assert contract.field("usage.prompt_tokens").types == ("integer",)
    assert contract.field("choices[].logprobs").nullable
    assert contract.field("error.code").nullable
    with pytest.raises(ContractError, match="no response field `choice`"):
        contract.field("choice")


def test_response_model_differs_from_the_parameter() -> None:
    contract = load_contract("openai")
    assert contract.field("response.model").required
    names = [subject.name for subject in contract.subjects]
    assert len(names) == len(set(names))


def test_subjects_list_parameters_before_fields() -> None:
    kinds = [subject.kind for subject in load_contract("zero").subjects]
    assert kinds == sorted(kinds, reverse=True)
    assert set(kinds) == {"parameter", "field"}


def test_field_absent_from_a_page_is_not_documented() -> None:
    shown = {s.name: s.documented for s in load_contract("zero").subjects}
    assert shown["choices[].text"]
    assert not shown["system_fingerprint"]


def test_requirement_is_known_even_if_not_in_force() -> None:
    contract = load_contract("gpt-ge")
    requirement = contract.requirement("stop.at-most-four")
    assert requirement.level is Level.MUST
    assert requirement.area == "stop"
    assert requirement.subject == "stop"
    assert requirement.id not in contract.requirements
    assert {source.document for source in requirement.sources} >= {"zero", "openai"}


@for_each_case(
    ("document", "requirement", "sentence"),
    [
        ("gpt-ge", "stop.at-most-four", "gpt-ge does not document `stop`"),
        (
            "aocheng",
            "stop.at-most-four",
            "aocheng does not document a limit to the items of `stop`",
        ),
        ("zero", "prompt.tokens", "zero does not document tokens as a `prompt`"),
        ("zero", "usage.stream-equals-plain", "zero does not document `stream_options`"),
        (
            "zero",
            "max-tokens.null-is-default",
            "zero does not document null as a value of `max_tokens`",
        ),
        (
            "eronmind",
            "best-of.equal-to-n-served",
            "not in the eronmind contract (only openai and aocheng)",
        ),
        ("zero", "seed.default-one", "not in the zero contract (only zhizengzeng)"),
        (
            "zhizengzeng",
            "logprobs.zero-gives-sampled",
            "zhizengzeng gives `logprobs` the default 0, so that 0 asks for none",
        ),
        ("openai", "stop.at-most-four", None),
        (
            "together",
            "echo.prompt-then-completion",
            "together does not document `echo` as the live API means it",
        ),
    ],
)
def test_why_a_requirement_is_not_in_force(
    document: str, requirement: str, sentence: str | None
) -> None:
    assert load_contract(document).why_not_in_force(requirement) == sentence


def test_unknown_requirement_raises_an_error() -> None:
    with pytest.raises(ContractError, match="unknown requirement `stop\\.five`"):
        load_contract("openai").why_not_in_force("stop.five")


@for_each_case(
    ("document", "feature", "promised"),
    [
        ("openai", "stop", True),
        ("openai", "suffix", False),
        ("zero", "suffix", True),
        ("zero", "prompt:batch", True),
        ("zero", "prompt:tokens", False),
        ("openai", "prompt:batch", False),
        ("zhizengzeng", "prompt:tokens", True),
        ("openai", "top_k", False),
    ],
)
def test_promised_features_follow_the_document(document: str, feature: str, promised: bool) -> None:
    assert load_contract(document).promises(feature) is promised


def test_contract_cannot_be_changed() -> None:
    contract = load_contract("openai")
    with pytest.raises(dataclasses.FrozenInstanceError):
        contract.name = "ours"


def test_document_is_read_once() -> None:
    assert load_contract("zero") is load_contract("zero")


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────


def respond() -> dict[str, Any]:
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "any",
        "choices": [{"text": "a", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def chunk() -> dict[str, Any]:
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "any",
        "choices": [{"text": "a", "index": 0, "logprobs": None, "finish_reason": None}],
    }


LOGPROBS = {
    "tokens": ["a"],
    "token_logprobs": [-0.5],
    "top_logprobs": [{"a": -0.5, "b": -1.0}],
    "text_offset": [0],
}


def changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of a body with one place set; ``...`` takes the place away."""
    result = copy.deepcopy(body)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = result
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


@pytest.fixture(params=DOCUMENTS)
def contract(request: pytest.FixtureRequest) -> Contract:
    return load_contract(request.param)


@for_each_case(
    ("path", "value"),
    [
        ("system_fingerprint", None),
        ("x_extra", {"any": "thing"}),
        ("choices.0.stop_reason", 42),
        ("choices.0.logprobs", ...),
        ("choices.0.logprobs", LOGPROBS),
        ("choices.0.logprobs", {**LOGPROBS, "top_logprobs": None}),
        ("choices.0.logprobs", {**LOGPROBS, "top_logprobs": [None], "token_logprobs": [None]}),
        ("choices.0.logprobs", {**LOGPROBS, "token_logprobs": [0]}),
        ("choices.0.finish_reason", "content_filter"),
        ("choices.0.text", ""),
        ("usage.prompt_tokens_details", None),
        ("usage.completion_tokens", 0),
    ],
)
def test_conforming_responses_are_valid(contract: Contract, path: str, value: object) -> None:
    assert contract.validate_completion(respond()) == ()
    assert contract.validate_completion(changed(respond(), path, value)) == ()


@for_each_case(
    ("path", "value", "where", "rule"),
    [
        ("id", "", "id", "minLength"),
        ("object", "chat.completion", "object", "const"),
        ("created", 1_700_000_000.5, "created", "type"),
        ("created", 1_700_000_000.0, "created", "type"),
        ("created", ..., "", "required"),
        ("model", None, "model", "type"),
        ("choices", [], "choices", "minItems"),
        ("choices.0.text", ..., "choices[0]", "required"),
        ("choices.0.text", None, "choices[0].text", "type"),
        ("choices.0.index", -1, "choices[0].index", "minimum"),
        ("choices.0.finish_reason", None, "choices[0].finish_reason", "enum"),
        ("choices.0.finish_reason", "eos", "choices[0].finish_reason", "enum"),
        ("choices.0.logprobs", {"content": []}, "choices[0].logprobs", "required"),
        (
            "choices.0.logprobs",
            {**LOGPROBS, "token_logprobs": [0.1]},
            "choices[0].logprobs.token_logprobs[0]",
            "maximum",
        ),
        (
            "choices.0.logprobs",
            {**LOGPROBS, "token_logprobs": [float("nan")]},
            "choices[0].logprobs.token_logprobs[0]",
            "type",
        ),
        (
            "choices.0.logprobs",
            {**LOGPROBS, "text_offset": [-1]},
            "choices[0].logprobs.text_offset[0]",
            "minimum",
        ),
        ("usage", ..., "", "required"),
        ("usage", None, "usage", "type"),
        ("usage.total_tokens", ..., "usage", "required"),
        ("usage.prompt_tokens", "1", "usage.prompt_tokens", "type"),
    ],
)
def test_nonconforming_responses_are_invalid(
    contract: Contract, path: str, value: object, where: str, rule: str
) -> None:
    violations = contract.validate_completion(changed(respond(), path, value))
    assert (where, rule) in {(violation.path, violation.rule) for violation in violations}


@for_each_case(
    ("path", "value"),
    [
        ("choices", []),
        ("usage", None),
        ("usage", respond()["usage"]),
        ("choices.0.text", ""),
        ("choices.0.finish_reason", "length"),
        ("choices.0.finish_reason", ...),
        ("choices.0.logprobs", {array: [] for array in LOGPROBS}),
        ("obfuscation", "x7Kq"),
    ],
)
def test_conforming_chunks_are_valid(contract: Contract, path: str, value: object) -> None:
    assert contract.validate_chunk(chunk()) == ()
    assert contract.validate_chunk(changed(chunk(), path, value)) == ()


@for_each_case(
    ("path", "value", "where", "rule"),
    [
        ("object", "chat.completion.chunk", "object", "const"),
        ("id", ..., "", "required"),
        ("choices.0.text", ..., "choices[0]", "required"),
        ("choices.0.finish_reason", "", "choices[0].finish_reason", "enum"),
        ("usage", {}, "usage", "required"),
    ],
)
def test_nonconforming_chunks_are_invalid(
    contract: Contract, path: str, value: object, where: str, rule: str
) -> None:
    violations = contract.validate_chunk(changed(chunk(), path, value))
    assert (where, rule) in {(violation.path, violation.rule) for violation in violations}


def test_error_has_four_members_and_two_nullable(contract: Contract) -> None:
    error = {"message": "no such model", "type": "invalid_request_error", "param": None}
    assert contract.validate_error({"error": {**error, "code": None}}) == ()
    assert contract.validate_error({"error": {**error, "code": "model_not_found"}}) == ()
    assert contract.validate_error({"error": error})[0].message == "'code' is a required property"
    assert contract.validate_error({"detail": "no"})[0].rule == "required"
    assert contract.validate_error("<html>")[0].rule == "type"


@for_each_case(
    ("name", "value", "rule"),
    [
        ("prompt", ["text", 1], "anyOf"),
        ("max_tokens", -1, "minimum"),
        ("max_tokens", 1.0, "type"),
        ("temperature", 2.5, "maximum"),
        ("n", 129, "maximum"),
        ("best_of", 21, "maximum"),
        ("stop", ["1", "2", "3", "4", "5"], "maxItems"),
        ("logprobs", 6, "maximum"),
        ("logprobs", True, "type"),
        ("logit_bias", {"7": 101}, "maximum"),
        ("seed", 2**63, "maximum"),
        ("stream_options", {"include_usage": "yes"}, "type"),
    ],
)
def test_requests_that_openai_rejects(name: str, value: object, rule: str) -> None:
    body = {"model": "any", "prompt": "any", name: value}
    violations = load_contract("openai").validate_request(body)
    assert [violation.rule for violation in violations] == [rule]
    assert violations[0].path.startswith(name)


def test_long_body_gets_a_short_message() -> None:
    violation = load_contract("openai").validate_error(["x" * 10_000])[0]
    assert len(violation.message) <= 200


# ── overlays of one's own, and mistakes in them ──────────────────────────────────────────────────


def test_custom_overlay_is_a_contract(tmp_path: Path) -> None:
    path = overlay_file(tmp_path, f"  - target: {STOP}\n    update: {{maxItems: 16}}\n")
    contract = load_contract(path)
    assert (contract.name, contract.title, contract.document) == ("ours", "Ours", "ours")
    assert contract.parameter("stop").max_items == 16
    assert contract.why_not_in_force("stop.at-most-four") is None


def test_custom_overlay_can_inherit_a_documents_requirements(tmp_path: Path) -> None:
    equal = "best-of.equal-to-n-served"
    update = "  - target: $\n    update: {x-conformance: {document: openai}}\n"
    alone = overlay_file(tmp_path, f"  - target: {STOP}\n    remove: true\n")
    assert load_contract(alone).why_not_in_force(equal) == (
        "not in the ours contract (only openai and aocheng)"
    )
    assert load_contract(overlay_file(tmp_path, update)).why_not_in_force(equal) is None


def test_custom_overlay_can_remove_a_response_field(tmp_path: Path) -> None:
    usage = "$.components.schemas.Completion"
    actions = (
        f"  - target: {usage}.properties.usage\n    remove: true\n"
        f"  - target: {usage}.required[?@ == 'usage']\n    remove: true\n"
    )
    contract = load_contract(overlay_file(tmp_path, actions))
    assert contract.why_not_in_force("usage.present") == "ours does not document `usage`"
    assert contract.validate_completion(changed(respond(), "usage", ...)) == ()


def test_unknown_name_gets_the_known_ones() -> None:
    sentence = sentence_of("zhizeng")
    assert "unknown contract `zhizeng`" in sentence
    assert ", ".join(CONTRACTS) in sentence
    assert "path of an overlay file" in sentence


def test_folder_is_no_contract(tmp_path: Path) -> None:
    assert f"unknown contract `{tmp_path}` (it is a folder)" in sentence_of(str(tmp_path))


def test_missing_file_is_called_missing(tmp_path: Path) -> None:
    assert "`ours.yaml` (there is no such file)" in sentence_of("ours.yaml")
    assert "/ours` (there is no such file)" in sentence_of(str(tmp_path / "ours"))


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = overlay_file(tmp_path, "  - target: [\n")
    assert sentence_of(path).startswith(f"{path}, line ")
    assert "is not valid YAML" in sentence_of(path)


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    assert str(path) in sentence_of(str(path))


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (
            "  - target: $.nothing\n    remove: true\n",
            "action 1 (target $.nothing): selects nothing",
        ),
        (
            f"  - target: {STOP}\n    update: {{maxItems: four}}\n",
            "stop.maxItems an invalid schema",
        ),
        (
            f"  - target: {STOP}\n    update: {{x-promised: 1}}\n",
            "x-promised must be true or false",
        ),
        (
            f"  - target: {STOP}\n    update: {{x-default: none}}\n",
            "x-default has only one valid value",
        ),
        (
            f"  - target: {STOP}\n    update: {{x-documents: {{ours: 4}}}}\n",
            "x-documents must map",
        ),
        (
            "  - target: $\n    update: {x-conformance: {title: 7}}\n",
            "x-conformance.title must be a string",
        ),
        (
            "  - target: $\n    update: {x-conformance: {excludes: [stop.string]}}\n",
            "x-conformance.excludes must be a list",
        ),
        (
            f"  - target: $\n    update: {{x-conformance: {{excludes: [{UNKNOWN}]}}}}\n",
            "excludes the unknown requirement `stop.five`",
        ),
        (
            "  - target: $.components.schemas.Completion\n    remove: true\n",
            "is not a valid contract",
        ),
    ],
)
def test_overlay_mistake_is_reported_in_a_sentence(
    tmp_path: Path, actions: str, sentence: str
) -> None:
    path = overlay_file(tmp_path, actions)
    result = sentence_of(path)
    assert result.startswith(f"{path}: ")
    assert sentence in result
    assert "\n" not in result


def test_flat_errors_are_validated_without_an_envelope() -> None:
    flat, nested = load_contract("sglang"), load_contract("openai")
    members = {"message": "no", "type": "BadRequestError", "param": None, "code": 400}
    assert flat.has_flat_errors
    assert not nested.has_flat_errors
    assert flat.validate_error({"object": "error", **members}) == ()
    assert nested.validate_error({"error": members}) == ()
    (missing,) = flat.validate_error({**members, "message": ""})
    assert missing.path == "error.message"
