"""Constraints: whether a text follows what a request says that it has to follow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.refusals import REJECTED_STATUSES, minimal_request
from conformance.checks._shared.requests import (
    TWO_PROMPTS,
    choices_of,
    collect_stream,
    greedy,
)
from conformance.checks.structured_outputs.languages import Language
from conformance.checks.structured_outputs.stimuli import (
    ANY_OBJECT,
    ANY_OBJECT_LANGUAGE,
    CHOICE,
    CUT_TOKENS,
    FORMS,
    GRAMMAR,
    JSON_FORMS,
    JSON_TOKENS,
    OTHER_FORMS,
    READ_FORMS,
    REGEX,
    Form,
    request_of,
)
from conformance.judgement import Failure, Feature, NotApplicable, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice

FormCheck = Callable[[Api, Form], Awaitable[None]]


def check_of(
    forms: Iterable[Form],
    check_id: str,
    *,
    requirement: str = "followed",
    tier: str = "standard",
    needs: tuple[str, ...] = (),
    sees_effect: bool = True,
) -> Callable[[FormCheck], FormCheck]:
    """Register a check for each of the forms; ``{name}`` in its title is how sentences name it."""

    def register(function: FormCheck) -> FormCheck:
        for form in forms:
            check(
                f"{form.prefix}{check_id}",
                requirement=f"{form.prefix}{requirement}",
                tier=tier,
                needs=needs,
                sees_effect=sees_effect,
                made_from=(function,),
            )(_of_one(function, form))
        return function

    return register


def _of_one(function: FormCheck, form: Form) -> Callable[[Api], Awaitable[None]]:
    async def of_one(api: Api) -> None:
        await function(api, form)

    of_one.__doc__ = (function.__doc__ or "").replace("{name}", form.title)
    of_one.__module__ = function.__module__
    return of_one


@check_of(FORMS, "followed")
async def the_text_follows(api: Api, form: Form) -> None:
    """With `{name}`, the whole text is one that the constraint allows.

    设置 `{name}` 时，整段文本是约束所允许的。
    """
    completion = (await api.complete(**request_of(api, form))).expect_ok()
    assert_follows(completion.only, form.kind.language)


async def a_stream_follows(api: Api, form: Form) -> None:
    """With `{name}`, the whole text of a stream is one that the constraint allows.

    设置 `{name}` 时，流式响应的整段文本是约束所允许的。
    """
    stream = await api.stream(**request_of(api, form))
    assert_follows(collect_stream(stream).only, form.kind.language)


check_of(JSON_FORMS, "followed-in-a-stream", needs=("stream",))(a_stream_follows)
check_of(OTHER_FORMS, "followed-in-a-stream", needs=("stream",), tier="deep")(a_stream_follows)


@check_of(FORMS, "followed-by-every-choice", needs=("n",), tier="deep")
async def every_choice_follows(api: Api, form: Form) -> None:
    """With `{name}`, every choice of a sampled batch is a text that the constraint allows.

    设置 `{name}` 时，采样批次中每个 choice 都是约束所允许的文本。
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    request = request_of(api, form, prompt=TWO_PROMPTS, temperature=1, n=2)
    completion = (await api.complete(**request)).expect_ok()
    for choice in choices_of(completion, 2 * len(TWO_PROMPTS), Feature.N_CHOICES):
        assert_follows(choice, form.kind.language)


@check_of(FORMS, "followed-in-chinese", tier="deep")
async def chinese_text_follows(api: Api, form: Form) -> None:
    """With a `{name}` of Chinese characters, the text is one that the constraint allows.

    `{name}` 含中文字符时，文本是约束所允许的。
    """
    request = {**request_of(api, form), **form.sends(api, form.kind.chinese)}
    completion = (await api.complete(**request)).expect_ok()
    assert_follows(completion.only, form.kind.chinese_language)


@check_of(JSON_FORMS, "followed-until-the-limit", tier="deep")
async def a_cut_text_is_a_beginning(api: Api, form: Form) -> None:
    """Cut at two tokens, the text with `{name}` is a beginning, and its finish_reason is `length`.

    在两个 token 处截断时，带 `{name}` 的文本是开头部分，finish_reason 为 `length`。
    """
    request = request_of(api, form, max_tokens=CUT_TOKENS)
    choice = (await api.complete(**request)).expect_ok().only
    assert_follows(choice, form.kind.language)


@check(
    "response-format.object-followed",
    requirement="response-format.object-followed",
    sees_effect=True,
    tier="deep",
)
async def the_text_is_an_object(api: Api) -> None:
    """A completion with a `response_format` of `json_object` is a JSON object.

    `response_format` 为 `json_object` 时，补全是 JSON 对象。
    """
    request = greedy("A fruit as JSON:", max_tokens=JSON_TOKENS, **ANY_OBJECT)
    completion = (await api.complete(**request)).expect_ok()
    assert_follows(completion.only, ANY_OBJECT_LANGUAGE)


async def the_unreadable_is_rejected(api: Api, form: Form) -> None:
    """A `{name}` that cannot be read is rejected, and the next request is served.

    无法解析的 `{name}` 会被拒绝，下一个请求仍得到响应。
    """
    (await api.complete(**request_of(api, form))).expect_ok()
    broken = form.sends(api, form.kind.broken)
    (await api.complete(**minimal_request(**broken))).expect_error(*REJECTED_STATUSES)
    (await api.complete(fresh=True, **minimal_request())).expect_ok()


check_of(JSON_FORMS, "unreadable-refused", requirement="unreadable-refused", sees_effect=False)(
    the_unreadable_is_rejected
)
check_of(
    READ_FORMS,
    "unreadable-refused",
    requirement="unreadable-refused",
    sees_effect=False,
    tier="deep",
)(the_unreadable_is_rejected)


@check("structured-outputs.two-refused", requirement="structured-outputs.one-kind", tier="deep")
async def two_members_are_rejected(api: Api) -> None:
    """Two kinds of constraint in `structured_outputs` are rejected.

    `structured_outputs` 中给出两种约束时会被拒绝。
    """
    (await api.complete(**minimal_request(structured_outputs={"choice": ["red"]}))).expect_ok()
    two = {"choice": CHOICE.source, "regex": REGEX.source}
    wrong = await api.complete(**minimal_request(structured_outputs=two))
    wrong.expect_error(*REJECTED_STATUSES)


@check("regex.two-refused", requirement="regex.one-kind", needs=("ebnf",), tier="deep")
async def two_parameters_are_rejected(api: Api) -> None:
    """`regex` together with `ebnf` is rejected.

    同时给出 `regex` 与 `ebnf` 时会被拒绝。
    """
    (await api.complete(**minimal_request(regex=REGEX.source))).expect_ok()
    wrong = await api.complete(**minimal_request(regex=REGEX.source, ebnf=GRAMMAR.source))
    wrong.expect_error(*REJECTED_STATUSES)


@check("structured-outputs.old-name-not-dropped", requirement="structured-outputs.old-names")
async def an_old_name_is_not_dropped(api: Api) -> None:
    """`guided_choice`, which was removed, is followed or rejected, not dropped.

    已移除的 `guided_choice` 要么生效，要么被拒绝，而不是被丢弃。
    """
    request = greedy(guided_choice=CHOICE.source)
    response = await api.complete(**request)
    if response.status in REJECTED_STATUSES:
        response.expect_error(*REJECTED_STATUSES)
        return
    assert_follows(response.expect_ok().only, CHOICE.language)


def assert_follows(choice: Choice, language: Language) -> None:
    """Assert that a text is allowed; where the limit cut it off, that it begins as one does.

    Raises:
        NotApplicable: the limit ended it before anything but whitespace was written. JSON may begin
            so, and Fireworks warns of it.
    """
    if choice.finish_reason == "length":
        if language.begins(choice.text) and not choice.text.strip():
            raise NotApplicable(say("nothing but whitespace was written before the limit"))
        if language.begins(choice.text):
            return
        wanted = say("the beginning of a text such as {example}", example=shown(language.example))
    else:
        if language.allows(choice.text):
            return
        wanted = say("a text such as {example}", example=shown(language.example))
    raise Failure(
        wanted,
        say(
            "{text} with finish_reason {reason}",
            text=shown(choice.text),
            reason=shown(choice.finish_reason),
        ),
        effect=Effect.ALTERED if language.begins(choice.text) else Effect.IGNORED,
    )
