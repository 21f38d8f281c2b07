"""Faults of ``seed``: it is lost, or not all of it counts."""

from collections.abc import Callable

from reference_server.behaviour.builders import asks, drops, rejects, sets
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._hiding import HANDLERS, REQUESTS

HIDES = REQUESTS | {Modifier.SECOND_CHOICE}


def seeds(change: Callable[[int], int]) -> Rewrite:
    """Another seed reaches the server in place of one that was sent."""
    return asks(
        lambda request: (
            {**request, "seed": change(request["seed"])}
            if isinstance(request.get("seed"), int)
            else request
        )
    )


@fault("seed-ignored", breaks="seed.repeats", evidence=Evidence.REPORTED)
def seed_ignored() -> Behaviour:
    """``seed`` is lost."""
    return drops("seed")


@fault(
    "seed-zero-lost",
    breaks="seed.repeats seed.whole-range-served",
    evidence=Evidence.SOURCE,
    modifiers=HIDES - {Modifier.BATCH, Modifier.ECHO, Modifier.NON_ASCII},
)
def seed_zero_lost() -> Behaviour:
    """``seed: 0`` is lost, and the answer is sampled anew."""
    return drops("seed", when=lambda request: "seed" in request and request["seed"] == 0)


@fault("seed-frozen", breaks="seed.different-seeds-differ seed.whole-range-served", modifiers=HIDES)
def seed_frozen() -> Behaviour:
    """Every seed is taken for one and the same."""
    return seeds(lambda _: 7)


@fault("seed-always-set", breaks="temperature.repeats-vary seed.null-is-none", modifiers=HIDES)
def seed_always_set() -> Behaviour:
    """Without a seed every answer is sampled with the same one."""
    return sets(lambda request: request.get("seed") is None, seed=42)


@fault(
    "seed-null-zero",
    breaks="seed.null-is-none",
    modifiers=REQUESTS - {Modifier.BATCH, Modifier.ECHO, Modifier.NON_ASCII},
)
def seed_null_zero() -> Behaviour:
    """``seed: null`` is taken for 0."""
    return sets(lambda request: "seed" in request and request["seed"] is None, seed=0)


@fault("seed-32-bits", breaks="seed.whole-range-served", modifiers=HANDLERS)
def seed_32_bits() -> Behaviour:
    """Only the lower 31 bits of a seed count."""
    return seeds(lambda seed: seed % 2**31)


@fault("seed-absolute", breaks="seed.whole-range-served", modifiers=HANDLERS)
def seed_absolute() -> Behaviour:
    """A negative seed is taken for its positive."""
    return seeds(abs)


@fault("seed-large-refused", breaks="seed.whole-range-served", modifiers=HANDLERS)
def seed_large_refused() -> Behaviour:
    """A seed of more than 32 bits is refused."""
    return rejects(
        lambda request: isinstance(request.get("seed"), int) and abs(request["seed"]) >= 2**32,
        param="seed",
    )


@fault("seed-negative-refused", breaks="seed.whole-range-served", modifiers=HANDLERS)
def seed_negative_refused() -> Behaviour:
    """A negative seed is refused."""
    return rejects(
        lambda request: isinstance(request.get("seed"), int) and request["seed"] < 0, param="seed"
    )


@fault("seed-null-refused", breaks="seed.null-is-none", modifiers=HANDLERS)
def seed_null_refused() -> Behaviour:
    """``seed: null`` is refused."""
    return rejects(lambda request: "seed" in request and request["seed"] is None)


@fault("seed-by-request", breaks="seed.repeats", modifiers=HIDES)
def seed_by_request() -> Behaviour:
    """A seed counts from the start of the server: each request draws on from the last."""
    drawn = [0]

    def change(seed: int) -> int:
        drawn[0] += 1
        return (seed + drawn[0]) % 2**63

    return seeds(change)


@fault(
    "default-seed-two",
    breaks="seed.default-one",
    modifiers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def default_seed_two() -> Behaviour:
    """Without a seed the answer is the one of seed 2, not of seed 1."""
    return sets(lambda request: "seed" not in request, seed=2)
