"""The rules of hosted services, read from their own reference pages.

Cerebras: ``inference-docs.cerebras.ai/api-reference/completions`` and, for what the page does not
list, ``completion_create_params.py`` (135d4ec6) of the official client, which is generated from the
service's description. Both read on 2026-12-01.

A documented parameter that this server cannot serve is rejected, never ignored.
"""

from dataclasses import replace

from reference_server.completions.rules import PARAMETERS, UNLIMITED

_CEREBRAS_REJECTED = frozenset({"min_tokens", "return_raw_tokens", "grammar_root"})

CEREBRAS_RULES = replace(
    UNLIMITED,
    # "OpenAI feature, not supported", says the client of suffix; the page does not list it.
    parameters=PARAMETERS - {"suffix"} | _CEREBRAS_REJECTED,
    unsupported=_CEREBRAS_REJECTED,
    # "string | array" and "boolean" on the page; all else is "| null" there or in the client.
    nullable=PARAMETERS - {"model", "prompt", "suffix", "echo"},
    # "between 0 and 1.5", "up to 4 sequences", "between -2.0 and 2.0", "from -100 to 100".
    max_temperature=1.5,
    max_stops=4,
    max_penalty=2.0,
    max_bias=100.0,
    stream_options=("include_usage",),
)
