"""The prompts that checks share, so that identical requests are paid for once.

Each leaves a model little choice (counting, repeating), which keeps the gap between the best token
and the next wide and greedy responses stable; the scripts differ in bytes per character.
"""

from __future__ import annotations

COUNTING = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,"
"""ASCII; any language model continues it."""

COLOURS = "\n".join(["red green blue"] * 4)
"""ASCII with several words and lines; the completion begins with a line break."""

CHINESE = "一二三四五六七八九十。一二三四五六七八九十。一二三四五六七"
"""Three bytes a character."""

EMOJI = "胡🌸🌙⭐\n" * 3 + "胡🌸"
"""Characters of three and of four bytes (two UTF-16 units), rare enough that byte-level tokenizers
split some of them, so a model that copies them generates parts of characters."""

RARE = "龘字怎么读"
"""Begins with a character that hardly any tokenizer has a token for."""

AWKWARD = '  一二三。\n\t🍎🍌 \\n "X" <b> &amp; e\u0301  '
"""White space at both ends, several scripts, a capital, text that escaping gets wrong (a backslash
and an n are not a line break), and an accent that normalisation would join with its letter."""

ENDED = "The end."
"""A text that is finished, so that many models end it at once."""
