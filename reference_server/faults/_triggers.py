"""Where the faults of request parameters can hide: sets of modifiers by what a fault touches."""

from reference_server.behaviour.triggers import EVERYWHERE, Modifier

HANDLERS = frozenset({Modifier.STREAM, Modifier.NON_STREAMING})
"""What a request is declined or taken for: plain answers and streams can have code of their own.
One server of three may take what the others decline; to see that takes three requests for each."""

REQUESTS = EVERYWHERE - {Modifier.SECOND_CHOICE}
"""What happens to a whole request, so that its choices share it."""

RARE = frozenset({Modifier.EVERY_THIRD})
"""Where a fault strikes for one value alone, one server of three shows it less than once a run."""

NO_ECHO = EVERYWHERE - {Modifier.ECHO}

NO_STREAM = EVERYWHERE - {Modifier.STREAM, Modifier.NON_STREAMING}
"""What cannot be streamed is plain everywhere."""

NON_STREAMING_ONLY = frozenset({Modifier.NON_STREAMING})
"""What is asked for as a plain request alone, so that there is money left for other requests."""

SINGLY = frozenset({Modifier.STREAM, Modifier.NON_STREAMING})
"""What is asked for as a single prompt alone."""
