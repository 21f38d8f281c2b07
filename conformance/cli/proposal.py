"""``--contract auto``: ask an endpoint which server it is, and propose a contract.

It never decides: a contract is what someone holds an endpoint to, and an endpoint that could choose
its own would choose the mildest.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.options import DEFAULT_CONTRACT
from conformance.cli.single_target import RunRequest, named_endpoint
from conformance.contract import load_contract
from conformance.engine.notes import proposals_for
from conformance.engine.reachability import reach
from conformance.language import Language, Text, join_texts
from conformance.model import ExitCode, Target
from conformance.protocol.recognition import Proposal
from conformance.report.locale.finding_text import finding_text
from conformance.report.sanitize import cut, line
from conformance.transport import gate

MAX_LINE_CHARS = 400
CONTRACT_OPTION = "--contract"


def propose(request: RunRequest, words: Sequence[str], language: Language) -> ExitCode:
    """Print which contracts fit an endpoint, why, and the command that runs the best one.

    Args:
        request: the endpoint as typed.
        words: the words of the command line, which the command repeats.
        language: the language.

    Returns:
        ``PROPOSED``, or ``UNDECIDED`` if the endpoint does not answer and says nothing of itself.

    Raises:
        UsageError, UserError: the endpoint is not fully named.
    """
    contract = load_contract(DEFAULT_CONTRACT)
    if request.base_url is None:
        raise UserError("--contract auto needs --base-url")
    target = named_endpoint(request, request.base_url, contract).target
    found = asyncio.run(reach(target, contract, with_error=True))
    fitting = proposals_for(target, found.exchanges)
    if found.reason is not None:
        _print(_FAILS.format(reason=finding_text(found.reason)), language)
        if not fitting:
            return ExitCode.UNDECIDED
    for told in sentences(target, fitting):
        _print(told, language)
    best = fitting[0].contract if fitting else DEFAULT_CONTRACT
    click.echo(f"\n{command(words, best)}")
    return ExitCode.PROPOSED


def sentences(target: Target, fitting: Sequence[Proposal]) -> tuple[Text, ...]:
    """Return what speaks for each contract, and that nothing was decided."""
    if not fitting:
        return (_NOBODY.format(url=target.base_url, contract=DEFAULT_CONTRACT), _NOTHING_JUDGED)
    told = [
        _LOOKS.format(
            url=target.base_url, name=one.name, why=evidence_of(one), contract=one.contract
        )
        for one in fitting
    ]
    return (*told, _NOTHING_JUDGED)


def evidence_of(proposal: Proposal) -> Text:
    """Return what speaks for a contract, as one text."""
    return join_texts(map(finding_text, proposal.evidence), Text("; ", "；"))


def command(words: Sequence[str], contract: str) -> str:
    """Return the command line as typed, with another contract."""
    kept: list[str] = []
    is_value = False
    for word in words:
        if is_value:
            kept.append(contract)
            is_value = False
        elif word.startswith(f"{CONTRACT_OPTION}="):
            kept.append(f"{CONTRACT_OPTION}={contract}")
        else:
            kept.append(word)
            is_value = word == CONTRACT_OPTION
    return gate.redact(shlex.join(("conformance", *kept)))


def _print(told: Text, language: Language) -> None:
    click.echo(cut(line(told.of(language)), MAX_LINE_CHARS))


_LOOKS = Text(
    "{url} looks like {name} ({why}): `--contract {contract}` judges it by {name}'s own "
    "documentation.",
    "{url} 看起来是 {name}（{why}）：`--contract {contract}` 按 {name} 自己的文档判定。",
)
_NOBODY = Text(
    "{url} does not say which server it is: `--contract {contract}` judges it by the behaviour of "
    "the live API.",
    "{url} 没有说明自己是哪种服务器：`--contract {contract}` 按官方 API 的行为判定。",
)
_NOTHING_JUDGED = Text(
    "Nothing was judged; choose a contract and run:", "尚未判定任何内容；请选择契约后运行："
)
_FAILS = Text("the endpoint cannot be tested as it is: {reason}", "目前无法测试该接口：{reason}")
