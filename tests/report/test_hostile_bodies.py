"""What a report does with a body that an endpoint made to be slow."""

import time
from collections.abc import Callable

import pytest

from conformance.locale import in_chinese
from conformance.report.evidence_spans import pointed_out
from conformance.report.html.highlight import highlighted
from conformance.report.html.layout import lay_out
from conformance.report.html.response_diff import differences

CHARS = 16_000
SECONDS = 1.5
CLAIMS = "ab ab.ab = 1, " * 40
QUOTES = '"ab" "1," "aa" ' * 40
SIGNS = [chr(0x4E00 + i) for i in range(5_000)]
BODIES = {
    "nested": '{"ab":' * (CHARS // 6),
    "members": '"ab":1,' * (CHARS // 7),
    "quotes": '"' * CHARS,
    "blanks": '"ab"' + " " * CHARS,
    "numbers": '{"ab":[' + "1," * (CHARS // 2) + "1]}",
}
STEPS: dict[str, Callable[[], object]] = {
    **{f"evidence in {name}": lambda b=b: pointed_out(b, [CLAIMS]) for name, b in BODIES.items()},
    **{f"quotes in {name}": lambda b=b: pointed_out(b, [QUOTES]) for name, b in BODIES.items()},
    **{f"colours of {name}": lambda b=b: highlighted(b) for name, b in BODIES.items()},
    **{f"layout of {name}": lambda b=b: lay_out(b) for name, b in BODIES.items()},
    "lines that alternate": lambda: differences(
        "\n".join(SIGNS)[:8_000], "\n".join(f"{sign}\n一二" for sign in SIGNS)[:CHARS]
    ),
    "words that alternate": lambda: differences(
        "".join(SIGNS), "".join(sign + chr(0xAC00 + i) for i, sign in enumerate(SIGNS))
    ),
    "equal signs": lambda: differences("a" + ". " * 4_000, "b" + ". " * 4_000 + "c"),
    "a message of commas": lambda: in_chinese("expected " + ", a" * 300),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_step_takes_little_time(step: Callable[[], object]) -> None:
    start = time.process_time()
    step()
    assert time.process_time() - start < SECONDS
