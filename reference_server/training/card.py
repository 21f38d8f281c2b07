"""The model card and the notice of sources, written from the record."""

from __future__ import annotations

from typing import Any

from reference_server.training import decoder

_CARD = """\
# The reference server's language model

A Llama of {parameters:,} parameters, trained from nothing on {tokens:,} tokens for this
conformance suite. It can count, copy, continue patterns, fill in a middle and write passable
sentences; it knows next to nothing. This page, `RECORD.json` and `NOTICE.md` are written by
`python -m reference_server.training export`.

| file | what it is |
|---|---|
| `model.safetensors`, `config.json`, `generation_config.json` | for `AutoModelForCausalLM` |
| `tokenizer.json`, `tokenizer_config.json` | {vocabulary} byte-level tokens, for `AutoTokenizer` |
| `decoder.onnx` | one decoding step for onnxruntime; its weights lie in `model.safetensors` |
| `RECORD.json` | data, plan and every figure of this page |
| `NOTICE.md` | whose texts the model learnt from, and under which licences |

## Figures

{held_out}

Mean log-probability (nats per token) of a true middle of 4 to 24 characters:

{middles}

Greedy decoding of `1, 2, 3, 4, 5, 6, 7,` counts without a mistake to **{counts_to}**. Unseen lines
shown twice are written a third time without a mistake in **{exact:.0%}** of {lines} cases, with a
median gap of {gap:.1f} between the best and the second logit.

## Greedy samples

{samples}

## Prompts

- Plain text needs no opening token. An empty prompt starts from `<|endoftext|>`, which also ends
  every document.
- Fill in the middle: `<|fim_prefix|>` prefix `<|fim_suffix|>` suffix `<|fim_middle|>`, each part
  encoded by itself; the answer ends with `<|endoftext|>`.

## `decoder.onnx`

{contract}
"""

_NOTICE = """\
# Texts the weights learnt from

The weights were trained on the texts below and on lessons that this repository generates. The
texts themselves are not part of the repository; the packages named are Debian's.

{table}
"""


def card(record: dict[str, Any]) -> str:
    """`README.md` of the weights."""
    copying = record["abilities"]["copying_unseen_lines"]
    return _CARD.format(
        parameters=record["model"]["parameters"],
        vocabulary=record["model"]["vocabulary"],
        tokens=record["training"]["tokens"],
        held_out=_table(
            ("held-out text", "documents", "nats per token", "bits per byte"),
            [
                (name, s["documents"], s["nats_per_token"], s["bits_per_byte"])
                for name, s in record["held_out"].items()
            ],
        ),
        middles=_table(
            ("text", "holes", "right suffix", "foreign suffix", "no suffix"),
            [
                (name, w["holes"], w["right"], w["foreign"], w["none"])
                for name, w in record["logprob_of_the_middle"].items()
            ],
        ),
        counts_to=record["abilities"]["counts_to"],
        exact=copying["exact"],
        lines=copying["lines"],
        gap=copying["median_gap"],
        samples="\n\n".join(
            f"```text\n{prompt}⟶{text}\n```" for prompt, text in record["greedy_samples"].items()
        ),
        contract=(decoder.__doc__ or "").partition("\n\n")[2].strip(),
    )


def notice(record: dict[str, Any]) -> str:
    """`NOTICE.md` of the weights."""
    rows = [
        (s["name"], s["origin"], s["licence"], s["package"], f"{s['bytes']:,}")
        for s in record["data"]["sources"]
    ]
    return _NOTICE.format(table=_table(("text", "from", "licence", "package", "bytes"), rows))


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
