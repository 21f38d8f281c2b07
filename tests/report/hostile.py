"""Attacks in every string of a run that an endpoint controls."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from conformance.message import as_message
from conformance.model import ClientReadiness, NeedResult, NeedState, Run
from tests.report.builders import (
    a_failure,
    a_finding,
    a_requirement,
    a_run,
    a_subject,
    an_exchange,
)

ATTACKS = {
    "script": "</script><script>alert(1)</script>",
    "comment": "--><script>alert(1)</script><!--",
    "handler": "\"' onerror=alert(1) onload='alert(2)' x=\"",
    "image": "<img src=x onerror=alert(1)>",
    "style": "</style><style>*{display:none}</style>",
    "pre": "</pre></details></main><iframe src=javascript:alert(1)>",
    "link": "<a href='javascript:alert(1)'>click</a>",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "cdata": "]]><evil/>&entity;",
    "ansi": "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b31m",
    "turned": "\u202egnp.exe\u2066\u200b\ufeff",
    "nul": "nul\x00byte\x08\x7f",
    "surrogate": "\ud800 lone",
    "markup": "[bold red]rich[/] [link=file:///etc/passwd]x[/link] :smile:",
    "fence": "``` | ` </summary> | [x](javascript:alert(1)) @everyone",
    "newlines": "a\r\nb\u2028c\u2029d",
    "command": "::error::a\n::stop-commands::b\n##[error]c\r::add-mask::d",
}

ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What must not reach a screen as it is; tabs and newlines may."""


def a_hostile_run(attack: str) -> Run:
    """Put the attack wherever a run can carry a string from outside."""
    raw = attack.encode("utf-8", errors="surrogatepass")
    request = json.dumps({"model": attack, "prompt": attack}, ensure_ascii=False)
    exchange = an_exchange(
        request=request.encode("utf-8", errors="surrogatepass"),
        body=raw,
        headers=(("content-type", attack), (attack, attack)),
        fault=attack,
    )
    judged = a_run(
        a_failure(expected=attack, seen=attack, title=attack, message=attack, exchanges=("x1",)),
        a_finding("stop.unsure", "inconclusive", message=attack, title=attack),
        a_finding("stop.skipped", "skipped", message=attack),
        exchanges=(exchange,),
        base_url=f"http://x/{attack}",
        model=attack,
        api_key_env=attack,
        contract=attack,
        contract_title=attack,
        document=attack,
        reason=attack,
        subjects=(a_subject("stop", promise=attack, says={attack: attack, "zero": attack}),),
        requirements=(a_requirement(statement=attack, statement_zh=attack),),
    )
    need = NeedResult(
        attack, attack, attack, attack, attack, NeedState.UNMET, as_message(attack), ("x1",)
    )
    assert judged.footer is not None
    client = ClientReadiness(attack, attack, (need,))
    return replace(judged, footer=replace(judged.footer, readiness=(client,)))
