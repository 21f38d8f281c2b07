"""Faults and variants: a relay in front of the server changes requests and responses.

Each one in ``faults/`` breaks one requirement, each one in ``variants/`` differs and conforms. Both
are behaviours: functions between the client and the server, which stays unchanged.
"""
