"""The graph that is served by default is the checkpoint, and neighbours leave no trace in it."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from reference_server.engine.backend import Backend, Floats
from reference_server.engine.engine import BUNDLED
from reference_server.engine.onnx_backend import CHUNK, SMALLEST_CLASS, OnnxBackend
from reference_server.engine.transformers_backend import TransformersBackend

RANDOM = np.random.default_rng(0)


def tokens(count: int) -> list[int]:
    drawn: list[int] = RANDOM.integers(4, 4000, count).tolist()
    return drawn


@pytest.fixture(scope="module")
def onnx() -> OnnxBackend:
    return OnnxBackend(BUNDLED)


def follow(backend: Backend, prompt: list[int], answer: list[int]) -> Floats:
    """The logits after the prompt and after each token of the answer."""
    read = backend.prefill(prompt)
    handle = backend.open(read)
    rows = [read.logits[-1], *(backend.step([handle], [token])[0] for token in answer)]
    backend.close(handle)
    return np.stack(rows)


@pytest.mark.parametrize("size", [1, 7, CHUNK, CHUNK + 1])
def test_logits_match_those_of_transformers(onnx: OnnxBackend, size: int) -> None:
    ids = tokens(size + 4)
    model = AutoModelForCausalLM.from_pretrained(BUNDLED, local_files_only=True)
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    assert np.abs(onnx.prefill(ids).logits - expected).max() < 1e-4
    assert np.abs(follow(onnx, ids[:size], ids[size:]) - expected[size - 1 :]).max() < 1e-4


def test_both_backends_agree(onnx: OnnxBackend) -> None:
    prompt, answer = tokens(5), tokens(3)
    other = TransformersBackend(BUNDLED)
    assert (other.vocabulary, other.context) == (onnx.vocabulary, onnx.context)
    assert np.abs(follow(onnx, prompt, answer) - follow(other, prompt, answer)).max() < 1e-4


def test_a_row_is_the_same_to_the_last_bit_alone_and_among_thirty_two(onnx: OnnxBackend) -> None:
    # Lengths on both sides of the size classes' borders, so that sequences change pools on the way.
    sizes = [1, 2, SMALLEST_CLASS - 1, SMALLEST_CLASS, SMALLEST_CLASS + 1, 120, 127, 300]
    prompts = [tokens(sizes[i % len(sizes)]) for i in range(32)]
    answers = [tokens(6) for _ in prompts]
    alone = [follow(onnx, p, a) for p, a in zip(prompts, answers, strict=True)]
    read = [onnx.prefill(prompt) for prompt in prompts]
    handles = [onnx.open(each) for each in read]
    together = [[each.logits[-1]] for each in read]
    for place in range(6):
        # Some leave early: the others' rows move, their numbers must not.
        present = [i for i in range(32) if not (place >= 3 and i % 3)]
        logits = onnx.step([handles[i] for i in present], [answers[i][place] for i in present])
        for i, row in zip(present, logits, strict=True):
            together[i].append(row)
        if place == 2:
            for i in set(range(32)) - {i for i in range(32) if not i % 3}:
                onnx.close(handles[i])
    for rows, expected in zip(together, alone, strict=True):
        assert np.array_equal(np.stack(rows), expected[: len(rows)])


def test_copies_of_a_prompt_go_their_own_ways(onnx: OnnxBackend) -> None:
    read = onnx.prefill(tokens(10))
    first, second = onnx.open(read), onnx.open(read)
    onnx.step([first], [5])
    moved = onnx.step([first, second], [6, 5])
    again = onnx.open(read)
    assert np.array_equal(onnx.step([again], [5])[0], moved[1])
    assert not np.array_equal(moved[0], moved[1])
