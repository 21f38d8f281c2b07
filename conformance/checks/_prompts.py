"""The prompts that checks share, so that identical requests are paid for once.

Each leaves a model little choice (counting, repeating), which keeps the gap between the best token
and the next wide and greedy answers steady; the scripts differ in how many bytes a character takes.
"""

COUNTING = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,"
"""ASCII: any language model continues it."""

COLOURS = "red green blue red green blue red green blue red green"
"""ASCII with word boundaries: the leading space of the answer matters."""

CHINESE = "一二三四五六七八九十。一二三四五六七八九十。一二三四五六七"
"""Three bytes a character."""

EMOJI = "🍎🍌🍒 🍎🍌🍒 🍎🍌🍒 🍎🍌"
"""Four bytes a character, two UTF-16 units: byte-level tokenizers cut it."""

AWKWARD = '  一二三。\n\t🍎🍌 \\ "X" <b> &amp; e\u0301  '
"""White space at both ends, several scripts, a capital, what escaping gets wrong, and an accent
that normalisation would join with its letter."""
