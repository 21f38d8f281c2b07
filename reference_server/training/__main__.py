"""`python -m reference_server.training STEP`: corpus, tokenizer, train, export, in this order.

The step `graph` writes `decoder.onnx` anew for the checkpoint in the folder of shipped files.
"""

from __future__ import annotations

import argparse
import logging
from itertools import chain, islice
from pathlib import Path

from reference_server.training import card, corpus, export, lessons, record, tokenizer, train

WEIGHTS = Path(__file__).parents[1] / "weights"
LESSONS_FOR_TOKENIZER = 40_000


def main() -> None:
    """Run one step; every step reads the results of the earlier ones in the cache folder."""
    parser = argparse.ArgumentParser(prog="python -m reference_server.training")
    parser.add_argument("step", choices=("corpus", "tokenizer", "train", "export", "graph"))
    parser.add_argument("--cache", type=Path, help="folder for packages and runs")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of shipped files")
    parser.add_argument("--steps", type=int, default=2200, help="optimiser steps of the whole run")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.step == "graph":
        export.write_graph(options.weights)
        return
    if options.cache is None:
        parser.error("--cache is needed for this step")
    texts, checkpoint = options.cache / "corpus.jsonl", options.cache / "checkpoint.pt"
    match options.step:
        case "corpus":
            corpus.fetch(options.cache)
            corpus.save(corpus.build(options.cache), texts)
        case "tokenizer":
            documents = [d for d in corpus.load(texts) if not d.held_out]
            # Chinese twice, so that its many characters get their own tokens.
            prose = chain(documents, (d for d in documents if d.language == "zh"))
            lines = islice(lessons.stream(0), LESSONS_FOR_TOKENIZER)
            learnt = tokenizer.train(chain((d.text for d in prose), lines))
            tokenizer.save(learnt, options.weights)
        case "train":
            plan = train.Plan(steps=options.steps)
            vocabulary = tokenizer.load(options.weights)
            train.train(plan, corpus.load(texts), vocabulary, checkpoint)
        case "export":
            vocabulary = tokenizer.load(options.weights)
            network, progress = train.restore(checkpoint, vocabulary)
            export.export(network, options.weights)
            figures = record.measure(network, vocabulary, corpus.load(texts), progress)
            record.save(figures, options.weights / "RECORD.json")
            (options.weights / "README.md").write_text(card.card(figures), encoding="utf-8")
            (options.weights / "NOTICE.md").write_text(card.notice(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
