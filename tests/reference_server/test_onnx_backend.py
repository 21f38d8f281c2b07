"""The default ONNX graph matches the checkpoint, and batching changes no bit."""

import weakref
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from reference_server.engine import onnx_backend
from reference_server.engine.backend import Backend, Floats, Prefilled
from reference_server.engine.cache import MIN_SLOTS
from reference_server.engine.engine import BUNDLED
from reference_server.engine.onnx_backend import PREFILL_TOKENS, OnnxBackend
from reference_server.engine.transformers_backend import TransformersBackend

STEPS = 6
# On both sides of every border: of the cache's growth, of the portions a prompt is read in.
LENGTHS = [1, 2, 3, MIN_SLOTS - 4, MIN_SLOTS - 1, MIN_SLOTS, MIN_SLOTS + 1, 125, 300]
MAX_ROWS = 33


def tokens(count: int, seed: int = 0) -> list[int]:
    drawn: list[int] = np.random.default_rng([count, seed]).integers(4, 4000, count).tolist()
    return drawn


@pytest.fixture(scope="module")
def onnx() -> OnnxBackend:
    return OnnxBackend(BUNDLED)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """The checkpoint in 64 bits, whose rounding is far below the tolerance for 32 bits."""
    return AutoModelForCausalLM.from_pretrained(
        BUNDLED, dtype=torch.float64, local_files_only=True
    ).eval()


def follow(backend: Backend, prompt: list[int], response: list[int]) -> Floats:
    """The logits after the prompt and after each token of the answer."""
    read = backend.prefill(prompt)
    handle = backend.open(read)
    rows = [read.logits[-1], *(backend.step([handle], [token])[0].copy() for token in response)]
    backend.close(handle)
    return np.stack(rows)


@pytest.mark.parametrize("size", [1, 7, PREFILL_TOKENS, PREFILL_TOKENS + 1])
def test_logits_match_transformers_in_64_bits(
    onnx: OnnxBackend, network: torch.nn.Module, size: int
) -> None:
    ids = tokens(size + 40)
    with torch.inference_mode():
        expected = network(torch.tensor([ids])).logits[0].numpy()
    for found, wanted in [
        (onnx.prefill(ids).logits, expected),
        (follow(onnx, ids[:size], ids[size:]), expected[size - 1 :]),
    ]:
        off = np.abs(found - wanted).max(axis=-1)
        # transformers itself, in 32 bits, is as far off: 1.3e-5 in the median, 1.1e-4 at worst.
        assert np.median(off) < 2e-5
        assert off.max() < 2e-4


def test_both_backends_agree(onnx: OnnxBackend) -> None:
    prompt, response = tokens(5), tokens(3)
    other = TransformersBackend(BUNDLED)
    assert (other.vocabulary, other.context) == (onnx.vocabulary, onnx.context)
    assert np.abs(follow(onnx, prompt, response) - follow(other, prompt, response)).max() < 1e-4


@dataclass(frozen=True)
class Sequence:
    """A prompt, what follows it, and the logits of each place when nothing else is decoded."""

    prompt: list[int]
    response: list[int]
    alone: Floats


@pytest.fixture(scope="module")
def sequences() -> list[Sequence]:
    """As many as are ever run together, computed one at a time on one thread."""
    backend = OnnxBackend(BUNDLED)
    backend._shared = backend._alone
    made = []
    for place in range(MAX_ROWS):
        prompt, response = tokens(LENGTHS[place % len(LENGTHS)], place), tokens(STEPS, place)
        made.append(Sequence(prompt, response, follow(backend, prompt, response)))
    return made


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_batched_rows_are_bit_identical_to_single_ones(
    sequences: list[Sequence], threads: int
) -> None:
    backend = OnnxBackend(BUNDLED)
    backend._alone = backend._shared = onnx_backend._session(BUNDLED, threads)
    random = np.random.default_rng(threads)
    read: dict[int, Prefilled] = {}
    for rows in range(1, MAX_ROWS + 1):
        company = random.permutation(MAX_ROWS)[:rows].tolist()
        begun: dict[int, Sequence] = {}
        places: dict[int, int] = {}
        # They come and go at different times, and not all of them take part in every step.
        while company or begun:
            for _ in range(min(len(company), int(random.integers(1, rows + 1)))):
                number = company.pop()
                sequence = sequences[number]
                if number not in read:
                    read[number] = backend.prefill(sequence.prompt)
                    assert np.array_equal(read[number].logits[-1], sequence.alone[0])
                handle = backend.open(read[number])
                begun[handle], places[handle] = sequence, 0
            for handle in [handle for handle in begun if places[handle] == STEPS]:
                backend.close(handle)
                del begun[handle]
            chosen = [handle for handle in begun if random.random() < 0.9]
            random.shuffle(chosen)
            if chosen:
                ids = [begun[handle].response[places[handle]] for handle in chosen]
                for handle, logits in zip(chosen, backend.step(chosen, ids), strict=True):
                    places[handle] += 1
                    assert np.array_equal(logits, begun[handle].alone[places[handle]])


def test_candidates_of_a_prompt_diverge_independently(onnx: OnnxBackend) -> None:
    read = onnx.prefill(tokens(10))
    first, second = onnx.open(read), onnx.open(read)
    onnx.step([first], [5])
    moved = [logits.copy() for logits in onnx.step([first, second], [6, 5])]
    again = onnx.open(read)
    assert np.array_equal(onnx.step([again], [5])[0], moved[1])
    assert not np.array_equal(moved[0], moved[1])
    for handle in (first, second, again):
        onnx.close(handle)


def test_full_context_ends_a_sequence_without_side_effects(
    onnx: OnnxBackend, sequences: list[Sequence]
) -> None:
    full = onnx.open(onnx.prefill(tokens(onnx.context - 1)))
    beside = onnx.open(onnx.prefill(sequences[0].prompt))
    onnx.step([full, beside], [5, sequences[0].response[0]])
    with pytest.raises(ValueError, match="already has the length of the context"):
        onnx.step([full, beside], [5, sequences[0].response[1]])
    logits = onnx.step([beside], [sequences[0].response[1]])
    assert np.array_equal(logits[0], sequences[0].alone[2])
    onnx.close(full)
    onnx.close(beside)


def test_candidates_use_one_row_each_and_are_freed(
    onnx: OnnxBackend,
) -> None:
    read = onnx.prefill(tokens(100))
    handles = [onnx.open(read) for _ in range(128)]
    token_bytes = read.cache.nbytes // read.length
    assert onnx.cache_bytes == 128 * 128 * token_bytes
    onnx.step(handles, [5] * 128)
    memory = weakref.ref(onnx._cache.memory)
    for handle in handles:
        onnx.close(handle)
    assert onnx.cache_bytes == 0
    assert memory() is None
