"""Tests of one's own against the endpoint that pytest was started with."""


def test_a_prompt_in_chinese_is_continued(conformance_api):
    completion = conformance_api.complete(prompt="春天来了，", max_tokens=8).expect_ok()
    assert completion.text
    assert completion.usage.completion_tokens <= 8


def test_as_many_stop_sequences_as_the_document_allows(conformance_api, conformance_contract):
    limit = conformance_contract.parameter("stop").max_items or 1
    conformance_api.complete(prompt="1, 2, 3,", stop=["§"] * limit, max_tokens=4).expect_ok()
