"""What Acme asks of its completions gateway beyond the documents."""

from conformance.answered import Answered
from conformance.api import Api
from conformance.checks import check, invariant
from conformance.judgement import expect

ORDER = '{"order": 7, "items": ["tea", "茶"], "paid": true}'


@check("acme.json-echoed", requirement="acme.json-unchanged", tier="smoke", needs=("echo",))
async def json_is_echoed(api: Api) -> None:
    """A prompt in JSON comes back unchanged before the answer.

    JSON 格式的 prompt 会原样出现在响应之前。
    """
    reply = await api.complete(prompt=ORDER, echo=True, max_tokens=1)
    expect(reply.expect_ok().text, "the text").starts_with(ORDER)


@invariant("acme.model-everywhere", requirement="acme.model-as-asked")
def every_answer_names_the_model_that_was_asked(answer: Answered) -> None:
    """Every answer of the run names the model just as its request did.

    本次运行中的每个响应都与其请求写着同样的模型名。
    """
    expect(answer.completion.raw.get("model"), "model").equals(answer.asked.raw.get("model"))
