"""The record beside the weights: data, training and results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from reference_server.training import evaluate, packing
from reference_server.training.corpus import Document
from reference_server.training.sources import SOURCES
from reference_server.training.train import Progress

LESSONS_MEASURED = 300
SAMPLE_TOKENS = 48


def measure(
    network: LlamaForCausalLM,
    tokenizer: Tokenizer,
    documents: Sequence[Document],
    progress: Progress,
) -> dict[str, Any]:
    """Every figure of the model card; takes a few minutes on two cores."""
    texts = {language: evaluate.held_out(documents, language) for language in ("en", "zh")}
    texts["lessons"] = evaluate.unseen_lessons(LESSONS_MEASURED)
    return {
        "model": {
            "architecture": "LlamaForCausalLM",
            "parameters": sum(p.numel() for p in network.parameters()),
            "vocabulary": tokenizer.get_vocab_size(),
            "context": network.config.max_position_embeddings,
        },
        "data": {
            "sources": [_source(source.name, documents) for source in SOURCES],
            "shares_of_tokens": dict(packing.FULL.shares),
            "share_of_documents_with_a_hole": packing.FULL.holes,
        },
        "training": {
            "optimisers": "Muon for matrices, AdamW for embeddings and norms",
            **asdict(progress),
        },
        "held_out": {
            name: _rounded(asdict(evaluate.score(network, tokenizer, some)))
            for name, some in texts.items()
        },
        "logprob_of_the_middle": {
            name: _rounded(asdict(evaluate.suffix_worth(network, tokenizer, some)))
            for name, some in texts.items()
        },
        "abilities": {
            "counts_to": evaluate.counting_reach(network, tokenizer),
            "copying_unseen_lines": _rounded(asdict(evaluate.copying(network, tokenizer))),
        },
        "greedy_samples": {
            prompt: evaluate.greedy(network, tokenizer, prompt, SAMPLE_TOKENS)
            for prompt in evaluate.PROMPTS
        },
    }


def save(record: dict[str, Any], path: Path) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _source(name: str, documents: Sequence[Document]) -> dict[str, Any]:
    source = next(source for source in SOURCES if source.name == name)
    own = [document for document in documents if document.source == name]
    return {
        "name": name,
        "language": source.language,
        "package": source.package,
        "origin": source.origin,
        "licence": source.licence,
        "documents": len(own),
        "bytes": sum(len(document.text.encode()) for document in own),
        "held_out_documents": sum(document.held_out for document in own),
    }


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
