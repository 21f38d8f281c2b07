"""A server without ``logit_bias``."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant


@variant("no-logit-bias", refuses="logit_bias")
def no_logit_bias() -> Behaviour:
    """``logit_bias`` is rejected with 400."""
    return rejects(uses("logit_bias"), "logit_bias is not supported", param="logit_bias")
