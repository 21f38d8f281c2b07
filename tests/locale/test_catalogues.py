"""Every message has a Chinese sentence, and the catalogues are up to date."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import reason_to_skip
from conformance.judgement import Feature
from conformance.locale import in_chinese
from conformance.protocol.account_wordings import Cause
from tests import messages


def test_catalogues_are_complete_and_compiled() -> None:
    assert messages.problems() == []


def test_messages_of_the_checks_are_found() -> None:
    ids = messages.ids_in_code()
    assert len(ids) > 600
    assert "budget spent: {requests} requests were allowed" in ids
    assert "Expecting value" in ids
    assert "zhizengzeng gives `seed` the default 1, so that repeats may be alike" in ids


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    po = Path(shutil.copy(messages.PO, tmp_path))
    shutil.copy(messages.MO, tmp_path)
    monkeypatch.setattr(messages, "PO", po)
    monkeypatch.setattr(messages, "MO", po.with_suffix(".mo"))
    return po


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('msgstr "未遇到限流"', 'msgstr ""', "no translation: no rate limit was hit"),
        ('msgid "no rate limit was hit"', 'msgid "old"', "no longer in the code: old"),
        ('msgstr "{count} 次"', 'msgstr "{times} 次"', "other placeholders: {count} times"),
        ('msgstr "未遇到限流"', 'msgstr "没有限流"', "messages.mo is not compiled"),
    ],
)
def test_problem_of_a_catalogue_is_told(copies: Path, old: str, new: str, problem: str) -> None:
    text = copies.read_text("utf-8")
    assert old in text
    copies.write_text(text.replace(old, new), "utf-8")
    assert any(problem in told for told in messages.problems())


def test_untidy_catalogue_is_told(copies: Path) -> None:
    copies.write_text(copies.read_text("utf-8") + "\n", "utf-8")
    assert messages.problems() == ["messages.po is not as this tool writes it"]


def test_update_adds_and_removes_ids(copies: Path) -> None:
    text = copies.read_text("utf-8").replace('msgid "no rate limit was hit"', 'msgid "old"')
    copies.write_text(text, "utf-8")
    assert messages.main() == 0
    updated = copies.read_text("utf-8")
    assert 'msgid "old"' not in updated
    assert 'msgid "no rate limit was hit"\nmsgstr ""' in updated


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('say("{a}", a="a plain phrase")', True),
        ('say("{a}", a=f"the {x} phrase")', True),
        ('verbatim("one" if x else "or another")', True),
        ('expect(1, "number of choices")', True),
        ('expect(1, "choices[0].text")', False),
        ('say("a phrase {a}", a="name")', False),
        ('say("{a}", a=say("a phrase"))', False),
    ],
)
def test_phrase_as_plain_string_is_found(
    code: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "one.py").write_text(code)
    ast.parse(code)
    monkeypatch.setattr(messages, "SUITE", tmp_path)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    assert list(messages.phrases_in_arguments()) == (["checks/one.py:1"] if found else [])


@pytest.mark.parametrize("document", CONTRACTS)
def test_every_reason_of_a_contract_is_translated(document: str) -> None:
    contract = load_contract(document)
    requirements = {check.requirement for check in all_checks()}
    reasons = {contract.why_not_in_force(requirement) for requirement in requirements}
    reasons |= {reason_to_skip(check, contract) for check in all_checks()}
    assert [reason for reason in reasons if reason and not in_chinese(reason)] == []


@pytest.mark.parametrize("named", [*Feature, *Cause])
def test_every_feature_and_cause_is_translated(named: Feature | Cause) -> None:
    name = in_chinese(named.said)
    assert name is not None
    assert name != named.said
