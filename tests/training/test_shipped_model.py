"""Abilities of the shipped model that the suite's checks need."""

import pytest
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from reference_server.training import evaluate


@pytest.mark.parametrize(
    ("prompt", "continuation"),
    [
        ("1, 2, 3, 4, 5, 6, 7,", " 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21"),
        ("red green blue red green blue red", " green blue red green blue red green blue"),
        ("Monday, Tuesday,", " Wednesday, Thursday, Friday, Saturday, Sunday"),
        ("January, February,", " March, April, May, June, July, August, September, October"),
        ("一、二、三、", "四、五、六、七、八、九、十、十一"),
        ("甲、乙、丙、丁、", "戊、己、庚"),
        ("🎉 🎈 🎉 🎈 🎉 🎈", " 🎉 🎈 🎉 🎈 🎉 🎈"),
    ],
)
def test_patterns_are_continued(network, tokenizer, prompt: str, continuation: str):
    assert evaluate.greedy(network, tokenizer, prompt, 60).startswith(continuation)


def test_counting_continues_beyond_sixty(network: LlamaForCausalLM, tokenizer: Tokenizer):
    assert evaluate.counting_reach(network, tokenizer) >= 60


@pytest.mark.parametrize(
    "line",
    [
        "river stone lamp house",
        "The old king sees the small cat.",
        "小明喜欢红苹果。",
        "🌟🍎🚀🐼🎵",
    ],
)
def test_line_is_copied(network: LlamaForCausalLM, tokenizer: Tokenizer, line: str):
    assert evaluate.greedy(network, tokenizer, f"{line}\n{line}\n", 60).startswith(line)


def test_copied_tokens_are_likely(network: LlamaForCausalLM, tokenizer: Tokenizer):
    copied = evaluate.copying(network, tokenizer, count=40)
    assert copied.exact > 0.6
    assert copied.median_gap > 3


def test_matching_suffix_makes_the_middle_likelier(network, tokenizer):
    worth = evaluate.suffix_worth(network, tokenizer, evaluate.unseen_lessons(120))
    assert worth.right > worth.foreign + 0.3


def test_free_text_does_not_repeat_one_word(network: LlamaForCausalLM, tokenizer: Tokenizer):
    for prompt in ("In the beginning", "The package manager", "如果您想要"):
        written = evaluate.greedy(network, tokenizer, prompt, 40)
        assert len(set(written)) > 8


def test_short_responses_end_before_the_limit(network: LlamaForCausalLM, tokenizer: Tokenizer):
    ids = tokenizer.encode(evaluate.greedy(network, tokenizer, "Say this is a test", 40)).ids
    assert len(ids) < 40
