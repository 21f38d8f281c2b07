"""The summary sentence, states and unverified requirements."""

from dataclasses import replace

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.language import Text
from conformance.model import Conclusion, Cost, Effect, Exchange, Finding, Place, Stage, State
from conformance.report.locale.terms import duration, listed, listing, size
from conformance.report.summary import Summary
from conformance.report.summary_rows import Gap, origin
from tests.report.builders import (
    a_failure,
    a_finding,
    a_requirement,
    a_run,
    a_subject,
    an_exchange,
)


def test_conforming_run_has_one_sentence() -> None:
    summary = Summary(a_run(a_finding()))
    assert summary.headline.en == "Conforming"
    assert summary.sentence.en == (
        "Supports 1 of 1 documented parameter as promised. No failures in 1 check."
    )


def test_ignored_parameter_is_named() -> None:
    subjects = (a_subject("stop"), a_subject("echo"))
    run = a_run(a_failure("echo.returned", subject="echo"), a_finding(), subjects=subjects)
    assert Summary(run).sentence.en == (
        "Supports 1 of 2 documented parameters as promised; silently ignores `echo`. "
        "1 of 2 checks failed."
    )


def test_incorrect_response_field_is_named_separately() -> None:
    subjects = (a_subject("stop"), a_subject("usage.total_tokens", kind="field"))
    run = a_run(a_failure(subject="usage.total_tokens"), subjects=subjects)
    assert Summary(run).sentence.en.count("Incorrect response fields: `usage.total_tokens`.") == 1


def test_many_untested_parameters_are_counted() -> None:
    names = ("a", "b", "c", "d", "e")
    few = a_run(a_finding(), subjects=tuple(map(a_subject, ("stop", *names[:2]))))
    many = a_run(a_finding(), subjects=tuple(map(a_subject, ("stop", *names))))
    assert "`a` and `b` not tested" in Summary(few).sentence.en
    assert "5 not tested" in Summary(many).sentence.en


def test_inconclusive_findings_are_mentioned() -> None:
    summary = Summary(a_run(a_finding(), a_finding("stop.other", "inconclusive")))
    assert summary.headline.en == "Inconclusive"
    assert summary.sentence.en.startswith("1 of 2 checks inconclusive")


SPENT = "budget spent: 5 requests were allowed"


def test_limited_run_says_how_little_was_judged() -> None:
    open_checks = [a_finding(f"echo.{n}", "skipped", message=SPENT) for n in range(9)]
    summary = Summary(a_run(a_finding(), *open_checks))
    assert summary.headline == Text(
        "No deviation in 1 of 10 checks", "10 项检查中的 1 项未发现偏差"
    )
    limit = "9 checks not run, because the limit of requests or tokens was reached."
    assert summary.sentence.en.endswith(f"No failures in 1 check. {limit}")
    assert "9 项检查没有运行" in summary.sentence.zh


def test_limited_run_that_fails_is_called_so() -> None:
    summary = Summary(a_run(a_failure(), a_finding("echo.a", "skipped", message=SPENT)))
    assert summary.headline.en == "Not conforming"
    assert "1 check not run" in summary.sentence.en


def test_selection_is_named_and_counts_no_untested() -> None:
    subjects = tuple(map(a_subject, ("stop", "echo", "n", "seed", "user", "model")))
    passed = Summary(a_run(a_finding(), subjects=subjects, select=("stop.*",)))
    assert passed.headline.en == "Conforming in the selected checks"
    assert passed.sentence.en == (
        "Supports 1 of 1 tested parameters as promised. No failures in 1 check. "
        "Only checks that match `stop.*` ran."
    )
    failed = Summary(a_run(a_failure(), subjects=subjects, select=("stop.*",)))
    assert failed.headline.en == "Not conforming"
    assert "of 6" not in failed.sentence.en
    assert "not tested" not in failed.sentence.en


def test_run_for_a_client_names_it() -> None:
    run = a_run(a_finding(), select=("stop.*",), profiles=("lm-eval",))
    sentence = Summary(run).sentence
    assert sentence.en.endswith("Only what `lm-eval` needs was tested.")
    assert "stop.*" not in sentence.en


def test_accepted_parameters_count_neither_way() -> None:
    subjects = tuple(map(a_subject, ("stop", "echo", "n")))
    accepted = a_finding("echo.a", sees_effect=False)
    both = Summary(a_run(a_finding(), accepted, subjects=subjects[:2])).sentence
    assert both.en.startswith("Supports 1 of 1 verified parameter as promised; accepts `echo`")
    assert both.zh.startswith("已验证的 1 个参数中有 1 个符合契约；接受 `echo`")
    alone = Summary(a_run(accepted, subjects=subjects[:2])).sentence
    assert alone.en.startswith("Accepts `echo` (effect not verified); `stop` not tested.")
    assert "0" not in alone.en.partition(".")[0]


def test_stage_is_a_selection() -> None:
    summary = Summary(a_run(a_finding(), stage=Stage.DIRECTED))
    assert summary.headline.en == "Conforming in the selected checks"


def test_every_claim_leads_to_its_evidence() -> None:
    subjects = (a_subject(), a_subject("id", kind="field"))
    failures = (a_failure(), a_failure("id.present", subject="id"))
    claims = Summary(a_run(*failures, subjects=subjects, select=("stop.*", "id"))).claims
    assert [claim.place for claim in claims] == ["parameters", "fields", "findings", "not-verified"]


def test_failed_preflight_lists_no_parameters() -> None:
    run = a_run(conclusion=Conclusion.UNDECIDED, reason="the API key was refused with 401")
    assert Summary(run).sentence.en == "Preflight failed; no checks were run."
    assert Summary(run).because.en == "the API key was refused with 401"


def test_incomplete_run_makes_no_further_claims() -> None:
    run = a_run(a_finding(), exchanges=(an_exchange(),), incomplete=True)
    summary = Summary(run)
    assert summary.headline.en == "Incomplete"
    assert summary.sentence.en.startswith("The run ended early, after 1 check.")
    assert summary.cost_in_words.en == "1 request recorded, tokens not totalled"
    assert summary.elapsed == 0.75


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(2, 10, 5, 0), "2 requests, 15 tokens (10 prompt, 5 generated)"),
        (
            Cost(1, 2, 0, 3),
            ("1 request, at most 5 tokens (2 prompt, 0 generated, up to 3 without reported usage)"),
        ),
        (Cost(1, 0, 0, 40), "1 request, at most 40 tokens (no usage reported)"),
        (Cost(1, 0, 0, 0), "1 request, 0 tokens"),
    ],
)
def test_usage_distinguishes_known_values_and_limits(cost: Cost, words: str) -> None:
    run = a_run(a_finding())
    assert run.footer is not None
    assert Summary(replace(run, footer=replace(run.footer, cost=cost))).cost_in_words.en == words


@pytest.mark.parametrize(("sent", "told"), [(11, "5 requests, "), (12, "5 requests (11 of them")])
def test_repeats_are_told_if_they_are_many(sent: int, told: str) -> None:
    run = a_run(exchanges=tuple(an_exchange(f"x{number}") for number in range(sent)))
    assert run.footer is not None
    footer = replace(run.footer, cost=Cost(5, 2, 0))
    assert Summary(replace(run, footer=footer)).cost_in_words.en.startswith(told)


def test_strict_runs_count_warnings_as_failures() -> None:
    warned = a_finding("stop.lesser", "warn")
    assert Summary(a_run(warned)).sentence.en.endswith("No failures in 1 check. 1 warning.")
    assert Summary(a_run(warned, strict=True)).sentence.en.endswith("1 of 1 check failed.")


def test_unverified_requirements_have_reasons() -> None:
    requirements = tuple(map(a_requirement, ("stop.at-most-four", "echo.returned", "seed.repeats")))
    run = a_run(
        a_finding("stop.one", "skipped", message="the token budget is spent"),
        a_finding("stop.two", "skipped", message="the token budget is spent"),
        a_finding("echo.one", "inconclusive", message="answered 503", requirement="echo.returned"),
        requirements=requirements,
    )
    unsure, skipped, unreached = Summary(run).gaps
    assert by_words(unsure) == {"answered 503": ("echo.one",)}
    assert by_words(skipped) == {"the token budget is spent": ("stop.one", "stop.two")}
    assert unreached.left_open == ("seed.repeats",)


def by_words(gap: Gap) -> dict[str, tuple[str, ...]]:
    return {reason.en: names for reason, names in gap.reasons.items()}


def test_failing_areas_and_checks_come_first() -> None:
    keys = ("echo.returned", "seed.repeats", "stop.at-most-four")
    requirements = tuple(map(a_requirement, keys))
    run = a_run(
        a_finding("echo.one", requirement="echo.returned"),
        a_finding("seed.one", "warn", requirement="seed.repeats"),
        a_finding("stop.a"),
        a_failure("stop.b"),
        requirements=requirements,
    )
    first, second, third = Summary(run).areas
    assert [finding.id for finding in first.findings] == ["stop.b", "stop.a"]
    assert [second.name, third.name] == ["seed", "echo"]


def test_rejected_documented_parameter_is_refused() -> None:
    (row,) = Summary(a_run(a_failure(effect=Effect.REFUSED))).rows
    assert row.state is State.REFUSED


@pytest.mark.parametrize(
    ("served", "sentence"),
    [
        (a_finding("stop.null", sees_effect=False), "refuses `stop`"),
        (a_finding("stop.string"), "refuses some uses of `stop`"),
    ],
)
def test_null_is_no_use_of_a_refused_parameter(served: Finding, sentence: str) -> None:
    refused = a_finding("stop.array", "refused", message="refused with 400: no")
    assert sentence in Summary(a_run(served, refused)).sentence.en


def test_served_invalid_value_is_no_altered_one() -> None:
    served = a_failure("stop.five-refused", effect=Effect.ALTERED, place=Place.SERVED)
    assert "accepts invalid values of `stop`" in Summary(a_run(served)).sentence.en
    text = a_failure("stop.string", effect=Effect.ALTERED)
    assert "alters `stop`" in Summary(a_run(served, text)).sentence.en


def test_sentence_exists_in_chinese() -> None:
    subjects = (a_subject("stop"), a_subject("echo"), a_subject("usage", kind="field"))
    failures = (a_failure("echo.returned", subject="echo"), a_failure("usage.a", subject="usage"))
    summary = Summary(a_run(*failures, a_finding(), subjects=subjects))
    assert summary.sentence.zh == (
        "文档所列的 2 个参数中有 1 个符合契约；忽略 `echo` 且不报错。"
        "有误的响应字段：`usage`。3 项检查中有 2 项未通过。"
    )
    assert summary.cost_in_words.zh == "118 次请求，14,210 个 token（输入 9,800，输出 4,410）"


def usage_of(prompt: list[int], counted: int) -> Exchange:
    usage = {"prompt_tokens": counted, "completion_tokens": 1, "total_tokens": counted + 1}
    return an_exchange(request={"model": "m", "prompt": prompt}, body={"usage": usage})


def test_incorrect_usage_is_quantified() -> None:
    wrong = a_failure("usage.x", requirement="usage.prompt-grows-with-text", subject="usage")
    exchanges = (usage_of([5, 6, 7, 8], 10), usage_of([9], 4), an_exchange())
    result = Summary(a_run(wrong, exchanges=exchanges)).sentence
    assert (
        "Incorrect usage: prompt tokens overreported by 180 % (14 reported, 5 counted)."
        in result.en
    )
    assert "用量有误：输入 token 多报 180%（上报 14，实际 5）。" in result.zh
    assert "Incorrect usage" not in Summary(a_run(a_finding(), exchanges=exchanges)).sentence.en


def test_uncountable_usage_is_not_reported() -> None:
    wrong = a_failure("usage.x", requirement="usage.prompt-grows-with-text", subject="usage")
    for usage in (None, {"prompt_tokens": True}, {"prompt_tokens": -4}, {"prompt_tokens": "9"}):
        exchange = an_exchange(request={"prompt": [1, 2]}, body={"usage": usage})
        assert "Incorrect usage" not in Summary(a_run(wrong, exchanges=(exchange,))).sentence.en
    in_words = an_exchange(request={"prompt": "a b"}, body={"usage": {"prompt_tokens": 9}})
    assert "Incorrect usage" not in Summary(a_run(wrong, exchanges=(in_words,))).sentence.en


def test_underreported_tokens_are_reported() -> None:
    wrong = a_failure("usage.y", requirement="usage.completion-at-limit", subject="usage")
    result = Summary(a_run(wrong, exchanges=(cut_at_eight(8, stated=8),))).sentence.en
    assert "completion tokens underreported by 50 % (8 reported, 16 counted)." in result


def cut_at_eight(tokens: int | None, *, stated: int) -> Exchange:
    """Two choices that a limit of 8 ended, which list so many tokens each."""
    scores = None if tokens is None else {"tokens": ["a"] * tokens}
    choices = [{"finish_reason": "length", "logprobs": scores}] * 2
    body = {"choices": choices, "usage": {"completion_tokens": stated}}
    return an_exchange(request={"prompt": "a", "max_tokens": 8, "n": 2}, body=body)


@pytest.mark.parametrize("tokens", [None, 30, 7])
def test_limit_alone_counts_no_tokens(tokens: int | None) -> None:
    wrong = a_failure("usage.y", requirement="usage.completion-at-limit", subject="usage")
    exchanges = (cut_at_eight(tokens, stated=60), cut_at_eight(8, stated=16))
    assert "Incorrect usage" not in Summary(a_run(wrong, exchanges=exchanges)).sentence.en


def test_start_token_is_no_wrong_bill() -> None:
    wrong = a_failure("usage.x", requirement="usage.prompt-grows-with-text", subject="usage")
    exchanges = (usage_of([5, 6, 7, 8], 5), usage_of([9], 2))
    assert "Incorrect usage" not in Summary(a_run(wrong, exchanges=exchanges)).sentence.en


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0421, "42 ms"), (41.23, "41.2 s"), (200.4, "3 min 20 s")]
)
def test_durations_have_suitable_precision(seconds: float, words: str) -> None:
    assert duration(seconds).en == words


def test_sizes_and_lists_are_readable() -> None:
    assert [size(999), size(2_700), size(5_000_000)] == ["999 B", "2.7 kB", "5.0 MB"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert listed(["a", "b", "c"], 3) == "a, b and c"
    assert listing(["a", "b", "c", "d"], 3) == Text("a, b and 2 more", "a、b 等 4 个")
    assert listing(["a", "b", "c"]).zh == "a、b 和 c"


def test_counted_names_have_no_space_in_chinese() -> None:
    subjects = tuple(a_subject(f"p{n}") for n in range(8))
    unclear = [a_finding(f"{s.name}.a", "inconclusive", subject=s.name) for s in subjects]
    subjects += (a_subject("stop"),)
    assert "等 8 个不明确" in Summary(a_run(*unclear, a_finding(), subjects=subjects)).sentence.zh


@pytest.mark.parametrize("name", CONTRACTS)
def test_own_document_is_the_first_origin(name: str) -> None:
    contract = load_contract(name)
    says = {subject.name: subject.says for subject in contract.subjects}
    for requirement in contract.requirements.values():
        stated = {source.document: source.says for source in requirement.sources}
        found = origin(requirement, contract.document, contract.subjects)
        assert found.document == name
        assert [words.en for words in found.own] == ([stated[name]] if name in stated else [])
        assert [source.document for source in found.others] == [d for d in stated if d != name]
        if not found.own:
            related = says.get(requirement.subject, {}).get(name)
            assert (found.related.en if found.related else None) == related
            assert found.others, f"nobody states {requirement.id}"


def test_reference_cost_is_distinguished() -> None:
    run = a_run(a_failure())
    assert run.footer is not None
    request = replace(run, footer=replace(run.footer, reference_cost=Cost(3, 40, 5, 0)))
    assert Summary(run).reference_cost_in_words is None
    words = Summary(request).reference_cost_in_words
    assert words == Text(
        "3 requests, 45 tokens (40 prompt, 5 generated)",
        "3 次请求，45 个 token（输入 40，输出 5）",
    )
    assert Summary(request).cost_in_words == Summary(run).cost_in_words
    assert Summary(replace(run, footer=None)).reference_cost_in_words is None


def test_unclear_parameters_are_not_counted() -> None:
    subjects = (a_subject("stop"), a_subject("echo"))
    unsure = a_finding("echo.returned", "inconclusive", subject="echo")
    run = a_run(unsure, a_finding(), subjects=subjects)
    assert "Supports 1 of 1 tested parameters as promised; `echo` unclear." in (
        Summary(run).sentence.en
    )
