"""The parameter model: which levels of which factors the contract allows to combine.

A level stands for a kind of value. The concrete values of a kind (a stop sequence as a string or in
an array, null or an empty one for none) alternate over the test cases, so that all of them are sent
without more combinations.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import AWKWARD, CHINESE, EMOJI
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.checks._shared.stop_candidates import NEVER_GENERATED, decoys
from conformance.checks.interactions.cases import ASCII, Prompt, TestCase
from conformance.contract import Contract
from conformance.generation.covering_arrays import Allowed, Combination, threewise

IDS: tuple[int, ...] = (300, 500, 700, 900, 1000)
OTHER_IDS: tuple[int, ...] = (1000, 800, 600, 400)
"""Token ids that are ordinary text in every common vocabulary."""

SUFFIX = " 9, 10."

SCRIPTS: Mapping[str, tuple[Prompt, Prompt]] = {
    "ascii": (ASCII, EMOJI),
    "ids": (IDS, OTHER_IDS),
    "chinese": (CHINESE, AWKWARD),
    "emoji": (EMOJI, ASCII),
}
"""Each prompt, and the second one of its batch.

Other checks request the completions of most of them too, so that these are paid for once.
"""

LONG_STOP_CHARS = 12
"""Characters of a long stop sequence."""

SEEDS = (0, -7, 2**40)
"""Seeds that do not change a greedy completion, and that endpoints often mishandle."""

CODE_PATHS = ("form", "way", "copies", "echo", "scores", "stop")
"""Factors that are served by other code in most implementations, and so hide most defects."""

THREES = (
    ("form", "way", "copies", "echo", "scores"),
    ("form", "way", "echo", "script"),
    ("form", "echo", "scores", "length"),
)
"""Groups of factors that select code paths: all triples of levels in a group are covered."""

Text = Callable[[Prompt, str | None, int], str]
"""Returns the completion of a prompt with a suffix, within a number of tokens."""

DEFAULTS: Mapping[str, Any] = {
    "user": "reader-7",
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_p": 1,
    "logit_bias": {},
    "n": 1,
    "echo": False,
    "stream": False,
}
"""Values that have no effect, because they are the defaults."""


@dataclass(frozen=True)
class CoveringArray:
    """Combinations of levels.

    Attributes:
        combinations: all of them; those of the core come first.
        core: how many of them are the core, which the standard tier sends.
    """

    combinations: tuple[Combination, ...]
    core: int


_computing = threading.Lock()


def factors_of(contract: Contract) -> Mapping[str, tuple[str, ...]]:
    """Return the factors that a contract documents, each with at least two levels."""

    def known(name: str, *levels: str) -> tuple[str, ...]:
        return levels if contract.parameter(name).documented else ()

    forms = contract.parameter("prompt").forms
    ids = {"tokens", "token-arrays"} <= set(forms)
    # One document reads `logprobs: 0` as no log probabilities.
    none_listed = "logprobs.zero-gives-sampled" in contract.requirements
    factors: dict[str, tuple[str, ...]] = {
        "script": ("ascii", *(("ids",) if ids else ()), "chinese", "emoji"),
        "form": ("alone", *(("batch",) if "strings" in forms else ())),
        "way": ("plain", *known("stream", "stream"), *known("stream_options", "billed")),
        "copies": ("one", *known("best_of", "best"), *known("n", "two")),
        "echo": ("off", *known("echo", "on")),
        "scores": (
            "off",
            *known("logprobs", *(["none listed"] if none_listed else []), "two listed"),
        ),
        "length": ("whole", "least", "part"),
        # Free factors take their first level; texts without a stop sequence test the most.
        "stop": ("none", *known("stop", "missed", "met")),
        "rest": ("absent", "idle", "null"),
        "written": ("raw", "escaped"),
        "suffix": ("off", *known("suffix", "on")),
    }
    return {name: levels for name, levels in factors.items() if len(levels) > 1}


def _no_suffix_beside(name: str, *kept: str) -> tuple[tuple[str, ...], Allowed]:
    return ("suffix", name), lambda row: row["suffix"] == "off" or row[name] in kept


ALLOWED: Sequence[tuple[tuple[str, ...], Allowed]] = (
    # `best_of` cannot be streamed, and no document defines `echo` with `suffix`.
    (("copies", "way"), lambda row: row["copies"] != "best" or row["way"] == "plain"),
    # One token is too short for a stop sequence and text before it.
    (("stop", "length"), lambda row: row["stop"] != "met" or row["length"] != "least"),
    _no_suffix_beside("form", "alone"),
    _no_suffix_beside("echo", "off"),
    _no_suffix_beside("script", "ascii"),
)

NO_ECHO_WITH_SCORES: tuple[tuple[str, ...], Allowed] = (
    ("echo", "scores"),
    lambda row: "off" in {row["echo"], row["scores"]},
)
"""For documents that serve only one of the two."""


def covering_array(contract: Contract) -> CoveringArray:
    """Return the combinations of a contract's levels, the most telling ones first.

    The core takes only the plainest and the richest level of each factor, and covers all of their
    pairs and, of :data:`CODE_PATHS`, all triples. The others complete the pairs of all levels and
    the triples of :data:`THREES`.
    """
    # Checks want the same array concurrently: one thread computes it, the others wait.
    with _computing:
        apart = {"echo", "logprobs"} in contract.refused_together
        return _array(tuple(factors_of(contract).items()), apart=apart)


@cache
def _array(factors: tuple[tuple[str, tuple[str, ...]], ...], *, apart: bool) -> CoveringArray:
    """Make the array; ``apart`` keeps echoes and log probabilities in different requests."""
    allowed = (*ALLOWED, NO_ECHO_WITH_SCORES) if apart else ALLOWED
    extremes = {name: (levels[0], levels[-1]) for name, levels in factors if name != "suffix"}
    core = threewise(extremes, allowed, among=[CODE_PATHS], given=[])
    given = [{**row, **({"suffix": "off"} if "suffix" in dict(factors) else {})} for row in core]
    whole = threewise(dict(factors), allowed, among=THREES, given=given)
    return CoveringArray(tuple(whole), len(core))


def prompts_of(combination: Combination) -> tuple[Prompt, ...]:
    """Return the prompts of a combination."""
    first, second = SCRIPTS[combination.get("script", "ascii")]
    return (first, second) if combination.get("form") == "batch" else (first,)


def cases_of(array: CoveringArray, contract: Contract, text: Text) -> list[TestCase]:
    """Return a test case for each combination; the values of a level alternate.

    Args:
        array: the combinations.
        contract: has the limits, and says which parameters may be null.
        text: returns the completion of a prompt; stop sequences are cut from it.
    """
    used: Counter[tuple[str, str]] = Counter()
    cases = []
    for combination in array.combinations:
        turns = {name: used[name, level] for name, level in combination.items()}
        used.update(combination.items())
        cases.append(_test_case(combination, turns, contract, text))
    return cases


def _test_case(
    combination: Combination, turns: Mapping[str, int], contract: Contract, text: Text
) -> TestCase:
    """Return the test case of a combination.

    Args:
        combination: the level of each factor.
        turns: how often each of these levels was used before.
        contract: has the limits, and says which parameters may be null.
        text: returns the completion of a prompt.
    """
    levels = {"stop": "none", "rest": "absent", "way": "plain", **combination}
    prompts = prompts_of(combination)
    settings: dict[str, Any] = {}
    if levels["way"] != "plain":
        settings["stream"] = True
    if levels["way"] == "billed":
        settings["stream_options"] = _stream_options(contract, turns["way"])
    if levels.get("copies", "one") != "one":
        settings["n"] = 2
    if levels.get("copies") == "best":
        settings["best_of"] = 3
    if levels.get("echo") == "on":
        settings["echo"] = True
    if levels.get("scores", "off") != "off":
        settings["logprobs"] = 0 if levels["scores"] == "none listed" else 2
    if levels.get("suffix") == "on":
        settings["suffix"] = SUFFIX
    max_tokens = _max_tokens(contract, combination, turns.get("length", 0))
    texts = [text(prompt, settings.get("suffix"), max_tokens) for prompt in prompts]
    # Of batches, every other one has sequences of its second prompt.
    first = (turns.get("form", 0) + 1) % len(texts)
    texts = [*texts[first:], *texts[:first]]
    settings |= _stop(levels["stop"], turns.get("stop", 0), contract, texts, prompts)
    if isinstance(settings.get("stop"), str) and contract.parameter("stop").types == ("array",):
        settings["stop"] = [settings["stop"]]
    if levels["rest"] == "null":
        settings |= _nulls(contract, settings)
    if levels["rest"] == "idle":
        settings |= _defaults(contract, settings, turns["rest"])
    return TestCase(
        prompts,
        settings,
        max_tokens=max_tokens,
        listed=turns["script"] % 3 == 0
        and "strings" in contract.parameter("prompt").forms
        and isinstance(prompts[0], str),
        escaped=levels.get("written") == "escaped",
    )


def _max_tokens(contract: Contract, combination: Combination, turn: int) -> int:
    """Return ``max_tokens``; 0 is valid only with an echo, and not in every document."""
    match combination.get("length"):
        case "part":
            return 5 - turn % 2
        case "least":
            alone = "max-tokens.zero-with-echo" in contract.requirements
            return 0 if alone and combination.get("echo") == "on" else 1
        case _:
            return MAX_TOKENS


def _stream_options(contract: Contract, turn: int) -> Mapping[str, bool]:
    options = {"include_usage": True}
    if turn % 4 and "stream-options.include-obfuscation" in contract.requirements:
        options["include_obfuscation"] = turn % 4 < 3
    return options


def _stop(
    level: str,
    turn: int,
    contract: Contract,
    texts: Sequence[str],
    prompts: Sequence[Prompt],
) -> Mapping[str, Any]:
    """Return ``stop``, with sequences cut from the first of the completions."""
    most = contract.parameter("stop").max_items or 4
    if level == "none":
        return _no_stop(turn, contract)
    if level == "missed":
        missed = _missed(texts, prompts)
        first = turn * most % len(missed)
        return {"stop": [*missed[first:], *missed[:first]][:most]}
    whole = solid(texts[0])
    early, late = _part_of(whole, 1), _part_of(whole, 2)
    third = len(whole) // 3
    long = whole[third : third + LONG_STOP_CHARS] or NEVER_GENERATED
    near = decoys(whole, max(1, whole.find(early)))[:2] or [NEVER_GENERATED]
    of_several: Sequence[str] = [*near, late, early][-most:]
    if not all(ends_plainly(solid(text), of_several) for text in texts):
        of_several = [NEVER_GENERATED, early]
    return {"stop": (early, of_several, [long], whole[:2] or NEVER_GENERATED)[turn % 4]}


def ends_plainly(text: str, stops: Sequence[str]) -> bool:
    """Return whether no other sequence begins before the first one in a text is complete.

    If two overlap, servers that search after every token stop at the one that is complete first.
    """
    found = sorted((start, start + len(stop)) for stop in stops if (start := text.find(stop)) >= 0)
    return all(start >= found[0][1] for start, _ in found[1:])


def _no_stop(turn: int, contract: Contract) -> Mapping[str, Any]:
    """Return one of three ways to send no stop sequence."""
    stop = contract.parameter("stop")
    if not stop.documented:
        return {}
    options: list[Mapping[str, Any]] = [{}, {"stop": ""}]
    if stop.nullable:
        options.append({"stop": None})
    return options[turn % len(options)]


def _part_of(text: str, thirds: int) -> str:
    """Return two characters of a text after some thirds; if it is empty, ones that never occur.

    They follow white space if there is any, since a server may remove it with the sequence.
    """
    third = len(text) * thirds // 3
    behind = (place for place in range(third, len(text)) if text[place - 1 : place].isspace())
    start = next(behind, third)
    return text[start : start + 2] or NEVER_GENERATED


def _missed(texts: Sequence[str], prompts: Sequence[Prompt]) -> list[str]:
    """Return near misses: patterns, text across the end of the prompt, text of the prompt."""
    completion, prompt = texts[0], prompts[0]
    near = [f"{solid(completion)[:1]}.+", *decoys(solid(completion), len(completion))]
    if isinstance(prompt, str):
        near[:0] = [prompt[-2:] + completion[:1], prompt[:4]]
    missed = [one for one in dict.fromkeys(near) if not any(one in text for text in texts)]
    return missed or [NEVER_GENERATED]


def _nulls(contract: Contract, settings: Mapping[str, Any]) -> Mapping[str, None]:
    """Return null for the nullable parameters that are not set.

    A null ``temperature`` or ``max_tokens`` would change the completion.
    """
    kept = {"model", "prompt", "temperature", "max_tokens", "stream_options", *settings}
    return {
        parameter.name: None
        for parameter in contract.parameters
        if parameter.documented
        and parameter.nullable
        and not parameter.is_extension
        and parameter.name not in kept
    }


def _defaults(contract: Contract, settings: Mapping[str, Any], turn: int) -> Mapping[str, Any]:
    """Return values without effect for the parameters that are not set."""
    both = "temperature.with-top-p-served" in contract.requirements
    values = {name: value for name, value in DEFAULTS.items() if name != "top_p" or both}
    values["seed"] = SEEDS[turn % len(SEEDS)]
    return {
        name: value
        for name, value in values.items()
        if contract.parameter(name).documented and name not in settings
    }
