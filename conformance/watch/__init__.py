"""Watch targets: run them when they are due, and tell what changed.

``conformance watch`` is one process, or one call of many by cron. What it has to know between them
is in the folder of the history (:mod:`conformance.watch.store`).
"""
