"""The language model, and everything between its logits and finished choices; no HTTP."""
