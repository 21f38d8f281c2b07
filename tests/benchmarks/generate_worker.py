"""``transformers.generate`` on demand: a line of JSON in, the number of tokens made out.

A question is ``{"prompts": [...], "tokens": 64}``; several prompts are one batch, padded on the
left.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(checkpoint: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, padding_side="left")
    tokenizer.pad_token_id = 0
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    for line in sys.stdin:
        question = json.loads(line)
        batch = tokenizer(question["prompts"], return_tensors="pt", padding=True)
        tokens = question["tokens"]
        with torch.inference_mode():
            made = model.generate(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                do_sample=False,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
                pad_token_id=0,
            )
        sys.stdout.write(f"{made.shape[0] * (made.shape[1] - batch.input_ids.shape[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
