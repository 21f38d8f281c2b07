"""Faults of isolation: a request changes the response to another one, at the same time or later.

Each is built as its report describes it, and no stronger: it strikes only beside the requests, or
after the requests, that the report names. What stands between is the relay, so that another request
in flight is one that arrived and has not been answered.
"""
