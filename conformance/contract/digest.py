"""The digest of a contract: two runs with the same one were judged by the same promises.

It covers the description with the overlay applied and the requirements in force, texts included, so
that a correction of either changes it. It does not depend on the order of keys in the files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache

from conformance.contract.contract import Contract


@cache
def digest_of(contract: Contract) -> str:
    """Return the SHA-256 of a contract, in 64 hexadecimal digits."""
    promised = {
        "document": contract.document,
        "openapi": contract.openapi,
        "requirements": {key: asdict(one) for key, one in contract.requirements.items()},
    }
    # YAML has dates, which JSON has not.
    text = json.dumps(promised, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
