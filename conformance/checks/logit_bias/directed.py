"""``logit_bias``: what is added to the logits of single tokens before one is sampled."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.refusals import (
    above,
    below,
    minimal_request,
)
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.token_ids import (
    FORCED_TOKENS,
    ONE_ID,
    OTHER_ID,
    banning,
    forced_choice,
    natural_token,
    repeated_piece,
)
from conformance.evidence import Evidence, noted
from conformance.judgement import Failure, expect
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice


@check("logit-bias.forces", requirement="logit-bias.forces", sees_effect=True)
async def a_bias_of_100_forces_a_token(api: Api) -> None:
    """A token with a bias of 100 fills the text; another token gives another text.

    强制某个 token 时文本全由它组成，强制另一个时则全由另一个组成。
    """
    one, other = await forced_choice(api, ONE_ID), await forced_choice(api, OTHER_ID)
    # The same text for both means that the bias has no effect.
    expect(
        one.text, say("text with token {token} forced", token=ONE_ID), effect=Effect.IGNORED
    ).differs_from(other.text)
    assert_one_fragment(one)
    assert_one_fragment(other)


@check("logit-bias.bans", requirement="logit-bias.bans", sees_effect=True)
async def a_bias_of_minus_100_bans_a_token(api: Api) -> None:
    """A token that would be sampled next is not generated when it is banned.

    接下来本会采样到的 token，被禁之后不再出现。

    A second token is banned before it, so that using only the first entry does not suffice.
    """
    with noted() as made:
        prompt, fragment, token = await natural_token(api)
    banned = await non_streaming(api, prompt, max_tokens=1, logit_bias=banning(token))
    what = say("text with {piece} banned", piece=repr(fragment))
    try:
        expect(banned.text, what, effect=Effect.IGNORED).differs_from(fragment)
    except Failure as failure:
        # Which token the banned id is, the echo of ids has said.
        raise failure.shown_by(Evidence((banned.exchange,), tuple(made[:1]))) from None


@check("logit-bias.ends-served", requirement="logit-bias.forces", tier="deep")
async def both_ends_of_the_range_are_served(api: Api) -> None:
    """The lowest and the highest documented bias are accepted in one request.

    文档允许的最低与最高偏置在同一请求中会被接受。
    """
    bias = {str(ONE_ID): below(api, "logit_bias", 0), str(OTHER_ID): above(api, "logit_bias", 0)}
    (await api.complete(**minimal_request(logit_bias=bias))).expect_ok()


def assert_one_fragment(choice: Choice) -> None:
    """Assert that the text of a forced token is one fragment, again and again."""
    expect(choice.text, say("text with one token forced")).satisfies(
        lambda it: repeated_piece(it) is not None,
        say("one fragment, {forced_tokens} times", forced_tokens=FORCED_TOKENS),
    )
