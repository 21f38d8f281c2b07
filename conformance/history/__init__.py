"""The history of many runs: their records, compressed, and an index of them.

    runs/TARGET/WHEN-KEY.ndjson.gz     the records, without what their contracts promise; or .zst
    contracts/SHA-256.json.gz          that, once for each contract
    index.sqlite3                      a row for each run, made from the records

The records are the truth. The index only answers questions faster, and can be deleted.
"""

from conformance.history.entry import Entry
from conformance.history.index import (
    Index,
    IndexBrokenError,
    IndexBusyError,
    IndexUnwritableError,
)
from conformance.history.store import Added, History, NoHistoryError

__all__ = [
    "Added",
    "Entry",
    "History",
    "Index",
    "IndexBrokenError",
    "IndexBusyError",
    "IndexUnwritableError",
    "NoHistoryError",
]
