"""Your own tests against the endpoint that pytest was started with."""


def test_chinese_prompt_is_continued(conformance_api):
    completion = conformance_api.complete(prompt="春天来了，", max_tokens=8).expect_ok()
    assert completion.text
    assert completion.usage.completion_tokens <= 8


def test_documented_number_of_stop_sequences(conformance_api, conformance_contract):
    limit = conformance_contract.parameter("stop").max_items or 1
    conformance_api.complete(prompt="1, 2, 3,", stop=["§"] * limit, max_tokens=4).expect_ok()
