"""All Chinese texts follow the same typography."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.message import split
from conformance.report.diagnosis import causes
from tests.messages import catalogue

HAN = "[\u4e00-\u9fff]"
RULES = {
    "a blank parts Chinese from Latin": f"{HAN}[A-Za-z0-9`]|[A-Za-z0-9`]{HAN}",
    "no blank parts Chinese from Chinese": f"{HAN} +{HAN}",
    "its punctuation is its own": f"{HAN}[,;:?!]|[,;:?!]{HAN}",
    "its punctuation has no blank around it": " [，。；：、]|[，。；：、] ",
    "terms follow the vocabulary": "词元|端点|合规|回答|作答|应答",
}


def sentences() -> Iterator[str]:
    for check in all_checks():
        yield check.title_zh
    for document in CONTRACTS:
        contract = load_contract(document)
        for requirement in contract.requirements.values():
            yield requirement.statement_zh
            yield from (source.says_zh for source in requirement.sources)
        for subject in contract.subjects:
            yield from (subject.promise_zh, *subject.says_zh.values())
    for cause in causes().values():
        yield from (cause.cause_zh, cause.remedy_zh)
    for message in catalogue():
        if message.id:
            yield "…".join(split(message.string)[0])


@pytest.mark.parametrize("rule", RULES)
def test_chinese_is_typeset_uniformly(rule: str) -> None:
    broken = re.compile(RULES[rule], re.ASCII)
    written = {re.sub("`[^`]*`", "`x`", sentence) for sentence in sentences()}
    assert sorted(sentence for sentence in written if broken.search(sentence)) == []
