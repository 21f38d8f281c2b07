"""The text of a ``conformance.toml`` to begin with: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = """\
# The endpoints that `conformance run` judges, side by side; `conformance run --target 'zero*'`
# chooses some of them. Keys never stand here: each target names the environment variable that holds
# its own. A target without api-key-env is asked without a key.

[defaults]
tier = "smoke"              # smoke, standard or deep: how deep to look, and what it costs
max-requests = 200          # for each target
max-spend-tokens = 20000    # for each target, by what requests can cost at most
# concurrency = 8           # requests in flight at each target
# rate = 2.0                # requests a second at most
# timeout = 60.0            # seconds for one attempt at a request
# strict = false            # count lesser deviations as broken promises
# seed = 0                  # makes a run's own choices repeatable
# headers = {"X-Tenant" = "acme"}   # sent with every request, for everybody to see
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
# One of your own, held to the live API's behaviour, or to an overlay of spec/openapi.yaml:
# [targets.mine]
# base-url = "http://127.0.0.1:8000/v1"
# model = "some-model"
# contract = "openai"       # or the path of the overlay, as seen from this file
# headers-env = {"X-Gateway-Token" = "GATEWAY_TOKEN"}   # a header whose value is a secret
"""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A target to begin with. ``contract`` is the short name of the vendor's document."""

    contract: str
    title: str
    base_url: str
    model: str

    @property
    def variable(self) -> str:
        """The environment variable that is to hold the key."""
        return f"{self.contract.upper().replace('-', '_')}_API_KEY"


def starter(vendors: Iterable[Vendor]) -> str:
    """Write a commented file with a target for each vendor."""
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
