"""Triggers that faults of request parameters have in common, by what a fault affects."""

from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

HANDLERS = frozenset({Trigger.STREAM, Trigger.NON_STREAMING})
"""For accepting and rejecting, which streams and non-streaming responses can implement separately.
With `@every-third`, a run would need three requests per value to notice."""

REQUESTS = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}
"""For faults of a whole request, whose choices all show them."""

RARE = frozenset({Trigger.EVERY_THIRD})
"""Excluded for faults of a single value: a run sends that value fewer than three times."""

NO_ECHO = ALL_TRIGGERS - {Trigger.ECHO}

NO_STREAM = ALL_TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING}
"""For faults of parameters that cannot be streamed."""

NON_STREAMING_ONLY = frozenset({Trigger.NON_STREAMING})
"""For faults of what a run requests without streaming only, to save budget."""

SINGLE_PROMPT = frozenset({Trigger.STREAM, Trigger.NON_STREAMING})
"""For faults of what a run requests with a single prompt only."""
