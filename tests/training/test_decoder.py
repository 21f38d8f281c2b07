"""The exported graph computes what transformers computes."""

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import LlamaForCausalLM

SLOTS = 40
ROWS, LENGTH = 3, 20


@pytest.fixture
def ids() -> np.ndarray:
    return np.random.default_rng(0).integers(4, 4096, (ROWS, LENGTH))


@pytest.fixture
def expected(network: LlamaForCausalLM, ids: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(ids)).logits.numpy()


def empty_cache(decoder: onnxruntime.InferenceSession, slots: int) -> np.ndarray:
    layers, _, _, heads, _, dim = decoder.get_inputs()[2].shape
    return np.zeros((layers, 2, ROWS, heads, slots, dim), np.float32)


def test_a_whole_prompt_without_a_past(decoder, ids, expected):
    logits, _ = decoder.run(
        None,
        {
            "input_ids": ids,
            "past_lengths": np.zeros(ROWS, np.int64),
            "past": empty_cache(decoder, slots=0),
        },
    )
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("lengths", [(7, 1, 12), (0, 20, 3), (5, 5, 5)])
def test_rows_of_different_lengths_go_on_from_their_own_past(decoder, ids, expected, lengths):
    cache = empty_cache(decoder, SLOTS)
    cache += 1e3  # what lies in unused slots must not matter
    padded = np.zeros((ROWS, max(lengths)), np.int64)
    for row, n in enumerate(lengths):
        padded[row, :n] = ids[row, :n]
    nothing = np.zeros(ROWS, np.int64)
    prompt = {"input_ids": padded, "past_lengths": nothing, "past": cache}
    logits, present = decoder.run(None, prompt)
    for row, n in enumerate(lengths):
        np.testing.assert_allclose(logits[row, :n], expected[row, :n], atol=1e-4)
        cache[:, :, row, :, :n] = present[:, :, row, :, :n]

    past = np.array(lengths)
    for step in range(LENGTH - max(lengths)):
        fresh = ids[np.arange(ROWS), past + step][:, None]
        feed = {"input_ids": fresh, "past_lengths": past + step, "past": cache}
        logits, present = decoder.run(None, feed)
        for row, n in enumerate(past + step):
            np.testing.assert_allclose(logits[row, 0], expected[row, n], atol=1e-4)
            cache[:, :, row, :, n] = present[:, :, row, :, 0]


def test_the_weights_are_shipped_once(weights):
    assert (weights / "decoder.onnx").stat().st_size < 400_000
    assert sum(file.stat().st_size for file in weights.iterdir()) < 35_000_000
