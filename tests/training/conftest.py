"""The shipped model, loaded once."""

from pathlib import Path

import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
)

import reference_server
from reference_server.training import tokenizer as vocabulary

WEIGHTS = Path(reference_server.__file__).parent / "weights"


@pytest.fixture(scope="session")
def weights() -> Path:
    return WEIGHTS


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return vocabulary.load(WEIGHTS)


@pytest.fixture(scope="session")
def network() -> LlamaForCausalLM:
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32)


@pytest.fixture(scope="session")
def decoder() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(WEIGHTS / "decoder.onnx")


@pytest.fixture(scope="session")
def hub_tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(WEIGHTS)
