"""The text of a starter ``conformance.toml``; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = """\
# The endpoints that `conformance run` tests in parallel; `conformance run --target 'zero*'` selects
# some of them. Do not put API keys into this file: each target names the environment variable that
# holds its key. A target without api-key-env is tested without a key.

[defaults]
tier = "smoke"              # test depth and cost: smoke, standard or deep
# max-requests = 50         # for each target; by default twice what the tier costs
# max-spend-tokens = 3000   # for each target, counted by upper bounds; by default the same
# concurrency = 8           # concurrent requests per target
# rate = 2.0                # maximum requests per second
# timeout = 60.0            # timeout in seconds for each attempt at a request
# strict = false            # treat warnings as failures
# seed = 0                  # random seed; the same seed generates the same requests
# profile = "lm-eval"       # test what this client needs; `conformance profiles` lists clients
# region = "eu"             # where the requests are sent from; with --scheduler, its workers
# headers = {"X-Tenant" = "acme"}   # sent with every request; not for secrets
# prices = {input = 1.50, output = 2.00, cached = 0.75, currency = "USD"}  # of a million tokens
# slo = {ttft-p95 = 2, error-rate = 0.01, availability = 0.99}  # seconds and shares
"""

TARGET = """
# {title}
[targets.{name}]
base-url = "{base_url}"
model = "{model}"
api-key-env = "{variable}"
contract = "{contract}"
"""

TAIL = """
# Your own endpoint, tested against the live API's behaviour or your own overlay:
# [targets.mine]
# base-url = "http://127.0.0.1:8000/v1"
# path = "/beta/completions"        # if the endpoint is elsewhere on that host
# model = "some-model"
# tokenizer = "tokenizer.json"      # of the model, to count prompts; or an encoding of tiktoken
# balance = {path = "/user/balance", pointer = "/total_balance", unit = "USD"}   # of the account
# expected = "mine.expected.yaml"   # known deviations; a file of this name is found by itself
# contract = "openai"       # or the path of an overlay, relative to this file
# headers-env = {"X-Gateway-Token" = "GATEWAY_TOKEN"}   # a header whose value is a secret

# `conformance watch` runs the targets when they are due, and tells what changed:
# [watch]
# every = "6h"              # or cron = "17 4 * * *"
# max-requests-per-day = 500
# [watch.notices.team]
# kind = "slack"            # or json, feishu, dingtalk, mail
# url-env = "SLACK_WEBHOOK_URL"
"""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as a target; ``contract`` is the name of the vendor's document."""

    contract: str
    title: str
    base_url: str
    model: str

    @property
    def variable(self) -> str:
        """The environment variable for the key, such as ``GPT_GE_API_KEY``."""
        return f"{self.contract.upper().replace('-', '_')}_API_KEY"


def starter(vendors: Iterable[Vendor]) -> str:
    """Return a commented configuration file with a target for each vendor."""
    targets = (
        TARGET.format(
            title=vendor.title,
            name=vendor.contract,
            base_url=vendor.base_url,
            model=vendor.model,
            variable=vendor.variable,
            contract=vendor.contract,
        )
        for vendor in vendors
    )
    return "".join((HEAD, *targets, TAIL))
