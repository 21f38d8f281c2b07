"""A server that attacks its client: raw sockets, one behaviour a path.

    with hostile_server() as server:
        conformance("run", "--base-url", server.base_url("gzip-twice"), "--model", "m")

A behaviour is a function of one :class:`Call`; a new case is a few lines in the file of its kind:

    @behaviour("gzip-twice")
    def gzip_twice(call: Call) -> None:
        call.respond(twice(BOMB), {"Content-Encoding": "gzip, gzip"})
"""

from tests.hostile.server import BEHAVIOURS, Call, HostileServer, behaviour, hostile_server

__all__ = ["BEHAVIOURS", "Call", "HostileServer", "behaviour", "hostile_server"]
