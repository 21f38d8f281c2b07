"""Notes about a target: how long its model lives, and which contract fits. They decide nothing.

A run sends one request for them, ``GET /models``, when all checks are done. It asks for no
completion and spends nothing, so no budget counts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from conformance.api import Api
from conformance.contract import LIVING, Contract
from conformance.judgement import Judgement
from conformance.message import Message, say
from conformance.model import Exchange, Request, Target
from conformance.protocol.lifecycle import lifecycle_notes
from conformance.protocol.model_list import ListedModel, listed_models
from conformance.protocol.recognition import Proposal, proposals
from conformance.transport.address import is_loopback

LIST = Request("GET", "/models")

LIST_SECONDS = 5.0
"""How long a run waits for the list; an endpoint need not have one."""

LIVE = "openai"


async def ask_for_models(api: Api) -> None:
    """Request the list of models, unless a check did; whatever goes wrong is no one's concern."""
    with suppress(Judgement, TimeoutError):
        await asyncio.wait_for(api.send(LIST), LIST_SECONDS)


def lifecycle_of(target: Target, exchanges: Sequence[Exchange], today: date) -> tuple[Message, ...]:
    """Return what is known of how long the model of a target lives.

    A model of a local server has the name that its owner gave it, which says nothing of a vendor's
    model of that name.
    """
    if is_loopback(target.base_url):
        return ()
    return lifecycle_notes(target.model, target.base_url, models_in(exchanges), today)


def proposals_for(target: Target, exchanges: Sequence[Exchange]) -> tuple[Proposal, ...]:
    """Return the contracts that an endpoint's own words speak for, the best first."""
    return proposals(target.base_url, target.model, models_in(exchanges), exchanges)


def notes_of(
    target: Target, contract: Contract, exchanges: Sequence[Exchange], today: date
) -> tuple[Message, ...]:
    """Return the notes about a target.

    Args:
        target: the endpoint.
        contract: the contract of the run. A note proposes another one only beside the contract of
            the live API, which is the default, and those of servers: a user who names a vendor's
            page or a file means it.
        exchanges: what the endpoint answered.
        today: the day of the run.
    """
    notes = list(lifecycle_of(target, exchanges, today))
    if contract.name == LIVE or contract.name in LIVING:
        found = proposals_for(target, exchanges)
        if found and all(one.contract != contract.name for one in found):
            best = found[0]
            notes.append(
                say(
                    "the endpoint looks like {server} ({evidence}): `--contract {contract}` judges "
                    "it by {owner}'s own documentation",
                    server=best.name,
                    evidence=best.evidence,
                    contract=best.contract,
                    owner=best.name,
                )
            )
    return tuple(notes)


def models_in(exchanges: Sequence[Exchange]) -> tuple[ListedModel, ...]:
    """Return the models that the response to ``GET /models`` lists, if there is one."""
    lists = (x.body for x in exchanges if x.request == LIST and x.status == 200)
    return listed_models(next(lists, b""))
