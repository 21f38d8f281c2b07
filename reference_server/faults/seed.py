"""Faults of ``seed``: it is dropped, or only a part of it has an effect."""

from collections.abc import Callable

from reference_server.behaviour.builders import drops, rejects, rewrites, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import is_several
from reference_server.behaviour.registry import Evidence, Shows, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS, REQUESTS

TRIGGERS = REQUESTS | {Trigger.SECOND_CHOICE}


def seeds(change: Callable[[int], int]) -> Rewrite:
    """Replace a seed that was sent."""
    return rewrites(
        lambda request: (
            {**request, "seed": change(request["seed"])}
            if isinstance(request.get("seed"), int)
            else request
        )
    )


@fault("seed-ignored", breaks="seed.repeats", evidence=Evidence.REPORTED)
def seed_ignored() -> Behaviour:
    """``seed`` is dropped."""
    return drops("seed")


@fault(
    "seed-zero-lost",
    breaks="seed.repeats seed.whole-range-served",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS - {Trigger.BATCH, Trigger.ECHO, Trigger.NON_ASCII},
)
def seed_zero_lost() -> Behaviour:
    """``seed: 0`` is dropped, and every completion is sampled anew."""
    return drops("seed", when=lambda request: "seed" in request and request["seed"] == 0)


@fault(
    "seed-frozen", breaks="seed.different-seeds-differ seed.whole-range-served", triggers=TRIGGERS
)
def seed_frozen() -> Behaviour:
    """All seeds give the same completion."""
    return seeds(lambda _: 7)


@fault("seed-always-set", breaks="temperature.repeats-vary seed.null-is-none", triggers=TRIGGERS)
def seed_always_set() -> Behaviour:
    """Without a seed, every completion is sampled with the same one."""
    return sets(lambda request: request.get("seed") is None, seed=42)


@fault(
    "seed-null-zero",
    breaks="seed.null-is-none",
    triggers=REQUESTS - {Trigger.BATCH, Trigger.ECHO, Trigger.NON_ASCII},
)
def seed_null_zero() -> Behaviour:
    """``seed: null`` is replaced by 0."""
    return sets(lambda request: "seed" in request and request["seed"] is None, seed=0)


@fault("seed-32-bits", breaks="seed.upper-bits-count", triggers=HANDLERS)
def seed_32_bits() -> Behaviour:
    """Only the lower 31 bits of a seed have an effect."""
    return seeds(lambda seed: seed % 2**31)


@fault(
    "seed-cut-to-32-bits",
    breaks="seed.upper-bits-count",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def seed_cut_to_32_bits() -> Behaviour:
    """Only the lower 32 bits of a seed have an effect, as of a Mersenne Twister.

    Reported for NumPy: https://github.com/numpy/numpy/pull/4676. PyTorch's generator on the CPU
    does the same: https://github.com/pytorch/pytorch/pull/63219
    """
    return seeds(lambda seed: seed % 2**32)


@fault("seed-absolute", breaks="seed.whole-range-served", triggers=HANDLERS)
def seed_absolute() -> Behaviour:
    """A negative seed is replaced by its absolute value."""
    return seeds(abs)


@fault("seed-large-refused", breaks="seed.whole-range-served", triggers=HANDLERS)
def seed_large_refused() -> Behaviour:
    """A seed of more than 32 bits is rejected."""
    return rejects(
        lambda request: isinstance(request.get("seed"), int) and abs(request["seed"]) >= 2**32,
        param="seed",
    )


@fault("seed-negative-refused", breaks="seed.whole-range-served", triggers=HANDLERS)
def seed_negative_refused() -> Behaviour:
    """A negative seed is rejected."""
    return rejects(
        lambda request: isinstance(request.get("seed"), int) and request["seed"] < 0, param="seed"
    )


@fault("seed-null-refused", breaks="seed.null-is-none", triggers=HANDLERS)
def seed_null_refused() -> Behaviour:
    """``seed: null`` is rejected."""
    return rejects(lambda request: "seed" in request and request["seed"] is None)


@fault(
    "seed-with-n-refused",
    breaks="seed.repeats n.count",
    shows=Shows.REFUSED,
    evidence=Evidence.SIBLING,
    triggers=(),
    tier=Tier.DEEP,
)
def seed_with_n_refused() -> Behaviour:
    """A seed is rejected if several choices are requested.

    Reported of a chat endpoint, for Together: https://github.com/togethercomputer/together-py/issues/214
    """
    return rejects(
        lambda request: isinstance(request.get("seed"), int) and _several(request),
        "Input validation error: `seed` must not be set when `best_of` > 1",
        status=422,
    )


def _several(request: Body) -> bool:
    return any(is_several(request.get(name)) for name in ("n", "best_of"))


@fault("seed-by-request", breaks="seed.repeats", triggers=TRIGGERS)
def seed_by_request() -> Behaviour:
    """The random state persists: each request continues from the previous one."""
    drawn = [0]

    def change(seed: int) -> int:
        drawn[0] += 1
        return (seed + drawn[0]) % 2**63

    return seeds(change)


@fault(
    "default-seed-two",
    breaks="seed.default-one",
    triggers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def default_seed_two() -> Behaviour:
    """The default seed is 2 instead of 1."""
    return sets(lambda request: "seed" not in request, seed=2)
