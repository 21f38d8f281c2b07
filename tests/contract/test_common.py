"""What documents promise alike."""

from __future__ import annotations

from conformance.contract import common_to, load_contract
from conformance.docs_audit.page_reader import PAGES
from conformance.model import Common


def test_common_promises_are_in_every_contract() -> None:
    common = common_to(PAGES)
    assert common.documents == PAGES
    for name in PAGES:
        contract = load_contract(name)
        assert common.requirements <= set(contract.requirements)
        documented = {subject.name for subject in contract.subjects if subject.documented}
        assert common.subjects <= documented
    assert {"prompt", "max_tokens"} <= common.subjects
    # One of the five has no stop.
    assert "stop" not in common.subjects


def test_one_document_has_all_of_itself_in_common() -> None:
    assert common_to(["openai"]).requirements == set(load_contract("openai").requirements)
    assert common_to([]) == Common()
