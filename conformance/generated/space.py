"""The space of requests: which values of which parameters are combined, as the contract knows them.

A value here stands for a kind of value. Which one of its kind a row gets (a stop sequence as a
string or in an array, null or an empty one for none) goes in turns, so that a fault which strikes
for one of them is met without the array growing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import AWKWARD
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.checks._shared.stop_candidates import NEVER_GENERATED, decoys
from conformance.contract import Contract
from conformance.generated.arrays import Allowed, Combination, pairwise, threewise
from conformance.generated.interactions_rows import ASCII, IDLE, Prompt, Row

CHINESE = "一二三四五六七八九十。一二三"
EMOJI = "🌸🌙\n🌸🌙\n🌸"
IDS: tuple[int, ...] = (300, 500, 700, 900, 1000)
OTHER_IDS: tuple[int, ...] = (1000, 800, 600, 400)
"""Ids that stand for ordinary pieces of text in every usual vocabulary."""

SUFFIX = " 9, 10."

SCRIPTS: Mapping[str, tuple[Prompt, Prompt]] = {
    "ascii": (ASCII, CHINESE),
    "chinese": (CHINESE, ASCII),
    "emoji": (EMOJI, AWKWARD),
    "ids": (IDS, OTHER_IDS),
}
"""Each prompt, and the one behind it in a batch."""

LONG = 12
"""Characters of a long stop sequence."""

SEEDS = (0, -7, 2**40)
"""Seeds that change no greedy answer, and that a careless endpoint stumbles over."""

THREES = (
    ("form", "way", "copies", "echo", "scores"),
    ("form", "way", "echo", "script"),
    ("form", "echo", "scores", "length"),
)
"""Factors that decide which code answers: any three values in a group meet, of others any two."""

Text = Callable[[Prompt, str | None, int], str]
"""Tells what the endpoint answers to a prompt with a suffix, within so many tokens."""


@dataclass(frozen=True)
class Array:
    """What is combined, and how many of the combinations, the first ones, cover the pairs."""

    rows: tuple[Combination, ...]
    pairs: int


_MAKING = threading.Lock()


def factors_of(contract: Contract) -> Mapping[str, tuple[str, ...]]:
    """Return the factors that a contract leaves to combine, each with two values or more."""

    def known(name: str, *levels: str) -> tuple[str, ...]:
        return levels if contract.parameter(name).documented else ()

    forms = contract.parameter("prompt").forms
    ids = {"tokens", "token-arrays"} <= set(forms)
    # To one page 0 means that no log probabilities are wanted.
    none_listed = "logprobs.zero-gives-sampled" in contract.requirements
    factors: dict[str, tuple[str, ...]] = {
        "script": ("ascii", "chinese", "emoji", *(("ids",) if ids else ())),
        "form": ("alone", *(("batch",) if "strings" in forms else ())),
        "way": ("plain", *known("stream", "stream"), *known("stream_options", "billed")),
        "copies": ("one", *known("n", "two"), *known("best_of", "best")),
        "echo": ("off", *known("echo", "on")),
        "scores": (
            "off",
            *known("logprobs", *(["none listed"] if none_listed else []), "two listed"),
        ),
        "length": ("whole", "part", "least"),
        # Where any value will do the first is taken: most is said by texts that nothing ends.
        "stop": ("none", *known("stop", "met", "missed")),
        "rest": ("absent", "null", "idle"),
        "written": ("raw", "escaped"),
        "suffix": ("off", *known("suffix", "on")),
    }
    return {name: levels for name, levels in factors.items() if len(levels) > 1}


def _no_suffix_beside(name: str, *kept: str) -> tuple[tuple[str, ...], Allowed]:
    return ("suffix", name), lambda row: row["suffix"] == "off" or row[name] in kept


ALLOWED: Sequence[tuple[tuple[str, ...], Allowed]] = (
    # The best of several cannot be streamed, and what an insertion echoes is settled nowhere.
    (("copies", "way"), lambda row: row["copies"] != "best" or row["way"] == "plain"),
    # The first token alone is too little to hold a sequence and something before it.
    (("stop", "length"), lambda row: row["stop"] != "met" or row["length"] != "least"),
    _no_suffix_beside("form", "alone"),
    _no_suffix_beside("echo", "off"),
    _no_suffix_beside("script", "ascii"),
)


def combinations(contract: Contract) -> Array:
    """Cover the pairs of a contract's values, and the triples of :data:`THREES` behind them.

    Raises:
        NotApplicable: the library that makes arrays is not installed.
    """
    # Every check wants the same array, from threads of their own, since making it takes a while.
    with _MAKING:
        return _array(tuple(factors_of(contract).items()))


@cache
def _array(factors: tuple[tuple[str, tuple[str, ...]], ...]) -> Array:
    pairs = pairwise(dict(factors), ALLOWED)
    whole = threewise(dict(factors), ALLOWED, among=THREES, given=pairs)
    return Array(tuple(whole), len(pairs))


def prompts_of(combination: Combination) -> tuple[Prompt, ...]:
    """Return the prompts of a row."""
    first, second = SCRIPTS[combination.get("script", "ascii")]
    return (first, second) if combination.get("form") == "batch" else (first,)


def rows_of(array: Array, contract: Contract, text: Text) -> list[Row]:
    """Make the requests for an array, each value of a kind in its turn.

    Args:
        array: the combinations.
        contract: whose limits and nulls hold.
        text: tells what the endpoint answers, from which stop sequences are cut.
    """
    met: Counter[tuple[str, str]] = Counter()
    rows = []
    for combination in array.rows:
        turns = {name: met[name, level] for name, level in combination.items()}
        met.update(combination.items())
        rows.append(_row(combination, turns, contract, text))
    return rows


def _row(combination: Combination, turns: Mapping[str, int], contract: Contract, text: Text) -> Row:
    chosen = {"stop": "none", "rest": "absent", "way": "plain", **combination}
    prompts = prompts_of(combination)
    more: dict[str, Any] = {}
    if chosen["way"] != "plain":
        more["stream"] = True
    if chosen["way"] == "billed":
        more["stream_options"] = _options(turns["way"])
    if chosen.get("copies", "one") != "one":
        more["n"] = 2
    if chosen.get("copies") == "best":
        more["best_of"] = 3
    if chosen.get("echo") == "on":
        more["echo"] = True
    if chosen.get("scores", "off") != "off":
        more["logprobs"] = 0 if chosen["scores"] == "none listed" else 2
    if chosen.get("suffix") == "on":
        more["suffix"] = SUFFIX
    limit = _limit(combination, turns.get("length", 0))
    texts = [text(prompt, more.get("suffix"), limit) for prompt in prompts]
    more |= _stop(chosen["stop"], turns.get("stop", 0), contract, texts, prompts)
    if chosen["rest"] == "null":
        more |= _nulls(contract, more)
    if chosen["rest"] == "idle":
        more |= _idle(contract, more, turns["rest"])
    return Row(
        prompts,
        more,
        limit=limit,
        listed=turns["script"] % 3 == 0
        and "strings" in contract.parameter("prompt").forms
        and isinstance(prompts[0], str),
        escaped=chosen.get("written") == "escaped",
    )


def _limit(combination: Combination, turn: int) -> int:
    """Return the ``max_tokens`` of a row: nothing at all can be asked for only beside an echo."""
    match combination.get("length"):
        case "part":
            return 5 - turn % 2
        case "least":
            return 0 if combination.get("echo") == "on" else 1
        case _:
            return MAX_TOKENS


def _options(turn: int) -> Mapping[str, bool]:
    options = {"include_usage": True}
    if turn % 4:
        options["include_obfuscation"] = turn % 4 < 3
    return options


def _stop(
    kind: str, turn: int, contract: Contract, texts: Sequence[str], prompts: Sequence[Prompt]
) -> Mapping[str, Any]:
    """Write the stop sequences of a row, cut from what the endpoint answers to its prompts."""
    most = contract.parameter("stop").max_items or 4
    if kind == "none":
        return _no_stop(turn, contract)
    if kind == "missed":
        missed = _missed(texts, prompts)
        first = turn * most % len(missed)
        return {"stop": [*missed[first:], *missed[:first]][:most]}
    whole = solid(texts[turn % len(texts)])
    early, late, long = _needle(whole, 1), _needle(whole, 2), _needle(whole, 1, LONG)
    near = decoys(whole, max(1, whole.find(early)))[:1] or [NEVER_GENERATED]
    of_several: Sequence[str] = [*near, late, early][-most:]
    if not all(ends_plainly(solid(text), of_several) for text in texts):
        of_several = [NEVER_GENERATED, early]
    return {"stop": (early, [long], of_several, whole[:2] or NEVER_GENERATED)[turn % 4]}


def ends_plainly(text: str, stops: Sequence[str]) -> bool:
    """Tell whether no other sequence begins before the first one in a text is complete.

    Where one holds another, servers that look after every token stop at what is complete first.
    """
    met = sorted((start, start + len(stop)) for stop in stops if (start := text.find(stop)) >= 0)
    return all(start >= met[0][1] for start, _ in met[1:])


def _no_stop(turn: int, contract: Contract) -> Mapping[str, Any]:
    """Say in one of three ways that nothing is to end an answer."""
    stop = contract.parameter("stop")
    if not stop.documented:
        return {}
    ways: list[Mapping[str, Any]] = [{}, {"stop": ""}]
    if stop.nullable:
        ways.insert(1, {"stop": None})
    return ways[turn % len(ways)]


def _needle(text: str, part: int, length: int = 2) -> str:
    """Cut some characters some thirds into a text; of an empty one nothing that occurs."""
    start = len(text) * part // 3
    return text[start : start + length] or NEVER_GENERATED


def _missed(texts: Sequence[str], prompts: Sequence[Prompt]) -> list[str]:
    """List sequences that no answer holds, and all but holds: patterns, borders, the prompt."""
    answer, prompt = texts[0], prompts[0]
    near = [f"{solid(answer)[:1]}.+", *decoys(solid(answer), len(answer))]
    if isinstance(prompt, str):
        near[:0] = [prompt[-2:] + answer[:1], prompt[:4]]
    held = [one for one in dict.fromkeys(near) if not any(one in text for text in texts)]
    return held or [NEVER_GENERATED]


def _nulls(contract: Contract, more: Mapping[str, Any]) -> Mapping[str, None]:
    """Set to null what may be null and is not set; another temperature or limit is no none."""
    kept = {"model", "prompt", "temperature", "max_tokens", "stream_options", *more}
    return {
        parameter.name: None
        for parameter in contract.parameters
        if parameter.documented and parameter.nullable and parameter.name not in kept
    }


def _idle(contract: Contract, more: Mapping[str, Any], turn: int) -> Mapping[str, Any]:
    """Set what is not set to what goes without saying."""
    both = "temperature.with-top-p-served" in contract.requirements
    idle = {name: value for name, value in IDLE.items() if name != "top_p" or both}
    idle["seed"] = SEEDS[turn % len(SEEDS)]
    return {
        name: value
        for name, value in idle.items()
        if contract.parameter(name).documented and name not in more
    }
