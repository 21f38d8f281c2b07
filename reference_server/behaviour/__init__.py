"""How the server can be made to behave: as a relay in front of itself that rewrites what passes.

``faults/`` break one named promise each, ``variants/`` use one freedom that a correct server has.
Both are behaviours: a function between the client and the server proper, which stays as it is.
"""
