"""Servers without ``suffix``, or with restrictions on it."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.triggers import is_batch


@variant("no-suffix", refuses="suffix")
def no_suffix() -> Behaviour:
    """``suffix`` is rejected with 400, as by vLLM."""
    return rejects(uses("suffix"), "suffix is not currently supported", kind="BadRequestError")


@variant("no-suffix-with-echo-or-batch", refuses="suffix")
def no_suffix_with_echo_or_batch() -> Behaviour:
    """``suffix`` is served alone, and rejected with ``echo`` or in a batch."""
    return rejects(
        lambda request: (
            request.get("suffix") is not None and (request.get("echo") is True or is_batch(request))
        ),
        "suffix cannot be combined with echo or several prompts",
        param="suffix",
    )
