"""Acme's requirements for its completions gateway, beyond the vendors' documents."""

from conformance.api import Api
from conformance.checks import check, invariant
from conformance.judgement import expect
from conformance.message import say
from conformance.protocol.trace import RecordedExchange

ORDER = '{"order": 7, "items": ["tea", "茶"], "paid": true}'


@check("acme.json-echoed", requirement="acme.json-unchanged", tier="smoke", needs=("echo",))
async def json_is_echoed(api: Api) -> None:
    """A JSON prompt is echoed unchanged before the completion.

    JSON 格式的 prompt 原样回显在补全内容之前。
    """
    response = await api.complete(prompt=ORDER, echo=True, max_tokens=1)
    expect(response.expect_ok().text, say("the text")).starts_with(ORDER)


@invariant("acme.model-everywhere", requirement="acme.model-as-asked")
def every_response_names_the_requested_model(exchange: RecordedExchange) -> None:
    """Every response names the model exactly as its request did.

    每个响应中的模型名都与请求中的完全一致。
    """
    expect(exchange.completion.raw.get("model"), "model").equals(exchange.request.raw.get("model"))
