"""The exported graph computes what transformers computes."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers import LlamaForCausalLM

from reference_server.training import export

SLOTS = 40
ROWS, LENGTH = 3, 20


@pytest.fixture
def ids() -> np.ndarray:
    return np.random.default_rng(0).integers(4, 4096, (ROWS, LENGTH))


@pytest.fixture
def expected(network: LlamaForCausalLM, ids: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(ids)).logits.numpy()


def empty_caches(decoder: onnxruntime.InferenceSession, rows: int) -> dict[str, np.ndarray]:
    """Caches whose slots hold what must not matter: nothing is in use."""
    return {
        each.name: np.full((rows, each.shape[1], SLOTS, each.shape[3]), 1e3, np.float32)
        for each in decoder.get_inputs()
        if "." in each.name
    }


def read(
    decoder: onnxruntime.InferenceSession,
    caches: dict[str, np.ndarray],
    ids: np.ndarray,
    lengths: np.ndarray,
) -> np.ndarray:
    """The logits after new tokens; the caches are replaced by those with the tokens added."""
    last = (lengths + ids.shape[1] - 1).astype(np.int32)
    feed = {"input_ids": ids, "last_slots": last, "longest": np.array(last.max() + 1, np.int32)}
    names = [f"new_{name}" for name in caches]
    logits, *filled = decoder.run(["logits", *names], {**feed, **caches})
    caches.update(zip(caches, filled, strict=True))
    return logits


def test_complete_prompts_match_transformers(decoder, ids, expected):
    caches = empty_caches(decoder, ROWS)
    logits = read(decoder, caches, ids, np.zeros(ROWS, int))
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_chunked_prompts_match_transformers(decoder, ids, expected):
    caches = empty_caches(decoder, 1)
    for start, end in [(0, 7), (7, 8), (8, LENGTH)]:
        logits = read(decoder, caches, ids[:1, start:end], np.array([start]))
        np.testing.assert_allclose(logits[0], expected[0, start:end], atol=1e-4)


@pytest.mark.parametrize("lengths", [(7, 1, 12), (0, 19, 3), (5, 5, 5)])
def test_rows_with_different_pasts_match_transformers(decoder, ids, expected, lengths):
    caches = empty_caches(decoder, ROWS)
    for row, length in enumerate(lengths):
        own = empty_caches(decoder, 1)
        if length:
            read(decoder, own, ids[row : row + 1, :length], np.zeros(1, int))
        for name, cache in caches.items():
            cache[row] = own[name][0]
    past = np.array(lengths)
    for step in range(LENGTH - max(lengths)):
        fresh = ids[np.arange(ROWS), past + step][:, None]
        logits = read(decoder, caches, fresh, past + step)
        for row, place in enumerate(past + step):
            np.testing.assert_allclose(logits[row, 0], expected[row, place], atol=1e-4)


def test_shipped_graph_matches_the_checkpoint(weights):
    shipped = onnx.load_model(weights / "decoder.onnx", load_external_data=False)
    exported = export.graph(weights)
    # The rotation's frequencies are powers, whose last bit depends on the processor.
    for own, other in zip(constants_of(shipped), constants_of(exported), strict=True):
        ours, theirs = (onnx.numpy_helper.to_array(tensor) for tensor in (own, other))
        if ours.dtype == np.float32:
            np.testing.assert_array_almost_equal_nulp(ours, theirs, nulp=1)
            other.CopyFrom(own)
    assert exported.SerializeToString() == shipped.SerializeToString()


def constants_of(model):
    """Every tensor inside a graph; the weights are beside it."""
    nodes = (attribute for node in model.graph.node for attribute in node.attribute)
    inside = [tensor for tensor in model.graph.initializer if not tensor.external_data]
    return [*inside, *(attribute.t for attribute in nodes if attribute.HasField("t"))]


def test_weights_are_shipped_once(weights):
    assert (weights / "decoder.onnx").stat().st_size < 40_000
    assert sum(file.stat().st_size for file in weights.iterdir()) < 35_000_000
