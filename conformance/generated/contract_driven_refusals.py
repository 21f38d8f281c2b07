"""What the contract forbids: requests with one drawn thing wrong are refused, and properly so.

All of these checks ask the same requests, which cost nothing where they are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from conformance.answers import REFUSALS, Reply
from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.error_bodies import LEAK, assert_no_error_inside
from conformance.checks._shared.refusals import as_rejected
from conformance.generated.bodies_wrong import Wrong
from conformance.generated.contract_driven import is_served
from conformance.generated.contract_driven_requests import (
    DEEP,
    Declined,
    hold_unbroken,
    right,
    show_last,
    told,
    wrong,
)
from conformance.generated.schema_judging import TYPE, hold, hold_refusal
from conformance.judgement import Deviation, Inconclusive, Judgement, NotApplicable, expect, shown
from conformance.model import Credentials


@check("schema.wrong-type-refused", requirement="errors.wrong-type-refused", **DEEP)
async def values_of_wrong_types_are_refused(api: Api) -> None:
    """Drawn values of wrong types are refused.

    抽取的类型错误的值会被拒绝。
    """
    hold_all(api, await wrong(api, Wrong.TYPE), hold_not_served)


@check("schema.out-of-range-refused", requirement="errors.bad-input-is-400", **DEEP)
async def values_out_of_range_are_refused(api: Api) -> None:
    """Drawn values beyond a documented limit are refused with 400 itself.

    抽取的超出文档所定上下限的值以 400 拒绝。
    """

    def judge(reply: Reply) -> None:
        hold_not_served(reply)
        expect(as_rejected(reply).status, "status").equals(400)

    hold_all(api, await wrong(api, Wrong.RANGE), judge)


@check("schema.model-required", requirement="model.required", **DEEP)
async def a_model_has_to_be_named(api: Api) -> None:
    """A request without the model that the contract requires is refused.

    缺少契约所要求的 model 的请求会被拒绝。
    """
    hold_all(api, await wrong(api, Wrong.MODEL), hold_not_served)


@check("schema.not-json-refused", requirement="errors.malformed-json", **DEEP)
async def bodies_that_are_no_json_are_refused(api: Api) -> None:
    """Drawn bytes that are no JSON are refused.

    抽取的非 JSON 字节会被拒绝。
    """
    hold_all(api, await wrong(api, Wrong.JSON), hold_not_served)


@check("schema.no-server-fault", requirement="errors.bad-input-no-server-fault", **DEEP)
async def nothing_wrong_breaks_the_server(api: Api) -> None:
    """Nothing that is drawn against the contract is a server fault each time that it is sent.

    违反契约的抽取请求，不会每次发送都引起服务器错误。
    """
    await hold_unbroken(api, [(one.request.raw, one.reply) for one in await wrong(api)])


@check("schema.errors-never-as-success", requirement="errors.never-as-success", **DEEP)
async def no_error_comes_as_success(api: Api) -> None:
    """What is drawn against the contract is not answered by an error under status 200.

    违反契约的抽取请求，不会得到状态码 200 之下的错误。
    """
    hold_all(api, await wrong(api), assert_no_error_inside)


@check("schema.refusals-readable", requirement="errors.envelope", **DEEP)
async def refusals_say_why(api: Api) -> None:
    """Refusals of what is drawn against the contract are JSON documents with a message.

    对违反契约的抽取请求的拒绝，都是带有 message 的 JSON 文档。
    """

    def judge(reply: Reply) -> None:
        _ = as_rejected(reply).message

    hold_all(api, await refusals(api), judge)


@check("schema.refusals-fit", requirement="errors.four-members", **DEEP)
async def refusals_fit_the_schema(api: Api) -> None:
    """Refusals of what is drawn against the contract fit its schema of an error.

    对违反契约的抽取请求的拒绝，符合契约中错误的 schema。
    """
    hold_all(api, await refusals(api), lambda reply: hold_refusal(reply, api))


@check("schema.refusals-announced", requirement="errors.content-type", **DEEP)
async def refusals_are_announced_as_json(api: Api) -> None:
    """Refusals of what is drawn against the contract have the content type `application/json`.

    对违反契约的抽取请求的拒绝，其内容类型为 `application/json`。
    """
    hold_all(api, await refusals(api), lambda reply: hold(reply, api, TYPE))


@check("schema.refusals-leak-nothing", requirement="errors.no-leak", **DEEP)
async def refusals_give_nothing_away(api: Api) -> None:
    """Refusals of what is drawn against the contract show nothing internal.

    对违反契约的抽取请求的拒绝，不泄露任何内部信息。
    """

    def judge(reply: Reply) -> None:
        text = reply.exchange.body.decode("utf-8", errors="replace")
        found = LEAK.search(text.replace('\\"', '"').replace("\\n", "\n"))
        if found is not None:
            raise Deviation("an error without addresses, keys and traces", shown(found[0]))

    answers = await wrong(api)
    hold_all(api, [one for one in answers if (one.reply.exchange.status or 0) >= 400], judge)


@check(
    "schema.streams-refused-alike",
    requirement="errors.stream-refused-as-json",
    needs=("stream",),
    **DEEP,
)
async def streams_are_refused_like_plain_answers(api: Api) -> None:
    """A drawn request that is refused is refused alike when it asks for a stream.

    抽取的请求若被拒绝，要求流式时也以同样的方式拒绝。
    """
    streamed = [one for one in await wrong(api) if one.request.streams]
    for one in streamed[:1]:
        body = json.loads(one.request.raw) | {"stream": False}
        plainly = as_rejected(await api.post(body))

        def judge(reply: Reply, wanted: int = plainly.status) -> None:
            expect(reply.expect_error(*REFUSALS).status, "status of the refused stream").equals(
                wanted
            )
            _ = as_rejected(reply).message

        hold_all(api, [one], judge)


@check("schema.key-required", requirement="auth.missing-key", **DEEP)
async def the_key_of_the_contract_is_required(api: Api) -> None:
    """A drawn request without the key that the contract's security asks for is refused with 401.

    缺少契约安全要求所规定的密钥的抽取请求，以 401 拒绝。
    """
    (await presented(api, Credentials.NONE)).expect_error(401)


@check("schema.key-looked-at", requirement="auth.wrong-key", **DEEP)
async def the_key_of_the_contract_is_looked_at(api: Api) -> None:
    """A drawn request with a key that was never issued is refused with 401 or 403.

    使用从未签发的密钥的抽取请求，以 401 或 403 拒绝。
    """
    (await presented(api, Credentials.WRONG)).expect_error(401, 403)


async def presented(api: Api, credentials: Credentials) -> Reply:
    """Send a drawn request that was served, with no key or a wrong one.

    Raises:
        NotApplicable: the contract or the run knows no key, or nothing was served with it.
    """
    if not (api.has_key and api.contract.openapi.get("security")):
        raise NotApplicable("the run presents no key of its own, so there is none to ask for")
    served = [one.body for one in await right(api) if is_served(one.reply)]
    if not served:
        raise NotApplicable("none of the drawn requests was served")
    return await api.post(served[0], credentials=credentials)


async def refusals(api: Api) -> list[Declined]:
    """Return what was refused."""
    return [one for one in await wrong(api) if one.reply.exchange.status in REFUSALS]


def hold_not_served(reply: Reply) -> None:
    """Hold that a wrong request is declined; other answers than a completion are judged apart.

    Raises:
        Inconclusive: there was no answer, or it was a 429.
    """
    if reply.status == 429:
        raise Inconclusive("answered 429")
    if is_served(reply):
        raise Deviation("status 4xx", "status 200, as if nothing were wrong with the request")


def hold_all(api: Api, answers: Iterable[Declined], judge: Callable[[Reply], None]) -> None:
    """Judge each answer; one that says nothing of its request is passed over.

    Raises:
        Deviation: told of the request that shows it, in which one thing is wrong.
        Inconclusive, NotApplicable: no answer could be judged.
    """
    doubt: Judgement = NotApplicable("none of the drawn requests was refused")
    judged = 0
    for one in answers:
        try:
            judge(one.reply)
            judged += 1
        except Deviation as found:
            show_last(api, one.request.raw)
            raise told(found, one.request.raw) from None
        except (Inconclusive, NotApplicable) as unclear:
            doubt = unclear
    if not judged:
        raise doubt
